package ui

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// versionField is the field of a form that says which version of the record was filled in.
const versionField = "version"

// having is the reader as they act on a form: on the record as it was when the form was opened.
func (v *visit) having(c echo.Context) helpdesk.Actor {
	return v.actor().Having(c.Request().PostFormValue(versionField))
}

// seen remembers the version of a record whose form is opened; one that is yet to be made has none, and a form that is
// shown again keeps the one that it was opened with.
func (sp *settingsPage) seen(c echo.Context, id string, record interface{ Version() string }) {
	if id != "" && c.Request().Method != http.MethodPost {
		sp.Version = record.Version()
	}
}

// versionNow is the version of what is there now, where err says that it was changed meanwhile, or "".
func versionNow(err error) string {
	var e *helpdesk.Error
	if errors.As(err, &e) {
		return e.Version
	}
	return ""
}

// setVersion says the version of the record that is answered with (RFC 9110, section 8.8.3).
func setVersion(c echo.Context, version string) {
	c.Response().Header().Set("ETag", `"`+version+`"`)
}

// ifMatch is a as it acts on the version that the request names (RFC 9110, section 13.1.1): none where it names none, or
// whatever there is. A tag that a proxy made weak by compressing the answer is the one that we gave.
func ifMatch(c echo.Context, a helpdesk.Actor) (helpdesk.Actor, error) {
	header := strings.TrimSpace(c.Request().Header.Get("If-Match"))
	if header == "" || header == "*" {
		return a, nil
	}
	tag := strings.TrimPrefix(header, "W/")
	if len(tag) < 3 || tag[0] != '"' || strings.IndexByte(tag[1:], '"') != len(tag)-2 {
		return a, invalid("If-Match", "", "If-Match: "+header+" is not one entity tag; send the ETag that you were answered with, in its quotation marks")
	}
	return a.Having(tag[1 : len(tag)-1]), nil
}

// refuseVersion gives a change of what is there no more the status that HTTP has for it.
func refuseVersion(c echo.Context, err error) error {
	if now := versionNow(err); now != "" {
		setVersion(c, now)
		return &apiRefusal{http.StatusPreconditionFailed, "precondition_failed", err.Error()}
	}
	return err
}
