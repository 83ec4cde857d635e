package ui

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// stepRoutes are what may follow on a password, and what stands in its place.
func (s *Server) stepRoutes(g *echo.Group) {
	g.GET("/login/step", s.stepPage)
	g.POST("/login/step", s.takeStep)
	g.POST("/login/passkey/begin", s.beginPasskeyLogin)
	g.POST("/login/passkey", s.passkeyLogin)
}

// stepCookieLifetime is a little more than a step may take: the desk decides.
const stepCookieLifetime = 15 * time.Minute

func (s *Server) stepCookie() string { return s.hostCookie("login-step") }

// stepView is the step of a login after the password.
type stepView struct {
	page
	Languages []option
	Path      string
	Next      string
	Step      *helpdesk.LoginStep
	Passkey   passkeyAsk
	Enrolment *enrolmentView // where the user has to set up an app first
	Until     string         // until when that can be put off, "" for not at all
	Error     formError
	// Codes are the recovery codes of an app that was just set up.
	Codes recoveryView
}

// proceed goes where a login leads: to the next step, or in.
func (s *Server) proceed(c echo.Context, entry *helpdesk.Entry, next string) error {
	if entry.Step != "" {
		s.setCookie(c, s.stepCookie(), entry.Step, stepCookieLifetime)
		return c.Redirect(http.StatusSeeOther, "/login/step?next="+url.QueryEscape(next))
	}
	s.letIn(c, entry)
	return c.Redirect(http.StatusSeeOther, localPath(next, "/"))
}

func (s *Server) stepPage(c echo.Context) error {
	return s.showStep(c, http.StatusOK, stepView{Next: c.QueryParam("next")})
}

// showStep shows the step that is left. Where none is, the login begins anew.
func (s *Server) showStep(c echo.Context, status int, view stepView) (err error) {
	ctx, v := c.Request().Context(), visitOf(c)
	sealed := cookieValue(c, s.stepCookie())
	if view.Step, err = s.desk.StepOf(ctx, sealed); err != nil {
		return s.loginAgain(c, err, view.Next)
	}
	view.page = page{visit: v, Title: v.T("access.step.title")}
	view.Languages, view.Path = languageOptions(v.Printer), "/login/step?next="+url.QueryEscape(view.Next)
	view.Passkey = passkeyAsk{Site: s.site(c).ID, Begin: "/login/passkey/begin?step=1"}
	if !view.Step.Until.IsZero() {
		view.Until = v.Date(view.Step.Until)
	}
	if view.Step.Enrol && view.Enrolment == nil {
		begun, err := s.desk.StepEnrolment(ctx, sealed)
		if err != nil {
			return err
		}
		if view.Enrolment, err = newEnrolmentView(begun); err != nil {
			return err
		}
	}
	return s.render(c, status, "login-step", view)
}

// loginAgain shows the login with what keeps it from going on.
func (s *Server) loginAgain(c echo.Context, cause error, next string) error {
	said, ok := refusal(visitOf(c).Printer, cause)
	if !ok {
		return cause
	}
	s.setCookie(c, s.stepCookie(), "", 0)
	return s.render(c, refusedWith(c, cause), "login", s.newLoginView(c, loginView{Next: next, Error: said}))
}

func (s *Server) takeStep(c echo.Context) error {
	next := c.FormValue("next")
	sealed, code := cookieValue(c, s.stepCookie()), c.FormValue("code")
	if enrolment := c.FormValue("enrolment"); enrolment != "" {
		return s.stepEnrol(c, sealed, enrolment, code, next)
	}
	entry, err := s.takeCode(c, sealed, code)
	if err == nil {
		s.setCookie(c, s.stepCookie(), "", 0)
		if entry.CodesLow { // with the last of them gone, a lost phone locks its user out
			next = "/settings/access?recovered=" + url.QueryEscape(localPath(next, "/"))
		}
		return s.proceed(c, entry, next)
	}
	said, ok := refusal(visitOf(c).Printer, err)
	if !ok {
		return err
	}
	return s.showStep(c, refusedWith(c, err), stepView{Next: next, Error: said})
}

// takeCode takes the step with a code, or puts off what can be put off.
func (s *Server) takeCode(c echo.Context, sealed, code string) (*helpdesk.Entry, error) {
	if c.FormValue("later") != "" {
		return s.desk.LoginLater(c.Request().Context(), s.visitor(c), sealed)
	}
	return s.desk.LoginCode(c.Request().Context(), s.visitor(c), sealed, code, c.FormValue("trust") != "")
}

