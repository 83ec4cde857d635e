package ui

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) quarantineRoutes(g *echo.Group) {
	g.GET("/quarantine", s.quarantinePage)
	g.POST("/quarantine", s.decideMany)
	g.GET("/quarantine/:id", s.quarantinedPage)
	g.POST("/quarantine/:id", s.decideOne)
	g.GET("/quarantine/:id/source", s.quarantinedSource)
	g.GET("/settings/trusted", s.trustedPage)
	g.POST("/settings/trusted", s.distrust)
}

// quarantineView is the list of mails that were set aside.
type quarantineView struct {
	page
	States   []navItem
	Rejected bool // the list is of those that were rejected
	Mails    []quarantinedRow
	Next     string
	Done     string // what was just decided
	Rejects  bool   // that was a rejection, which can be looked up
	Problem  string
}

// quarantinedRow is a mail in the list.
type quarantinedRow struct {
	ID, URL       string
	Name, Address string
	Subject, Why  string
	Text          string // its first words
	Kind          helpdesk.SuspicionKind
	Time, Until   moment
}

// decision counts what was just decided: -1 where nothing of the kind was.
type decision struct {
	released, rejected int
	gone               int // others had decided on them
}

// decisionOf is what the redirect that led here has done.
func decisionOf(c echo.Context) decision {
	count := func(name string, none int) int {
		if n, err := strconv.Atoi(c.QueryParam(name)); err == nil {
			return n
		}
		return none
	}
	return decision{count("released", -1), count("rejected", -1), count("gone", 0)}
}

// address is that of the list of a state, which says what was decided.
func (d decision) address(state helpdesk.QuarantineState) string {
	query := url.Values{}
	for name, n := range map[string]int{"released": d.released, "rejected": d.rejected, "gone": d.gone} {
		if n > 0 || n == 0 && d.gone == 0 && name != "gone" {
			query.Set(name, strconv.Itoa(n))
		}
	}
	if state == helpdesk.QuarantineRejected {
		query.Set("state", string(state))
	}
	return "/quarantine?" + query.Encode()
}

// decided says what was decided.
func (v *visit) decided(d decision) string {
	var said []string
	switch {
	case d.released > 0 || d.released == 0 && d.gone == 0:
		said = append(said, v.N("quarantine.released", d.released))
	case d.rejected > 0 || d.rejected == 0 && d.gone == 0:
		said = append(said, v.N("quarantine.rejected", d.rejected))
	}
	if d.gone > 0 {
		said = append(said, v.N("quarantine.gone", d.gone))
	}
	return strings.Join(said, " ")
}

func (s *Server) quarantinePage(c echo.Context) error {
	return s.showQuarantine(c, http.StatusOK, decisionOf(c), "")
}

func (s *Server) showQuarantine(c echo.Context, status int, done decision, problem string) error {
	ctx, v := c.Request().Context(), visitOf(c)
	query := helpdesk.QuarantineQuery{State: helpdesk.QuarantineState(c.QueryParam("state")), After: c.QueryParam("after")}
	list, err := s.desk.QuarantineList(ctx, v.actor(), query)
	if err != nil {
		return err
	}
	p, err := s.newPage(ctx, v, v.T("quarantine.title"), "quarantine")
	if err != nil {
		return err
	}
	view := quarantineView{page: p, Rejected: query.State == helpdesk.QuarantineRejected, Done: v.decided(done), Rejects: done.rejected > 0, Problem: problem}
	for _, state := range []helpdesk.QuarantineState{helpdesk.QuarantineWaiting, helpdesk.QuarantineRejected} {
		view.States = append(view.States, navItem{URL: quarantineAddress(state), Label: v.T("quarantine.state." + string(state)),
			Current: (state == helpdesk.QuarantineRejected) == view.Rejected})
	}
	for _, q := range list.Mails {
		view.Mails = append(view.Mails, v.quarantinedRow(q))
	}
	if list.Next != "" {
		view.Next = "/quarantine?" + url.Values{"state": {string(query.State)}, "after": {list.Next}}.Encode()
	}
	return s.render(c, status, "quarantine", view)
}

