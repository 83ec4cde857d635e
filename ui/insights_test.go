package ui_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// A supervisor reads the insights and takes them along; an agent does not.
func TestInsightsPage(t *testing.T) {
	h := newReadyHouse(t)
	receipt := h.receive(letter{subject: "見積", text: "五十台お願いします。"})
	h.as(h.admin).get("/insights").want(http.StatusOK).shows("AI が使えないため")
	if err := h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: receipt.MessageID, Model: "m", ReplyType: "high_value", Opportunity: 4, FollowUp: true, Sentiment: "positive",
		ProductInterest: "interested", Challenges: []string{"=1+1 <b>"}, Topics: []string{"見積"}, ActionItems: []string{"見積書を送る"}}); err != nil {
		t.Fatal(err)
	}
	b := h.as(h.user("ono@example.jp", "小野", helpdesk.RoleSupervisor))
	page := b.get("/insights").want(http.StatusOK).shows("1 通のうち、要対応 0 通、高価値 1 通です。", "見積書を送る", "=1&#43;1 &lt;b&gt;", "平均は 4.0 です。", "残り", `href="/tickets/1"`)
	if strings.Contains(page.body, "style=") {
		t.Error("the page has inline styles, which its policy forbids")
	}
	b.fragment("/insights?from=2026-11-01&to=2026-11-02", "insights-body").shows("この期間のメールはありません", `value="2026-11-01"`).hides("<html")
	b.get("/insights?from=x").want(http.StatusUnprocessableEntity).shows("日付ではありません")
	days := b.get("/insights.csv").want(http.StatusOK)
	lines := strings.Split(strings.TrimSpace(days.body), "\n")
	if len(lines) != 15 || !strings.HasPrefix(lines[0], "\ufeffday,mails,corrected,reply_type=needs_attention,reply_type=high_value") || !strings.Contains(lines[14], ",1,0,0,1,0,") {
		t.Errorf("the days are\n%s", days.body)
	}
	b.get("/insights.csv?of=words").shows("challenge,'=1+1 <b>,1,1\ntopic,見積,1,1")
	b.get("/insights.csv?of=actions").shows("high_value,見積書を送る")
	b.post("/messages/"+receipt.MessageID+"/actions", "item", "見積書を送る", "done", "1", "back", "/insights?from=2026-11-01").want(http.StatusSeeOther)
	b.get("/insights").shows("未完了の対応事項はありません")

	if _, err := h.CorrectAnalysis(h.ctx(), h.admin.Actor(), receipt.MessageID, map[helpdesk.Finding][]string{helpdesk.FindingReplyType: {"needs_attention"}}); err != nil {
		t.Fatal(err)
	}
	var line struct {
		Text   string
		Expect map[helpdesk.Finding][]string
	}
	if err := json.Unmarshal([]byte(b.get("/insights/corrections.jsonl").want(http.StatusOK).body), &line); err != nil {
		t.Fatal(err)
	}
	if line.Text != "五十台お願いします。" || len(line.Expect) != 1 || !slices.Equal(line.Expect[helpdesk.FindingReplyType], []string{"needs_attention"}) {
		t.Errorf("the labelled mail is %+v", line)
	}
	agent := h.as(h.user("mori@example.jp", "森", helpdesk.RoleAgent))
	for _, path := range []string{"/insights", "/insights.csv", "/insights/corrections.jsonl"} {
		agent.get(path).want(http.StatusForbidden)
	}
	agent.get("/inbox/open").hides(`href="/insights"`)
}
