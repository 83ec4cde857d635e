package ui

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// messageView is one mail, or logged reply, of a conversation.
type messageView struct {
	ID         string
	Class      string // "in", "out"
	Author     avatar
	Name       string
	Address    string
	To         string // recipients, for our own
	Subject    string // where it differs from the ticket's
	Time       moment
	Trust      helpdesk.Trust
	TrustText  string
	TrustBy    string // what proved the sender: "DKIM", "SPF"
	TrustWhy   string
	Kind       string // "" for a person's
	ThirdParty bool   // of the exchange with somebody whom a mail was forwarded to
	Forward    bool   // it passes a mail on
	Forwards   bool   // the reader may pass it on
	Channel    string // "" for mail
	BulkReply  string // the address of the reply to many that it is part of, or ""
	Why        string // why it is here
	Parts      []textPart
	HasHTML    bool
	Marks      []messageMark   // what the mail claims of itself, and how it came
	Invitation *invitationView // nil without one
	Files      fileList
	Pictures   fileList // files of which there are small pictures
	Within     fileList // what the HTML shows amid its words, and plain text cannot
	MoreTo     string   // recipients that are folded, of a mail to many
	Others     int      // how many they are
	Fates      []fateView
	MoreFates  []fateView // those that are folded, of a mail to many
	Analysis   *analysisView
	Pending    string // what the model is doing, or why it did nothing
	Waits      bool   // for a model that cannot read now
	Failed     string // why it did nothing
	Defects    []string
	Details    []detail
	Held       bool
	HasSource  bool
	Explained  bool     // its explanation may be read
	Charsets   []option // to decode it again in
	Movable    bool     // it can be moved to another ticket
}

// detail is a line of what is known about a mail.
type detail struct{ Label, Value string }

func (r reader) message(m helpdesk.MessageView) messageView {
	msg := m.Message
	view := messageView{ID: msg.ID, Class: string(msg.Direction), Time: longMoment(r.Printer, msg.At), Held: msg.State == helpdesk.MessageHeld,
		Why: r.T("reason." + string(msg.Reason)), Defects: storedDefects(r.Printer, msg), Parts: textParts(r.server.options.Mail.Fold(m.Body.Text, m.Body.HTML, m.Body.ReplyText)),
		HasHTML: strings.TrimSpace(m.Body.HTML) != "", HasSource: msg.Channel == "" || msg.Channel == "mail"}
	if msg.Channel != "" && msg.Channel != "mail" {
		view.Channel = r.T("channel." + msg.Channel)
	}
	if msg.Kind != "" && msg.Kind != helpdesk.KindPerson {
		view.Kind = r.T("kind." + string(msg.Kind))
	}
	r.files(&view, msg)
	if msg.Direction == helpdesk.Inbound {
		r.received(&view, m)
	} else {
		r.sent(&view, m)
	}
	view.ThirdParty, view.Forward = msg.ThirdParty, msg.Forwarded != ""
	view.Forwards = r.forwards && msg.State == helpdesk.MessagePosted
	view.Movable = r.movable && msg.State == helpdesk.MessagePosted
	view.Details = r.details(msg)
	r.tools(&view, msg)
	return view
}

// received fills what only a mail from outside has: its sender and what was
// found out about them.
func (r reader) received(view *messageView, m helpdesk.MessageView) {
	msg := m.Message
	view.Name, view.Address = msg.From.Name, msg.From.Email
	if view.Name == "" {
		view.Name, view.Address = msg.From.Email, ""
	}
	view.Author = newAvatar(msg.From.Email, view.Name)
	if view.HasSource {
		view.Trust = msg.Authentication.Trust()
		view.TrustText = r.T("trust." + string(view.Trust))
		view.TrustBy, view.TrustWhy = trustBy(msg.Authentication), r.trustReason(msg.Authentication)
		r.special(view, msg)
	}
	r.read(view, m)
}

// read fills what the model found in a mail, or why it found nothing.
func (r reader) read(view *messageView, m helpdesk.MessageView) {
	msg := m.Message
	switch {
	case m.Analysis != nil && !m.Analysis.Found():
		view.Failed = r.T("analysis.failed", explain(r.Printer, helpdesk.KeptError(m.Analysis.Failure, m.Analysis.Error)))
		view.Pending = view.Failed
	case m.Analysis != nil:
		view.Analysis = r.analysisOf(m)
	case r.analysis.Enabled && msg.Kind == helpdesk.KindPerson && !msg.ThirdParty && msg.State == helpdesk.MessagePosted:
		if view.Waits = r.analysis.problem() != ""; view.Waits {
			view.Pending = r.T("analysis.waits")
		} else {
			view.Pending = r.T("analysis.pending")
		}
	}
}

// sent fills what only our own have: author, recipients, each one's fate.
func (r reader) sent(view *messageView, m helpdesk.MessageView) {
	msg := m.Message
	view.Name = m.AuthorName
	if view.Name == "" {
		view.Name = msg.From.Name
	}
	view.Author = newAvatar(msg.AuthorID, view.Name)
	if view.To, view.MoreTo, view.Others = r.recipients(msg); msg.BulkReply != "" {
		view.BulkReply = bulkRepliesPath + "/" + msg.BulkReply
	}
	view.Fates, view.MoreFates = r.fates(m.Deliveries)
}