func quarantineAddress(state helpdesk.QuarantineState) string {
	if state == helpdesk.QuarantineRejected {
		return "/quarantine?state=rejected"
	}
	return "/quarantine"
}

func (v *visit) quarantinedRow(q helpdesk.Quarantined) quarantinedRow {
	row := quarantinedRow{ID: q.Mail.ID, URL: "/quarantine/" + q.Mail.ID, Name: q.Mail.From.Name, Address: q.Mail.From.Email,
		Subject: subjectOf(v.Printer, q.Mail.Subject), Text: q.Mail.Snippet, Kind: q.Why.Kind, Why: v.whyAside(q), Time: shortMoment(v.Printer, q.Mail.At)}
	if row.Address == "" {
		row.Address = v.T("quarantine.no_sender")
	}
	if q.State == helpdesk.QuarantineRejected {
		row.Until = longMoment(v.Printer, q.PurgeAt)
	}
	return row
}

// whyAside is one plain sentence.
func (v *visit) whyAside(q helpdesk.Quarantined) string {
	a := q.Mail.Authentication
	switch {
	case q.Why.Kind == helpdesk.SuspectReport:
		return v.T("quarantine.no_report", describeReport(v.Printer, q.Why.Detail))
	case q.Why.Kind != helpdesk.SuspectDMARC:
		return strings.TrimSpace(v.T("quarantine.why."+string(q.Why.Kind)) + " " + q.Why.Detail)
	case a.Policy == "none":
		return v.T("quarantine.failed", a.DMARC.Domain)
	}
	return v.T("quarantine.failed_policy", a.DMARC.Domain, v.T("quarantine.policy."+a.Policy))
}

// decideMany releases or rejects the mails that were ticked, and says of how many it is true.
func (s *Server) decideMany(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	done, ids := decision{released: -1, rejected: -1}, form["id"]
	if c.FormValue("action") == "release" {
		err = s.releaseMany(ctx, v, ids, &done)
	} else {
		var gone []string
		if gone, err = s.desk.RejectQuarantined(ctx, v.actor(), ids); err == nil {
			done.rejected, done.gone = len(ids)-len(gone), len(gone)
		}
	}
	if err != nil {
		said, ok := refusal(v.Printer, err)
		if !ok {
			return err
		}
		return s.showQuarantine(c, statusOf(codeOf(err)), done, said.Text)
	}
	return c.Redirect(http.StatusSeeOther, done.address(helpdesk.QuarantineState(c.FormValue("state"))))
}

// releaseMany releases mail by mail, as each is an arrival of its own. One that is gone, or that has no recipient any
// more, holds up no other; the first such refusal is returned at the end.
func (s *Server) releaseMany(ctx context.Context, v *visit, ids []string, done *decision) (refused error) {
	done.released = 0
	for _, id := range ids {
		_, err := s.desk.Release(ctx, v.actor(), id, nil)
		switch helpdesk.CodeOf(err) {
		case "":
			done.released++
		case helpdesk.CodeNotFound:
			done.gone++
		case helpdesk.CodeConflict:
			refused = cmp.Or(refused, err)
		default:
			return err
		}
	}
	return refused
}

// quarantineItem is the navigation's entry, for those who may decide.
func (nav *navigation) quarantine(v *visit, waiting string) {
	item := navItem{URL: "/quarantine", Label: v.T("quarantine.title"), Icon: "shield-failed", Current: nav.Current == "quarantine", Count: waiting}
	if waiting == "" {
		nav.More, nav.MoreOpen = append(nav.More, item), nav.MoreOpen || item.Current
		return
	}
	item.Tone = "warn"
	nav.Views = append(nav.Views, item)
}
