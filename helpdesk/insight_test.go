package helpdesk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// read hands in a mail and stores what the model says of it.
func (h *house) read(from string, a helpdesk.Analysis) helpdesk.Receipt {
	h.t.Helper()
	receipt := h.post("support@example.jp", "From: "+from, "Subject: A question", "", "Words")
	a.MessageID, a.Model = receipt.MessageID, "m"
	if err := h.StoreAnalysis(h.t.Context(), a); err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

func (h *house) insights(q helpdesk.InsightQuery) *helpdesk.Insights {
	h.t.Helper()
	in, err := h.Insights(h.t.Context(), h.admin, q)
	if err != nil {
		h.t.Fatal(err)
	}
	return in
}

const replyType = helpdesk.FindingReplyType

// What is counted follows corrections, spam and merges, and verify agrees.
func TestInsightsCountWhatHolds(t *testing.T) {
	h := newHouse(t)
	first := h.read("a@one.example", helpdesk.Analysis{ReplyType: "standard", Opportunity: 2, Language: "en"})
	h.read("b@two.example", helpdesk.Analysis{ReplyType: "high_value", Opportunity: 5, FollowUp: true})
	h.read("c@two.example", helpdesk.Analysis{Error: "the model's answer ended early"})
	h.pass(14 * time.Hour) // the next day in Japan, where the house works
	h.read("d@two.example", helpdesk.Analysis{ReplyType: "high_value", Opportunity: 4})
	in := h.insights(helpdesk.InsightQuery{})
	if len(in.Days) != 14 || in.To != "2026-11-22" || in.Total.Mails != 3 || in.Days[12].Mails != 2 || in.Days[13].Mails != 1 || in.Total.Counts[replyType]["high_value"] != 2 {
		t.Fatalf("%s to %s: total %+v", in.From, in.To, in.Total)
	}
	h.correct(first.MessageID, map[helpdesk.Finding][]string{replyType: {"needs_attention"}})
	if in = h.insights(helpdesk.InsightQuery{}); in.Total.Counts[replyType]["needs_attention"] != 1 || in.Total.Counts[replyType]["standard"] != 0 || in.Total.Corrected != 1 {
		t.Errorf("corrected: %+v", in.Total)
	}
	if _, err := h.MarkSpam(t.Context(), h.admin, 2, helpdesk.BlockNobody); err != nil {
		t.Fatal(err)
	}
	if in = h.insights(helpdesk.InsightQuery{}); in.Total.Mails != 2 || in.Total.Counts[replyType]["high_value"] != 1 {
		t.Errorf("without spam: %+v", in.Total)
	}
	h.verify()
	moving, err := h.Merge(t.Context(), h.admin, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if in = h.insights(helpdesk.InsightQuery{}); in.Total.Mails != 3 {
		t.Errorf("merged into a ticket that is no spam: %+v", in.Total)
	}
	h.verify()
	if _, err := h.UndoMerge(t.Context(), h.admin, moving.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.MarkNotSpam(t.Context(), h.admin, 2); err != nil {
		t.Fatal(err)
	}
	day := helpdesk.InsightQuery{From: "2026-11-22", To: "2026-11-22"}
	if in = h.insights(day); in.Total.Mails != 1 || in.Before.Mails != 2 {
		t.Errorf("one day: %+v, before %+v", in.Total, in.Before)
	}
	if in = h.insights(helpdesk.InsightQuery{AliasID: "another"}); in.Total.Mails != 0 {
		t.Errorf("another alias: %+v", in.Total)
	}
	company, err := h.SaveCompany(t.Context(), h.admin, helpdesk.Company{Name: "Two", Domains: []string{"two.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if in = h.insights(helpdesk.InsightQuery{CompanyID: company.ID, AliasID: h.alias.ID, PipelineID: h.alias.PipelineID}); in.Total.Mails != 2 || len(in.FollowUps) != 1 {
		t.Errorf("one company: %+v, follow-ups %+v", in.Total, in.FollowUps)
	}
	for text, q := range map[string]helpdesk.InsightQuery{"no day": {From: "yesterday"}, "is after": {From: "2026-11-02", To: "2026-11-01"}, "longer than": {From: "2001-01-01"}} {
		_, err := h.Insights(t.Context(), h.admin, q)
		wantCode(t, err, helpdesk.CodeInvalid, text)
	}
	_, err = h.Insights(t.Context(), h.admin, helpdesk.InsightQuery{CompanyID: "none"})
	wantCode(t, err, helpdesk.CodeNotFound, "none")
}

// Follow-ups are due a day after the customer wrote, and end with the answer;
// action items end with their ticket.
func TestInsightsListWhatIsToBeDone(t *testing.T) {
	h := newHouse(t)
	late := h.read("late@one.example", helpdesk.Analysis{ReplyType: "high_value", FollowUp: true, ActionItems: []string{"Send a quote", "Call"}})
	h.pass(20 * time.Hour)
	h.read("soon@one.example", helpdesk.Analysis{ReplyType: "high_value", FollowUp: true, ActionItems: []string{"Write"}})
	h.read("none@one.example", helpdesk.Analysis{ReplyType: "high_value"})
	h.pass(5 * time.Hour)
	in := h.insights(helpdesk.InsightQuery{})
	if len(in.FollowUps) != 2 || in.FollowUps[0].Row.Ticket.Number != late.Ticket || !in.FollowUps[0].Due.Equal(h.now.Add(-time.Hour)) || !in.FollowUps[1].Due.Equal(h.now.Add(19*time.Hour)) {
		t.Errorf("follow-ups %+v", in.FollowUps)
	}
	if len(in.Actions) != 3 || in.Actions[0].Text != "Write" || in.Actions[1].Text != "Send a quote" {
		t.Errorf("actions %+v", in.Actions)
	}
	if err := h.TickAction(t.Context(), h.admin, late.MessageID, "Call", true); err != nil {
		t.Fatal(err)
	}
	h.reply(late.Ticket, "Here is the quote.")
	closed := "完了"
	if _, err := h.Change(t.Context(), h.admin, 2, helpdesk.Change{Stage: &closed}); err != nil {
		t.Fatal(err)
	}
	if in = h.insights(helpdesk.InsightQuery{}); len(in.FollowUps) != 0 || len(in.Actions) != 1 || in.Actions[0].Text != "Send a quote" {
		t.Errorf("afterwards: follow-ups %+v, actions %+v", in.FollowUps, in.Actions)
	}
}

// What is said in nearly the same words counts together.
func TestInsightsJoinLikeChallenges(t *testing.T) {
	h := newHouse(t)
	for i, challenge := range []string{"担当者ごとに返信の質が揃わない", "担当者によって返信の質が揃わない", "CSV の書き出しが途中で切れる", "ログインできない", "担当者ごとに返信の質が揃わない", "ＣＳＶの書き出しが途中で切れる"} {
		h.read(fmt.Sprintf("c%d@one.example", i), helpdesk.Analysis{ReplyType: "standard", Challenges: []string{challenge}, Topics: []string{"請求書"}})
	}
	in := h.insights(helpdesk.InsightQuery{})
	if len(in.Challenges) != 3 || in.Challenges[0].Mails != 3 || in.Challenges[0].Text != "担当者ごとに返信の質が揃わない" || in.Challenges[1].Mails != 2 || len(in.Challenges[1].Tickets) != 2 {
		t.Errorf("challenges %+v", in.Challenges)
	}
	if len(in.Topics) != 1 || in.Topics[0].Mails != 6 || len(in.Topics[0].Tickets) != 5 || in.Sampled != 6 || in.Partial {
		t.Errorf("topics %+v of %d mails", in.Topics, in.Sampled)
	}
}

// What a version without insights stored is counted later, once.
func TestEarlierAnalysesAreCounted(t *testing.T) {
	h := newHouse(t)
	h.read("a@one.example", helpdesk.Analysis{ReplyType: "standard"})
	for range 2 {
		if err := h.CountAnalyses(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if in := h.insights(helpdesk.InsightQuery{}); in.Total.Mails != 1 {
		t.Errorf("counted %+v", in.Total)
	}
}
