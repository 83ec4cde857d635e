package helpdesk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// served is a house with a smart service of two templates on its alias.
type served struct {
	*house
	service            *helpdesk.Service
	shipping, invoices *helpdesk.Template
}

func newServed(t *testing.T) *served {
	t.Helper()
	h := newHouse(t)
	h.alias.Language = "ja"
	if _, err := h.SaveAlias(t.Context(), h.admin, h.alias); err != nil {
		t.Fatal(err)
	}
	s := &served{house: h}
	s.shipping = h.template(h.admin, helpdesk.Template{Name: "配送について", Versions: versions("ja", "{{customer.name_sama}}\n\n通常3営業日でお届けします。", "en", "Three days.")})
	s.invoices = h.template(h.admin, helpdesk.Template{Name: "請求書", Versions: versions("ja", "<p>マイページから<b>再発行</b>できます。</p>")})
	saved, err := h.SaveService(t.Context(), h.admin, s.wanted())
	if err != nil {
		t.Fatal(err)
	}
	s.service = saved
	return s
}

func (s *served) wanted() helpdesk.Service {
	return helpdesk.Service{Name: "よくあるご質問", Language: "ja", Aliases: []string{s.alias.ID}, Templates: []string{s.shipping.ID, s.invoices.ID},
		Delay: helpdesk.ServiceDelay, Threshold: helpdesk.ServiceThreshold, SenderLimit: helpdesk.ServiceSenderLimit}
}

func (s *served) save(change func(*helpdesk.Service)) {
	s.t.Helper()
	change(s.service)
	saved, err := s.SaveService(s.t.Context(), s.admin, *s.service)
	if err != nil {
		s.t.Fatal(err)
	}
	s.service = saved
}

// ask hands in a customer's proven question.
func (s *served) ask(from string, lines ...string) helpdesk.Receipt {
	s.t.Helper()
	lines = append([]string{"From: " + from, "Test-DMARC: pass", "Subject: =?utf-8?B?6YWN6YCB44Gr44Gk44GE44Gm?="}, lines...)
	return s.post("support@example.jp", append(lines, "", "注文した商品はいつ届きますか。")...)
}

