package ui

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// setupView is the first-run page. Form keeps what was typed when something
// of it is refused; the password is never sent back.
type setupView struct {
	page
	Languages []option
	Path      string
	Key       string
	Form      helpdesk.Setup
	Error     formError
	// Refused says that the link is wrong or used; there is no form then.
	Refused string

	Done     bool
	Alias    string
	Commands []string
	MX       mxRecord
	// Hostname is the server's name where that is none that others could find.
	Hostname string
}

// mxRecord is what to publish so that mail for a domain comes here.
type mxRecord struct{ Name, Value string }

func (s *Server) setupPage(c echo.Context) error {
	view := s.newSetupView(c, helpdesk.Setup{Secret: c.QueryParam("key"), AliasLocal: "support"})
	if err := s.desk.CheckSetup(c.Request().Context(), view.Key); err != nil {
		return s.refuseSetup(c, view, err)
	}
	return s.render(c, http.StatusOK, "setup", view)
}

func (s *Server) newSetupView(c echo.Context, form helpdesk.Setup) setupView {
	v := visitOf(c)
	return setupView{page: page{visit: v, Title: v.T("setup.title")}, Languages: languageOptions(v.Printer),
		Path: "/setup?" + c.QueryParams().Encode(), Key: form.Secret, Form: form}
}

func (s *Server) refuseSetup(c echo.Context, view setupView, err error) error {
	if codeOf(err) == helpdesk.CodeInternal {
		return err
	}
	view.Refused = explain(view.Printer, err)
	return s.render(c, statusOf(codeOf(err)), "setup", view)
}

func (s *Server) setup(c echo.Context) error {
	ctx := c.Request().Context()
	form := helpdesk.Setup{
		Secret: c.FormValue("key"), Name: strings.TrimSpace(c.FormValue("organisation")),
		AdminEmail: strings.TrimSpace(c.FormValue("email")), AdminName: strings.TrimSpace(c.FormValue("name")), Password: c.FormValue("password"),
		AliasLocal: strings.TrimSpace(c.FormValue("alias")), Domain: strings.TrimSpace(strings.TrimPrefix(c.FormValue("domain"), "@")),
		AliasName: strings.TrimSpace(c.FormValue("alias_name")), Locale: string(visitOf(c).Language),
	}
	view := s.newSetupView(c, form)
	view.Path = "/setup?key=" + form.Secret
	if _, err := s.desk.CompleteSetup(ctx, form); err != nil {
		if helpdesk.CodeOf(err) == helpdesk.CodeForbidden {
			return s.refuseSetup(c, view, err)
		}
		said, ok := refusal(view.Printer, err)
		if !ok {
			return err
		}
		view.Error = said
		return s.render(c, statusOf(codeOf(err)), "setup", view)
	}
	entry, err := s.desk.Login(ctx, s.visitor(c), form.AdminEmail, form.Password)
	if err != nil {
		return c.Redirect(http.StatusSeeOther, "/login") // the account exists; only the short cut failed
	}
	s.letIn(c, entry)
	return c.Redirect(http.StatusSeeOther, "/setup/done")
}

// setupDone shows how to send the first mail.
func (s *Server) setupDone(c echo.Context) error {
	ctx := c.Request().Context()
	v := visitOf(c)
	view := s.newSetupView(c, helpdesk.Setup{AdminEmail: v.User.Email, AdminName: v.User.Name})
	view.Done, view.Path = true, "/setup/done"
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return err
	}
	if len(aliases) > 0 { // the oldest is the one that was made here
		first := slices.MinFunc(aliases, func(a, b helpdesk.Alias) int { return a.CreatedAt.Compare(b.CreatedAt) })
		view.Alias, view.Form.AliasName = first.Address, first.Name
		_, view.MX.Name, _ = strings.Cut(view.Alias, "@")
	}
	view.MX.Value = "10 " + s.options.Hostname
	if !strings.Contains(s.options.Hostname, ".") { // a name to go by, until there is one
		view.Hostname, view.MX.Value = s.options.Hostname, "10 mail."+view.MX.Name
	}
	view.Commands = s.testCommands(view.Alias)
	return s.render(c, http.StatusOK, "setup", view)
}

// testCommands are two ways to send a first mail to alias.
func (s *Server) testCommands(alias string) []string {
	server := s.options.SMTPAddress
	if server == "" {
		server = "127.0.0.1:2525"
	}
	program := cmp.Or(s.options.Program, "madoguchi")
	return []string{
		program + " send-test --smtp " + server + " --to " + alias,
		"swaks --server " + server + " --to " + alias,
	}
}
