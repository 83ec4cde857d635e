package helpdesk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// forged is a mail that fails the policy of its From domain. It comes by way of
// a mailing list that signs what it sends.
func forged(to, policy string, lines ...string) helpdesk.Incoming {
	raw := strings.Join(lines, "\r\n") + "\r\n"
	in := incoming(to, raw, startOfTests)
	in.Envelope.RemoteIP = "198.51.100.7"
	in.Authentication = helpdesk.Authentication{
		SPF:    helpdesk.AuthResult{Result: "pass", Domain: "bounces.list.example"},
		DKIM:   []helpdesk.AuthResult{{Result: "fail", Domain: "bank.example"}, {Result: "pass", Domain: "list.example"}},
		DMARC:  helpdesk.AuthResult{Result: "fail", Domain: "bank.example"},
		Policy: policy,
	}
	return in
}

func (h *house) quarantine(state helpdesk.QuarantineState) []helpdesk.Quarantined {
	h.t.Helper()
	page, err := h.QuarantineList(h.t.Context(), h.admin, helpdesk.QuarantineQuery{State: state})
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Mails
}

func (h *house) receive(in helpdesk.Incoming) helpdesk.Receipt {
	h.t.Helper()
	receipt, err := h.Receive(h.t.Context(), in)
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

func (h *house) release(id string, trust *helpdesk.Trusting) helpdesk.Receipt {
	h.t.Helper()
	receipt, err := h.Release(h.t.Context(), h.admin, id, trust)
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

// What fails its domain's policy is kept whole and touches nothing else; released,
// it is as if it had just been accepted.
func TestForgedMailIsSetAside(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.alias.Acknowledgement = "受け付けました"
	if _, err := h.SaveAlias(ctx, h.admin, h.alias); err != nil {
		t.Fatal(err)
	}
	letter := []string{"From: 鈴木 <suzuki@bank.example>", "Subject: 振込先の変更", "Message-ID: <1@bank.example>", "", "至急お願いします。"}
	got := h.receive(forged("support@example.jp", "reject", letter...))
	if got.State != helpdesk.MessageQuarantined || got.Ticket != 0 {
		t.Fatalf("received as %+v", got)
	}
	if timers, _, _ := h.ClaimDue(ctx, helpdesk.TimerAcknowledge, 10, time.Minute); len(timers) > 0 {
		t.Error("a forged mail is acknowledged")
	}
	if n, err := h.CountTickets(ctx, h.admin, helpdesk.TicketQuery{View: helpdesk.ViewAll}); err != nil || n != 0 {
		t.Errorf("%d tickets, %v", n, err)
	}
	list := h.quarantine("")
	if len(list) != 1 || list[0].Why.Kind != helpdesk.SuspectDMARC || list[0].Mail.From.Email != "suzuki@bank.example" || list[0].State != helpdesk.QuarantineWaiting {
		t.Fatalf("in quarantine: %+v", list)
	}
	raw, err := h.QuarantinedSource(ctx, h.admin, got.MessageID)
	if err != nil || string(raw) != strings.Join(letter, "\r\n")+"\r\n" {
		t.Errorf("its source is %q, %v", raw, err)
	}
	explained, err := h.Explain(ctx, h.admin, got.MessageID)
	if err != nil || !slices.ContainsFunc(explained.Steps, func(s helpdesk.Step) bool { return s.Key == helpdesk.StepQuarantined }) {
		t.Errorf("explained as %+v, %v", explained, err)
	}
	if found, err := h.FindMessages(ctx, h.admin, "<1@bank.example>"); err != nil || len(found) != 1 {
		t.Errorf("by its Message-ID: %d found, %v", len(found), err)
	}

	// The same mail once more is one to decide on.
	again := h.receive(forged("postmaster@example.jp", "reject", letter...))
	if !again.Duplicate || again.MessageID != got.MessageID || len(h.quarantine("")) != 1 {
		t.Errorf("received again as %+v", again)
	}

	h.pass(2 * time.Hour)
	released := h.release(got.MessageID, nil)
	view := h.ticket(released.Ticket)
	m := view.Messages[0].Message
	if m.ID != got.MessageID || m.State != helpdesk.MessagePosted || !m.At.Equal(startOfTests) || m.Authentication.Vouched != helpdesk.VouchedReleased {
		t.Errorf("released as %s, %s, at %s, vouched %q", m.ID, m.State, m.At, m.Authentication.Vouched)
	}
	if k := kinds(view.Events); !strings.Contains(k, string(helpdesk.EventMessageReceived)) || !strings.Contains(k, string(helpdesk.EventMailReleased)) {
		t.Errorf("events of its ticket: %s", k)
	}
	if timers, _, _ := h.ClaimDue(ctx, helpdesk.TimerAcknowledge, 10, time.Minute); len(timers) > 0 {
		if err := h.Acknowledge(ctx, timers[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	if v := h.ticket(released.Ticket); len(v.Messages) != 1 {
		t.Error("a sender that nothing proves was answered automatically")
	}
	if len(h.quarantine("")) != 0 {
		t.Error("a released mail is still in quarantine")
	}
	_, err = h.Release(ctx, h.admin, got.MessageID, nil)
	wantCode(t, err, helpdesk.CodeNotFound, "quarantined mail")
	if again := h.receive(forged("support@example.jp", "reject", letter...)); !again.Duplicate || again.Ticket != released.Ticket {
		t.Errorf("the mail again after its release: %+v", again)
	}
	s, err := h.Statistics(ctx)
	if err != nil || s.Accepted != 1 || s.Posted != 1 || s.Quarantined != 0 || s.Duplicates != 2 {
		t.Errorf("ledger %+v, %v", s, err)
	}
}

// What answers a conversation waits in its ticket; what a way proves that comes
// second replaces the copy in quarantine.
func TestQuarantineLeavesConversationsAlone(t *testing.T) {
	h := newHouse(t)
	first := h.post("support@example.jp", "From: suzuki@bank.example", "Message-ID: <a@bank.example>", "Subject: 残高", "", "教えてください。")
	held := h.receive(forged("support@example.jp", "reject", "From: suzuki@bank.example", "In-Reply-To: <a@bank.example>", "Message-ID: <b@bank.example>", "", "まだですか。"))
	if held.Ticket != first.Ticket || held.State != helpdesk.MessageHeld || held.Reason != helpdesk.ReasonFailedAuth {
		t.Errorf("an answer is %+v", held)
	}
	letter := []string{"From: suzuki@bank.example", "Message-ID: <c@bank.example>", "Subject: 別件", "", "別件です。"}
	aside := h.receive(forged("support@example.jp", "quarantine", letter...))
	proven := forged("support@example.jp", "quarantine", letter...)
	proven.Authentication = helpdesk.Authentication{DMARC: helpdesk.AuthResult{Result: "pass"}, AlignedBy: "dkim", Policy: "quarantine"}
	got := h.receive(proven)
	if got.State != helpdesk.MessagePosted || got.MessageID == aside.MessageID || len(h.quarantine("")) != 0 {
		t.Errorf("the proven copy: %+v; %d in quarantine", got, len(h.quarantine("")))
	}
	if k := kinds(h.ticket(got.Ticket).Events); !strings.Contains(k, string(helpdesk.EventMailReleased)) {
		t.Errorf("its ticket does not tell of the copy: %s", k)
	}
	weak := h.receive(forged("support@example.jp", "none", "From: sato@bank.example", "Message-ID: <d@bank.example>", "", "p=none"))
	if weak.State != helpdesk.MessagePosted {
		t.Errorf("a mail whose domain asks for nothing: %+v", weak)
	}
}

func TestRejectedMailIsKeptAndThenDeleted(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	var ids []string
	for _, id := range []string{"1", "2"} {
		ids = append(ids, h.receive(forged("support@example.jp", "reject", "From: x@bank.example", "Message-ID: <"+id+"@bank.example>", "", id)).MessageID)
	}
	gone, err := h.RejectQuarantined(ctx, h.admin, []string{ids[0], "nothing", ids[1]})
	if err != nil || len(gone) != 1 || gone[0] != "nothing" {
		t.Fatalf("gone are %v, %v", gone, err)
	}
	if len(h.quarantine("")) != 0 || len(h.quarantine(helpdesk.QuarantineRejected)) != 2 {
		t.Fatalf("%d wait, %d are rejected", len(h.quarantine("")), len(h.quarantine(helpdesk.QuarantineRejected)))
	}
	h.pass(29 * 24 * time.Hour)
	if n := h.work(helpdesk.TimerPurge, h.PurgeQuarantined); n != 0 {
		t.Fatalf("%d deleted a day early", n)
	}
	if got := h.release(ids[0], nil); got.State != helpdesk.MessagePosted {
		t.Errorf("a rejected mail that is released after all: %+v", got)
	}
	h.pass(48 * time.Hour)
	if n := h.work(helpdesk.TimerPurge, h.PurgeQuarantined); n != 1 {
		t.Errorf("%d deleted, want the other one", n)
	}
	_, err = h.QuarantinedSource(ctx, h.admin, ids[1])
	wantCode(t, err, helpdesk.CodeNotFound, ids[1])
	s, err := h.Statistics(ctx)
	if err != nil || s.Accepted != 2 || s.Posted != 1 || s.Purged != 1 {
		t.Errorf("ledger %+v, %v", s, err)
	}
}

// Trust holds for a sender together with a proof, and for nobody else.
func TestATrustedSenderNeedsItsProof(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	mails := 0
	arrives := func(from string, change func(*helpdesk.Incoming)) helpdesk.MessageState {
		mails++
		in := forged("support@example.jp", "reject", "From: "+from, "Message-ID: <"+strings.Repeat("x", mails)+"@bank.example>", "", "本文")
		if change != nil {
			change(&in)
		}
		return h.receive(in).State
	}
	aside := h.receive(forged("support@example.jp", "reject", "From: suzuki@bank.example", "Message-ID: <0@bank.example>", "", "一通目"))
	read, err := h.QuarantinedMail(ctx, h.admin, aside.MessageID)
	want := []helpdesk.Proof{{Kind: helpdesk.ProofDKIM, Value: "list.example"}, {Kind: helpdesk.ProofSPF, Value: "bounces.list.example"}, {Kind: helpdesk.ProofNetwork, Value: "198.51.100.0/24"}}
	if err != nil || !slices.Equal(read.Proofs, want) {
		t.Fatalf("proofs %v, %v", read.Proofs, err)
	}
	_, err = h.Release(ctx, h.admin, aside.MessageID, &helpdesk.Trusting{Sender: helpdesk.TrustAddress, Proof: helpdesk.Proof{Kind: helpdesk.ProofDKIM, Value: "bank.example"}})
	wantCode(t, err, helpdesk.CodeInvalid, "does not come with the proof dkim:bank.example")
	supervisor := helpdesk.Actor{Kind: helpdesk.ActorUser, UserID: "s", Role: helpdesk.RoleSupervisor}
	_, err = h.Release(ctx, supervisor, aside.MessageID, &helpdesk.Trusting{Sender: helpdesk.TrustDomain})
	wantCode(t, err, helpdesk.CodeForbidden, "trust a whole domain")
	if len(h.quarantine("")) != 1 {
		t.Fatal("a refused release released")
	}
	h.release(aside.MessageID, &helpdesk.Trusting{Sender: helpdesk.TrustAddress})

	unsigned := func(in *helpdesk.Incoming) { in.Authentication.DKIM = nil }
	for _, c := range []struct {
		from   string
		change func(*helpdesk.Incoming)
		want   helpdesk.MessageState
	}{
		{"suzuki@bank.example", nil, helpdesk.MessagePosted},
		{"suzuki@bank.example", unsigned, helpdesk.MessageQuarantined},
		{"sato@bank.example", nil, helpdesk.MessageQuarantined},
		{"suzuki@sub.bank.example", nil, helpdesk.MessageQuarantined},
		{"suzuki@bank.example", func(in *helpdesk.Incoming) {
			in.Suspicion = &helpdesk.Suspicion{Kind: helpdesk.SuspectFilter, Detail: "rspamd: 12 of 15"}
		}, helpdesk.MessagePosted},
		{"sato@bank.example", func(in *helpdesk.Incoming) {
			in.Authentication = helpdesk.Authentication{DMARC: helpdesk.AuthResult{Result: "pass"}, AlignedBy: "dkim"}
			in.Suspicion = &helpdesk.Suspicion{Kind: helpdesk.SuspectFilter, Detail: "rspamd: 12 of 15"}
		}, helpdesk.MessageQuarantined},
	} {
		if got := arrives(c.from, c.change); got != c.want {
			t.Errorf("%s: %s, want %s", c.from, got, c.want)
		}
	}
	list, err := h.TrustedSenders(ctx, h.admin)
	if err != nil || len(list) != 1 || list[0].ID() != "suzuki@bank.example dkim:list.example" {
		t.Fatalf("trusted: %+v, %v", list, err)
	}
	if err := h.Distrust(ctx, h.admin, list[0].Pattern, list[0].Proof); err != nil {
		t.Fatal(err)
	}
	if got := arrives("suzuki@bank.example", nil); got != helpdesk.MessageQuarantined {
		t.Errorf("after the trust was revoked: %s", got)
	}
}

// A failed commit leaves the mail where it was, and a release can be repeated.
func TestAReleaseThatFailsLosesNothing(t *testing.T) {
	h := newHouse(t)
	id := h.receive(forged("support@example.jp", "reject", "From: x@bank.example", "", "本文")).MessageID
	broken := errors.New("disk on fire")
	h.fault.FailCommit(1, broken)
	if _, err := h.Release(t.Context(), h.admin, id, nil); !errors.Is(err, broken) {
		t.Fatalf("released with %v", err)
	}
	if len(h.quarantine("")) != 1 {
		t.Fatal("the mail is gone")
	}
	if got := h.release(id, nil); got.State != helpdesk.MessagePosted {
		t.Errorf("the second try: %+v", got)
	}
}

func TestAHouseMayRefuseForgedMail(t *testing.T) {
	h := newHouse(t)
	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp", Policy: helpdesk.Policy{DMARC: helpdesk.DMARCHandling{Reject: helpdesk.HandleRefuse, Quarantine: helpdesk.HandleAccept}}})
	_, err := h.Receive(t.Context(), forged("support@example.jp", "reject", "From: x@bank.example", "", "本文"))
	var refused *helpdesk.PolicyError
	if !errors.As(err, &refused) || refused.Domain != "bank.example" {
		t.Errorf("refused with %v", err)
	}
	if got := h.receive(forged("support@example.jp", "quarantine", "From: y@bank.example", "", "本文")); got.State != helpdesk.MessagePosted {
		t.Errorf("accepted as %+v", got)
	}
	tried, err := h.Rehearse(t.Context(), forged("support@example.jp", "reject", "From: x@bank.example", "", "本文"))
	if err != nil || !strings.Contains(tried.Refusal, "bank.example") {
		t.Errorf("rehearsed: %+v, %v", tried, err)
	}
}