// stepEnrol sets up the app that the role asks for. The recovery codes are shown
// before anything else.
func (s *Server) stepEnrol(c echo.Context, sealed, enrolment, code, next string) error {
	ctx, v := c.Request().Context(), visitOf(c)
	entry, codes, err := s.desk.LoginEnrol(ctx, s.visitor(c), sealed, enrolment, code)
	if err == nil {
		s.letIn(c, entry)
		s.setCookie(c, s.stepCookie(), "", 0)
		view := stepView{page: page{visit: v, Title: v.T("access.codes.title")}, Next: localPath(next, "/"), Codes: newRecoveryView(v, entry.User.Email, codes)}
		return s.render(c, http.StatusOK, "login-codes", view)
	}
	said, ok := refusal(v.Printer, err)
	if !ok {
		return err
	}
	view, status := stepView{Next: next, Error: said}, refusedWith(c, err)
	if step, stepErr := s.desk.StepOf(ctx, sealed); stepErr == nil {
		if begun, beginErr := s.desk.EnrolmentOf(step.User.ID, enrolment); beginErr == nil { // the same code of squares again
			if view.Enrolment, err = newEnrolmentView(begun); err != nil {
				return err
			}
		}
	}
	return s.showStep(c, status, view)
}

// passkeyAsk is what a page needs to ask for a passkey.
type passkeyAsk struct {
	Site  string // the host that passkeys belong to, "" where there can be none
	Begin string // where the question comes from
}

// site is where browsers reach us: the address of the configuration, else the one
// that this browser used. That a stranger can name another costs nothing: passkeys
// of another site are none here.
func (s *Server) site(c echo.Context) helpdesk.Site {
	scheme, host := "http", c.Request().Host
	if s.options.Secure {
		scheme = "https"
	}
	if u, err := url.Parse(s.options.PublicURL); err == nil && u.Host != "" {
		scheme, host = u.Scheme, u.Host
	}
	u, err := url.Parse(scheme + "://" + host)
	if err != nil {
		return helpdesk.Site{}
	}
	name := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(name); err == nil || name == "" {
		return helpdesk.Site{} // passkeys belong to names
	}
	return helpdesk.Site{ID: name, Origin: u.Scheme + "://" + strings.ToLower(u.Host)}
}

// question is what a browser is asked, and what it gives back with its answer.
type question struct {
	Options jsonText `json:"options"`
	Sealed  string   `json:"sealed"`
}

// jsonText is JSON as it is.
type jsonText []byte

// MarshalJSON implements json.Marshaler.
func (t jsonText) MarshalJSON() ([]byte, error) { return t, nil }

func (s *Server) beginPasskeyLogin(c echo.Context) error {
	step := ""
	if c.QueryParam("step") != "" {
		step = cookieValue(c, s.stepCookie())
		if step == "" {
			step = "over"
		}
	}
	options, sealed, err := s.desk.BeginPasskeyLogin(c.Request().Context(), s.site(c), step)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, question{options, sealed})
}

func (s *Server) passkeyLogin(c echo.Context) error {
	next := c.FormValue("next")
	entry, err := s.desk.LoginPasskey(c.Request().Context(), s.visitor(c), s.site(c), c.FormValue("sealed"), []byte(c.FormValue("answer")))
	if err == nil {
		s.setCookie(c, s.stepCookie(), "", 0)
		return s.proceed(c, entry, next)
	}
	if said, ok := refusal(visitOf(c).Printer, err); ok && cookieValue(c, s.stepCookie()) != "" {
		return s.showStep(c, refusedWith(c, err), stepView{Next: next, Error: said})
	}
	return s.loginAgain(c, err, next)
}

// proveAgain sends whoever logged in too long ago to the login and back to a
// page, where that is what err says.
func proveAgain(c echo.Context, err error, next string) (bool, error) {
	var e *helpdesk.Error
	if !errors.As(err, &e) || e.Key != "error.prove_again" {
		return false, nil
	}
	address := "/login?again=1&next=" + url.QueryEscape(next)
	if fromScript(c.Request()) {
		return true, c.JSON(http.StatusUnauthorized, map[string]string{"again": address})
	}
	return true, c.Redirect(http.StatusSeeOther, address)
}
