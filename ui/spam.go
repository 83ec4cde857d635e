package ui

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) spamRoutes(g *echo.Group) {
	g.POST("/tickets/:number/spam", s.markSpam)
	g.GET("/settings/blocked", s.blockedPage)
	g.POST("/settings/blocked", s.changeBlocked)
}

// spamView says that a ticket is spam, and why.
type spamView struct{ Text string }

func newSpamView(v *visit, t helpdesk.Ticket, people map[string]helpdesk.User) *spamView {
	switch {
	case t.Spam == nil:
		return nil
	case t.Spam.Pattern != "":
		return &spamView{v.T("spam.by_block", t.Spam.Pattern)}
	case t.Spam.Filter != "":
		return &spamView{v.T("spam.by_filter", t.Spam.Filter)}
	}
	return &spamView{v.T("spam.by", people[t.Spam.By].Name)}
}

// markSpam sets a ticket aside or puts it back, and shows what comes next.
func (s *Server) markSpam(c echo.Context) error {
	ctx, v, number := c.Request().Context(), visitOf(c), ticketNumber(c)
	var err error
	if c.FormValue("spam") == "" {
		_, err = s.desk.MarkNotSpam(ctx, v.actor(), number)
	} else {
		_, err = s.desk.MarkSpam(ctx, v.actor(), number, helpdesk.BlockSender(c.FormValue("block")))
	}
	if err != nil {
		return err
	}
	p := placeOfPath(backTo(c, number), number)
	if c.FormValue("spam") == "" {
		return c.Redirect(http.StatusSeeOther, p.address(number))
	}
	return c.Redirect(http.StatusSeeOther, p.address(number, "spam", "1"))
}

// spamToast says that the ticket is set aside and offers to take that back.
func (v *visit) spamToast(t *ticketView) *toastView {
	if t.Spam == nil {
		return nil
	}
	return &toastView{ID: "spam", Text: withTickets(v.T("spam.marked", linkTo(t.Number))), Action: "/tickets/" + strconv.FormatUint(t.Number, 10) + "/spam",
		Seconds: 12, Back: t.Path}
}

// blockedView lists the senders whose mail goes straight to spam.
type blockedView struct {
	settingsPage
	Blocked []blockedRow
	Typed   string
	Changes bool // the reader may change the list
	Domains bool // whole domains too
}

type blockedRow struct {
	Pattern, By string
	Since       moment
	Changes     bool
}

func (s *Server) blockedPage(c echo.Context) error { return s.showBlocked(c, nil) }

func (s *Server) showBlocked(c echo.Context, problem error) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "blocked", "")
	if err != nil {
		return err
	}
	view, status := blockedView{settingsPage: sp, Typed: c.FormValue("pattern"), Changes: v.actor().May(helpdesk.PermitSpam),
		Domains: v.actor().May(helpdesk.PermitAliases)}, http.StatusOK
	if problem != nil {
		if status, err = view.refuseForm(problem); err != nil {
			return err
		}
	}
	people, _, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	list, err := s.desk.BlockedSenders(ctx, v.actor())
	if err != nil {
		return err
	}
	for _, b := range list {
		view.Blocked = append(view.Blocked, blockedRow{b.Pattern, people[b.By].Name, longMoment(v.Printer, b.At),
			view.Changes && (view.Domains || strings.Contains(b.Pattern, "@"))})
	}
	return s.render(c, status, "settings-blocked", view)
}

// changeBlocked blocks a sender, or no longer.
func (s *Server) changeBlocked(c echo.Context) error {
	change := s.desk.Block
	if c.FormValue("action") == "unblock" {
		change = s.desk.Unblock
	}
	if err := change(c.Request().Context(), visitOf(c).actor(), c.FormValue("pattern")); err != nil {
		return s.showBlocked(c, err)
	}
	return c.Redirect(http.StatusSeeOther, "/settings/blocked?saved=1")
}