// shownRecipients is how many recipients the head of a mail to many names.
const shownRecipients = 6

// recipients are whom a mail of ours went to: those whom its head names, and of a mail to many the others, whose number
// folds them. Folding begins where it hides several.
func (r reader) recipients(msg helpdesk.Message) (shown, folded string, others int) {
	var list []string
	for _, field := range []struct {
		label string
		who   []helpdesk.Address
	}{{"", msg.To}, {"Cc ", msg.Cc}, {"Bcc ", msg.Bcc}} {
		for i, a := range field.who {
			name := a.Email
			if a.Name != "" {
				name = customerCalled(r.Printer, a.Name)
			}
			if i == 0 || len(list) == shownRecipients {
				name = field.label + name
			}
			list = append(list, name)
		}
	}
	keep := len(list)
	if keep > shownRecipients+2 {
		keep = shownRecipients
	}
	comma := r.T("list.comma")
	return strings.Join(list[:keep], comma), strings.Join(list[keep:], comma), len(list) - keep
}

// trustReason says which mechanisms spoke and what they said.
func (r reader) trustReason(a helpdesk.Authentication) string {
	var parts []string
	if a.Vouched != "" {
		parts = append(parts, r.T("quarantine.vouched."+string(a.Vouched)))
	}
	if a.Forwarder != "" {
		parts = append(parts, r.T("trust.forwarded", a.Forwarder))
	}
	if a.DMARC.Result != "" {
		parts = append(parts, "DMARC "+a.DMARC.Result)
	}
	for _, d := range a.DKIM {
		parts = append(parts, strings.TrimSpace("DKIM "+d.Result+" "+d.Domain))
	}
	if a.SPF.Result != "" {
		parts = append(parts, strings.TrimSpace("SPF "+a.SPF.Result+" "+a.SPF.Domain))
	}
	if len(parts) == 0 {
		return r.T("trust.unchecked")
	}
	return strings.Join(parts, " · ")
}

// trustBy is the short word beside the badge: what proved the sender.
func trustBy(a helpdesk.Authentication) string {
	if a.Trust() != helpdesk.TrustVerified {
		return ""
	}
	if a.AlignedBy != "" {
		return strings.ToUpper(a.AlignedBy)
	}
	return "DMARC"
}

// nameHint says beside a cleaned name what the sender had written.
func (v *visit) nameHint(name string, a helpdesk.Attachment) string {
	if a.RawFilename == "" {
		return name
	}
	return v.T("file.written", name, visible(a.RawFilename))
}

// visible shows the characters of a name that nobody sees, or that turn its
// direction, as their code points.
func visible(name string) string {
	var b strings.Builder
	for _, c := range name {
		if unicode.IsGraphic(c) || c == '\u3000' {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, "<U+%04X>", c)
		}
	}
	return b.String()
}

// fileName is what an attachment is called, the one at index by its number
// where it has no name.
func fileName(p locale.Printer, a helpdesk.Attachment, index int) string {
	if a.Filename != "" {
		return a.Filename
	}
	switch a.ContentType {
	case "message/delivery-status", "message/global-delivery-status":
		return p.T("file.delivery_status")
	case "message/disposition-notification", "message/global-disposition-notification":
		return p.T("file.disposition")
	case "message/feedback-report":
		return p.T("file.feedback")
	case "text/rfc822-headers", "message/global-headers":
		return p.T("file.headers")
	case "message/rfc822", "message/global":
		return p.T("file.mail")
	case "text/calendar":
		return p.T("file.calendar")
	}
	return p.T("file.unnamed", index+1)
}

func fileIcon(a helpdesk.Attachment) string {
	switch kind, _, _ := strings.Cut(a.ContentType, "/"); {
	case kind == "image":
		return "image"
	case isMail(a):
		return "mail"
	}
	return "file"
}

// details are for whoever asks how a mail got here.
func (r reader) details(m helpdesk.Message) (list []detail) {
	add := func(key, value string) {
		if value != "" {
			list = append(list, detail{r.T("detail." + key), value})
		}
	}
	add("subject", m.Subject)
	add("to", addresses(m.To))
	add("cc", addresses(m.Cc))
	add("bcc", addresses(m.Bcc))
	add("reply_to", m.ReplyTo)
	add("date", r.Full(m.Date))
	if m.Direction == helpdesk.Inbound {
		add("received", r.Full(m.At))
	}
	add("envelope_from", m.Envelope.MailFrom)
	add("envelope_to", strings.Join(m.Envelope.Recipients, ", "))
	add("paths", strings.Join(m.Paths, ", "))
	add("remote", strings.TrimSpace(m.Envelope.RemoteIP+" "+m.Envelope.HELO))
	add("tls", m.Envelope.TLS)
	add("message_id", m.MessageID)
	add("reply_address", m.ReplyAddress)
	add("authentication", m.Authentication.Results)
	return list
}

func addresses(list []helpdesk.Address) string {
	var parts []string
	for _, a := range list {
		if a.Name == "" {
			parts = append(parts, a.Email)
			continue
		}
		parts = append(parts, displayName(a.Name)+" <"+a.Email+">")
	}
	return strings.Join(parts, ", ")
}

// displayName quotes a name that could not be told from an address otherwise
// (RFC 5322, section 3.2.4).
func displayName(name string) string {
	if !strings.ContainsAny(name, "<>\"\\@,;:()[]") {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}