// match lets a model answer every question that waits: with the template, or
// none. It returns how many were asked.
func (s *served) match(template string, confidence int) (asked int) {
	s.t.Helper()
	ctx := s.t.Context()
	claimed, _, err := s.ClaimDue(ctx, helpdesk.TimerMatch, 100, time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, timer := range claimed {
		in, err := s.MatchInput(ctx, timer.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		if in == nil {
			continue
		}
		asked++
		for range 2 { // as when a lease ends while the model thinks
			choice := helpdesk.MatchChoice{Template: template, Confidence: confidence, Model: "test", Digest: "sha256:1", PromptVersion: "match-1"}
			if err := s.StoreMatch(ctx, in, choice, ""); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	return asked
}

// answer works on every answer that is due, and returns what is sent.
func (s *served) answer() map[string]string {
	s.t.Helper()
	claimed, _, err := s.ClaimDue(s.t.Context(), helpdesk.TimerAutoReply, 100, time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, timer := range claimed {
		for range 2 {
			if err := s.SendAutoReply(s.t.Context(), timer.ID); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	return s.deliver(taken)
}

func (s *served) stands(number uint64, state helpdesk.AutoReplyState, reason helpdesk.AutoReplyReason) *helpdesk.AutoReplyView {
	s.t.Helper()
	v := s.ticket(number).AutoReply
	if v == nil || v.State != state || v.Reason != reason {
		s.t.Fatalf("ticket %d: automatic answer %+v; want %s %s", number, v, state, reason)
	}
	return v
}

func (s *served) listed(view helpdesk.View) (numbers []uint64) {
	s.t.Helper()
	rows, _, err := s.Tickets(s.t.Context(), s.admin, helpdesk.TicketQuery{View: view})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, row := range rows {
		numbers = append(numbers, row.Ticket.Number)
	}
	return numbers
}

func TestServiceAnswersAfterItsDelay(t *testing.T) {
	s := newServed(t)
	receipt := s.ask("=?utf-8?B?5bCP6YeO?= <ono@other.example>")
	if s.match(s.shipping.ID, 91) != 1 {
		t.Fatal("the model was not asked")
	}
	v := s.stands(receipt.Ticket, helpdesk.AutoReplyPlanned, "")
	if !v.Due.Equal(startOfTests.Add(18*time.Hour)) || v.TemplateName != "配送について" || v.Confidence != 91 || v.Letter == nil || v.Problem != "" ||
		!strings.Contains(v.Letter.Text, "小野様") || v.Model != "test" || v.Digest != "sha256:1" || v.PromptVersion != "match-1" {
		t.Errorf("planned: %+v, letter %+v", v, v.Letter)
	}
	notices, _, err := s.Notices(t.Context(), s.admin, 10)
	if err != nil || len(notices) != 1 || notices[0].Notice.Kind != helpdesk.NoticeMatched {
		t.Errorf("notices %+v, %v", notices, err)
	}
	if !slices.Equal(s.listed(helpdesk.ViewPlanned), []uint64{receipt.Ticket}) {
		t.Error("it is not in the list of planned answers")
	}
	s.pass(18*time.Hour - time.Second)
	if sent := s.answer(); len(sent) != 0 {
		t.Fatalf("sent before its time: %v", sent)
	}
	s.pass(time.Second)
	sent := s.answer()
	raw := sent["ono@other.example"]
	got := parse(raw)
	if len(sent) != 1 || !strings.Contains(raw, "Auto-Submitted: auto-replied") || !strings.Contains(got.Text, "小野様\n\n通常3営業日") ||
		!strings.HasPrefix(got.Subject, "自動返信: 配送") || len(got.InReplyTo) != 1 || !mail.Classify(got, false).SuppressAutoReply {
		t.Fatalf("sent %d: subject %q, text %q", len(sent), got.Subject, got.Text)
	}
	after := s.ticket(receipt.Ticket)
	reply := after.Messages[1].Message
	if s.stands(receipt.Ticket, helpdesk.AutoReplySent, "").Message != reply.ID || reply.Reason != helpdesk.ReasonService || !reply.Automatic ||
		!after.Row.Ticket.WaitingSince.IsZero() || after.Row.Ticket.Answered || !after.Row.Ticket.Open {
		t.Errorf("after it: ticket %+v, message %+v", after.Row.Ticket, reply)
	}
	if used, err := s.Template(t.Context(), s.admin, s.shipping.ID); err != nil || used.Uses != 1 {
		t.Errorf("the template was used %d times, %v", used.Uses, err)
	}
	answer := s.post(got.ReplyTo[0].Address, "From: ono@other.example", "Test-DMARC: pass", "Subject: Re", "", "ありがとうございます。")
	if answer.Ticket != receipt.Ticket || s.match(s.shipping.ID, 99) != 0 || len(s.listed(helpdesk.ViewPlanned)) != 0 {
		t.Errorf("the customer's answer to it: %+v", answer)
	}
	if !strings.Contains(kinds(s.ticket(receipt.Ticket).Events), "service.matched service.sent") {
		t.Errorf("events %s", kinds(s.ticket(receipt.Ticket).Events))
	}
}

// Whatever a person does with the ticket calls the answer off.
func TestPeopleCallTheAnswerOff(t *testing.T) {
	for name, c := range map[string]struct {
		do     func(s *served, number uint64) error
		state  helpdesk.AutoReplyState
		reason helpdesk.AutoReplyReason
	}{
		"a reply": {func(s *served, n uint64) error { s.reply(n, "Here"); return nil }, helpdesk.AutoReplyStopped, helpdesk.StoppedAnswered},
		"closing": {func(s *served, n uint64) error {
			done := s.ticket(n).Pipeline.Stages[len(s.ticket(n).Pipeline.Stages)-1].Name
			_, err := s.Change(s.t.Context(), s.admin, n, helpdesk.Change{Stage: &done})
			return err
		}, helpdesk.AutoReplyStopped, helpdesk.StoppedClosed},
		"spam": {func(s *served, n uint64) error {
			_, err := s.MarkSpam(s.t.Context(), s.admin, n, helpdesk.BlockNobody)
			return err
		}, helpdesk.AutoReplyStopped, helpdesk.StoppedSpam},
		"merging": {func(s *served, n uint64) error {
			_, err := s.Merge(s.t.Context(), s.admin, n, s.post("support@example.jp", "From: b@c.example", "Subject: x", "", "y").Ticket)
			return err
		}, helpdesk.AutoReplyStopped, helpdesk.StoppedMerged},
		"never": {func(s *served, n uint64) error {
			_, err := s.ForbidAutoReply(s.t.Context(), s.admin, n)
			return err
		}, helpdesk.AutoReplyNever, ""},
		"a service that is switched off": {func(s *served, n uint64) error {
			s.save(func(x *helpdesk.Service) { x.Disabled = true })
			return nil
		}, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedServiceOff},
		"a service that is gone": {func(s *served, n uint64) error {
			return s.DeleteService(s.t.Context(), s.admin, s.service.ID)
		}, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedServiceOff},
		"an alias that is disabled": {func(s *served, n uint64) error {
			s.alias.Language, s.alias.Disabled = "ja", true
			_, err := s.SaveAlias(s.t.Context(), s.admin, s.alias)
			return err
		}, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedAliasOff},
		"approval asked for": {func(s *served, n uint64) error {
			s.alias.Language, s.alias.Approval = "ja", true
			_, err := s.SaveAlias(s.t.Context(), s.admin, s.alias)
			return err
		}, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedApproval},
		"a scheduled reply": {func(s *served, n uint64) error {
			s.pass(17 * time.Hour)
			_, err := s.Send(s.t.Context(), s.admin, helpdesk.Reply{Ticket: n, Text: "Later", IdempotencyKey: "d1"}, helpdesk.Sending{At: s.now.Add(5 * time.Hour)})
			return err
		}, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedPending},
		"a customer never to be answered": {func(s *served, n uint64) error {
			never := true
			_, err := s.ChangeContact(s.t.Context(), s.admin, s.ticket(n).Row.Contact.ID, helpdesk.ContactChange{NeverAnswer: &never})
			return err
		}, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedUnanswerable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServed(t)
			number := s.ask("ono@other.example").Ticket
			s.match(s.shipping.ID, 91)
			if err := c.do(s, number); err != nil {
				t.Fatal(err)
			}
			s.pass(19 * time.Hour)
			for to, raw := range s.answer() {
				if strings.Contains(raw, "Auto-Submitted") {
					t.Errorf("answered %s by itself", to)
				}
			}
			s.stands(number, c.state, c.reason)
			if unmatched := s.listed(helpdesk.ViewUnmatched); slices.Contains(unmatched, number) != (c.state == helpdesk.AutoReplyUnmatched) {
				t.Errorf("failed matches: %v", unmatched)
			}
		})
	}
}

func TestNotThisOne(t *testing.T) {
	s := newServed(t)
	number := s.ask("a@b.example").Ticket
	s.match(s.shipping.ID, 91)
	if _, err := s.RejectAutoReply(t.Context(), s.admin, number, s.invoices.ID); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
		t.Errorf("turning down what is not planned: %v", err)
	}
	if _, err := s.RejectAutoReply(t.Context(), s.admin, number, s.shipping.ID); err != nil {
		t.Fatal(err)
	}
	s.match(s.shipping.ID, 99) // a model that insists
	s.stands(number, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedTemplateGone)
	if _, err := s.MatchAgain(t.Context(), s.admin, number); err != nil {
		t.Fatal(err)
	}
	s.match(s.shipping.ID, 91)
	s.RejectAutoReply(t.Context(), s.admin, number, s.shipping.ID)
	s.match(s.invoices.ID, 85)
	if v := s.stands(number, helpdesk.AutoReplyPlanned, ""); v.TemplateName != "請求書" {
		t.Errorf("next best: %+v", v)
	}
	s.RejectAutoReply(t.Context(), s.admin, number, s.invoices.ID)
	if s.match(s.invoices.ID, 85) != 0 {
		t.Error("the model is asked about nothing")
	}
	s.stands(number, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedRejected)
}

func TestSendNow(t *testing.T) {
	s := newServed(t)
	agent := s.somebody("agent@example.jp", "森", helpdesk.RoleAgent)
	number := s.ask("a@b.example").Ticket
	s.match(s.invoices.ID, 91)
	if _, err := s.SendAutoReplyNow(t.Context(), agent, number, s.shipping.ID); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
		t.Errorf("sending what was not seen: %v", err)
	}
	m, err := s.SendAutoReplyNow(t.Context(), agent, number, s.invoices.ID)
	if err != nil || !m.Automatic {
		t.Fatal(m, err)
	}
	if _, err := s.SendAutoReplyNow(t.Context(), agent, number, s.invoices.ID); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
		t.Errorf("a second press: %v", err)
	}
	s.pass(48 * time.Hour)
	sent := s.answer()
	if raw := sent["a@b.example"]; len(sent) != 1 || !strings.Contains(parse(raw).HTML, "<b") {
		t.Errorf("sent %v", sent)
	}
}

// A customer who writes again is matched with all that was written, and the
// delay begins anew; a stranger who joins ends it.
func TestCustomerWritesAgain(t *testing.T) {
	s := newServed(t)
	number := s.ask("a@b.example").Ticket
	id := s.ticket(number).Messages[0].Message.MessageID
	s.match(s.shipping.ID, 91)
	s.pass(10 * time.Hour)
	s.post("support@example.jp", "From: a@b.example", "Test-DMARC: pass", "In-Reply-To: <"+id+">", "Subject: Re", "", "注文番号は A-1 です。")
	claimed, _, err := s.ClaimDue(t.Context(), helpdesk.TimerMatch, 10, time.Minute)
	if err != nil || len(claimed) != 1 {
		t.Fatal(claimed, err)
	}
	in, err := s.MatchInput(t.Context(), claimed[0].ID)
	if err != nil || !strings.Contains(in.Text, "いつ届きますか") || !strings.Contains(in.Text, "A-1") || len(in.Templates) != 2 {
		t.Fatalf("asked %+v, %v", in, err)
	}
	if err := s.StoreMatch(t.Context(), in, helpdesk.MatchChoice{Template: s.shipping.ID, Confidence: 90}, ""); err != nil {
		t.Fatal(err)
	}
	if v := s.stands(number, helpdesk.AutoReplyPlanned, ""); !v.Due.Equal(s.now.Add(18 * time.Hour)) {
		t.Errorf("due %v", v.Due)
	}
	s.post("support@example.jp", "From: x@stranger.example", "In-Reply-To: <"+id+">", "Subject: Re", "", "私も同じです。")
	held := s.ticket(number).Held
	if _, err := s.ResolveHeld(t.Context(), s.admin, held[0].Message.ID, helpdesk.ResolveJoin); err != nil {
		t.Fatal(err)
	}
	s.match(s.shipping.ID, 99)
	s.stands(number, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedSeveral)
}

func TestServiceLimitsHoursAndWriters(t *testing.T) {
	s := newServed(t)
	s.save(func(x *helpdesk.Service) { x.Delay = 0 })
	first := s.ask("a@b.example").Ticket
	s.match(s.shipping.ID, 91)
	second := s.ask("A@b.example").Ticket
	s.match(s.shipping.ID, 91)
	if sent := s.answer(); len(sent) != 1 {
		t.Fatalf("sent %v", sent)
	}
	s.stands(first, helpdesk.AutoReplySent, "")
	s.stands(second, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedSenderLimit)
	sent := 0
	for i := range 35 {
		s.ask(fmt.Sprintf("c%d@crowd.example", i))
	}
	for s.match(s.shipping.ID, 91) > 0 {
		sent += len(s.answer())
	}
	if waiting := len(s.listed(helpdesk.ViewPlanned)); sent+waiting != 35 || sent > 30 {
		t.Errorf("%d sent to one domain at once, %d wait", sent, waiting)
	}
	s.pass(time.Hour)
	if rest := len(s.answer()); sent+rest != 35 {
		t.Errorf("%d more an hour later", rest)
	}
	// Saturday 12:00 UTC is 21:00 in Tokyo: the office opens on Tuesday, since
	// Monday the 23rd is a holiday.
	s.save(func(x *helpdesk.Service) { x.CalendarID = helpdesk.StandardCalendar })
	night := s.ask("night@owl.example").Ticket
	s.match(s.shipping.ID, 91)
	v := s.stands(night, helpdesk.AutoReplyPlanned, "")
	if !v.Due.Equal(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("due %v", v.Due)
	}
	s.pass(v.Due.Sub(s.now))
	if _, err := s.SaveDraft(t.Context(), s.admin, helpdesk.Draft{ID: "draft-of-night", Kind: helpdesk.DraftReply, Ticket: night, Text: "お世話に"}); err != nil {
		t.Fatal(err)
	}
	if sent := s.answer(); len(sent) != 0 {
		t.Error("answered while somebody writes")
	}
	s.pass(15 * time.Minute)
	if sent := s.answer(); len(sent) != 1 {
		t.Errorf("sent %v", sent)
	}
}

// Two helpdesks with services that write to each other fall silent, also where
// a gateway takes every mark of an automatic mail away.
func TestTwoServicesFallSilent(t *testing.T) {
	for name, c := range map[string]struct {
		gateway func(raw string) string
		mails   int
	}{
		"as sent": {func(raw string) string { return raw }, 1},
		"without marks": {func(raw string) string {
			var kept []string
			for line := range strings.SplitSeq(raw, "\r\n") {
				if field, _, _ := strings.Cut(line, ":"); !slices.Contains([]string{"Auto-Submitted", "X-Auto-Response-Suppress", "In-Reply-To", "References", "Subject"}, field) {
					kept = append(kept, line)
				}
			}
			return strings.Join(kept, "\r\n")
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := newServed(t), newServed(t)
			there.alias.Address, there.alias.Language = "help@other.example", "ja"
			if _, err := there.SaveAlias(t.Context(), there.admin, there.alias); err != nil {
				t.Fatal(err)
			}
			raw := "Message-ID: <first@other.example>\r\nFrom: help@other.example\r\nSubject: x\r\nTest-DMARC: pass\r\n\r\nいつ届きますか。\r\n"
			if _, err := here.Receive(t.Context(), incoming("support@example.jp", raw, here.now)); err != nil {
				t.Fatal(err)
			}
			mails := 0
			for quiet := 0; quiet < 4 && mails < 50; quiet++ {
				for from, to := range map[*served]*served{here: there, there: here} {
					from.match(from.shipping.ID, 99)
					from.pass(18 * time.Hour)
					for recipient, raw := range from.answer() {
						mails, quiet = mails+1, 0
						if _, err := to.Receive(t.Context(), incoming(recipient, "Test-DMARC: pass\r\n"+c.gateway(raw), to.now)); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if mails != c.mails {
				t.Errorf("%d mails before they fell silent, want %d", mails, c.mails)
			}
		})
	}
}
