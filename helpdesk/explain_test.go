package helpdesk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

func arriving(h *house, to string, lines ...string) helpdesk.Incoming {
	raw := strings.Join(lines, "\r\n") + "\r\n"
	return helpdesk.Incoming{Envelope: helpdesk.Envelope{Recipients: strings.Split(to, ","), MailFrom: "x@customer.example"},
		Raw: []byte(raw), Message: mail.Parse([]byte(raw)), ReceivedAt: h.now, Authentication: authenticated(raw)}
}

func (h *house) rehearse(in helpdesk.Incoming) helpdesk.Explanation {
	h.t.Helper()
	e, err := h.Rehearse(h.t.Context(), in)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// steps are the keys of an explanation with the values that tests look at.
func steps(e helpdesk.Explanation) string {
	var list []string
	for _, s := range e.Steps {
		text := string(s.Key)
		for _, name := range []string{"address", "id", "ticket", "user", "tags", "timer", "event", "recipient"} {
			if v := s.Data[name]; v != "" {
				text += " " + name + "=" + v
			}
		}
		list = append(list, text)
	}
	return strings.Join(list, "\n")
}

func wantSteps(t *testing.T, e helpdesk.Explanation, want ...string) {
	t.Helper()
	got := steps(e)
	rest := got
	for _, w := range want {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Errorf("no step %q, in this order, in\n%s", w, got)
			return
		}
		rest = after
	}
}

