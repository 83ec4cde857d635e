package ui

import (
	"context"
	"errors"
	"fmt"
	"math"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/labstack/echo/v4"
	"github.com/oklog/ulid/v2"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// statusOf is the HTTP status of an error's class (RFC 9110, section 15).
func statusOf(code helpdesk.Code) int {
	switch code {
	case helpdesk.CodeNotFound:
		return http.StatusNotFound
	case helpdesk.CodeInvalid:
		return http.StatusUnprocessableEntity
	case helpdesk.CodeConflict:
		return http.StatusConflict
	case helpdesk.CodeForbidden:
		return http.StatusForbidden
	case helpdesk.CodeUnauthorized:
		return http.StatusUnauthorized
	case helpdesk.CodeLimited: // RFC 6585, section 4
		return http.StatusTooManyRequests
	case helpdesk.CodeTemporary:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// unwritable reports whether err says that the disk takes nothing more: it is full, or read-only. Nothing was written
// then, and what was asked for can be asked for again once somebody has made room.
func unwritable(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS)
}

// codeOf is the class of an error as it is answered: a disk that takes nothing more is trouble that passes.
func codeOf(err error) helpdesk.Code {
	if unwritable(err) {
		return helpdesk.CodeTemporary
	}
	return helpdesk.CodeOf(err)
}

// refusedWith is the status of what was refused; the answer says when it may be tried again.
func refusedWith(c echo.Context, err error) int {
	sayWhen(c, err)
	return statusOf(codeOf(err))
}

// sayWhen has the answer say when what was refused for a time may be tried again (RFC 9110,
// section 10.2.3).
func sayWhen(c echo.Context, err error) {
	var e *helpdesk.Error
	switch codeOf(err) {
	case helpdesk.CodeTemporary:
		c.Response().Header().Set(echo.HeaderRetryAfter, retryAfter)
	case helpdesk.CodeLimited:
		if errors.As(err, &e) {
			c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(e.Wait.Seconds()))))
		}
	}
}

// explain says an error in the reader's language. Internal errors are not
// explained: their text is for the log.
func explain(p locale.Printer, err error) string {
	if helpdesk.IsDamage(err) {
		return p.T("error.damaged")
	}
	if unwritable(err) {
		return p.T("error.unwritable")
	}
	var e *helpdesk.Error
	if !errors.As(err, &e) || e.Code == helpdesk.CodeInternal {
		return p.T("error.internal")
	}
	args := suppressedFor(p, e.Key, asRead(p, e.Args))
	if e.Key != "" && p.Has(e.Key) {
		return p.T(e.Key, args...)
	}
	if n, ok := countOf(e); ok && p.Has(e.Key+".other") {
		return p.N(e.Key, n, args[1:]...)
	}
	return e.Message
}

// suppressedFor puts into the refusal to write to an address that mail did not reach, in place of the status and the words
// of that time, what they mean.
func suppressedFor(p locale.Printer, key string, args []any) []any {
	at := len(args) - 2
	if key != "error.suppressed" && key != "delivery.kept.suppressed" || at < 0 {
		return args
	}
	why := whyUndelivered(p, helpdesk.Attempt{Enhanced: fmt.Sprint(args[at]), Text: fmt.Sprint(args[at+1])})
	return append(args[:at], why)
}

// asRead are an error's arguments as they are read: sizes in their units, and in the reader's language what there are words
// for.
func asRead(p locale.Printer, args []any) []any {
	args = slices.Clone(args)
	for i, arg := range args {
		switch arg := arg.(type) {
		case helpdesk.Bytes:
			args[i] = p.Size(int64(arg))
		case helpdesk.Phrase:
			if p.Has(arg.Key) {
				args[i] = p.T(arg.Key, arg.Args...)
			}
		}
	}
	return args
}

// countOf is the count that an error is about: its first argument.
func countOf(e *helpdesk.Error) (n int, ok bool) {
	if len(e.Args) > 0 {
		n, ok = e.Args[0].(int)
	}
	return n, ok
}

// failure is what an error page says.
type failure struct {
	page
	Status int
	Text   string
	ID     string // names the log's line, for internal errors
	Back   string
	Before string // the page of ours one came from, "" where there is none
}

// Sentences are those of the text: a line of a page ends with one where it can.
func (f failure) Sentences() []string { return strings.SplitAfter(f.Text, "。") }

