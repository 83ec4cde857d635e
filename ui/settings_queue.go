package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) queueRoutes(g *echo.Group) {
	g.GET("/settings/queue", s.queuePage)
	g.POST("/settings/queue/:id/retry", func(c echo.Context) error {
		return s.changeQueue(c, s.desk.RetryDelivery(c.Request().Context(), visitOf(c).actor(), c.Param("id")))
	})
	g.POST("/settings/queue/:id/cancel", func(c echo.Context) error {
		return s.changeQueue(c, s.desk.CancelDelivery(c.Request().Context(), visitOf(c).actor(), c.Param("id")))
	})
	g.POST("/settings/queue/pause", func(c echo.Context) error {
		return s.changeQueue(c, s.desk.PauseDestination(c.Request().Context(), visitOf(c).actor(), c.FormValue("domain")))
	})
	g.POST("/settings/queue/resume", func(c echo.Context) error {
		return s.changeQueue(c, s.desk.ResumeDestination(c.Request().Context(), visitOf(c).actor(), c.FormValue("domain")))
	})
}

func (s *Server) changeQueue(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/queue?"+url.Values{"domain": {c.FormValue("shown")}}.Encode())
}

type queueView struct {
	settingsPage
	Domain       string // that is shown alone, or ""
	Total        string
	More         int
	Destinations []destinationView
	Deliveries   []queuedView
	Changes      bool // the reader may cancel and pause
}

type destinationView struct {
	Domain, Count, URL string
	Paused, Shown      bool
}

type queuedView struct {
	ID, To, Said, Ticket, URL string
	Badge                     *badge
	Next, Since               moment
	Tries                     int
	Waits                     bool // it can be cancelled; Late: it can be tried again
	Late                      bool
}

// queueTones are the looks of the states of what waits.
var queueTones = map[helpdesk.DeliveryState]string{helpdesk.DeliveryWaiting: "plain", helpdesk.DeliverySending: "good", helpdesk.DeliveryDeferred: "warn"}

// queuePage shows what is yet to leave, and lets admins act on it.
func (s *Server) queuePage(c echo.Context) error {
	v := visitOf(c)
	sp, err := s.newSettingsPage(c, "queue", "")
	if err != nil {
		return err
	}
	view := queueView{settingsPage: sp, Domain: strings.ToLower(c.QueryParam("domain")), Changes: v.may(helpdesk.PermitSystem)}
	if sp.Locked != "" {
		return s.render(c, http.StatusOK, "settings-queue", view)
	}
	q, err := s.desk.Queue(c.Request().Context(), v.actor(), view.Domain, 0)
	if err != nil {
		return err
	}
	view.Total, view.More = v.N("queue.total", q.Total), q.Total-len(q.Deliveries)
	view.destinations(v, q)
	for _, d := range q.Deliveries {
		shown := queuedView{ID: d.ID, To: d.Recipient, Said: d.Said(), Badge: &badge{queueTones[d.State], v.T("queue.state." + string(d.State))},
			Next: shortMoment(v.Printer, d.NextAt), Since: shortMoment(v.Printer, d.CreatedAt), Tries: len(d.Attempts),
			Waits: d.State != helpdesk.DeliverySending, Late: d.State == helpdesk.DeliveryDeferred}
		shown.Ticket, shown.URL = v.T("queue.ticket", d.Ticket), (place{query: inView("open")}).address(d.Ticket)
		if d.Ticket == 0 {
			shown.Ticket, shown.URL = v.T("queue.house"), ""
		}
		view.Deliveries = append(view.Deliveries, shown)
	}
	return s.render(c, http.StatusOK, "settings-queue", view)
}

// destinations lists those that are paused, then those with most mail.
func (w *queueView) destinations(v *visit, q helpdesk.Queue) {
	const many = 12
	counts := q.Destinations
	add := func(domain string, paused bool) {
		w.Destinations = append(w.Destinations, destinationView{Domain: domain, Count: v.Number(counts[domain]), Paused: paused, Shown: domain == w.Domain,
			URL: "/settings/queue?" + url.Values{"domain": {domain}}.Encode()})
	}
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	for _, p := range q.Pauses {
		add(p.Domain, true)
		names = slices.DeleteFunc(names, func(name string) bool { return name == p.Domain })
	}
	for _, name := range names[:min(many, len(names))] {
		add(name, false)
	}
}
