package ui

import (
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// warningsKey is where a request keeps what its author is to look at.
const warningsKey = "composer.warnings"

// warn stops a reply whose author should look at something again, once: what
// they were warned of comes back in the form, and is then meant so. A mail that
// names nobody is refused for that, so there is nothing else to look at yet.
func (s *Server) warn(c echo.Context, reply helpdesk.Reply) error {
	if (reply.Forward != "" || reply.Opening != nil) && len(reply.To)+len(reply.Cc)+len(reply.Bcc) == 0 {
		return nil
	}
	list, err := s.desk.CheckReply(c.Request().Context(), visitOf(c).actor(), reply)
	if err != nil {
		return err
	}
	meant := strings.Split(c.FormValue("warned"), ",")
	if !slices.ContainsFunc(list, func(w helpdesk.Warning) bool { return !slices.Contains(meant, warningCode(w)) }) {
		return nil
	}
	c.Set(warningsKey, list)
	return invalid("warned", "error.look_again", "look at this again before it is sent")
}

func warningCode(w helpdesk.Warning) string {
	if w.Kind == helpdesk.WarnFirstTime {
		return string(w.Kind) + " " + strings.ToLower(w.About)
	}
	return string(w.Kind)
}

// warned shows the warnings of a request in its composer, in place of an error.
func (w *composerView) warned(c echo.Context, v *visit) {
	list, _ := c.Get(warningsKey).([]helpdesk.Warning)
	if list == nil {
		w.Warned = c.FormValue("warned")
		return
	}
	w.Error = ""
	var codes, strangers []string
	for _, warning := range list {
		codes = append(codes, warningCode(warning))
		switch {
		case warning.Kind == helpdesk.WarnFirstTime:
			strangers = append(strangers, warning.About)
		case warning.About != "":
			w.Warnings = append(w.Warnings, v.T("warning."+string(warning.Kind), warning.About))
		default:
			w.Warnings = append(w.Warnings, v.T("warning."+string(warning.Kind)))
		}
	}
	if strangers != nil {
		first := v.T("warning."+string(helpdesk.WarnFirstTime), strings.Join(strangers, v.T("list.comma")))
		w.Warnings = append([]string{first}, w.Warnings...)
	}
	w.Warned = strings.Join(codes, ",")
}
