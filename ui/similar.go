package ui

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
)

// SimilarFinder finds tickets that are about the same as another, and those that
// may be the same matter, best first.
type SimilarFinder interface {
	Similar(ctx context.Context, a helpdesk.Actor, number uint64, limit int) (similar.Found, error)
	Same(ctx context.Context, a helpdesk.Actor, number uint64) ([]similar.Same, error)
}

func (s *Server) similarRoutes(g *echo.Group) {
	g.GET("/tickets/:number/similar", s.similarTickets)
	g.POST("/tickets/:number/distinct", s.distinguish)
}

// similarPlace is where similar tickets are put once the ticket is painted. ID
// changes when there is more to compare.
type similarPlace struct {
	Number  uint64
	ID, URL string
}

// similarView is what is similar to a ticket, and what may be the same matter.
type similarView struct {
	Number uint64
	Basis  string // what was compared
	Items  []similarItem
	Same   []sameItem
	Merge  bool // the reader may merge
	Path   string
}

type similarItem struct {
	Number        uint64
	URL, Subject  string
	Name, Stage   string
	Open          bool
	Time          moment
	Question      string
	Answer        string // "" where nobody has answered
	Language      string
	AnswerPreview string
}

// sameItem is a ticket that may be the same matter; From is the newer one, which
// would be merged into the older.
type sameItem struct {
	Number, From, Into uint64
	URL, Subject       string
	Why                string
	Time               moment
}

const (
	similarShown    = 5
	similarLookedAt = 10
	previewLength   = 90 // characters of a question or an answer
)

func (s *Server) similarPlace(t *helpdesk.Ticket, path string) *similarPlace {
	if s.options.Similar == nil || t.MergedInto != 0 || t.Spam != nil {
		return nil
	}
	number := strconv.FormatUint(t.Number, 10)
	return &similarPlace{Number: t.Number, ID: "similar-" + number + "-" + strconv.FormatUint(t.CustomerSeq, 10),
		URL: "/tickets/" + number + "/similar?" + url.Values{"back": {path}}.Encode()}
}

func (s *Server) similarTickets(c echo.Context) error {
	view, err := s.similarView(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "similar", view)
}

func (s *Server) similarView(c echo.Context) (*similarView, error) {
	ctx, v, number := c.Request().Context(), visitOf(c), ticketNumber(c)
	if s.options.Similar == nil {
		return nil, echo.ErrNotFound
	}
	view := &similarView{Number: number, Merge: v.may(helpdesk.PermitMerge), Path: backTo(c, number)}
	found, err := s.options.Similar.Similar(ctx, v.actor(), number, similarLookedAt)
	if err != nil {
		return nil, err
	}
	view.Basis = v.T("similar.by." + string(found.By))
	answered, err := s.desk.AnsweredTickets(ctx, v.actor(), found.Numbers())
	if err != nil {
		return nil, err
	}
	// Whoever looks for an answer looks at those that have one.
	slices.SortStableFunc(answered, func(a, b helpdesk.AnsweredTicket) int {
		return cmp.Compare(min(len(b.Answer), 1), min(len(a.Answer), 1))
	})
	for _, a := range answered[:min(len(answered), similarShown)] {
		t := a.Row.Ticket
		view.Items = append(view.Items, similarItem{Number: t.Number, URL: "/tickets/" + strconv.FormatUint(t.Number, 10), Subject: subjectOf(v.Printer, t.Subject),
			Name: contactName(a.Row.Contact), Stage: a.Row.StageName, Open: t.Open, Time: shortMoment(v.Printer, t.UpdatedAt), Language: t.Language,
			Question: preview(similar.Matter(a.Question)), Answer: a.Answer, AnswerPreview: preview(similar.Matter(a.Answer))})
	}
	return view, s.addSame(ctx, v, view)
}

// addSame adds what may be the same matter.
func (s *Server) addSame(ctx context.Context, v *visit, view *similarView) error {
	list, err := s.options.Similar.Same(ctx, v.actor(), view.Number)
	if err != nil {
		return err
	}
	for _, same := range list {
		row, err := s.desk.TicketRow(ctx, v.actor(), same.Ticket)
		if err != nil {
			return err
		}
		item := sameItem{Number: same.Ticket, From: max(view.Number, same.Ticket), Into: min(view.Number, same.Ticket),
			URL: "/tickets/" + strconv.FormatUint(same.Ticket, 10), Subject: subjectOf(v.Printer, row.Ticket.Subject), Time: shortMoment(v.Printer, row.Ticket.CreatedAt)}
		if item.Why = v.T("similar.same.customer"); same.Why == similar.SameText {
			item.Why = v.T("similar.same.text", customerCalled(v.Printer, contactName(row.Contact)))
		}
		view.Same = append(view.Same, item)
	}
	return nil
}

// distinguish says that two tickets are not the same matter, and shows what else
// may be.
func (s *Server) distinguish(c echo.Context) error {
	ctx, number := c.Request().Context(), ticketNumber(c)
	other, ok := typedNumber(c.FormValue("other"))
	if !ok {
		return invalid("other", "error.ticket_number", "\""+c.FormValue("other")+"\" is no number of a ticket", c.FormValue("other"))
	}
	if err := s.desk.Distinguish(ctx, visitOf(c).actor(), number, other); err != nil {
		return err
	}
	if target(c.Request()) == "" {
		return c.Redirect(http.StatusSeeOther, backTo(c, number))
	}
	view := &similarView{Number: number, Merge: true, Path: backTo(c, number)}
	if s.options.Similar != nil {
		if err := s.addSame(ctx, visitOf(c), view); err != nil {
			return err
		}
	}
	return s.render(c, http.StatusOK, "same", view)
}

// preview is the beginning of a text in one line.
func preview(text string) string {
	words := []rune(strings.Join(strings.Fields(text), " "))
	if len(words) > previewLength {
		return string(words[:previewLength]) + "…"
	}
	return string(words)
}
