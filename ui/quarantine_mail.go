package ui

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

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
	m := q.Mail
	lines := []evidenceLine{
		{Name: v.T("quarantine.claims"), Value: m.From.Email},
		{Name: v.T("quarantine.server"), Value: strings.TrimSpace(m.Envelope.HELO + " [" + m.Envelope.RemoteIP + "]")},
		{Name: v.T("quarantine.envelope"), Value: m.Envelope.MailFrom},
	}
	if m.ReplyTo != "" && m.ReplyTo != m.From.Email {
		lines = append(lines, evidenceLine{Name: v.T("quarantine.reply_to"), Value: m.ReplyTo, Tone: "bad"})
	}
	lines = append(lines, verdicts(v.Printer, m.Authentication)...)
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
