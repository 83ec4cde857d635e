package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type apiInsights struct {
	From       string        `json:"from"`
	To         string        `json:"to"`
	Total      apiCounts     `json:"total"`
	Before     apiCounts     `json:"before"`
	Days       []apiCounts   `json:"days"`
	Challenges []apiWord     `json:"challenges"`
	Topics     []apiWord     `json:"topics"`
	Sampled    int           `json:"sampled"`
	Partial    bool          `json:"partial"`
	Actions    []apiAction   `json:"actions"`
	FollowUps  []apiFollowUp `json:"follow_ups"`
}

// apiCounts counts the mails of a day, or of all of them.
type apiCounts struct {
	Day       string     `json:"day"` // "" for a sum
	Mails     int        `json:"mails"`
	Corrected int        `json:"corrected"`
	Findings  []apiCount `json:"findings"`
}

type apiCount struct {
	Finding string `json:"finding"`
	Value   string `json:"value"`
	Mails   int    `json:"mails"`
}

type apiWord struct {
	Text    string   `json:"text"`
	Mails   int      `json:"mails"`
	Tickets []uint64 `json:"tickets"`
}

type apiAction struct {
	Message string     `json:"message"`
	Ticket  uint64     `json:"ticket"`
	Text    string     `json:"text"`
	At      *time.Time `json:"at"`
}

type apiFollowUp struct {
	Ticket apiTicket  `json:"ticket"`
	Due    *time.Time `json:"due"`
}

func (s *Server) apiInsights(c echo.Context, a helpdesk.Actor) error {
	ctx := c.Request().Context()
	in, err := s.desk.Insights(ctx, a, insightQuery(c))
	if err != nil {
		return err
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	answer := apiInsights{From: in.From, To: in.To, Total: countsJSON(in.Total), Before: countsJSON(in.Before), Days: []apiCounts{},
		Challenges: wordsJSON(in.Challenges), Topics: wordsJSON(in.Topics), Sampled: in.Sampled, Partial: in.Partial, Actions: []apiAction{}, FollowUps: []apiFollowUp{}}
	for _, day := range in.Days {
		answer.Days = append(answer.Days, countsJSON(day))
	}
	for _, action := range in.Actions {
		answer.Actions = append(answer.Actions, apiAction{action.MessageID, action.Ticket, action.Text, timeOrNull(action.At)})
	}
	for _, f := range in.FollowUps {
		answer.FollowUps = append(answer.FollowUps, apiFollowUp{users.ticket(f.Row), timeOrNull(f.Due)})
	}
	return c.JSON(http.StatusOK, map[string]apiInsights{"insights": answer})
}

func countsJSON(d helpdesk.InsightDay) apiCounts {
	counts := apiCounts{d.Day, d.Mails, d.Corrected, []apiCount{}}
	for _, f := range insightCounts {
		for _, value := range f.Choices() {
			if n := d.Counts[f][value]; n > 0 {
				counts.Findings = append(counts.Findings, apiCount{string(f), value, n})
			}
		}
	}
	return counts
}

func wordsJSON(list []helpdesk.InsightWord) []apiWord {
	words := []apiWord{}
	for _, word := range list {
		words = append(words, apiWord{word.Text, word.Mails, word.Tickets})
	}
	return words
}
