package analysis

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Limits of what is kept of an answer.
const (
	maxItems     = 5
	maxTopics    = 3
	maxItemText  = 400 // bytes
	maxTopicText = 60  // bytes
)

// point is an item of a list with the words it rests on. A model that was not
// held to the schema writes the bare text.
type point struct{ Text, Quote string }

// UnmarshalJSON takes {"text":…,"quote":…} or a string.
func (p *point) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &p.Text); err == nil {
		return nil
	}
	var whole struct{ Text, Quote string }
	if err := json.Unmarshal(data, &whole); err != nil {
		return err
	}
	*p = point(whole)
	return nil
}

// answer is the JSON of the model. Evidence and topics may be missing: without
// them the rest is no less true.
type answer struct {
	Evidence        map[string]any `json:"evidence"`
	ReplyType       *string        `json:"reply_type"`
	KeyInsights     *[]point       `json:"key_insights"`
	Opportunity     *int           `json:"opportunity_score"`
	FollowUp        *bool          `json:"follow_up_needed"`
	ProductInterest *string        `json:"product_interest"`
	ActionItems     *[]point       `json:"action_items"`
	ProductUsage    *string        `json:"product_usage"`
	MonthlyVolume   *string        `json:"monthly_volume"`
	Challenges      *[]point       `json:"challenges"`
	Topics          []string       `json:"topics"`
	Sentiment       *string        `json:"sentiment"`
	Urgency         *string        `json:"urgency"`
	Language        *string        `json:"language"`
	Summary         *string        `json:"summary"`
}

// parse checks an answer against the schema again: the runner that applied it
// may not have.
func parse(text string, in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error) {
	var a answer
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&a); err != nil {
		return nil, fmt.Errorf("it is not the JSON object asked for: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON object")
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	quotes := a.quotes()
	result := &helpdesk.Analysis{
		ReplyType: *a.ReplyType, Opportunity: *a.Opportunity, FollowUp: *a.FollowUp,
		ProductInterest: *a.ProductInterest, ProductUsage: item(*a.ProductUsage),
		MonthlyVolume: item(*a.MonthlyVolume), Sentiment: *a.Sentiment, Urgency: *a.Urgency,
		Language: language(*a.Language), Summary: item(*a.Summary), Topics: topics(a.Topics),
	}
	result.KeyInsights, quotes[helpdesk.FindingKeyInsights] = items(*a.KeyInsights)
	result.ActionItems, quotes[helpdesk.FindingActionItems] = items(*a.ActionItems)
	result.Challenges, quotes[helpdesk.FindingChallenges] = items(*a.Challenges)
	result.Evidence = proven(in, quotes)
	return result, nil
}

func (a *answer) check() error {
	for _, field := range []struct {
		name    helpdesk.Finding
		missing bool
	}{
		{helpdesk.FindingReplyType, a.ReplyType == nil}, {helpdesk.FindingKeyInsights, a.KeyInsights == nil},
		{helpdesk.FindingOpportunity, a.Opportunity == nil}, {helpdesk.FindingFollowUp, a.FollowUp == nil},
		{helpdesk.FindingProductInterest, a.ProductInterest == nil}, {helpdesk.FindingActionItems, a.ActionItems == nil},
		{helpdesk.FindingProductUsage, a.ProductUsage == nil}, {helpdesk.FindingMonthlyVolume, a.MonthlyVolume == nil},
		{helpdesk.FindingChallenges, a.Challenges == nil}, {helpdesk.FindingSentiment, a.Sentiment == nil},
		{helpdesk.FindingUrgency, a.Urgency == nil}, {helpdesk.FindingLanguage, a.Language == nil}, {helpdesk.FindingSummary, a.Summary == nil},
	} {
		if field.missing {
			return fmt.Errorf("%s is missing", field.name)
		}
	}
	for _, choice := range []struct {
		name  helpdesk.Finding
		value string
	}{
		{helpdesk.FindingReplyType, *a.ReplyType}, {helpdesk.FindingProductInterest, *a.ProductInterest},
		{helpdesk.FindingSentiment, *a.Sentiment}, {helpdesk.FindingUrgency, *a.Urgency},
	} {
		if allowed := choice.name.Choices(); !slices.Contains(allowed, choice.value) {
			return fmt.Errorf("%s is %q, not one of %s", choice.name, clip(choice.value, 60), strings.Join(allowed, ", "))
		}
	}
	if *a.Opportunity < 1 || *a.Opportunity > 5 {
		return fmt.Errorf("opportunity_score is %d, not 1 to 5", *a.Opportunity)
	}
	return nil
}

// quotes are the quotations of the single findings.
func (a *answer) quotes() map[helpdesk.Finding][]string {
	quotes := map[helpdesk.Finding][]string{}
	for _, finding := range evident {
		if quote, ok := a.Evidence[string(finding)].(string); ok {
			quotes[finding] = []string{quote}
		}
	}
	return quotes
}

func item(s string) string { return clip(oneLine(visible(strings.ToValidUTF8(s, ""))), maxItemText) }

// items are the texts of points, and the quotation of each.
func items(list []point) (texts, quotes []string) {
	for _, p := range list {
		if text := item(p.Text); text != "" && len(texts) < maxItems {
			texts, quotes = append(texts, text), append(quotes, p.Quote)
		}
	}
	return texts, quotes
}

// topics are short and each once.
func topics(list []string) (kept []string) {
	for _, s := range list {
		s = clip(item(s), maxTopicText)
		if s != "" && len(kept) < maxTopics && !slices.Contains(kept, s) {
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
