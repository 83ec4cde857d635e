package helpdesk

import "time"

// Analysis is what the model said of one message, and what people corrected.
type Analysis struct {
	MessageID     string // the message's ID
	Ticket        uint64
	Model         string
	Digest        string `cbor:",omitempty"` // of the model's files, "" where Ollama did not say
	PromptVersion string
	At            time.Time
	// Error says why there is no result; then the findings below are empty.
	Error string
	// Failure is the same as KeepError gives it, for whoever reads it in another language; "" for what the model's server said.
	Failure string `cbor:",omitempty"`

	ReplyType       string // standard, high_value, needs_attention
	KeyInsights     []string
	Opportunity     int // 1 to 5
	FollowUp        bool
	ProductInterest string // none, mentioned, interested, very_interested
	ActionItems     []string
	ProductUsage    string
	MonthlyVolume   string
	Challenges      []string
	Topics          []string `cbor:",omitempty"` // short nouns under which the mail would be filed
	Sentiment       string   // positive, neutral, negative, mixed
	Urgency         string   // low, normal, high
	Language        string   // ISO 639-1
	Summary         string

	// Evidence holds passages of the mail, word for word, on which findings rest:
	// one for a value, one for each item of a list; "" where the mail does not show it.
	Evidence map[Finding][]string `cbor:",omitempty"`
	// Corrections are what people said instead. They outlive a new analysis.
	Corrections map[Finding]Correction `cbor:",omitempty"`
	// Ticked are the action items that are done.
	Ticked []Ticked `cbor:",omitempty"`
	// Counted says where the insights count it; nil in a record of an earlier
	// version that was not counted yet.
	Counted *Counted `cbor:",omitempty"`
}

// Correction is a finding as a person says it.
type Correction struct {
	Values []string // one for a value, any number for a list
	By     string   // user id
	At     time.Time
}

// Ticked is an action item that somebody ticked off.
type Ticked struct {
	Text string
	By   string // user id
	At   time.Time
}

// Finding names one thing that an analysis finds, as the API and the model's
// schema do.
type Finding string

// The findings.
const (
	FindingReplyType       Finding = "reply_type"
	FindingSentiment       Finding = "sentiment"
	FindingUrgency         Finding = "urgency"
	FindingOpportunity     Finding = "opportunity_score"
	FindingProductInterest Finding = "product_interest"
	FindingFollowUp        Finding = "follow_up_needed"
	FindingProductUsage    Finding = "product_usage"
	FindingMonthlyVolume   Finding = "monthly_volume"
	FindingLanguage        Finding = "language"
	FindingSummary         Finding = "summary"
	FindingKeyInsights     Finding = "key_insights"
	FindingChallenges      Finding = "challenges"
	FindingActionItems     Finding = "action_items"
	FindingTopics          Finding = "topics"
)

// FindingKind says what values a finding has.
type FindingKind string

// The kinds.
const (
	FindingChoice FindingKind = "choice" // one of Choices
	FindingText   FindingKind = "text"   // one line, or ""
	FindingList   FindingKind = "list"   // any number of lines
)

// findingRow ties a finding to its place in the record. Every value is text:
// true and false, the digits of a score.
type findingRow struct {
	name    Finding
	kind    FindingKind
	choices []string
	get     func(*Analysis) []string
	set     func(*Analysis, []string)
}

