package evaluation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
	"github.com/madoguchi/madoguchi/helpdesk/analysis/evaluation"
)

func builtin(t *testing.T) *evaluation.Set {
	t.Helper()
	set, err := evaluation.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestTheBuiltInSetIsAnHonestMixture(t *testing.T) {
	set := builtin(t)
	languages, kinds, texts := map[string]int{}, map[string]map[string]int{}, map[string]string{}
	labels, templates := map[string]int{}, map[string]int{}
	for _, m := range set.Mails {
		language := m.Expect[helpdesk.FindingLanguage][0]
		languages[language]++
		for _, kind := range m.Kinds {
			if kinds[kind] == nil {
				kinds[kind] = map[string]int{}
			}
			kinds[kind][language]++
		}
		if other := texts[m.Text]; other != "" {
			t.Errorf("%s and %s are the same mail", other, m.ID)
		}
		texts[m.Text] = m.ID
		if m.Templates != "" {
			templates[m.Template]++
		}
		for _, f := range helpdesk.Findings() {
			expected, judged := m.Expect[f]
			switch f {
			case helpdesk.FindingSummary, helpdesk.FindingTopics, helpdesk.FindingKeyInsights: // some mails have nothing that has to be named
			default:
				if !judged {
					t.Errorf("%s says nothing of %s", m.ID, f)
				}
			}
			if f.Kind() == helpdesk.FindingChoice {
				first, _, _ := strings.Cut(expected[0], "|")
				labels[string(f)+" "+first]++
			}
		}
	}
	if len(set.Mails) < 160 || languages["ja"] < 80 || languages["en"] < 80 || len(languages) < 6 {
		t.Errorf("%d mails, by language %v", len(set.Mails), languages)
	}
	for _, kind := range []string{"sales", "price", "cancel", "bug", "outage", "complaint", "polite", "sarcasm", "thanks", "two-topics", "spam", "newsletter", "auto-like", "mobile",
		"long-thread", "howto", "invoice", "legal", "angry"} {
		if kinds[kind]["ja"] == 0 || kinds[kind]["en"] == 0 {
			t.Errorf("of the kind %s there are %v", kind, kinds[kind])
		}
	}
	for _, of := range set.Templates {
		for _, c := range of.Choices {
			if templates[c.ID]+templates[c.ID+"|none"] == 0 {
				t.Errorf("no mail is answered by %s", c.ID)
			}
		}
	}
	if templates[evaluation.None] < 80 {
		t.Errorf("%d mails are answered by no template: most of a real inbox is", templates[evaluation.None])
	}
	for _, f := range helpdesk.Findings() {
		for _, choice := range f.Choices() {
			if labels[string(f)+" "+choice] < 2 {
				t.Errorf("%s is %s in %d mails", f, choice, labels[string(f)+" "+choice])
			}
		}
	}
}

// reader answers from what it was made with.
type reader func(in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error)

func (r reader) Read(_ context.Context, in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error) {
	return r(in)
}

func quiet(int, int) {}

// matcher picks as it was made to.
type matcher func(q helpdesk.MatchQuestion) (helpdesk.MatchChoice, error)

func (m matcher) Pick(_ context.Context, q helpdesk.MatchQuestion) (helpdesk.MatchChoice, error) {
	return m(q)
}

// nobody finds no template that fits.
var nobody = matcher(func(helpdesk.MatchQuestion) (helpdesk.MatchChoice, error) {
	return helpdesk.MatchChoice{Confidence: 90}, nil
})

// perfect reads mails as the set says.
func perfect(set *evaluation.Set) reader {
	return func(in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error) {
		i := slices.IndexFunc(set.Mails, func(m evaluation.Mail) bool { return m.ID == in.MessageID })
		a := &helpdesk.Analysis{Corrections: map[helpdesk.Finding]helpdesk.Correction{}}
		for f, expected := range set.Mails[i].Expect {
			var values []string
			for j, e := range expected {
				first, _, _ := strings.Cut(e, "|")
				if f.Kind() == helpdesk.FindingText && j > 0 {
					values[0] += " " + first
					continue
				}
				values = append(values, first)
			}
			a.Corrections[f] = helpdesk.Correction{Values: values}
		}
		return a.Effective(), nil
	}
}

func perfectMatcher(set *evaluation.Set) matcher {
	return func(q helpdesk.MatchQuestion) (helpdesk.MatchChoice, error) {
		i := slices.IndexFunc(set.Mails, func(m evaluation.Mail) bool { return m.Text == q.Text && m.Subject == q.Subject })
		right, _, _ := strings.Cut(set.Mails[i].Template, "|")
		if right == evaluation.None {
			right = ""
		}
		return helpdesk.MatchChoice{Template: right, Confidence: 100}, nil
	}
}

func TestAPerfectReaderHasEverythingRight(t *testing.T) {
	set := builtin(t)
	report, err := evaluation.Run(t.Context(), set, perfect(set), perfectMatcher(set), quiet)
	if err != nil || report.Mails != len(set.Mails) || len(report.Failed) != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	for _, m := range report.Mistakes {
		t.Errorf("%+v", m)
	}
	if m := report.Matching; m.Right != m.Judged || m.Judged < 160 || m.Misses+m.Wrong != 0 || m.Thresholds[5].Right < 40 || m.Thresholds[0].Wrong != 0 {
		t.Errorf("templates: %+v", m)
	}
	for _, s := range report.Scores {
		if s.Judged == 0 || s.Right != s.Judged || s.Named != s.ToName || s.Invented != 0 {
			t.Errorf("%s: %+v", s.Finding, s)
		}
	}
}

const small = `{"id":"1","kinds":["sales"],"subject":"見積","text":"五十席の見積もりをください。","expect":{"reply_type":["high_value"],"opportunity_score":["4|5"],"language":["ja"],"challenges":[],"action_items":["見積|quotation"]}}
{"id":"2","kinds":["angry"],"subject":"","text":"Refund me.","expect":{"reply_type":["needs_attention"],"opportunity_score":["1"],"language":["en"],"challenges":["refund"],"action_items":["refund","apolog"]}}

{"id":"3","kinds":["angry"],"subject":"","text":"Still broken.","expect":{"reply_type":["needs_attention|standard"],"opportunity_score":["1"],"language":["en"],"challenges":["broken"]}}
`

func read(t *testing.T, lines string) *evaluation.Set {
	t.Helper()
	set, err := evaluation.Read(strings.NewReader(lines), "a set")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestAScoreSaysWhatIsConfused has answers of which it is known what is wrong.
func TestAScoreSaysWhatIsConfused(t *testing.T) {
	report, err := evaluation.Run(t.Context(), read(t, small), reader(func(in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error) {
		return &helpdesk.Analysis{ReplyType: "standard", Opportunity: 3, Language: "en", Challenges: []string{"Ｒｅｆｕｎｄ wanted"}, ActionItems: []string{"Send the Quotation"}}, nil
	}), nobody, quiet)
	if err != nil {
		t.Fatal(err)
	}
	got := map[helpdesk.Finding]evaluation.Score{}
	for _, s := range report.Scores {
		got[s.Finding] = s
	}
	if s := got[helpdesk.FindingReplyType]; s.Right != 1 || s.Judged != 3 || s.Confusion["high_value"]["standard"] != 1 || s.Confusion["needs_attention"]["standard"] != 1 ||
		s.Confusion["standard"]["standard"] != 1 || s.Constant != 2 || s.ByLanguage["ja"] != (evaluation.Share{Right: 0, Judged: 1}) || s.ByLanguage["en"] != (evaluation.Share{Right: 1, Judged: 2}) {
		t.Errorf("reply_type: %+v", s)
	}
	if s := got[helpdesk.FindingOpportunity]; s.Right != 0 || s.WithinOne != 1 {
		t.Errorf("opportunity_score: %+v", s)
	}
	if s := got[helpdesk.FindingChallenges]; s.Right != 1 || s.Named != 1 || s.ToName != 2 || s.Invented != 1 {
		t.Errorf("challenges: %+v", s)
	}
	if s := got[helpdesk.FindingActionItems]; s.Right != 1 || s.Judged != 2 || s.Named != 1 || s.ToName != 3 {
		t.Errorf("action_items: %+v", s)
	}
	if s := report.ByKind["angry"]; s.Right != 1 || s.Judged != 4 {
		t.Errorf("angry mails: %+v", s)
	}
	var page bytes.Buffer
	if err := report.Print(&page); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"reply_type", "33%", "1 of 2 things named, something in 1 mails where there is nothing", "33% at most one beside", "needs_attention", "always the same"} {
		if !strings.Contains(page.String(), line) {
			t.Errorf("the page lacks %q:\n%s", line, &page)
		}
	}
}

const matched = `{"templates":"faq","language":"en","choices":[{"id":"hours","name":"Opening hours","text":"9 to 18"},{"id":"price","name":"Price","text":"20 a month"}]}
{"id":"1","subject":"","text":"When are you open?","expect":{"language":["en"]},"templates":"faq","template":"hours"}
{"id":"2","subject":"","text":"What does it cost?","expect":{"language":["en"]},"templates":"faq","template":"price"}
{"id":"3","subject":"","text":"It is broken!","expect":{"language":["en"]},"templates":"faq","template":"none"}
{"id":"4","subject":"","text":"And the price?","expect":{"language":["en"]},"templates":"faq","template":"price|none"}
{"id":"5","subject":"","text":"no templates","expect":{"language":["en"]}}
`

// TestMatchingCountsWhatWouldBeSent has a matcher that says the same, with more
// or less confidence, and one mail that it gives no answer to.
func TestMatchingCountsWhatWouldBeSent(t *testing.T) {
	confidence := map[string]int{"When are you open?": 55, "It is broken!": 85, "And the price?": 92}
	report, err := evaluation.Run(t.Context(), read(t, matched), perfect(read(t, matched)), matcher(func(q helpdesk.MatchQuestion) (helpdesk.MatchChoice, error) {
		if len(q.Templates) != 2 || q.Language != "en" || q.Templates[0].Text != "9 to 18" {
			return helpdesk.MatchChoice{}, fmt.Errorf("the question is %+v", q)
		}
		if confidence[q.Text] == 0 {
			return helpdesk.MatchChoice{}, errors.New("the model's answer does not fit, twice")
		}
		if q.Text == "When are you open?" {
			return helpdesk.MatchChoice{Template: "hours", Confidence: 55}, nil
		}
		return helpdesk.MatchChoice{Template: "price", Confidence: confidence[q.Text]}, nil
	}), quiet)
	if err != nil {
		t.Fatal(err)
	}
	m := report.Matching
	if m.Right != 2 || m.Judged != 4 || m.AlwaysNone != 2 || m.Misses != 1 || m.Wrong != 1 || m.Confusion["none"]["price"] != 1 || m.Confusion["price"]["(no answer)"] != 1 || len(report.Failed) != 1 {
		t.Errorf("%+v, failed %+v", m, report.Failed)
	}
	want := []evaluation.Threshold{{Percent: 50, Right: 2, Wrong: 1}, {Percent: 60, Right: 1, Wrong: 1}, {Percent: 70, Right: 1, Wrong: 1}, {Percent: 80, Right: 1, Wrong: 1}, {Percent: 90, Right: 1}, {Percent: 95}}
	if !slices.Equal(m.Thresholds, want) {
		t.Errorf("at the thresholds %+v", m.Thresholds)
	}
	var page bytes.Buffer
	if err := report.Print(&page); err != nil || !strings.Contains(page.String(), "1 without one that fits, 1 with a wrong one") || !strings.Contains(page.String(), "taken for price") {
		t.Errorf("%v:\n%s", err, &page)
	}
}

func TestWhatHasNoAnswerIsWrongAndListed(t *testing.T) {
	report, err := evaluation.Run(t.Context(), read(t, small), reader(func(in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error) {
		if in.MessageID == "2" {
			return nil, errors.New("the model's answer does not fit, twice")
		}
		return &helpdesk.Analysis{ReplyType: "high_value", Opportunity: 4, Language: "ja"}, nil
	}), nobody, quiet)
	if err != nil || report.Mails != 3 || len(report.Failed) != 1 || report.Failed[0].Mail != "2" {
		t.Fatalf("%+v, %v", report, err)
	}
	for _, s := range report.Scores {
		if s.Finding == helpdesk.FindingReplyType && (s.Judged != 3 || s.Right != 1 || s.Confusion["needs_attention"]["(no answer)"] != 1) {
			t.Errorf("reply_type: %+v", s)
		}
		if s.Finding == helpdesk.FindingLanguage && (s.Judged != 3 || s.Right != 1) {
			t.Errorf("language: %+v", s)
		}
	}
}

// TestAModelThatGoesAwayEndsIt keeps what was found until then; a busy one is
// asked again.
func TestAModelThatGoesAwayEndsIt(t *testing.T) {
	busy := 0
	report, err := evaluation.Run(t.Context(), read(t, small), reader(func(in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error) {
		switch {
		case in.MessageID == "1" && busy < 2:
			busy++
			return nil, &analysis.Unavailable{Problem: analysis.ProblemBusy, After: time.Millisecond}
		case in.MessageID == "2":
			return nil, &analysis.Unavailable{Problem: analysis.ProblemUnreachable, Detail: "connection refused"}
		}
		return &helpdesk.Analysis{ReplyType: "high_value"}, nil
	}), nobody, quiet)
	if err == nil || !strings.Contains(err.Error(), "mail 2: unreachable: connection refused") || report.Mails != 1 || busy != 2 {
		t.Errorf("%+v, %v, busy %d times", report, err, busy)
	}
}

func TestABadSetIsRefusedWithItsLine(t *testing.T) {
	const mail = `{"id":"1","subject":"","text":"a","expect":{"reply_type":["standard"]}}`
	for want, lines := range map[string]string{
		"line 2: it is not one JSON object":              mail + "\nyes",
		`unknown field "expects"`:                        `{"id":"1","text":"a","expects":{}}`,
		"a mail needs an id of its own":                  mail + "\n" + mail,
		"mail 1 has no text":                             `{"id":"1","text":" ","expect":{}}`,
		`expects "mood"; findings are reply_type, `:      `{"id":"1","text":"a","expect":{"mood":["good"]}}`,
		`reply_type to be "good"; it is one of needs_`:   `{"id":"1","text":"a","expect":{"reply_type":["standard|good"]}}`,
		"expects 2 values of reply_type":                 `{"id":"1","text":"a","expect":{"reply_type":["standard","high_value"]}}`,
		`of the templates "faq", which no line before`:   `{"id":"1","text":"a","expect":{},"templates":"faq","template":"none"}`,
		`expects the template "b", which "faq" does not`: `{"templates":"faq","language":"en","choices":[{"id":"a","name":"A","text":"a"}]}` + "\n" + `{"id":"1","text":"a","expect":{},"templates":"faq","template":"b"}`,
		"a template of \"faq\" needs an id of its own":   `{"templates":"faq","language":"en","choices":[{"id":"a","name":"","text":""},{"id":"a","name":"","text":""}]}`,
		`a set has no mails; a line is like {"id":"1"`:   "\n\n",
	} {
		if _, err := evaluation.Read(strings.NewReader(lines), "a set"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// TestCorrectionsBecomeASet goes from an agent's correction to a mail of a set
// and back.
func TestCorrectionsBecomeASet(t *testing.T) {
	c := helpdesk.CorrectedMail{Input: helpdesk.AnalysisInput{MessageID: "M1", Subject: "<返金>", From: "田中", Text: "返金して\nください。"},
		Analysis: helpdesk.Analysis{ReplyType: "standard", Corrections: map[helpdesk.Finding]helpdesk.Correction{
			helpdesk.FindingReplyType: {Values: []string{"needs_attention"}}, helpdesk.FindingChallenges: {Values: nil},
			helpdesk.FindingActionItems: {Values: []string{"返金の可否を a|b で回答する"}}}}}
	var line bytes.Buffer
	if err := evaluation.WriteMail(&line, evaluation.Corrected(c)); err != nil {
		t.Fatal(err)
	}
	if strings.Count(line.String(), "\n") != 1 || !strings.Contains(line.String(), `"challenges":[]`) {
		t.Errorf("the line is %s", &line)
	}
	set := read(t, line.String())
	report, err := evaluation.Run(t.Context(), set, reader(func(in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error) {
		if in.Text != c.Input.Text || in.Subject != c.Input.Subject || in.From != "田中" {
			return nil, fmt.Errorf("the mail is %+v", in)
		}
		return &helpdesk.Analysis{ReplyType: "needs_attention", ActionItems: []string{"返金できるかどうかを a/b で回答する"}}, nil
	}), nobody, quiet)
	if err != nil || len(report.Mistakes) != 0 || len(report.Failed) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestAPartIsTakenEvenly(t *testing.T) {
	set := builtin(t)
	part := set.Part(20)
	languages := map[string]int{}
	for _, m := range part.Mails {
		languages[m.Expect[helpdesk.FindingLanguage][0]]++
	}
	if len(part.Mails) != 20 || languages["ja"] < 8 || languages["en"] < 8 || len(set.Part(0).Mails) != len(set.Mails) || len(set.Part(9999).Mails) != len(set.Mails) {
		t.Errorf("%d mails, %v", len(part.Mails), languages)
	}
}
