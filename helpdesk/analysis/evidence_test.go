package analysis_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Quotations count only where the mail says them, and are kept in the mail's own
// words, whatever widths and line ends the model wrote.
func TestEvidenceIsInTheMail(t *testing.T) {
	answer := strings.NewReplacer(
		`"reply_type"`, `"evidence":{"reply_type":"「３０台お願いします。」","sentiment":"We are delighted","urgency":"本日 中に","opportunity_score":"","language":"お","tool":7},"topics":["見積"," ","見積","納期","校正"],"reply_type"`,
		`["見積"]`, `[{"text":"見積を送る","quote":"お見積りも"},{"text":"値引きする","quote":"値引きを約束します"},"納期を知らせる"]`).Replace(good)
	m := &model{answers: []string{answer}, capabilities: []string{"completion"}}
	a, d := newAnalyst(t, m)
	d.input.Subject, d.input.Text = "追加導入", "第2工場へ30台お願い\r\n　します。\n本日中に、お見積り\nもいただけますか。"
	if err := a.Analyse(t.Context(), "M1"); err != nil || d.stored[0].Error != "" {
		t.Fatalf("%v, %q", err, d.stored[0].Error)
	}
	got := d.stored[0]
	for finding, want := range map[helpdesk.Finding][]string{
		helpdesk.FindingReplyType:   {"30台お願い\r\n　します。"},
		helpdesk.FindingUrgency:     {"本日中に"},
		helpdesk.FindingActionItems: {"お見積り\nも", "", ""},
	} {
		if !slices.Equal(got.Evidence[finding], want) {
			t.Errorf("%s rests on %q, want %q", finding, got.Evidence[finding], want)
		}
	}
	if len(got.Evidence) != 3 || !slices.Equal(got.ActionItems, []string{"見積を送る", "値引きする", "納期を知らせる"}) || !slices.Equal(got.Topics, []string{"見積", "納期", "校正"}) {
		t.Errorf("evidence %q, actions %q, topics %q", got.Evidence, got.ActionItems, got.Topics)
	}
	if got.Digest != "sha256:f00d" {
		t.Errorf("the model's digest is %q", got.Digest)
	}
	schema := m.asked[0]["format"].(map[string]any)
	required := schema["required"].([]any)
	if required[0] != "evidence" || len(required) != len(schema["properties"].(map[string]any)) {
		t.Errorf("required are %v", required)
	}
}

// An answer without evidence proves nothing, and is no less an answer.
func TestAnswerWithoutEvidence(t *testing.T) {
	m := &model{answers: []string{good}, capabilities: []string{"completion"}}
	a, d := newAnalyst(t, m)
	if err := a.Analyse(t.Context(), "M1"); err != nil || d.stored[0].Error != "" || d.stored[0].Evidence != nil {
		t.Errorf("%v, %+v", err, d.stored)
	}
}
