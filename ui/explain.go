package ui

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) explainRoutes(g *echo.Group) {
	g.GET("/messages/:id/explain", s.explainPage)
	g.POST("/messages/:id/decode", s.decodeAgain)
}

// explainView is the page that says why a mail is where it is.
type explainView struct {
	page
	ID      string
	Ticket  uint64
	Subject string
	Why     string
	Steps   []string
	Own     bool   // our mail, not one that came
	Source  string // "" where there is none
	Cut     string // said where not all of the source is shown
}

// maxSourceShown is how much of a source is shown as text, in bytes.
const maxSourceShown = 256 << 10

func (s *Server) explainPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	explained, err := s.desk.Explain(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	p, err := s.newPage(ctx, v, v.T("explain.title"), "")
	if err != nil {
		return err
	}
	view := explainView{page: p, ID: explained.Message, Ticket: explained.Ticket, Subject: subjectOf(v.Printer, explained.Subject),
		Why: v.T("reason." + string(explained.Reason)), Own: explained.Direction == helpdesk.Outbound}
	for _, step := range explained.Steps {
		view.Steps = append(view.Steps, DescribeStep(v.Printer, step))
	}
	raw, err := s.desk.Source(ctx, v.actor(), explained.Message)
	if err != nil && helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
		return err
	}
	if len(raw) > maxSourceShown {
		view.Cut = v.T("explain.source_cut", v.Size(maxSourceShown), v.Size(int64(len(raw))))
		raw = raw[:maxSourceShown]
	}
	view.Source = strings.ToValidUTF8(string(raw), "\uFFFD")
	return s.render(c, http.StatusOK, "explain", view)
}

// decodeAgain reads a mail's text in the character set chosen.
func (s *Server) decodeAgain(c echo.Context) error {
	decoded, err := s.desk.DecodeAgain(c.Request().Context(), visitOf(c).actor(), c.Param("id"), c.FormValue("charset"))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, backTo(c, decoded.Message.Ticket))
}

// charsetOptions are the ways to decode a mail again.
func charsetOptions(p locale.Printer) []option {
	options := []option{{"", p.T("decode.automatic"), true}}
	for _, charset := range helpdesk.Charsets() {
		options = append(options, option{charset, charset, false})
	}
	return options
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// DescribeStep says one step of an explanation. Its sentence is named by the
// step's key, and {name} in it stands for the data of that name.
func DescribeStep(p locale.Printer, step helpdesk.Step) string {
	sentence := placeholder.ReplaceAllStringFunc(p.T("explain.step."+string(step.Key)), func(found string) string {
		name := found[1 : len(found)-1]
		value := step.Data[name]
		if step.Key == helpdesk.StepDefect || step.Key == helpdesk.StepCharset {
			return DescribeDefect(p, value)
		}
		if name == "note" && step.Data["suspicion"] == string(helpdesk.SuspectReport) {
			return describeReport(p, value)
		}
		return stepValue(p, name, value)
	})
	return strings.TrimSpace(sentence)
}

// stepValue says one value of a step, by what its name tells of it.
func stepValue(p locale.Printer, name, value string) string {
	if value == "" {
		if name == "note" || name == "details" {
			return ""
		}
		return "–"
	}
	switch name {
	case "reason", "kind", "trust":
		return wordOf(p, name+"."+value, value)
	case "state", "delivery", "timer", "condition", "effect":
		return wordOf(p, "explain."+name+"."+value, value)
	case "suspicion":
		return wordOf(p, "quarantine.why."+value, value)
	case "known", "proven", "disabled":
		return wordOf(p, "explain.answer."+value, value)
	case "at", "due", "next", "expires":
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			return p.Full(t)
		}
	case "size":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return p.Size(n)
		}
	case "skipped":
		return skippedWords(p, value)
	case "details":
		return fmt.Sprintf("(%s)", value)
	}
	return value
}

// wordOf is the word for a value, or the value itself where there is none yet.
func wordOf(p locale.Printer, key, value string) string {
	if !p.Has(key) {
		return value
	}
	return p.T(key)
}

// tools fills what the menu of a mail offers its reader.
func (r reader) tools(view *messageView, m helpdesk.Message) {
	view.Explained = r.may(helpdesk.PermitSupervise)
	if view.HasSource && m.Direction == helpdesk.Inbound && r.may(helpdesk.PermitEdit) {
		view.Charsets = charsetOptions(r.Printer)
	}
}
