package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type apiIncoming struct {
	Hosts       []apiTurnedAway `json:"hosts"`
	Greylisting bool            `json:"greylisting"`
	Waiting     int             `json:"waiting"`
	Passed      int             `json:"passed"`
	PutOff      []apiPutOff     `json:"put_off"`
	Allowed     []apiAllowed    `json:"allowed"`
}

type apiTurnedAway struct {
	Host    string                         `json:"host"`
	Refused map[helpdesk.RefusalReason]int `json:"refused"`
	Last    time.Time                      `json:"last"`
	Holds   *string                        `json:"holds"`
}

type apiPutOff struct {
	Network   string    `json:"network"`
	Sender    *string   `json:"sender"`
	Recipient string    `json:"recipient"`
	Since     time.Time `json:"since"`
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
}

type apiAllowed struct {
	Network string    `json:"network"`
	At      time.Time `json:"at"`
}

// holds is which limit holds for a host now, "" for none.
func (t TurnedAway) holds() string {
	switch {
	case t.Shut:
		return "shut"
	case t.Full:
		return "full"
	case t.Slowed:
		return "slowed"
	}
	return ""
}

// apiReadIncoming says whom the listener keeps out or puts off.
func (s *Server) apiReadIncoming(c echo.Context, a helpdesk.Actor) error {
	state, err := s.desk.Greylisted(c.Request().Context(), a)
	if err != nil {
		return err
	}
	answer := apiIncoming{Hosts: []apiTurnedAway{}, Greylisting: s.policy.Load().Greylisting, Waiting: state.Waiting, Passed: state.Passed,
		PutOff: []apiPutOff{}, Allowed: []apiAllowed{}}
	if s.options.TurnedAway != nil {
		for _, t := range s.options.TurnedAway() {
			answer.Hosts = append(answer.Hosts, apiTurnedAway{t.Host, t.Counts, t.Last.UTC(), orNull(t.holds())})
		}
	}
	for _, e := range state.Entries {
		answer.PutOff = append(answer.PutOff, apiPutOff{e.Network, orNull(e.Sender), e.Recipient, e.First.UTC(), e.From.UTC(), e.Until.UTC()})
	}
	for _, n := range state.Allowed {
		answer.Allowed = append(answer.Allowed, apiAllowed{n.Network, n.At.UTC()})
	}
	return c.JSON(http.StatusOK, answer)
}
