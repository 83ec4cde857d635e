package ui

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/signon"
)

// SignOn is the house's sign-on provider, as the web needs it.
type SignOn interface {
	// Begin returns the address at the provider to which a browser is sent, and
	// what to remember of it; again has people prove anew who they are.
	Begin(ctx context.Context, again bool) (address string, m signon.Memory, err error)
	// Finish reads the answer with which a browser came back.
	Finish(ctx context.Context, m signon.Memory, answer url.Values) (signon.Identity, error)
	// LogoutURL is where people log out of the provider too, "" where unknown.
	// token names who leaves, "" where it is not at hand.
	LogoutURL(token, back string) string
}

// SignOnCallback is the path to which the provider sends people back.
const SignOnCallback = "/login/oidc/callback"

func (s *Server) signOnRoutes(g *echo.Group) {
	g.GET("/login/oidc", s.beginSignOn)
	g.GET(SignOnCallback, s.finishSignOn)
	g.GET("/login/oidc/out", s.leaveProvider)
}

func (s *Server) signOnCookie() string { return s.hostCookie("sign-on") }

// signOnView is the sign-on provider on the login page.
type signOnView struct {
	Name string // "" where there is none
	URL  string
	Only bool
	// Logout is where to log out of the provider too, after a logout here.
	Logout string
}

func (s *Server) newSignOnView(next string, again, out bool) (view signOnView) {
	policy := s.policy.Load()
	if policy.SignOn == nil {
		return view
	}
	query := url.Values{"next": {next}}
	if again {
		query.Set("again", "1")
	}
	view = signOnView{Name: policy.SignOnName, URL: "/login/oidc?" + query.Encode(), Only: policy.SignOnOnly}
	if out && policy.SignOn.LogoutURL("", "") != "" {
		view.Logout = "/login/oidc/out"
	}
	return view
}

// signOnTokens is how many logins remember their ID token for a logout. After a
// restart, or beyond that, the provider asks people whether they mean it.
const signOnTokens = 2000

// maxSignOnToken is what a cookie can hold of one, in bytes.
const maxSignOnToken = 3500

// signOutCookie has the ID token of the session that has just ended.
func (s *Server) signOutCookie() string { return s.hostCookie("sign-out") }

// leaveProvider sends whoever has logged out here to do so at the provider too.
func (s *Server) leaveProvider(c echo.Context) error {
	address := ""
	if provider := s.policy.Load().SignOn; provider != nil {
		address = provider.LogoutURL(cookieValue(c, s.signOutCookie()), strings.TrimSuffix(s.options.PublicURL, "/")+"/login")
	}
	if address == "" {
		return echo.ErrNotFound
	}
	if !asksHead(c) {
		s.setCookie(c, s.signOutCookie(), "", 0)
	}
	return c.Redirect(http.StatusSeeOther, address)
}

// beginSignOn sends the browser to the provider.
func (s *Server) beginSignOn(c echo.Context) error {
	provider := s.policy.Load().SignOn
	if provider == nil {
		return echo.ErrNotFound
	}
	if asksHead(c) {
		return c.NoContent(http.StatusOK) // begins nothing
	}
	next := c.QueryParam("next")
	address, m, err := provider.Begin(c.Request().Context(), c.QueryParam("again") != "")
	if err != nil {
		return s.loginAgain(c, s.signOnError(c, err), next)
	}
	sealed, err := s.desk.SealSignOn(helpdesk.SignOnBegun{State: m.State, Nonce: m.Nonce, Verifier: m.Verifier, Again: m.Again, Next: next})
	if err != nil {
		return err
	}
	s.setCookie(c, s.signOnCookie(), sealed, stepCookieLifetime)
	return c.Redirect(http.StatusSeeOther, address)
}

// finishSignOn logs in whoever comes back from the provider.
func (s *Server) finishSignOn(c echo.Context) error {
	provider := s.policy.Load().SignOn
	if provider == nil {
		return echo.ErrNotFound
	}
	if asksHead(c) {
		return c.NoContent(http.StatusOK) // logs nobody in: what the provider gave works once
	}
	ctx := c.Request().Context()
	begun, err := s.desk.OpenSignOn(cookieValue(c, s.signOnCookie()))
	s.setCookie(c, s.signOnCookie(), "", 0)
	if err != nil {
		return s.loginAgain(c, err, "")
	}
	who, err := provider.Finish(ctx, signon.Memory{State: begun.State, Nonce: begun.Nonce, Verifier: begun.Verifier, Again: begun.Again}, c.QueryParams())
	if err != nil {
		return s.loginAgain(c, s.signOnError(c, err), begun.Next)
	}
	entry, err := s.desk.LoginIdentity(ctx, s.visitor(c), helpdesk.Identity{Issuer: who.Issuer, Subject: who.Subject,
		Email: who.Email, EmailVerified: who.EmailVerified, Name: who.Name, ProvenAt: who.ProvenAt})
	if err != nil {
		return s.loginAgain(c, err, begun.Next)
	}
	if len(who.Token) <= maxSignOnToken {
		s.signOnTokens.Add(entry.Session, who.Token)
	}
	return s.proceed(c, entry, begun.Next)
}

// signOnError says what went wrong with the provider. The log says it in full.
func (s *Server) signOnError(c echo.Context, err error) error {
	s.log.Warn("single sign-on", "error", err, "ip", s.remoteIP(c))
	e := &helpdesk.Error{Code: helpdesk.CodeTemporary, Key: "error.sign_on_unavailable", Args: []any{s.policy.Load().SignOnName}, Message: "the sign-on provider does not answer; try again, or log in another way"}
	switch {
	case errors.Is(err, signon.ErrRefused):
		e.Code, e.Key, e.Message = helpdesk.CodeUnauthorized, "error.sign_on_refused", "the sign-on provider refused"
	case errors.Is(err, signon.ErrNotAsked):
		e.Code, e.Key, e.Message = helpdesk.CodeUnauthorized, "error.sign_on_not_asked", "the sign-on provider did not ask again who you are; log out there first"
	case errors.Is(err, signon.ErrForged):
		e.Code, e.Key, e.Message = helpdesk.CodeUnauthorized, "error.sign_on_forged", "the answer of the sign-on provider is not valid; begin anew"
	}
	return e
}

// releaseIdentity unbinds a member from their account at the provider.
func (s *Server) releaseIdentity(c echo.Context) error {
	if err := s.desk.ReleaseIdentity(c.Request().Context(), visitOf(c).actor(), c.Param("id")); err != nil {
		if again, err := proveAgain(c, err, "/settings/users/"+c.Param("id")); again {
			return err
		}
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/users/"+c.Param("id")+"?saved=1")
}
