package ui

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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

// quarantinedView is one mail with all that speaks against it.
type quarantinedView struct {
	page
	Row      quarantinedRow
	Rejected bool
	Evidence []evidenceLine
	To       string
	Body     string
	Cut      bool
	Files    []string
	Proofs   []proofOption
	Domain   string // of the sender; "" where the reader may not trust a whole domain
	// DomainWarning is what is to be known before all of it is trusted, or "".
	DomainWarning string
	Problem       string
	Size          string
	Chosen        string // the part of the sender to be trusted
}

type evidenceLine struct{ Name, Value, Note, Tone string }

type proofOption struct {
	Value, Label string
	Selected     bool
	Warning      string // what is to be known before it is chosen, or ""
}

// maxPreview is how much of a quarantined mail's text is shown, in bytes.
const maxPreview = 32 << 10

func (s *Server) quarantinedPage(c echo.Context) error {
	return s.showQuarantined(c, http.StatusOK, "")
}

func (s *Server) showQuarantined(c echo.Context, status int, problem string) error {
	ctx, v := c.Request().Context(), visitOf(c)
	q, err := s.desk.QuarantinedMail(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	row := v.quarantinedRow(q.Quarantined)
	p, err := s.newPage(ctx, v, row.Subject, "quarantine")
	if err != nil {
		return err
	}
	view := quarantinedView{page: p, Row: row, Rejected: q.State == helpdesk.QuarantineRejected, Evidence: v.evidence(q), Problem: problem,
		To: strings.Join(q.Mail.Envelope.Recipients, v.T("field.comma")), Body: strings.TrimSpace(q.Text), Size: v.Size(int64(q.Size)), Chosen: c.FormValue("sender")}
	if len(view.Body) > maxPreview {
		view.Body, view.Cut = strings.ToValidUTF8(view.Body[:maxPreview], ""), true
	}
	if view.Body == "" || !utf8.ValidString(view.Body) {
		view.Body = v.T("quarantine.no_text")
	}
	for i, a := range q.Mail.Attachments {
		view.Files = append(view.Files, fileName(v.Printer, a, i))
	}
	if q.Why.Kind.OfReport() {
		q.Proofs = nil // a report is believed or not, whoever its author is
	}
	for i, proof := range q.Proofs {
		chosen := c.FormValue("proof")
		view.Proofs = append(view.Proofs, proofOption{proof.String(), v.T("quarantine.proof."+string(proof.Kind), proof.Value), chosen == proof.String() || chosen == "" && i == 0,
			v.trustWarning(proof.Risk(q.Mail.From.Email), proof.Value)})
	}
	if v.may(helpdesk.PermitAliases) {
		view.Domain = domainOf(q.Mail.From.Email)
		if helpdesk.FreeMail(view.Domain) {
			view.DomainWarning = v.trustWarning(helpdesk.RiskEverybody, view.Domain)
		}
	}
	return s.render(c, status, "quarantined", view)
}

// trustWarning says what is to be known of a risk, "" for none.
func (v *visit) trustWarning(risk helpdesk.TrustRisk, domain string) string {
	if risk == "" {
		return ""
	}
	return v.T("quarantine.risk."+string(risk), domain)
}

// evidence says how the mail really came, and what each check found.
func (v *visit) evidence(q helpdesk.QuarantinedMail) []evidenceLine {
	m, a := q.Mail, q.Mail.Authentication
	tone := func(result string) string {
		switch result {
		case "pass":
			return "good"
		case "", "none", "neutral":
			return "plain"
		}
		return "bad"
	}
	lines := []evidenceLine{
		{Name: v.T("quarantine.claims"), Value: m.From.Email},
		{Name: v.T("quarantine.server"), Value: strings.TrimSpace(m.Envelope.HELO + " [" + m.Envelope.RemoteIP + "]")},
		{Name: v.T("quarantine.envelope"), Value: m.Envelope.MailFrom},
	}
	if m.ReplyTo != "" && m.ReplyTo != m.From.Email {
		lines = append(lines, evidenceLine{Name: v.T("quarantine.reply_to"), Value: m.ReplyTo, Tone: "bad"})
	}
	if a.SPF.Result != "" {
		lines = append(lines, evidenceLine{"SPF", a.SPF.Result + " " + a.SPF.Domain, a.SPF.Reason, tone(a.SPF.Result)})
	}
	for _, d := range a.DKIM {
		lines = append(lines, evidenceLine{"DKIM", d.Result + " " + d.Domain, d.Reason, tone(d.Result)})
	}
	if len(a.DKIM) == 0 {
		lines = append(lines, evidenceLine{"DKIM", v.T("quarantine.unsigned"), "", "plain"})
	}
	if a.DMARC.Result != "" {
		lines = append(lines, evidenceLine{"DMARC", a.DMARC.Result + " " + a.DMARC.Domain, a.DMARC.Reason, tone(a.DMARC.Result)})
	}
	return slices.DeleteFunc(lines, func(l evidenceLine) bool { return l.Value == "" || l.Value == "[]" })
}

// decideOne releases a mail, perhaps trusting its sender, or rejects it.
func (s *Server) decideOne(c echo.Context) error {
	ctx, v, id := c.Request().Context(), visitOf(c), c.Param("id")
	var trust *helpdesk.Trusting
	var err error
	switch c.FormValue("action") {
	case "reject":
		var gone []string
		if gone, err = s.desk.RejectQuarantined(ctx, v.actor(), []string{id}); err == nil {
			return c.Redirect(http.StatusSeeOther, decision{released: -1, rejected: 1 - len(gone), gone: len(gone)}.address(""))
		}
	case "trust":
		trust = &helpdesk.Trusting{Sender: helpdesk.TrustedPart(c.FormValue("sender"))}
		trust.Proof, err = helpdesk.ParseProof(c.FormValue("proof"))
		fallthrough
	default:
		var receipt helpdesk.Receipt
		if err == nil {
			receipt, err = s.desk.Release(ctx, v.actor(), id, trust)
		}
		if err == nil && receipt.Ticket == 0 { // a report on a domain
			return c.Redirect(http.StatusSeeOther, decision{released: 1, rejected: -1}.address(""))
		}
		if helpdesk.CodeOf(err) == helpdesk.CodeNotFound {
			return c.Redirect(http.StatusSeeOther, decision{released: -1, rejected: -1, gone: 1}.address(""))
		}
		if err == nil {
			return c.Redirect(http.StatusSeeOther, (place{query: inView("open")}).address(receipt.Ticket))
		}
	}
	if said, ok := refusal(v.Printer, err); ok {
		return s.showQuarantined(c, statusOf(codeOf(err)), said.Text)
	}
	return err
}

func (s *Server) quarantinedSource(c echo.Context) error {
	raw, err := s.desk.QuarantinedSource(c.Request().Context(), visitOf(c).actor(), c.Param("id"))
	if err != nil {
		return err
	}
	return download(c, c.Param("id")+".eml", "message/rfc822", raw)
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

// trustedView lists the senders whose mail is received with a proof.
type trustedView struct {
	settingsPage
	Trusted []trustedRow
}

type trustedRow struct {
	Pattern, Proof string
	Text           string
	Warning        string // what is to be known of it, or ""
	By             string
	Since          moment
}

func (s *Server) trustedPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "trusted", "")
	if err != nil {
		return err
	}
	view := trustedView{settingsPage: sp}
	people, _, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	list, err := s.desk.TrustedSenders(ctx, v.actor())
	if err != nil {
		return err
	}
	for _, t := range list {
		domain := t.Proof.Value
		if t.Risk() == helpdesk.RiskEverybody {
			domain = t.Pattern
		}
		view.Trusted = append(view.Trusted, trustedRow{t.Pattern, t.Proof.String(), v.T("quarantine.proof."+string(t.Proof.Kind), t.Proof.Value), v.trustWarning(t.Risk(), domain),
			people[t.By].Name, longMoment(v.Printer, t.At)})
	}
	return s.render(c, http.StatusOK, "settings-trusted", view)
}

func (s *Server) distrust(c echo.Context) error {
	proof, err := helpdesk.ParseProof(c.FormValue("proof"))
	if err == nil {
		err = s.desk.Distrust(c.Request().Context(), visitOf(c).actor(), c.FormValue("pattern"), proof)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/trusted?saved=1")
}
