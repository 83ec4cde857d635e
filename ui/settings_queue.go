package ui

import (
	"cmp"
	"maps"
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
	return c.Redirect(http.StatusSeeOther, queueAddress(c.FormValue("shown"), c.FormValue("after")))
}

// queueAddress is where the queue is shown: to one domain, or to all for "", from the
// beginning or from where a page ended.
func queueAddress(domain, after string) string {
	query := url.Values{}
	if domain != "" {
		query.Set("domain", domain)
	}
	if after != "" {
		query.Set("after", after)
	}
	if len(query) == 0 {
		return "/settings/queue"
	}
	return "/settings/queue?" + query.Encode()
}

// queuePageSize is how many deliveries a page of the queue shows, manyDestinations how many
// destinations before the others are folded, and othersShown how many of those: a reply to
// many can go to thousands.
const (
	queuePageSize    = 50
	manyDestinations = 12
	othersShown      = 300
)

type queueView struct {
	settingsPage
	Domain       string // that is shown alone, or ""
	After        string // where the page before ended, or ""
	Total        string
	Destinations []destinationView
	Others       []destinationView // those with less mail, which are folded, at most othersShown
	OthersTotal  int
	OthersShown  string // how many of them are listed, "" for all
	Deliveries   []queuedView
	Next         string // address of the page after this one, or ""
	Changes      bool   // the reader may cancel and pause
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
	view := queueView{settingsPage: sp, Domain: strings.ToLower(c.QueryParam("domain")), After: c.QueryParam("after"), Changes: v.may(helpdesk.PermitSystem)}
	if sp.Locked != "" {
		return s.render(c, http.StatusOK, "settings-queue", view)
	}
	q, err := s.desk.Queue(c.Request().Context(), v.actor(), helpdesk.QueueQuery{Domain: view.Domain, After: view.After, Limit: queuePageSize})
	if err != nil {
		return err
	}
	view.Total = v.N("queue.total", q.Total)
	if q.Next != "" {
		view.Next = queueAddress(view.Domain, q.Next)
	}
	view.destinations(v, q)
	for _, d := range q.Deliveries {
		shown := queuedView{ID: d.ID, To: d.Recipient, Said: d.Said(), Badge: &badge{queueTones[d.State], v.T("queue.state." + string(d.State))},
			Next: shortMoment(v.Printer, d.NextAt), Since: shortMoment(v.Printer, d.CreatedAt), Tries: len(d.Attempts),
			Waits: d.State != helpdesk.DeliverySending, Late: d.State == helpdesk.DeliveryDeferred}
		if n := len(d.Attempts); n > 0 {
			shown.Said = withMeaning(v.Printer, d.Attempts[n-1], shown.Said)
		}
		shown.Ticket, shown.URL = v.T("queue.ticket", d.Ticket), (place{query: inView("open")}).address(d.Ticket)
		if d.Ticket == 0 {
			shown.Ticket, shown.URL = v.T("queue.house"), ""
		}
		view.Deliveries = append(view.Deliveries, shown)
	}
	return s.render(c, http.StatusOK, "settings-queue", view)
}

// destinations lists those that are paused, then those with most mail. The one that is
// shown is not folded.
func (w *queueView) destinations(v *visit, q helpdesk.Queue) {
	counts := q.Destinations
	view := func(domain string, paused bool) destinationView {
		return destinationView{Domain: domain, Count: v.Number(counts[domain]), Paused: paused, Shown: domain == w.Domain, URL: queueAddress(domain, "")}
	}
	paused := map[string]bool{}
	for _, p := range q.Pauses {
		paused[p.Domain] = true
		w.Destinations = append(w.Destinations, view(p.Domain, true))
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	names = slices.DeleteFunc(names, func(name string) bool { return paused[name] })
	for i, name := range names {
		if i < manyDestinations || name == w.Domain {
			w.Destinations = append(w.Destinations, view(name, false))
			continue
		}
		if w.OthersTotal++; len(w.Others) < othersShown {
			w.Others = append(w.Others, view(name, false))
		}
	}
	if w.OthersTotal > len(w.Others) {
		w.OthersShown = v.Number(len(w.Others))
	}
}