// findingTable is in the order in which findings are shown.
var findingTable = []findingRow{
	choiceFinding(FindingReplyType, func(a *Analysis) *string { return &a.ReplyType }, "needs_attention", "high_value", "standard"),
	choiceFinding(FindingSentiment, func(a *Analysis) *string { return &a.Sentiment }, "positive", "neutral", "negative", "mixed"),
	choiceFinding(FindingUrgency, func(a *Analysis) *string { return &a.Urgency }, "high", "normal", "low"),
	{FindingOpportunity, FindingChoice, []string{"1", "2", "3", "4", "5"},
		func(a *Analysis) []string {
			if a.Opportunity == 0 {
				return nil
			}
			return []string{string(rune('0' + a.Opportunity))}
		},
		func(a *Analysis, v []string) { a.Opportunity = int(v[0][0] - '0') }},
	choiceFinding(FindingProductInterest, func(a *Analysis) *string { return &a.ProductInterest }, "very_interested", "interested", "mentioned", "none"),
	{FindingFollowUp, FindingChoice, []string{"true", "false"},
		func(a *Analysis) []string {
			if a.FollowUp {
				return []string{"true"}
			}
			return []string{"false"}
		},
		func(a *Analysis, v []string) { a.FollowUp = v[0] == "true" }},
	textFinding(FindingProductUsage, func(a *Analysis) *string { return &a.ProductUsage }),
	textFinding(FindingMonthlyVolume, func(a *Analysis) *string { return &a.MonthlyVolume }),
	textFinding(FindingLanguage, func(a *Analysis) *string { return &a.Language }),
	textFinding(FindingSummary, func(a *Analysis) *string { return &a.Summary }),
	listFinding(FindingKeyInsights, func(a *Analysis) *[]string { return &a.KeyInsights }),
	listFinding(FindingChallenges, func(a *Analysis) *[]string { return &a.Challenges }),
	listFinding(FindingActionItems, func(a *Analysis) *[]string { return &a.ActionItems }),
	listFinding(FindingTopics, func(a *Analysis) *[]string { return &a.Topics }),
}

func choiceFinding(name Finding, place func(*Analysis) *string, choices ...string) findingRow {
	row := textFinding(name, place)
	row.kind, row.choices = FindingChoice, choices
	return row
}

func textFinding(name Finding, place func(*Analysis) *string) findingRow {
	return findingRow{name, FindingText, nil,
		func(a *Analysis) []string {
			if *place(a) == "" {
				return nil
			}
			return []string{*place(a)}
		},
		func(a *Analysis, v []string) {
			*place(a) = ""
			if len(v) > 0 {
				*place(a) = v[0]
			}
		}}
}

func listFinding(name Finding, place func(*Analysis) *[]string) findingRow {
	return findingRow{name, FindingList, nil,
		func(a *Analysis) []string { return *place(a) },
		func(a *Analysis, v []string) { *place(a) = v }}
}

func (f Finding) row() (findingRow, bool) {
	for _, row := range findingTable {
		if row.name == f {
			return row, true
		}
	}
	return findingRow{}, false
}

// Findings are all findings, in the order in which they are shown.
func Findings() (list []Finding) {
	for _, row := range findingTable {
		list = append(list, row.name)
	}
	return list
}

// Kind says what values f has, "" where there is no such finding.
func (f Finding) Kind() FindingKind {
	row, _ := f.row()
	return row.kind
}

// Choices are the values of a FindingChoice, nil for other kinds.
func (f Finding) Choices() []string {
	row, _ := f.row()
	return row.choices
}

// Values are what the model found, not corrected: none where it found nothing,
// one of a choice or a text, any number of a list.
func (a *Analysis) Values(f Finding) []string {
	row, ok := f.row()
	if !ok {
		return nil
	}
	return row.get(a)
}

// Found reports whether there is something to show: the model's result, or what
// people said where it had none.
func (a *Analysis) Found() bool { return a.Error == "" || len(a.Corrections) > 0 }

// Effective returns a copy in which the corrections stand in the place of what
// the model said: what lists, filters, rules and insights go by.
func (a *Analysis) Effective() *Analysis {
	corrected := *a
	for f, correction := range a.Corrections {
		if row, ok := f.row(); ok {
			row.set(&corrected, correction.Values)
		}
	}
	return &corrected
}

// OpenActions are the action items that nobody ticked off.
func (a *Analysis) OpenActions() (open []string) {
	for _, item := range a.Effective().ActionItems {
		if !a.ticked(item) {
			open = append(open, item)
		}
	}
	return open
}

func (a *Analysis) ticked(item string) bool {
	for _, t := range a.Ticked {
		if foldWords(t.Text) == foldWords(item) {
			return true
		}
	}
	return false
}
