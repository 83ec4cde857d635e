package main_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// house is a support team in the middle of a working week: a desk whose past
// is written by a clock of its own, so that not everything happened just now.
type house struct {
	t     *testing.T
	desk  *helpdesk.Desk
	began time.Time
	clock time.Time
	mails int
	shown shown

	ayumi, ken, mari, daniel *helpdesk.User
}

// The team's own domain.
const houseDomain = "hokurei.example"

// newHouse writes the past of the house into a data directory.
func newHouse(t *testing.T, data string) *house {
	t.Helper()
	bolt, err := store.Open(filepath.Join(data, "madoguchi.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer bolt.Close()
	desk, err := helpdesk.Open(t.Context(), bolt, helpdesk.Options{Hostname: "mx." + houseDomain, UndoWindow: -1})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, desk: desk, began: time.Now()}
	desk.Now = func() time.Time { return h.clock }
	h.setUp()
	h.live()
	h.guard()
	return h
}

// guard gives one member an authenticator app, and has another's role need one
// from next week on.
func (h *house) guard() {
	h.t.Helper()
	ctx := h.t.Context()
	h.ago(5 * time.Minute)
	entry, err := h.desk.Login(ctx, helpdesk.Visitor{IP: "192.0.2.7", Browser: "Firefox, Linux"}, h.ken.Email, adminPassword)
	if err != nil {
		h.t.Fatal(err)
	}
	_, session, err := h.desk.UserBySession(ctx, entry.Session)
	if err != nil {
		h.t.Fatal(err)
	}
	begun, err := h.desk.BeginApp(ctx, h.ken.Actor().In(session))
	if err != nil {
		h.t.Fatal(err)
	}
	code, err := totp.GenerateCode(begun.Secret, h.clock)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.desk.AddApp(ctx, h.ken.Actor().In(session), begun.Sealed, code); err != nil {
		h.t.Fatal(err)
	}
	h.shown.guarded = entry.Session
	rule := helpdesk.SecondFactorRule{Role: helpdesk.RoleSupervisor, From: h.began.Add(7 * day)}
	if err := h.desk.RequireSecondFactor(ctx, helpdesk.System("setup"), []helpdesk.SecondFactorRule{rule}); err != nil {
		h.t.Fatal(err)
	}
}

// ago sets the clock to a time before the pictures are taken.
func (h *house) ago(d time.Duration) { h.clock = h.began.Add(-d) }

func (h *house) setUp() {
	h.t.Helper()
	h.ago(40 * day)
	system := helpdesk.System("setup")
	h.ayumi = h.user("ayumi.miura", "三浦 歩", helpdesk.RoleAdmin, "ja")
	h.mari = h.user("mari.onishi", "大西 真理", helpdesk.RoleSupervisor, "ja")
	h.ken = h.user("ken.kojima", "小島 健", helpdesk.RoleAgent, "ja")
	h.daniel = h.user("daniel.reed", "Daniel Reed", helpdesk.RoleAdmin, "en")

	support := h.pipeline("製品サポート", "受付", "確認中", "お客様待ち", "完了")
	repair := h.pipeline("校正・修理", "受付", "見積中", "作業中", "完了")
	overseas := h.pipeline("Overseas", "New", "In progress", "Done")
	for _, alias := range []helpdesk.Alias{
		{Address: "support@" + houseDomain, Name: "北嶺計器 サポート窓口", PipelineID: support.ID, Language: "ja",
			Signature: "北嶺計器株式会社 サポート窓口\n平日 9:00〜17:30　https://hokurei.example/support"},
		{Address: "calibration@" + houseDomain, Name: "北嶺計器 校正センター", PipelineID: repair.ID, OwnerID: h.ken.ID, Language: "ja", Tags: []string{"校正"}},
		{Address: "overseas@" + houseDomain, Name: "Hokurei Instruments Support", PipelineID: overseas.ID, OwnerID: h.daniel.ID, Language: "en",
			Signature: "Hokurei Instruments, overseas support\nMon to Fri, 9:00 to 17:30 JST"},
		{Address: "exhibition@" + houseDomain, Name: "展示会 受付", PipelineID: support.ID, Language: "ja", Disabled: true},
	} {
		saved, err := h.desk.SaveAlias(h.t.Context(), system, alias)
		if err != nil {
			h.t.Fatal(err)
		}
		if saved.PipelineID == support.ID && !saved.Disabled {
			h.shown.alias = saved.ID
		}
	}
	for _, template := range houseTemplates {
		if _, err := h.desk.SaveTemplate(h.t.Context(), system, template); err != nil {
			h.t.Fatal(err)
		}
	}
	h.shown.pipeline, h.shown.user = support.ID, h.ken.ID
}

const day = 24 * time.Hour

func (h *house) user(local, name string, role helpdesk.Role, locale string) *helpdesk.User {
	h.t.Helper()
	u, err := h.desk.CreateUser(h.t.Context(), helpdesk.System("setup"), helpdesk.NewUser{
		Email: local + "@" + houseDomain, Name: name, Password: adminPassword, Role: role, Locale: locale})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

// pipeline makes one whose last stage is closed and whose second one reopens.
func (h *house) pipeline(name string, stages ...string) *helpdesk.Pipeline {
	h.t.Helper()
	p := helpdesk.Pipeline{Name: name, Reopen: true, ReopenStage: stages[1]}
	for i, stage := range stages {
		kind := helpdesk.StageOpen
		if i == len(stages)-1 {
			kind = helpdesk.StageClosed
		}
		p.Stages = append(p.Stages, helpdesk.Stage{Name: stage, Kind: kind})
	}
	saved, err := h.desk.SavePipeline(h.t.Context(), helpdesk.System("setup"), p)
	if err != nil {
		h.t.Fatal(err)
	}
	return saved
}

// correspondent is somebody who writes to the house.
type correspondent struct{ name, email string }

func (c correspondent) domain() string { return c.email[strings.IndexByte(c.email, '@')+1:] }

// proof is what the sender's domain says of a mail.
type proof int

const (
	proven  proof = iota // SPF, DKIM and DMARC pass
	unknown              // the domain says nothing
	refuted              // the domain's policy refuses it
)

func (p proof) authentication(domain string) helpdesk.Authentication {
	switch p {
	case proven:
		return helpdesk.Authentication{SPF: helpdesk.AuthResult{Result: "pass", Domain: domain}, DKIM: []helpdesk.AuthResult{{Result: "pass", Domain: domain}},
			DMARC: helpdesk.AuthResult{Result: "pass", Domain: domain}, Policy: "reject", AlignedBy: "dkim"}
	case refuted:
		return helpdesk.Authentication{SPF: helpdesk.AuthResult{Result: "fail", Domain: domain, Reason: "192.0.2.77 may not send for " + domain},
			DKIM: []helpdesk.AuthResult{}, DMARC: helpdesk.AuthResult{Result: "fail", Domain: domain}, Policy: "quarantine"}
	}
	return helpdesk.Authentication{SPF: helpdesk.AuthResult{Result: "none", Domain: domain}, DMARC: helpdesk.AuthResult{Result: "none", Domain: domain}}
}

// incoming is a customer's mail. answers is the message that it replies to, by
// its reply address.
type incoming struct {
	from    correspondent
	alias   string // local part
	subject string
	text    string
	html    string
	files   []mail.Attachment
	proof   proof
	answers *helpdesk.Message
	header  []mail.Field
}

// receive takes a mail in at the clock's time and returns its ticket.
func (h *house) receive(in incoming) uint64 {
	h.t.Helper()
	h.mails++
	to := in.alias + "@" + houseDomain
	draft := mail.Draft{From: mail.Address{Name: in.from.name, Address: in.from.email}, Subject: in.subject, Date: h.clock.Add(-20 * time.Second).In(japan),
		MessageID: fmt.Sprintf("%d.%d@%s", h.clock.Unix(), h.mails, in.from.domain()), Text: in.text, HTML: in.html, Attachments: in.files, Header: in.header}
	if m := in.answers; m != nil {
		to = m.ReplyAddress
		draft.Subject, draft.InReplyTo, draft.References = "Re: "+strings.TrimPrefix(m.Subject, "Re: "), m.MessageID, append(m.References, m.MessageID)
	}
	draft.To = []mail.Address{{Address: to}}
	raw, err := mail.Compose(draft)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.deliver(raw, in.from.email, to, in.proof.authentication(in.from.domain()))
}

var japan = time.FixedZone("JST", 9*60*60)

func (h *house) deliver(raw []byte, from, to string, authentication helpdesk.Authentication) uint64 {
	h.t.Helper()
	receipt, err := h.desk.Receive(h.t.Context(), helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), ReceivedAt: h.clock, Authentication: authentication,
		Envelope: helpdesk.Envelope{RemoteIP: "192.0.2.25", HELO: "mail.example", MailFrom: from, Recipients: []string{to}, TLS: "TLS 1.3", Protocol: "ESMTPS"}})
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt.Ticket
}