// Whatever a mail is, rehearsing it writes nothing, and then it does what was
// said.
func TestRehearsalWritesNothingAndComesTrue(t *testing.T) {
	cases := map[string]struct {
		to    string
		lines []string
		steps []string
	}{
		"new": {"support@example.jp", []string{"From: new@customer.example", "Subject: New", "", "Hello"},
			[]string{"kind", "recipient_alias address=support@example.jp", "references_none", "opened ticket=2", "assignee_none", "event event=ticket.created", "placed_new ticket=2", "event event=message.received"}},
		"token": {"REPLY", []string{"From: tamura@customer.example", "Subject: Re", "", "Thanks"},
			[]string{"recipient_reply", "token ticket=1", "participant address=tamura@customer.example ticket=1", "placed ticket=1"}},
		"stranger": {"REPLY", []string{"From: mallory@elsewhere.example", "Subject: Re", "", "Let me in"},
			[]string{"token ticket=1", "stranger address=mallory@elsewhere.example ticket=1", "placed ticket=1", "event event=message.held"}},
		"reference": {"support@example.jp", []string{"From: tamura@customer.example", "References: <never@seen> <ID> <unknown@x>", "Subject: Re", "", "By reference"},
			[]string{"reference_unknown id=unknown@x", "reference_found id=ID ticket=1", "participant", "placed ticket=1"}},
		"forged": {"REPLY", []string{"From: tamura@customer.example", "Test-DMARC: fail", "Subject: Re", "", "Not me"},
			[]string{"participant address=tamura@customer.example", "failed_authentication address=tamura@customer.example", "placed ticket=1"}},
		"forward": {"support@example.jp", []string{"From: tamura@customer.example", "References: <ID>", "Subject: Fwd: Invoice", "", "Look"},
			[]string{"forward", "placed_new ticket=2"}},
		"bounce": {"BOUNCE", []string{"From: MAILER-DAEMON@customer.example", "Subject: Undelivered Mail Returned to Sender", "Auto-Submitted: auto-replied",
			"Content-Type: multipart/report; report-type=delivery-status; boundary=b", "", "--b", "Content-Type: text/plain", "", "No such user", "--b",
			"Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.customer.example", "", "Final-Recipient: rfc822; tamura@customer.example",
			"Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 No such user", "--b--"},
			[]string{"kind_because", "recipient_bounce", "placed ticket=1", "bounce_matched recipient=tamura@customer.example", "event event=delivery.failed"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.first()
			m := h.reply(1, "It is attached.")
			h.pass(time.Minute)
			h.deliver(taken)
			sent, err := h.Message(t.Context(), h.admin, m.ID)
			if err != nil {
				t.Fatal(err)
			}
			names := strings.NewReplacer("REPLY", m.ReplyAddress, "BOUNCE", sent.Deliveries[0].EnvelopeFrom, "ID", m.MessageID)
			lines := []string{"Message-Id: <" + name + "@rehearsal>"}
			for _, line := range c.lines {
				lines = append(lines, names.Replace(line))
			}
			in := arriving(h, names.Replace(c.to), lines...)
			for i := range c.steps {
				c.steps[i] = names.Replace(c.steps[i])
			}
			before, err := h.LastSeq(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			wantSteps(t, h.rehearse(in), c.steps...)
			e := h.rehearse(in)
			if after, err := h.LastSeq(t.Context()); err != nil || after != before {
				t.Fatalf("the log grew from %d to %d, %v", before, after, err)
			}
			if problems, err := h.Verify(t.Context()); err != nil || len(problems) > 0 {
				t.Fatalf("after the rehearsal: %v, %q", err, problems)
			}
			receipt, err := h.Receive(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if receipt.Ticket != e.Ticket || receipt.State != e.State || receipt.Reason != e.Reason || receipt.Duplicate != e.Duplicate {
				t.Errorf("received as %+v, rehearsed as ticket %d, %s, %s", receipt, e.Ticket, e.State, e.Reason)
			}
			again := h.rehearse(in)
			if !again.Duplicate || again.Message != receipt.MessageID {
				t.Errorf("once received it is rehearsed as %+v", again)
			}
			stored, err := h.Explain(t.Context(), h.admin, receipt.MessageID)
			if err != nil {
				t.Fatal(err)
			}
			if stored.Ticket != receipt.Ticket || stored.State != receipt.State || stored.Reason != receipt.Reason {
				t.Errorf("explained as %+v, received as %+v", stored, receipt)
			}
			if name == "bounce" {
				wantSteps(t, stored, "bounce_of recipient=tamura@customer.example", "delivery recipient=tamura@customer.example")
			}
			for _, s := range c.steps {
				if k, _, _ := strings.Cut(s, " "); slices.Contains([]string{"kind_because", "token", "stranger", "failed_authentication", "forward", "reference_unknown", "reference_found", "participant"}, k) {
					if !strings.Contains(steps(stored), k) {
						t.Errorf("the explanation of the stored message has no step %s:\n%s", k, steps(stored))
					}
				}
			}
		})
	}
}

func TestRehearsalSaysWhyAMailIsRefused(t *testing.T) {
	h := newHouse(t)
	e := h.rehearse(arriving(h, "nobody@example.jp,other@elsewhere.example", "From: a@customer.example", "Subject: x", "", "y"))
	if e.Refusal != "there is no such address here" || e.Ticket != 0 {
		t.Errorf("refusal %q, ticket %d", e.Refusal, e.Ticket)
	}
	wantSteps(t, e, "recipient_unknown address=nobody@example.jp", "recipient_unknown address=other@elsewhere.example")
	both := h.rehearse(arriving(h, "nobody@example.jp,support@example.jp", "From: a@customer.example", "Subject: x", "", "y"))
	if both.Refusal != "" || both.Ticket != 1 {
		t.Errorf("with one good recipient: %+v", both)
	}
}

func TestRehearsalNamesAssigneeTagsAndTimers(t *testing.T) {
	h := newHouse(t)
	on := true
	if _, err := h.ChangeUser(t.Context(), h.admin, h.user.ID, helpdesk.UserChange{ForwardReplies: &on}); err != nil {
		t.Fatal(err)
	}
	alias := h.alias
	alias.OwnerID, alias.Tags = h.user.ID, []string{"vip", "billing"}
	if _, err := h.SaveAlias(t.Context(), h.admin, alias); err != nil {
		t.Fatal(err)
	}
	e := h.rehearse(arriving(h, "support@example.jp", "From: a@customer.example", "Subject: x", "", "y"))
	wantSteps(t, e, "assignee user="+h.user.Email, "tags tags=vip, billing", "timer timer=copy")
	if list, err := h.Timers(t.Context(), h.admin, 10); err != nil || strings.Contains(timerKinds(list), "copy") {
		t.Errorf("a rehearsal set timers %v, %v", list, err)
	}
}

func TestExplainIsForSupervisors(t *testing.T) {
	h := newHouse(t)
	receipt := h.first()
	agent := helpdesk.Actor{Kind: helpdesk.ActorUser, UserID: h.user.ID, Role: helpdesk.RoleAgent}
	_, err := h.Explain(t.Context(), agent, receipt.MessageID)
	wantCode(t, err, helpdesk.CodeForbidden, "explanation")
	_, err = h.Explain(t.Context(), h.admin, "01NOPE")
	wantCode(t, err, helpdesk.CodeNotFound, "01NOPE")
}

// What an agent decided is told with what was decided on arrival.
func TestExplainKeepsTheWholeStory(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "It is attached.")
	held := h.post(m.ReplyAddress, "From: mallory@elsewhere.example", "Subject: Re: Invoice", "", "Me too")
	if _, err := h.ResolveHeld(t.Context(), h.admin, held.MessageID, helpdesk.ResolveSplit); err != nil {
		t.Fatal(err)
	}
	e, err := h.Explain(t.Context(), h.admin, held.MessageID)
	if err != nil {
		t.Fatal(err)
	}
	wantSteps(t, e, "received", "recipient_reply", "token ticket=1", "stranger", "event event=message.held", "event event=message.split", "placed ticket=2")
	if e.Ticket != 2 || e.Reason != helpdesk.ReasonSplit {
		t.Errorf("explained %+v", e)
	}
	sent, err := h.Explain(t.Context(), h.admin, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSteps(t, sent, "event event=reply.posted", "delivery recipient=tamura@customer.example")
}

func TestFindMessages(t *testing.T) {
	h := newHouse(t)
	first := h.first()
	m := h.reply(1, "It is attached.")
	for what, want := range map[string]string{
		first.MessageID: first.MessageID, strings.ToLower(first.MessageID): first.MessageID,
		m.MessageID: m.ID, "<" + m.MessageID + ">": m.ID, " " + m.MessageID + "\n": m.ID,
		"1": first.MessageID + " " + m.ID, "#1": first.MessageID + " " + m.ID,
	} {
		list, err := h.FindMessages(t.Context(), h.admin, what)
		var ids []string
		for _, found := range list {
			ids = append(ids, found.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != want {
			t.Errorf("%q: found %s, %v; want %s", what, got, err, want)
		}
	}
	for _, what := range []string{"2", "nothing@like.this", "", "<>", "0"} {
		_, err := h.FindMessages(t.Context(), h.admin, what)
		wantCode(t, err, helpdesk.CodeNotFound, "there is no")
	}
}

// A merged ticket's number stays valid, and its messages keep their story.
func TestExplainFollowsMergedTickets(t *testing.T) {
	h := newHouse(t)
	h.first()
	other := h.post("support@example.jp", "From: b@customer.example", "Subject: Invoice again", "", "The same matter")
	if _, err := h.Merge(t.Context(), h.admin, 2, 1); err != nil {
		t.Fatal(err)
	}
	list, err := h.FindMessages(t.Context(), h.admin, "2")
	if err != nil || len(list) != 2 {
		t.Fatalf("ticket 2 names %d messages, %v", len(list), err)
	}
	e, err := h.Explain(t.Context(), h.admin, other.MessageID)
	if err != nil {
		t.Fatal(err)
	}
	wantSteps(t, e, "recipient_alias", "event event=ticket.created", "event event=message.received", "event event=ticket.merged", "placed ticket=1")
	stays, err := h.Explain(t.Context(), h.admin, list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(steps(stays), "ticket.merged") {
		t.Errorf("the story of a message that stayed tells of the merging:\n%s", steps(stays))
	}
}

func TestExplainFollowsMovedMessages(t *testing.T) {
	h := newHouse(t)
	first := h.first()
	h.reply(1, "It is attached.")
	h.pass(time.Hour)
	moving, err := h.Move(t.Context(), h.admin, first.MessageID, 0)
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.Explain(t.Context(), h.admin, first.MessageID)
	if err != nil {
		t.Fatal(err)
	}
	if e.Ticket != moving.Into {
		t.Errorf("explained on ticket %d, moved to %d", e.Ticket, moving.Into)
	}
	wantSteps(t, e, "recipient_alias", "event event=message.received", "event event=message.moved")
}
