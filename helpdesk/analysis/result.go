package analysis

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

var (
	replyTypes       = []string{"standard", "high_value", "needs_attention"}
	productInterests = []string{"none", "mentioned", "interested", "very_interested"}
	sentiments       = []string{"positive", "neutral", "negative", "mixed"}
	urgencies        = []string{"low", "normal", "high"}
)

// Limits of what is kept of an answer.
const (
	maxItems    = 5
	maxItemText = 400 // bytes
)

// parse checks an answer against the schema again: the runner that applied it
// may not have.
func parse(answer string) (*helpdesk.Analysis, error) {
	var a struct {
		ReplyType       *string   `json:"reply_type"`
		KeyInsights     *[]string `json:"key_insights"`
		Opportunity     *int      `json:"opportunity_score"`
		FollowUp        *bool     `json:"follow_up_needed"`
		ProductInterest *string   `json:"product_interest"`
		ActionItems     *[]string `json:"action_items"`
		ProductUsage    *string   `json:"product_usage"`
		MonthlyVolume   *string   `json:"monthly_volume"`
		Challenges      *[]string `json:"challenges"`
		Sentiment       *string   `json:"sentiment"`
		Urgency         *string   `json:"urgency"`
		Language        *string   `json:"language"`
		Summary         *string   `json:"summary"`
	}
	decoder := json.NewDecoder(strings.NewReader(answer))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&a); err != nil {
		return nil, fmt.Errorf("it is not the JSON object asked for: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON object")
	}
	for name, missing := range map[string]bool{
		"reply_type": a.ReplyType == nil, "key_insights": a.KeyInsights == nil, "opportunity_score": a.Opportunity == nil,
		"follow_up_needed": a.FollowUp == nil, "product_interest": a.ProductInterest == nil, "action_items": a.ActionItems == nil,
		"product_usage": a.ProductUsage == nil, "monthly_volume": a.MonthlyVolume == nil, "challenges": a.Challenges == nil,
		"sentiment": a.Sentiment == nil, "urgency": a.Urgency == nil, "language": a.Language == nil, "summary": a.Summary == nil,
	} {
		if missing {
			return nil, fmt.Errorf("%s is missing", name)
		}
	}
	for _, check := range []struct {
		name, value string
		allowed     []string
	}{
		{"reply_type", *a.ReplyType, replyTypes}, {"product_interest", *a.ProductInterest, productInterests},
		{"sentiment", *a.Sentiment, sentiments}, {"urgency", *a.Urgency, urgencies},
	} {
		if !slices.Contains(check.allowed, check.value) {
			return nil, fmt.Errorf("%s is %q, not one of %s", check.name, clip(check.value, 60), strings.Join(check.allowed, ", "))
		}
	}
	if *a.Opportunity < 1 || *a.Opportunity > 5 {
		return nil, fmt.Errorf("opportunity_score is %d, not 1 to 5", *a.Opportunity)
	}
	return &helpdesk.Analysis{
		ReplyType: *a.ReplyType, KeyInsights: items(*a.KeyInsights), Opportunity: *a.Opportunity, FollowUp: *a.FollowUp,
		ProductInterest: *a.ProductInterest, ActionItems: items(*a.ActionItems), ProductUsage: item(*a.ProductUsage),
		MonthlyVolume: item(*a.MonthlyVolume), Challenges: items(*a.Challenges), Sentiment: *a.Sentiment, Urgency: *a.Urgency,
		Language: language(*a.Language), Summary: item(*a.Summary),
	}, nil
}

func item(s string) string { return clip(oneLine(visible(strings.ToValidUTF8(s, ""))), maxItemText) }

func items(list []string) []string {
	var kept []string
	for _, s := range list {
		if s = item(s); s != "" && len(kept) < maxItems {
			kept = append(kept, s)
		}
	}
	return kept
}

// language keeps what looks like an ISO 639-1 code.
func language(s string) string {
	s, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(s)), "-")
	if len(s) != 2 || strings.ContainsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' }) {
		return ""
	}
	return s
}
