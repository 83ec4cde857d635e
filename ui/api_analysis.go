package ui

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiAnalysis is what the model said as people corrected it, or in error why it
// said nothing.
type apiAnalysis struct {
	Model           string          `json:"model"`
	ModelDigest     string          `json:"model_digest"`
	PromptVersion   string          `json:"prompt_version"`
	At              *time.Time      `json:"at"`
	Error           string          `json:"error"`
	ReplyType       string          `json:"reply_type"`
	KeyInsights     []string        `json:"key_insights"`
	Opportunity     int             `json:"opportunity"`
	FollowUp        bool            `json:"follow_up"`
	ProductInterest string          `json:"product_interest"`
	ActionItems     []string        `json:"action_items"`
	OpenActions     []string        `json:"open_actions"`
	ProductUsage    string          `json:"product_usage"`
	MonthlyVolume   string          `json:"monthly_volume"`
	Challenges      []string        `json:"challenges"`
	Topics          []string        `json:"topics"`
	Sentiment       string          `json:"sentiment"`
	Urgency         string          `json:"urgency"`
	Language        string          `json:"language"`
	Summary         string          `json:"summary"`
	Evidence        []apiEvidence   `json:"evidence"`
	Corrections     []apiCorrection `json:"corrections"`
}

// apiEvidence is what of the mail a finding of the model rests on.
type apiEvidence struct {
	Finding string   `json:"finding"`
	Quotes  []string `json:"quotes"`
}

// apiCorrection is what a person said in the place of the model.
type apiCorrection struct {
	Finding string     `json:"finding"`
	Model   []string   `json:"model"`
	Values  []string   `json:"values"`
	By      *string    `json:"by"`
	At      *time.Time `json:"at"`
}

func (r roster) analysis(model *helpdesk.Analysis) *apiAnalysis {
	if model == nil {
		return nil
	}
	a := model.Effective()
	answer := &apiAnalysis{Model: a.Model, ModelDigest: a.Digest, PromptVersion: a.PromptVersion, At: timeOrNull(a.At), Error: a.Error,
		ReplyType: a.ReplyType, KeyInsights: orEmpty(a.KeyInsights), Opportunity: a.Opportunity, FollowUp: a.FollowUp,
		ProductInterest: a.ProductInterest, ActionItems: orEmpty(a.ActionItems), OpenActions: orEmpty(model.OpenActions()),
		ProductUsage: a.ProductUsage, MonthlyVolume: a.MonthlyVolume, Challenges: orEmpty(a.Challenges), Topics: orEmpty(a.Topics),
		Sentiment: a.Sentiment, Urgency: a.Urgency, Language: a.Language, Summary: a.Summary,
		Evidence: []apiEvidence{}, Corrections: []apiCorrection{}}
	for _, f := range helpdesk.Findings() {
		if quotes := model.Evidence[f]; len(quotes) > 0 {
			answer.Evidence = append(answer.Evidence, apiEvidence{string(f), quotes})
		}
		if c, corrected := model.Corrections[f]; corrected {
			answer.Corrections = append(answer.Corrections, apiCorrection{string(f), orEmpty(model.Values(f)), orEmpty(c.Values), r.email(c.By), timeOrNull(c.At)})
		}
	}
	return answer
}

// apiCorrect corrects what the body names; null gives the model's finding back.
func (s *Server) apiCorrect(c echo.Context, a helpdesk.Actor) error {
	var input struct {
		ReplyType       optional[string]   `json:"reply_type"`
		KeyInsights     optional[[]string] `json:"key_insights"`
		Opportunity     optional[uint64]   `json:"opportunity"`
		FollowUp        optional[bool]     `json:"follow_up"`
		ProductInterest optional[string]   `json:"product_interest"`
		ActionItems     optional[[]string] `json:"action_items"`
		ProductUsage    optional[string]   `json:"product_usage"`
		MonthlyVolume   optional[string]   `json:"monthly_volume"`
		Challenges      optional[[]string] `json:"challenges"`
		Topics          optional[[]string] `json:"topics"`
		Sentiment       optional[string]   `json:"sentiment"`
		Urgency         optional[string]   `json:"urgency"`
		Language        optional[string]   `json:"language"`
		Summary         optional[string]   `json:"summary"`
	}
	if err := readBody(c, maxAPIBody, &input); err != nil {
		return err
	}
	changes := corrections{}
	changes.list(helpdesk.FindingKeyInsights, input.KeyInsights)
	changes.list(helpdesk.FindingActionItems, input.ActionItems)
	changes.list(helpdesk.FindingChallenges, input.Challenges)
	changes.list(helpdesk.FindingTopics, input.Topics)
	for f, value := range map[helpdesk.Finding]optional[string]{
		helpdesk.FindingReplyType: input.ReplyType, helpdesk.FindingProductInterest: input.ProductInterest, helpdesk.FindingProductUsage: input.ProductUsage,
		helpdesk.FindingMonthlyVolume: input.MonthlyVolume, helpdesk.FindingSentiment: input.Sentiment, helpdesk.FindingUrgency: input.Urgency,
		helpdesk.FindingLanguage: input.Language, helpdesk.FindingSummary: input.Summary} {
		changes.text(f, value.Set, value.Null, value.Value)
	}
	changes.text(helpdesk.FindingOpportunity, input.Opportunity.Set, input.Opportunity.Null, strconv.FormatUint(input.Opportunity.Value, 10))
	changes.text(helpdesk.FindingFollowUp, input.FollowUp.Set, input.FollowUp.Null, strconv.FormatBool(input.FollowUp.Value))
	if len(changes) == 0 {
		return invalid("", "", "the body names no finding; name what is to be corrected, such as {\"reply_type\":\"high_value\"}")
	}
	ctx := c.Request().Context()
	analysis, err := s.desk.CorrectAnalysis(ctx, a, c.Param("id"), changes)
	if err != nil {
		return err
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]*apiAnalysis{"analysis": users.analysis(analysis)})
}

// corrections are what a request changes of an analysis.
type corrections map[helpdesk.Finding][]string

func (c corrections) text(f helpdesk.Finding, set, null bool, value string) {
	switch {
	case set && null:
		c[f] = nil
	case set:
		c[f] = []string{value}
	}
}

func (c corrections) list(f helpdesk.Finding, list optional[[]string]) {
	switch {
	case list.Set && list.Null:
		c[f] = nil
	case list.Set:
		c[f] = orEmpty(list.Value)
	}
}
