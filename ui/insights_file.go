package ui

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// insightsFile sends the days, the words or the open action items as CSV, with a
// mark that lets spreadsheets read Japanese.
func (s *Server) insightsFile(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	in, err := s.desk.Insights(ctx, v.actor(), insightQuery(c))
	if err != nil {
		return err
	}
	if err := s.desk.RecordExport(ctx, v.actor(), "insights"); err != nil {
		return err
	}
	lines := insightDayLines(in)
	switch c.QueryParam("of") {
	case "words":
		lines = insightWordLines(in)
	case "actions":
		lines = insightActionLines(in)
	}
	header := c.Response().Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="insights.csv"`)
	header.Set("Cache-Control", "no-store")
	c.Response().WriteHeader(http.StatusOK)
	if _, err := c.Response().Write([]byte("\ufeff")); err != nil {
		return err
	}
	return csv.NewWriter(c.Response()).WriteAll(lines)
}

// insightCounts are the findings that a line of the CSV counts, a column a value.
var insightCounts = []helpdesk.Finding{helpdesk.FindingReplyType, helpdesk.FindingSentiment, helpdesk.FindingUrgency, helpdesk.FindingProductInterest,
	helpdesk.FindingOpportunity, helpdesk.FindingFollowUp}

func insightDayLines(in *helpdesk.Insights) [][]string {
	heading := []string{"day", "mails", "corrected"}
	for _, f := range insightCounts {
		for _, value := range f.Choices() {
			heading = append(heading, string(f)+"="+value)
		}
	}
	lines := [][]string{heading}
	for _, day := range in.Days {
		line := []string{day.Day, strconv.Itoa(day.Mails), strconv.Itoa(day.Corrected)}
		for _, f := range insightCounts {
			for _, value := range f.Choices() {
				line = append(line, strconv.Itoa(day.Counts[f][value]))
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func insightWordLines(in *helpdesk.Insights) [][]string {
	lines := [][]string{{"kind", "text", "mails", "tickets"}}
	for kind, list := range map[string][]helpdesk.InsightWord{"challenge": in.Challenges, "topic": in.Topics} {
		for _, word := range list {
			tickets := ""
			for i, number := range word.Tickets {
				if i > 0 {
					tickets += " "
				}
				tickets += strconv.FormatUint(number, 10)
			}
			lines = append(lines, []string{kind, plainCell(word.Text), strconv.Itoa(word.Mails), tickets})
		}
	}
	return lines
}

func insightActionLines(in *helpdesk.Insights) [][]string {
	lines := [][]string{{"at", "ticket", "customer", "subject", "reply_type", "action"}}
	for _, a := range in.Actions {
		lines = append(lines, []string{a.At.UTC().Format("2006-01-02T15:04:05Z"), strconv.FormatUint(a.Ticket, 10), plainCell(a.Customer), plainCell(a.Subject), a.ReplyType, plainCell(a.Text)})
	}
	return lines
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
		header := c.Response().Header()
		header.Set("Content-Type", "application/x-ndjson")
		header.Set("Content-Disposition", `attachment; filename="corrections.jsonl"`)
		header.Set("Cache-Control", "no-store")
		c.Response().WriteHeader(http.StatusOK)
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