// fail answers a request whose handler returned an error: with a page, or, for
// a fragment, with an alert that leaves the page as it is.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil {
		return // nobody is listening any more
	}
	if _, ok := c.Get(visitKey).(*visit); !ok {
		c.Set(visitKey, &visit{Printer: s.catalogues.Printer(s.languageOf(c, nil), nil, s.now())})
	}
	// What the handler said of the answer it meant to give is not true of this one.
	s.setHeaders(c.Response().Header())
	c.Response().Header().Del("Content-Disposition")
	err = fromEcho(err)
	v := visitOf(c)
	f := failure{page: page{visit: v}, Status: statusOf(codeOf(err)), Text: explain(v.Printer, err), Back: "/", Before: cameFrom(c)}
	if e := (*helpdesk.Error)(nil); errors.As(err, &e) && e.Key == formTooLarge {
		f.Status = http.StatusRequestEntityTooLarge
	}
	sayWhen(c, err)
	if f.Status == http.StatusInternalServerError || unwritable(err) {
		f.ID = ulid.Make().String()
		s.log.Error("request failed", "id", f.ID, "method", c.Request().Method, "path", c.Path(), "error", err)
	}
	f.Title = v.T("error.title." + titleOf(err, f.Status))
	if err := s.answerFailure(c, f); err != nil {
		s.log.Error("cannot show an error", "error", err)
	}
}

func (s *Server) answerFailure(c echo.Context, f failure) error {
	switch {
	case c.Request().Method == http.MethodHead:
		return c.NoContent(f.Status)
	case c.Request().Header.Get("HX-Request") != "":
		c.Response().Header().Set("HX-Retarget", "#alerts")
		c.Response().Header().Set("HX-Reswap", "innerHTML")
		return s.render(c, f.Status, "failure-alert", f)
	case strings.Contains(c.Request().Header.Get("Accept"), "application/json"): // a script that shows it in its own place
		return c.JSON(f.Status, map[string]string{"error": f.Text})
	}
	return s.render(c, f.Status, "failure", f)
}

// crossOrigin is the sentence for what another site made a browser send.
const crossOrigin = "error.cross_origin"

// titleOf chooses what an error page is headed with. Whom another site led here
// has done nothing that they may not do.
func titleOf(err error, status int) string {
	if e := (*helpdesk.Error)(nil); errors.As(err, &e) && e.Key == crossOrigin {
		return "refused"
	}
	switch status {
	case http.StatusNotFound:
		return "not_found"
	case http.StatusForbidden, http.StatusUnauthorized:
		return "forbidden"
	case http.StatusInternalServerError, http.StatusServiceUnavailable:
		return "internal"
	}
	return "refused"
}

// cameFrom is the page of ours on which somebody pressed what failed.
func cameFrom(c echo.Context) string {
	r := c.Request()
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host || u.Path == "/login" || r.Method == http.MethodGet && u.RequestURI() == r.URL.RequestURI() {
		return ""
	}
	return localPath(u.RequestURI(), "")
}

// formTooLarge is the sentence for more than a form may bring along.
const formTooLarge = "error.form_too_large"

// largerThan refuses a form of more bytes than that.
func largerThan(limit int64) error {
	return &helpdesk.Error{Code: helpdesk.CodeInvalid, Key: formTooLarge, Args: []any{helpdesk.Bytes(limit)}, Message: fmt.Sprintf("the form is too large; the limit is %d bytes", limit)}
}

// formLimit recognises what net/http says of a form that is too large, and returns how
// large it may be. Of one that is not multipart it has only a text to say
// (Request.ParseForm).
func formLimit(err error) (limit int64, passed bool) {
	var body *http.MaxBytesError
	if errors.As(err, &body) {
		return body.Limit, true
	}
	return formText, errors.Is(err, multipart.ErrMessageTooLarge) || strings.HasSuffix(err.Error(), "http: POST too large")
}

// fromEcho gives the errors of the router, and of what reads a form, a class.
func fromEcho(err error) error {
	if limit, passed := formLimit(err); passed {
		return largerThan(limit)
	}
	var he *echo.HTTPError
	if !errors.As(err, &he) {
		return err
	}
	switch he.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return &helpdesk.Error{Code: helpdesk.CodeNotFound, Key: "error.no_page", Message: "there is no such page"}
	case http.StatusInternalServerError:
		return err
	}
	return &helpdesk.Error{Code: helpdesk.CodeInvalid, Key: "error.bad_request", Message: strings.ToLower(http.StatusText(he.Code))}
}

func invalid(field, key, message string, args ...any) error {
	return &helpdesk.Error{Code: helpdesk.CodeInvalid, Field: field, Key: key, Args: args, Message: message}
}

// formError is what is wrong with a form, beside the field where it is known.
type formError struct{ Field, Text string }

// refusal returns what to say beside a form about err, or false for an error
// that is not about what was typed.
func refusal(p locale.Printer, err error) (formError, bool) {
	if unwritable(err) {
		return formError{Text: explain(p, err)}, true
	}
	var e *helpdesk.Error
	if !errors.As(err, &e) {
		return formError{}, false
	}
	switch e.Code {
	case helpdesk.CodeInvalid, helpdesk.CodeConflict, helpdesk.CodeUnauthorized, helpdesk.CodeLimited, helpdesk.CodeTemporary:
		return formError{e.Field, explain(p, err)}, true
	}
	return formError{}, false
}
