package helpdesk_test

import (
	"slices"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// analysed is a ticket of one mail with what the model said of it.
func (h *house) analysed(a helpdesk.Analysis) helpdesk.Receipt {
	h.t.Helper()
	receipt := h.first()
	a.MessageID, a.Model, a.PromptVersion = receipt.MessageID, "m", "reply-2"
	if err := h.StoreAnalysis(h.t.Context(), a); err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

func (h *house) correct(message string, changes map[helpdesk.Finding][]string) *helpdesk.Analysis {
	h.t.Helper()
	a, err := h.CorrectAnalysis(h.t.Context(), h.admin, message, changes)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// What a person says wins everywhere, stays beside what the model said, and
// outlives a new analysis.
func TestCorrectionWins(t *testing.T) {
	h := newHouse(t)
	agent, err := h.CreateUser(t.Context(), h.admin, helpdesk.NewUser{Email: "mori@example.jp", Name: "森", Role: helpdesk.RoleAgent, Password: "correct horse battery"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.SaveRule(t.Context(), h.admin, helpdesk.AssignmentRule{Name: "valuable", When: helpdesk.RuleConditions{ReplyTypes: []string{"high_value"}},
		Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: []string{agent.ID}}}); err != nil {
		t.Fatal(err)
	}
	receipt := h.analysed(helpdesk.Analysis{ReplyType: "standard", Sentiment: "neutral", Urgency: "normal", Opportunity: 1, ProductInterest: "none",
		Language: "en", ActionItems: []string{"Send the invoice"}})
	h.correct(receipt.MessageID, map[helpdesk.Finding][]string{helpdesk.FindingReplyType: {"high_value"}, helpdesk.FindingOpportunity: {"5"},
		helpdesk.FindingLanguage: {"DE"}, helpdesk.FindingActionItems: {" Send  the invoice ", "", "Call"}, helpdesk.FindingSentiment: {"neutral"}})
	ticket := h.ticket(1).Row.Ticket
	if ticket.ReplyType != "high_value" || ticket.Language != "de" || ticket.AssigneeID != agent.ID {
		t.Errorf("the ticket is %s in %q, of %q", ticket.ReplyType, ticket.Language, ticket.AssigneeID)
	}
	if err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: receipt.MessageID, Model: "m2", ReplyType: "needs_attention", Opportunity: 2}); err != nil {
		t.Fatal(err)
	}
	a := h.ticket(1).Messages[0].Analysis
	said := a.Effective()
	if a.ReplyType != "needs_attention" || said.ReplyType != "high_value" || said.Opportunity != 5 || len(a.Corrections) != 4 ||
		!slices.Equal(said.ActionItems, []string{"Send the invoice", "Call"}) || h.ticket(1).Row.Ticket.ReplyType != "high_value" {
		t.Errorf("after another analysis: %+v, in effect %+v", a, said)
	}
	if a = h.correct(receipt.MessageID, map[helpdesk.Finding][]string{helpdesk.FindingReplyType: nil}); a.Effective().ReplyType != "needs_attention" {
		t.Errorf("taken back, it is %q", a.Effective().ReplyType)
	}
	var corrected []helpdesk.CorrectedMail
	if err := h.Corrections(t.Context(), h.admin, func(m helpdesk.CorrectedMail) error { corrected = append(corrected, m); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(corrected) != 1 || corrected[0].Input.Text != "Please send the invoice again." || corrected[0].Analysis.Effective().Opportunity != 5 {
		t.Errorf("exported %+v", corrected)
	}
	n := 0
	for _, e := range h.ticket(1).Events {
		if e.Kind == helpdesk.EventAnalysisCorrected {
			n++
		}
	}
	if n != 5 {
		t.Errorf("%d events tell of corrections, want 5", n)
	}
}

func TestCorrectionIsChecked(t *testing.T) {
	h := newHouse(t)
	receipt := h.first()
	ask := func(f helpdesk.Finding, values ...string) error {
		_, err := h.CorrectAnalysis(t.Context(), h.admin, receipt.MessageID, map[helpdesk.Finding][]string{f: values})
		return err
	}
	wantCode(t, ask(helpdesk.FindingReplyType, "standard"), helpdesk.CodeConflict, "not analysed yet")
	if err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: receipt.MessageID, Error: "too long"}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, ask("colour", "red"), helpdesk.CodeInvalid, "no finding")
	wantCode(t, ask(helpdesk.FindingReplyType, "boss"), helpdesk.CodeInvalid, "one of needs_attention")
	wantCode(t, ask(helpdesk.FindingOpportunity, "6"), helpdesk.CodeInvalid, "one of 1")
	wantCode(t, ask(helpdesk.FindingLanguage, "Japanese"), helpdesk.CodeInvalid, "two letters")
	wantCode(t, ask(helpdesk.FindingSummary, "a", "b"), helpdesk.CodeInvalid, "give one")
	// What the model could not read, a person may still say.
	if err := ask(helpdesk.FindingReplyType, "needs_attention"); err != nil || h.ticket(1).Row.Ticket.ReplyType != "needs_attention" {
		t.Errorf("%v, the ticket is %q", err, h.ticket(1).Row.Ticket.ReplyType)
	}
}

// A new reading that fails does not take an earlier result away.
func TestFailedReadingKeepsTheResult(t *testing.T) {
	h := newHouse(t)
	receipt := h.analysed(helpdesk.Analysis{ReplyType: "high_value"})
	if err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: receipt.MessageID, Error: "the model's answer ended early"}); err != nil {
		t.Fatal(err)
	}
	if a := h.ticket(1).Messages[0].Analysis; a.Error != "" || a.ReplyType != "high_value" {
		t.Errorf("left is %+v", a)
	}
}

func TestActionItemsAreTickedOff(t *testing.T) {
	h := newHouse(t)
	receipt := h.analysed(helpdesk.Analysis{ReplyType: "standard", ActionItems: []string{"Send the invoice", "Call"}})
	tick := func(item string, done bool) error {
		return h.TickAction(t.Context(), h.admin, receipt.MessageID, item, done)
	}
	if err := tick("Call", true); err != nil {
		t.Fatal(err)
	}
	wantCode(t, tick("Dance", true), helpdesk.CodeNotFound, "Dance")
	if open := h.ticket(1).Messages[0].Analysis.OpenActions(); !slices.Equal(open, []string{"Send the invoice"}) {
		t.Errorf("open are %q", open)
	}
	// The same item of another reading is still done.
	if err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: receipt.MessageID, ReplyType: "standard", ActionItems: []string{"call", "Write"}}); err != nil {
		t.Fatal(err)
	}
	if open := h.ticket(1).Messages[0].Analysis.OpenActions(); !slices.Equal(open, []string{"Write"}) {
		t.Errorf("after another reading open are %q", open)
	}
}
