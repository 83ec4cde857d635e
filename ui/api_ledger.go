package ui

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type apiLedgerDay struct {
	Day        *string                        `json:"day"`
	Accepted   int                            `json:"accepted"`
	Places     map[helpdesk.MailPlace]int     `json:"places"`
	Difference int                            `json:"difference"`
	Duplicates int                            `json:"duplicates"`
	Refused    map[helpdesk.RefusalReason]int `json:"refused"`
	Kinds      map[helpdesk.MessageKind]int   `json:"kinds"`
	Spam       int                            `json:"spam"`
}

type apiMissingMail struct {
	ID     string     `json:"id"`
	Ticket uint64     `json:"ticket"`
	From   string     `json:"from"`
	At     *time.Time `json:"at"`
	Event  uint64     `json:"event"`
}

func ledgerDayJSON(d helpdesk.LedgerDay) apiLedgerDay {
	answer := apiLedgerDay{orNull(d.Day), d.Accepted, map[helpdesk.MailPlace]int{}, d.Difference(), d.Duplicates, d.Refused, d.Kinds, d.Spam}
	for _, place := range helpdesk.MailPlaces() {
		answer.Places[place] = d.Places[place]
	}
	if answer.Kinds == nil {
		answer.Kinds = map[helpdesk.MessageKind]int{}
	}
	return answer
}

// apiLedger says what became of every mail.
func (s *Server) apiLedger(c echo.Context, a helpdesk.Actor) error {
	query := helpdesk.LedgerQuery{Day: c.QueryParam("day")}
	if text := c.QueryParam("days"); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 || days > 400 {
			return invalid("days", "", fmt.Sprintf("days is %q; give a number from 1 to 400", text))
		}
		query.Days = days
	}
	l, err := s.desk.Ledger(c.Request().Context(), a, query)
	if err != nil {
		return err
	}
	answer := struct {
		Balanced bool             `json:"balanced"`
		Total    apiLedgerDay     `json:"total"`
		Days     []apiLedgerDay   `json:"days"`
		Missing  []apiMissingMail `json:"missing"`
	}{l.Balanced(), ledgerDayJSON(l.Total), []apiLedgerDay{}, []apiMissingMail{}}
	for _, d := range l.Days {
		answer.Days = append(answer.Days, ledgerDayJSON(d))
	}
	for _, m := range l.Missing {
		answer.Missing = append(answer.Missing, apiMissingMail{m.ID, m.Ticket, m.From, timeOrNull(m.At), m.Seq})
	}
	return c.JSON(http.StatusOK, answer)
}
