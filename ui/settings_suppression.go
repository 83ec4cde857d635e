package ui

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// suppressionsView lists the addresses that nothing is sent to.
type suppressionsView struct {
	settingsPage
	Query        string // what addresses are narrowed to
	Finds        bool   // there are enough to search among
	Suppressions []suppressionView
	Next         string // address of the page after this one
	OptOuts      []optOutView
	NextOptOuts  string // likewise
	Lifts        bool   // the reader may lift one
}

// addressesShown is how many addresses a page has.
const addressesShown = 100

// addressPage returns the addresses with query in them that come behind a mark in a list, the newest first, and the mark
// behind which the next page begins. The mark stays right whatever is lifted meanwhile.
func addressPage[T any](list []T, query, after string, of func(T) (address string, at time.Time)) (page []T, next string) {
	markedAt, marked, _ := strings.Cut(after, " ")
	from, err := time.Parse(time.RFC3339Nano, markedAt)
	for _, x := range list {
		address, at := of(x)
		passed := err != nil || at.Before(from) || at.Equal(from) && address > marked
		if !passed || !strings.Contains(strings.ToLower(address), query) {
			continue
		}
		if len(page) == addressesShown {
			address, at = of(page[len(page)-1])
			return page, at.UTC().Format(time.RFC3339Nano) + " " + address
		}
		page = append(page, x)
	}
	return page, ""
}

type suppressionView struct {
	Address string
	Reason  string // what the other side said, with its status
	Since   moment
}

func (s *Server) suppressionsPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "suppressions", "")
	if err != nil {
		return err
	}
	list, err := s.desk.Suppressions(ctx, v.actor())
	if err != nil {
		return err
	}
	outs, err := s.desk.OptOuts(ctx, v.actor())
	if err != nil {
		return err
	}
	query := strings.ToLower(strings.TrimSpace(c.QueryParam("q")))
	view := suppressionsView{settingsPage: sp, Query: query, Finds: query != "" || max(len(list), len(outs)) > addressesShown, Lifts: v.may(helpdesk.PermitSuppressions)}
	// more is the address of this page with one of its lists further on.
	more := func(name, next string) string {
		if next == "" {
			return ""
		}
		values := c.QueryParams()
		values.Del("saved")
		values.Set(name, next)
		return "/settings/suppressions?" + values.Encode()
	}
	page, next := addressPage(list, query, c.QueryParam("after"), func(x helpdesk.Suppression) (string, time.Time) { return x.Address, x.At })
	for _, x := range page {
		reason := whyUndelivered(v.Printer, helpdesk.Attempt{Enhanced: x.Status, Text: x.Reason})
		view.Suppressions = append(view.Suppressions, suppressionView{x.Address, strings.TrimSpace(reason), longMoment(v.Printer, x.At)})
	}
	view.Next = more("after", next)
	optedOut, next := addressPage(outs, query, c.QueryParam("out_after"), func(x helpdesk.OptOut) (string, time.Time) { return x.Address, x.At })
	for _, o := range optedOut {
		view.OptOuts = append(view.OptOuts, optOutView{o.Address, o.Ticket, longMoment(v.Printer, o.At)})
	}
	view.NextOptOuts = more("out_after", next)
	return s.render(c, http.StatusOK, "settings-suppressions", view)
}

// optOutView is an address whose owner wants no mail that goes to many.
type optOutView struct {
	Address string
	Ticket  uint64
	Since   moment
}

func (s *Server) liftOptOut(c echo.Context) error {
	if err := s.desk.LiftOptOut(c.Request().Context(), visitOf(c).actor(), c.FormValue("address")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/suppressions?saved=1")
}

func (s *Server) liftSuppression(c echo.Context) error {
	if err := s.desk.LiftSuppression(c.Request().Context(), visitOf(c).actor(), c.FormValue("address")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/suppressions?saved=1")
}
