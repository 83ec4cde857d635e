package evaluation

import (
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
)

// Report is how well a model did on a set. Its JSON is for programs: fields may
// be added, never renamed.
type Report struct {
	Set           string          `json:"set"`
	Model         string          `json:"model"`
	Digest        string          `json:"digest,omitempty"` // of the model's files
	PromptVersion string          `json:"prompt_version,omitempty"`
	Mails         int             `json:"mails"` // that were asked about
	Seconds       float64         `json:"seconds"`
	Scores        []Score         `json:"findings"`
	ByKind        map[string]Kind `json:"kinds"`
	Matching      Matching        `json:"matching"`
	Reading       Speed           `json:"reading_speed"`
	Failed        []Failure       `json:"failed"` // mails without an answer that could be used
	Mistakes      []Mistake       `json:"mistakes"`
}

// Kind is how many of the choices were right in the mails of a kind.
type Kind struct {
	Mails int `json:"mails"`
	Share
}

// Failure is a mail that got no answer.
type Failure struct {
	Mail  string `json:"mail"`
	Error string `json:"error"`
}

// Mistake is where a model and the set do not agree.
type Mistake struct {
	Mail     string `json:"mail"`
	Finding  string `json:"finding"` // or "template"
	Expected string `json:"expected"`
	Got      string `json:"got"`
}

func newReport(s *Set) *Report {
	r := &Report{Set: s.Name, ByKind: map[string]Kind{}, Failed: []Failure{}, Mistakes: []Mistake{}, Matching: newMatching()}
	for _, f := range helpdesk.Findings() {
		r.Scores = append(r.Scores, Score{Finding: f, Kind: f.Kind()})
	}
	return r
}

// noAnswer stands where a model gave no answer that could be used.
const noAnswer = "(no answer)"

// Speed is how long answers took on this machine.
type Speed struct {
	Answers      int     `json:"answers"` // more than mails where first ones did not fit
	P50          float64 `json:"p50_seconds"`
	P90          float64 `json:"p90_seconds"`
	PromptTokens int     `json:"prompt_tokens"`
	CachedTokens int     `json:"cached_tokens"` // of these, that the model still had; the rate is of the others
	AnswerTokens int     `json:"answer_tokens"`
	PromptRate   float64 `json:"prompt_tokens_per_second"`
	AnswerRate   float64 `json:"answer_tokens_per_second"`

	took   []time.Duration
	prompt time.Duration
	answer time.Duration
}

// add counts a mail; loading the model is counted with the first.
func (s *Speed) add(u analysis.Usage, took time.Duration) {
	s.Answers += u.Answers
	s.PromptTokens += u.PromptTokens
	s.CachedTokens += u.CachedTokens
	s.AnswerTokens += u.AnswerTokens
	s.prompt += u.Prompt
	s.answer += u.Answer
	s.took = append(s.took, took)
	slices.Sort(s.took)
	s.P50, s.P90 = s.quantile(50), s.quantile(90)
	s.PromptRate, s.AnswerRate = rate(s.PromptTokens-s.CachedTokens, s.prompt), rate(s.AnswerTokens, s.answer)
}

// quantile is the time within which that share of the mails, in percent, was
// done.
func (s *Speed) quantile(percent int) float64 {
	return s.took[(len(s.took)*percent+99)/100-1].Seconds()
}

func rate(tokens int, in time.Duration) float64 {
	if in <= 0 {
		return 0
	}
	return float64(tokens) / in.Seconds()
}
