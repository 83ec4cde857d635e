package ui

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type ledgerView struct {
	settingsPage
	Day     string // the one that is shown in detail, in words; "" for the list
	Verdict string
	Whole   bool
	Figures []figure
	Places  []string // the heads of their columns
	Days    []ledgerLine
	Reasons []reasonLine
	Kinds   []figure
	Missing []missingLine
}

// ledgerLine is a day of the table.
type ledgerLine struct {
	Day, URL            string
	Accepted            string
	Places              []string
	Duplicates, Refused string
	Badge               *badge
	Empty               bool
}

// reasonLine is why mails were not taken, and how many.
type reasonLine struct{ Label, Hint, Value string }

type missingLine struct {
	ID, From, URL, Ticket string
	At                    moment
}

// ledgerPage shows what became of every mail, by days of the reader.
func (s *Server) ledgerPage(c echo.Context) error {
	v := visitOf(c)
	query := helpdesk.LedgerQuery{Day: c.QueryParam("day"), Zone: v.Zone}
	heading := ""
	if day, err := dayIn(v.Zone, query.Day); err == nil {
		heading = v.Date(day)
	}
	sp, err := s.newSettingsPage(c, "ledger", heading)
	if err != nil {
		return err
	}
	view := ledgerView{settingsPage: sp, Day: heading}
	if sp.Locked != "" {
		return s.render(c, http.StatusOK, "settings-ledger", view)
	}
	l, err := s.desk.Ledger(c.Request().Context(), v.actor(), query)
	if err != nil {
		return err
	}
	for _, place := range helpdesk.MailPlaces() {
		view.Places = append(view.Places, v.T("ledger.place."+string(place)))
	}
	view.fill(v, l)
	return s.render(c, http.StatusOK, "settings-ledger", view)
}

func (w *ledgerView) fill(v *visit, l *helpdesk.Ledger) {
	w.Whole = l.Balanced()
	w.Badge = &badge{"good", v.T("ledger.balanced")}
	w.Verdict = v.N("ledger.whole", l.Total.Accepted, v.Number(l.Total.Accepted))
	if !w.Whole {
		w.Badge = &badge{"bad", v.T("ledger.unbalanced")}
		w.Verdict = v.T("ledger.differs")
	}
	shown, refused := l.Total, helpdesk.LedgerDay{Refused: map[helpdesk.RefusalReason]int{}}
	for _, d := range l.Days {
		w.Days = append(w.Days, v.ledgerLine(d))
		for reason, n := range d.Refused {
			refused.Refused[reason] += n
		}
	}
	if w.Day != "" {
		shown = l.Days[0]
		w.kinds(v, shown)
	}
	w.figures(v, shown)
	for _, reason := range helpdesk.RefusalReasons() {
		if n := refused.Refused[reason]; n > 0 {
			key := "ledger.reason." + string(reason)
			w.Reasons = append(w.Reasons, reasonLine{v.T(key), v.T(key + "_hint"), v.Number(n)})
		}
	}
	for _, m := range l.Missing {
		w.Missing = append(w.Missing, missingLine{m.ID, m.From, (place{query: inView("open")}).address(m.Ticket), v.T("queue.ticket", m.Ticket), longMoment(v.Printer, m.At)})
	}
}

func (w *ledgerView) figures(v *visit, d helpdesk.LedgerDay) {
	add := func(label, hint string, n int, tone string) {
		if n == 0 {
			tone = ""
		}
		w.Figures = append(w.Figures, figure{Label: label, Value: v.Number(n), Tone: tone, Hint: hint})
	}
	add(v.T("ledger.accepted"), v.T("ledger.accepted_hint"), d.Accepted, "")
	for _, place := range helpdesk.MailPlaces() {
		key := "ledger.place." + string(place)
		add(v.T(key), v.T(key+"_hint"), d.Places[place], map[helpdesk.MailPlace]string{helpdesk.PlaceHeld: "warn"}[place])
	}
	add(v.T("ledger.duplicates"), v.T("ledger.duplicates_hint"), d.Duplicates, "")
	add(v.T("ledger.refused"), v.T("ledger.refused_hint"), d.RefusedSum(), "")
	if n := d.Difference(); n != 0 {
		add(v.T("ledger.difference"), v.T("ledger.difference_hint"), n, "bad")
	}
}

func (w *ledgerView) kinds(v *visit, d helpdesk.LedgerDay) {
	for _, kind := range []helpdesk.MessageKind{helpdesk.KindPerson, helpdesk.KindList, helpdesk.KindAutoReply, helpdesk.KindBounce, helpdesk.KindReport} {
		if n := d.Kinds[kind]; n > 0 {
			w.Kinds = append(w.Kinds, figure{Label: v.T("ledger.kind." + string(kind)), Value: v.Number(n)})
		}
	}
	if d.Spam > 0 {
		w.Kinds = append(w.Kinds, figure{Label: v.T("ledger.kind.spam"), Value: v.Number(d.Spam)})
	}
}

func (v *visit) ledgerLine(d helpdesk.LedgerDay) ledgerLine {
	day, _ := dayIn(v.Zone, d.Day) // as the desk wrote it
	line := ledgerLine{Day: v.Date(day), URL: "/settings/ledger?" + url.Values{"day": {d.Day}}.Encode(),
		Accepted: v.Number(d.Accepted), Duplicates: v.Number(d.Duplicates), Refused: v.Number(d.RefusedSum()),
		Empty: d.Accepted == 0 && d.Difference() == 0 && d.Duplicates == 0 && d.RefusedSum() == 0}
	for _, place := range helpdesk.MailPlaces() {
		line.Places = append(line.Places, v.Number(d.Places[place]))
	}
	switch n := d.Difference(); {
	case n > 0:
		line.Badge = &badge{"bad", v.N("ledger.missing", n)}
	case n < 0:
		line.Badge = &badge{"bad", v.N("ledger.surplus", -n)}
	default:
		line.Badge = &badge{"good", v.T("ledger.balanced")}
	}
	return line
}
