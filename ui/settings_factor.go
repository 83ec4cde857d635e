package ui

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/pquerna/otp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// factorRoutes are about what proves the reader besides a password.
func (s *Server) factorRoutes(g *echo.Group) {
	g.GET("/settings/access/app", s.appPage)
	g.POST("/settings/access/app", s.addApp)
	g.POST("/settings/access/app/remove", s.removeApp)
	g.POST("/settings/access/codes", s.renewCodes)
	g.POST("/settings/access/trusted", s.distrustBrowsers)
	g.POST("/settings/access/passkeys/begin", s.beginPasskey)
	g.POST("/settings/access/passkeys", s.addPasskey)
	g.POST("/settings/access/passkeys/:id", s.changePasskey)
	g.POST("/settings/users/:id/reset-access", s.resetAccess)
	g.POST("/settings/users/:id/release-identity", s.releaseIdentity)
}

// enrolmentView is an authenticator app that is being set up.
type enrolmentView struct {
	Sealed string
	Secret string       // in groups of four, to be typed
	Code   template.URL // the code of squares, as a picture
	Open   template.URL // the same for an app on this very phone
}

// codeSize is the width of the code of squares, in pixels.
const codeSize = 232

func newEnrolmentView(e *helpdesk.Enrolment) (*enrolmentView, error) {
	made, err := otp.NewKeyFromURL(e.URL)
	if err != nil {
		return nil, fmt.Errorf("draw the code of an enrolment: %w", err)
	}
	picture, err := made.Image(codeSize, codeSize)
	if err != nil {
		return nil, fmt.Errorf("draw the code of an enrolment: %w", err)
	}
	var data bytes.Buffer
	if err := png.Encode(&data, picture); err != nil {
		return nil, fmt.Errorf("draw the code of an enrolment: %w", err)
	}
	view := &enrolmentView{Sealed: e.Sealed, Code: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(data.Bytes())), Open: template.URL(e.URL)}
	for i := 0; i < len(e.Secret); i += 4 {
		view.Secret += e.Secret[i:min(i+4, len(e.Secret))] + " "
	}
	view.Secret = strings.TrimSpace(view.Secret)
	return view, nil
}

// recoveryView are recovery codes, shown once.
type recoveryView struct {
	Codes []string
	Text  string
	File  template.URL // the same as a file
}

func newRecoveryView(v *visit, email string, codes []string) recoveryView {
	text := strings.Join(codes, "\n")
	file := v.T("access.codes.file", email) + "\n\n" + text + "\n"
	return recoveryView{Codes: codes, Text: text, File: template.URL("data:text/plain;charset=utf-8," + url.PathEscape(file))}
}

// appView is the page on which an authenticator app is set up, and the one with
// the recovery codes after it.
type appView struct {
	settingsPage
	Enrolment *enrolmentView
	Codes     recoveryView
}

func (s *Server) newAppView(c echo.Context, heading string) (view appView, err error) {
	view.settingsPage, err = s.newSettingsPage(c, "access", heading)
	return view, err
}

func (s *Server) appPage(c echo.Context) error {
	begun, err := s.desk.BeginApp(c.Request().Context(), visitOf(c).actor())
	if again, err := proveAgain(c, err, "/settings/access/app"); again {
		return err
	}
	if err != nil {
		return err
	}
	view, err := s.newAppView(c, visitOf(c).T("access.app.heading"))
	if err != nil {
		return err
	}
	if view.Enrolment, err = newEnrolmentView(begun); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-app", view)
}

func (s *Server) addApp(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sealed := c.FormValue("enrolment")
	codes, err := s.desk.AddApp(ctx, v.actor(), sealed, c.FormValue("code"))
	if err == nil {
		return s.showCodes(c, codes)
	}
	if again, err := proveAgain(c, err, "/settings/access/app"); again {
		return err
	}
	begun, failed := s.desk.EnrolmentOf(v.User.ID, sealed)
	if failed != nil { // it took too long: there is another one
		return c.Redirect(http.StatusSeeOther, "/settings/access/app")
	}
	view, failed := s.newAppView(c, visitOf(c).T("access.app.heading"))
	if failed != nil {
		return failed
	}
	if view.Enrolment, failed = newEnrolmentView(begun); failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-app", view)
}

func (s *Server) showCodes(c echo.Context, codes []string) error {
	view, err := s.newAppView(c, visitOf(c).T("access.codes.title"))
	if err != nil {
		return err
	}
	view.Codes = newRecoveryView(view.visit, view.User.Email, codes)
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.render(c, http.StatusOK, "settings-codes", view)
}

func (s *Server) removeApp(c echo.Context) error {
	return s.afterAccess(c, s.desk.RemoveApp(c.Request().Context(), visitOf(c).actor()))
}

func (s *Server) distrustBrowsers(c echo.Context) error {
	return s.afterAccess(c, s.desk.DistrustDevices(c.Request().Context(), visitOf(c).actor()))
}

func (s *Server) renewCodes(c echo.Context) error {
	codes, err := s.desk.NewRecoveryCodes(c.Request().Context(), visitOf(c).actor())
	if err != nil {
		return s.afterAccess(c, err)
	}
	return s.showCodes(c, codes)
}

// afterAccess shows the reader's way in after a change of it, or what is in its way.
func (s *Server) afterAccess(c echo.Context, err error) error {
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/access?saved=1")
	}
	if again, err := proveAgain(c, err, "/settings/access"); again {
		return err
	}
	view, failed := s.newAccessView(c)
	if failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-access", view)
}

func (s *Server) beginPasskey(c echo.Context) error {
	options, sealed, err := s.desk.BeginPasskey(c.Request().Context(), visitOf(c).actor(), s.site(c))
	if again, err := proveAgain(c, err, "/settings/access"); again {
		return err
	}
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, question{options, sealed})
}

func (s *Server) addPasskey(c echo.Context) error {
	return s.afterAccess(c, s.desk.AddPasskey(c.Request().Context(), visitOf(c).actor(), s.site(c), c.FormValue("sealed"), c.FormValue("name"), []byte(c.FormValue("answer"))))
}

func (s *Server) changePasskey(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	if c.FormValue("action") == "remove" {
		return s.afterAccess(c, s.desk.RemovePasskey(ctx, v.actor(), c.Param("id")))
	}
	return s.afterAccess(c, s.desk.RenamePasskey(ctx, v.actor(), c.Param("id"), c.FormValue("name")))
}

// resetAccess takes the second factors of a member away who has lost them.
func (s *Server) resetAccess(c echo.Context) error {
	if _, err := s.desk.ResetSecondFactor(c.Request().Context(), visitOf(c).actor(), c.Param("id")); err != nil {
		if again, err := proveAgain(c, err, "/settings/users/"+c.Param("id")); again {
			return err
		}
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/users/"+c.Param("id")+"?saved=1")
}
