package ui

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// insightsFile sends the days, the words or the open action items as CSV.
func (s *Server) insightsFile(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	in, err := s.desk.Insights(ctx, v.actor(), insightQuery(c))
	if err != nil {
		return err
	}
	if err := s.desk.RecordExport(ctx, v.actor(), "insights"); err != nil {
		return err
	}
	heading, lines := insightDayLines(in)
	switch c.QueryParam("of") {
	case "words":
		heading, lines = insightWordLines(in)
	case "actions":
		heading, lines = insightActionLines(in)
	}
	file := newSheet(c, "insights.csv", heading...)
	for _, line := range lines {
		if err := file.add(line...); err != nil {
			return err
		}
	}
	return file.end()
}

// insightCounts are the findings that a line of the CSV counts, a column a value.
var insightCounts = []helpdesk.Finding{helpdesk.FindingReplyType, helpdesk.FindingSentiment, helpdesk.FindingUrgency, helpdesk.FindingProductInterest,
	helpdesk.FindingOpportunity, helpdesk.FindingFollowUp}

func insightDayLines(in *helpdesk.Insights) (heading []string, lines [][]string) {
	heading = []string{"day", "mails", "corrected"}
	for _, f := range insightCounts {
		for _, value := range f.Choices() {
			heading = append(heading, string(f)+"="+value)
		}
	}
	for _, day := range in.Days {
		line := []string{day.Day, strconv.Itoa(day.Mails), strconv.Itoa(day.Corrected)}
		for _, f := range insightCounts {
			for _, value := range f.Choices() {
				line = append(line, strconv.Itoa(day.Counts[f][value]))
			}
		}
		lines = append(lines, line)
	}
	return heading, lines
}

func insightWordLines(in *helpdesk.Insights) (heading []string, lines [][]string) {
	add := func(kind string, words []helpdesk.InsightWord) {
		for _, word := range words {
			lines = append(lines, []string{kind, word.Text, strconv.Itoa(word.Mails), numberList(word.Tickets)})
		}
	}
	add("challenge", in.Challenges)
	add("topic", in.Topics)
	return []string{"kind", "text", "mails", "tickets"}, lines
}

func insightActionLines(in *helpdesk.Insights) (heading []string, lines [][]string) {
	for _, a := range in.Actions {
		lines = append(lines, []string{a.At.UTC().Format(time.RFC3339), strconv.FormatUint(a.Ticket, 10), a.Customer, a.Subject, a.ReplyType, a.Text})
	}
	return []string{"at", "ticket", "customer", "subject", "reply_type", "action"}, lines
}

// labelledMail is a line of the corrections, as sets of labelled mails have it:
// what a model is given, and what it should find.
type labelledMail struct {
	ID      string                        `json:"id"`
	Kinds   []string                      `json:"kinds"`
	Subject string                        `json:"subject"`
	From    string                        `json:"from,omitempty"`
	Text    string                        `json:"text"`
	Expect  map[helpdesk.Finding][]string `json:"expect"`
}

// correctionsFile sends the mails whose analysis people corrected, one JSON object
// a line: a labelled set.
func (s *Server) correctionsFile(c echo.Context) error {
	var encoder *json.Encoder
	begin := func() {
		beginFile(c.Response(), "corrections.jsonl", "application/x-ndjson")
		encoder = json.NewEncoder(c.Response())
		encoder.SetEscapeHTML(false)
	}
	err := s.desk.Corrections(c.Request().Context(), visitOf(c).actor(), func(m helpdesk.CorrectedMail) error {
		if encoder == nil {
			begin()
		}
		return encoder.Encode(labelled(m))
	})
	if err == nil && encoder == nil {
		begin()
	}
	return err
}

func labelled(m helpdesk.CorrectedMail) labelledMail {
	line := labelledMail{ID: m.Input.MessageID, Kinds: []string{"corrected"}, Subject: m.Input.Subject, From: m.Input.From, Text: m.Input.Text,
		Expect: map[helpdesk.Finding][]string{}}
	for finding, correction := range m.Analysis.Corrections {
		values := []string{}
		for _, value := range correction.Values {
			values = append(values, strings.ReplaceAll(value, "|", "/")) // a bar would stand between alternatives
		}
		line.Expect[finding] = values
	}
	return line
}
