package ui

import (
	"fmt"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiMessage is one mail, or a reply logged by hand. Addresses are bare.
type apiMessage struct {
	ID             string             `json:"id"`
	Ticket         uint64             `json:"ticket"`
	Direction      string             `json:"direction"`
	Channel        string             `json:"channel"`
	Kind           string             `json:"kind"`
	State          string             `json:"state"`
	Reason         string             `json:"reason"` // why it is where it is
	From           string             `json:"from"`
	FromName       string             `json:"from_name"`
	To             []string           `json:"to"`
	Cc             []string           `json:"cc"`
	Bcc            []string           `json:"bcc"`
	Subject        string             `json:"subject"`
	ThirdParty     bool               `json:"third_party"`
	Forwarded      *string            `json:"forwarded"` // the message that it passes on
	Text           string             `json:"text"`
	ReplyText      string             `json:"reply_text"` // the new words
	MessageID      string             `json:"message_id"`
	InReplyTo      []string           `json:"in_reply_to"`
	References     []string           `json:"references"`
	ReplyAddress   string             `json:"reply_address"`
	Paths          []string           `json:"paths"` // our addresses it came through
	Date           *time.Time         `json:"date"`  // as the sender wrote it
	At             *time.Time         `json:"at"`
	Author         *string            `json:"author"`
	AuthorName     string             `json:"author_name"`
	Attachments    []apiFile          `json:"attachments"`
	Authentication *apiAuthentication `json:"authentication"`
	Analysis       *apiAnalysis       `json:"analysis"`
	Delivery       *apiDelivery       `json:"delivery"`
	UndoUntil      *time.Time         `json:"undo_until"`
	Bounces        []apiBounce        `json:"bounces"`
	Signed         string             `json:"signed"` // "S/MIME", "OpenPGP" or ""; not verified
	Encrypted      string             `json:"encrypted"`
	Invitation     *apiInvitation     `json:"invitation"`
	Defects        []string           `json:"defects"`
	CharsetNotes   []string           `json:"charset_notes"`
}

func (r roster) message(v helpdesk.MessageView) apiMessage {
	m := v.Message
	message := apiMessage{ID: m.ID, Ticket: m.Ticket, Direction: string(m.Direction), Channel: m.Channel, Kind: string(m.Kind), State: string(m.State),
		Reason: string(m.Reason), From: m.From.Email, FromName: m.From.Name, To: bare(m.To), Cc: bare(m.Cc), Bcc: bare(m.Bcc), Subject: m.Subject,
		ThirdParty: m.ThirdParty, Forwarded: orNull(m.Forwarded),
		Text: v.Body.Text, ReplyText: v.Body.ReplyText, MessageID: m.MessageID, InReplyTo: orEmpty(m.InReplyTo), References: orEmpty(m.References),
		ReplyAddress: m.ReplyAddress, Paths: orEmpty(m.Paths), Date: timeOrNull(m.Date), At: timeOrNull(m.At),
		Author: r.email(m.AuthorID), AuthorName: v.AuthorName, Attachments: []apiFile{}, Analysis: r.analysis(v.Analysis),
		Signed: m.Signed, Encrypted: m.Encrypted, Invitation: invitationJSON(m.Invitation),
		Bounces: []apiBounce{}, Defects: orEmpty(m.Defects), CharsetNotes: orEmpty(m.CharsetNotes)}
	for i, a := range m.Attachments {
		message.Attachments = append(message.Attachments, apiFile{i, a.Filename, a.ContentType, a.Size, a.SHA256, a.ContentID, a.Inline,
			fmt.Sprintf("/api/v1/messages/%s/attachments/%d", m.ID, i), a.Risk, a.RawFilename})
	}
	for _, b := range m.Bounces {
		message.Bounces = append(message.Bounces, apiBounce{b.Recipient, b.Status, b.Reason})
	}
	switch {
	case m.Direction == helpdesk.Outbound:
		message.Delivery = deliveryJSON(v.Deliveries)
	case m.Reason != helpdesk.ReasonLogged:
		message.Authentication = authenticationJSON(m.Authentication)
	}
	if v.Undoable {
		message.UndoUntil = timeOrNull(v.UndoUntil)
	}
	return message
}

func bare(list []helpdesk.Address) []string {
	out := []string{}
	for _, a := range list {
		out = append(out, a.Email)
	}
	return out
}

type apiFile struct {
	Index       int    `json:"index"`
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"` // bytes
	SHA256      string `json:"sha256"`
	ContentID   string `json:"content_id"`
	Inline      bool   `json:"inline"`
	URL         string `json:"url"`  // path on this server
	Risk        string `json:"risk"` // "executable", "macro" or ""
	RawFilename string `json:"raw_filename"`
}

type apiBounce struct {
	Recipient string `json:"recipient"`
	Status    string `json:"status"` // RFC 3463
	Reason    string `json:"reason"`
}

// apiAuthentication is the verdict on a sender in the words of RFC 8601.
type apiAuthentication struct {
	SPF         string    `json:"spf"`
	SPFDomain   string    `json:"spf_domain"`
	SPFReason   string    `json:"spf_reason"`
	DKIM        []apiDKIM `json:"dkim"`
	DMARC       string    `json:"dmarc"`
	DMARCDomain string    `json:"dmarc_domain"`
	DMARCReason string    `json:"dmarc_reason"`
	ARC         string    `json:"arc"`
	Policy      string    `json:"policy"`
	AlignedBy   string    `json:"aligned_by"`
	Forwarder   *string   `json:"forwarder"`
	Trust       string    `json:"trust"`
	Results     string    `json:"results"`
}

type apiDKIM struct {
	Domain string `json:"domain"`
	Result string `json:"result"`
	Reason string `json:"reason"`
}

func authenticationJSON(a helpdesk.Authentication) *apiAuthentication {
	verdict := &apiAuthentication{a.SPF.Result, a.SPF.Domain, a.SPF.Reason, []apiDKIM{}, a.DMARC.Result, a.DMARC.Domain, a.DMARC.Reason,
		a.ARC, a.Policy, a.AlignedBy, orNull(a.Forwarder), string(a.Trust()), a.Results}
	for _, signature := range a.DKIM {
		verdict.DKIM = append(verdict.DKIM, apiDKIM{signature.Domain, signature.Result, signature.Reason})
	}
	return verdict
}

// apiDelivery is how a message leaves: by recipient, and as a whole.
type apiDelivery struct {
	State      string         `json:"state"`
	Recipients []apiRecipient `json:"recipients"`
}

type apiRecipient struct {
	Recipient string     `json:"recipient"`
	State     string     `json:"state"`
	Attempts  int        `json:"attempts"`
	NextAt    *time.Time `json:"next_at"`
	DoneAt    *time.Time `json:"done_at"`
	Host      string     `json:"host"`   // that said the newest answer
	Code      int        `json:"code"`   // SMTP reply, 0 when there was none
	Status    string     `json:"status"` // RFC 3463
	Text      string     `json:"text"`
}

// unsettled orders the delivery states: what is not over yet comes first, then
// what ended worst.
var unsettled = []helpdesk.DeliveryState{helpdesk.DeliveryWaiting, helpdesk.DeliverySending, helpdesk.DeliveryDeferred,
	helpdesk.DeliveryFailed, helpdesk.DeliverySent, helpdesk.DeliveryCancelled}

func deliveryJSON(list []helpdesk.Delivery) *apiDelivery {
	answer := &apiDelivery{Recipients: []apiRecipient{}}
	first := len(unsettled) - 1
	for _, d := range list {
		if d.Copy {
			continue
		}
		if i := slices.Index(unsettled, d.State); i >= 0 {
			first = min(first, i)
		}
		recipient := apiRecipient{Recipient: d.Recipient, State: string(d.State), Attempts: len(d.Attempts), DoneAt: timeOrNull(d.DoneAt)}
		if d.State == helpdesk.DeliveryWaiting || d.State == helpdesk.DeliveryDeferred {
			recipient.NextAt = timeOrNull(d.NextAt)
		}
		if n := len(d.Attempts); n > 0 {
			newest := d.Attempts[n-1]
			recipient.Host, recipient.Code, recipient.Status, recipient.Text = newest.Host, newest.Code, newest.Enhanced, newest.Text
		}
		answer.Recipients = append(answer.Recipients, recipient)
	}
	if len(answer.Recipients) == 0 {
		return nil
	}
	answer.State = string(unsettled[first])
	return answer
}