// setAside is the id of the mail that was put into quarantine last.
func (h *house) setAside() string {
	h.t.Helper()
	page, err := h.desk.QuarantineList(h.t.Context(), h.mari.Actor(), helpdesk.QuarantineQuery{})
	if err != nil || len(page.Mails) == 0 {
		h.t.Fatalf("nothing is set aside: %v", err)
	}
	return page.Mails[0].Mail.ID
}

// reply answers a ticket as a colleague, who takes it.
func (h *house) reply(u *helpdesk.User, ticket uint64, text string, done bool, files ...helpdesk.Upload) *helpdesk.Message {
	h.t.Helper()
	m, err := h.desk.Reply(h.t.Context(), u.Actor(), helpdesk.Reply{Ticket: ticket, Text: text, Close: done, Attachments: files})
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// delivered records what became of an answer, a few seconds later. Attempts
// that did not succeed come first.
func (h *house) delivered(m *helpdesk.Message, attempts ...helpdesk.Attempt) helpdesk.Delivery {
	h.t.Helper()
	view, err := h.desk.Message(h.t.Context(), helpdesk.System("story"), m.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	if len(attempts) == 0 {
		attempts = []helpdesk.Attempt{{OK: true, Host: "mx1." + domainOf(view.Deliveries[0].Recipient), TLS: "TLS 1.3", Code: 250, Text: "2.0.0 Ok: queued"}}
	}
	h.clock = h.clock.Add(12 * time.Second)
	for _, d := range view.Deliveries {
		for _, attempt := range attempts {
			if err := h.desk.RecordAttempt(h.t.Context(), d.ID, attempt, false); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	return view.Deliveries[0]
}

func domainOf(address string) string { return address[strings.IndexByte(address, '@')+1:] }

func (h *house) note(u *helpdesk.User, ticket uint64, text string) {
	h.t.Helper()
	if _, err := h.desk.AddNote(h.t.Context(), u.Actor(), ticket, text); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) call(u *helpdesk.User, ticket uint64, text string) {
	h.t.Helper()
	if _, err := h.desk.LogReply(h.t.Context(), u.Actor(), helpdesk.LoggedReply{Ticket: ticket, Text: text, Channel: "phone"}); err != nil {
		h.t.Fatal(err)
	}
}

// sort gives a ticket a stage, an assignee and tags.
func (h *house) sort(u *helpdesk.User, ticket uint64, stage, assignee string, tags ...string) {
	h.t.Helper()
	change := helpdesk.Change{Assignee: &assignee, Tags: &tags}
	if stage != "" {
		change.Stage = &stage
	}
	if _, err := h.desk.Change(h.t.Context(), u.Actor(), ticket, change); err != nil {
		h.t.Fatal(err)
	}
}

// read lets everybody have seen the tickets up to a number.
func (h *house) read(last uint64) {
	h.t.Helper()
	for number := range last {
		view, err := h.desk.Ticket(h.t.Context(), h.mari.Actor(), number+1)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, u := range []*helpdesk.User{h.ayumi, h.mari, h.ken, h.daniel} {
			if err := h.desk.MarkSeen(h.t.Context(), u.Actor(), number+1, view.LastSeq); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// bounce is the report of a server that could not deliver an answer after all.
func (h *house) bounce(d helpdesk.Delivery, m *helpdesk.Message, status, reason string) {
	h.t.Helper()
	domain := domainOf(d.Recipient)
	report := fmt.Sprintf(`From: Mail Delivery System <MAILER-DAEMON@mx1.%[1]s>
To: %[2]s
Subject: Undelivered Mail Returned to Sender
Date: %[3]s
Message-ID: <bounce.%[7]d@mx1.%[1]s>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="edge"

--edge
Content-Type: text/plain; charset=us-ascii

The mail system at mx1.%[1]s could not deliver your message.

<%[4]s>: %[6]s

--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx1.%[1]s

Final-Recipient: rfc822; %[4]s
Action: failed
Status: %[5]s
Diagnostic-Code: smtp; 550 %[5]s %[6]s

--edge
Content-Type: text/rfc822-headers

Message-ID: <%[8]s>

--edge--
`, domain, d.EnvelopeFrom, h.clock.In(japan).Format(time.RFC1123Z), d.Recipient, status, reason, h.clock.Unix(), m.MessageID)
	h.deliver([]byte(strings.ReplaceAll(report, "\n", "\r\n")), "", d.EnvelopeFrom, unknown.authentication("mx1."+domain))
}
