package ui

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/oklog/ulid/v2"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiError is what an answer says of an error.
type apiError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"` // the input that was wrong
	ID      string `json:"id,omitempty"`    // names the log's line, for internal errors
}

// apiRefusal is an error for which HTTP has a status and helpdesk no class.
type apiRefusal struct {
	status        int
	code, message string
}

func (e *apiRefusal) Error() string { return e.message }

// retryAfter is how long, in seconds, a client should wait before it tries
// again what failed for the moment.
const retryAfter = "5"

// failAPI answers an API request whose handler returned an error. It is the
// one place where the API's errors get their status.
func (s *Server) failAPI(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil {
		return // nobody is listening any more
	}
	status, answer := describeAPIError(c, err)
	header := c.Response().Header()
	switch status {
	case http.StatusUnauthorized:
		header.Set(echo.HeaderWWWAuthenticate, challenge(c.Request()))
	case http.StatusForbidden:
		if helpdesk.IsScopeTooSmall(err) {
			header.Set(echo.HeaderWWWAuthenticate, bearer+`, error="insufficient_scope"`)
		}
	case http.StatusServiceUnavailable:
		header.Set(echo.HeaderRetryAfter, retryAfter)
	case http.StatusInternalServerError:
		answer.ID = ulid.Make().String()
		s.log.Error("request failed", "id", answer.ID, "method", c.Request().Method, "path", c.Path(), "error", err)
	}
	if unwritable(err) {
		answer.ID = ulid.Make().String()
		s.log.Error("the store takes no updates", "id", answer.ID, "method", c.Request().Method, "path", c.Path(), "error", err)
	}
	if c.Request().Method == http.MethodHead {
		err = c.NoContent(status)
	} else {
		err = c.JSON(status, map[string]apiError{"error": answer})
	}
	if err != nil {
		s.log.Error("cannot answer with an error", "error", err)
	}
}

// challenge says how to authenticate (RFC 6750, section 3), and whether what
// was sent was wrong or nothing was.
func challenge(r *http.Request) string {
	if r.Header.Get(echo.HeaderAuthorization) == "" {
		return bearer
	}
	return bearer + `, error="invalid_token"`
}

const bearer = `Bearer realm="madoguchi"`

func describeAPIError(c echo.Context, err error) (int, apiError) {
	var refusal *apiRefusal
	if errors.As(err, &refusal) {
		return refusal.status, apiError{Code: refusal.code, Message: refusal.message}
	}
	if unwritable(err) {
		return http.StatusServiceUnavailable, apiError{Code: string(helpdesk.CodeTemporary),
			Message: "the server's disk is full or cannot be written, so nothing was changed; try again later"}
	}
	if helpdesk.IsDamage(err) {
		return http.StatusInternalServerError, apiError{Code: string(helpdesk.CodeInternal),
			Message: "what is asked for is damaged in the store; madoguchi verify says what else is, and a backup has it"}
	}
	var known *helpdesk.Error
	if errors.As(err, &known) && known.Code != helpdesk.CodeInternal {
		return apiStatusOf(known.Code), apiError{Code: string(known.Code), Message: known.Message, Field: known.Field}
	}
	var routing *echo.HTTPError
	if errors.As(err, &routing) {
		switch r := c.Request(); routing.Code {
		case http.StatusNotFound:
			return routing.Code, apiError{Code: string(helpdesk.CodeNotFound),
				Message: fmt.Sprintf("there is no %s; /api/v1/openapi.yaml lists what there is", r.URL.Path)}
		case http.StatusMethodNotAllowed:
			return routing.Code, apiError{Code: "method_not_allowed",
				Message: fmt.Sprintf("%s does not take %s; it takes %s", r.URL.Path, r.Method, c.Response().Header().Get(echo.HeaderAllow))}
		}
	}
	return http.StatusInternalServerError, apiError{Code: string(helpdesk.CodeInternal),
		Message: "something went wrong on the server; its log names the cause beside this id"}
}

// apiStatusOf differs from the pages' statusOf in one class: a program that
// sends something wrong made a bad request, a person who types it did not.
func apiStatusOf(code helpdesk.Code) int {
	if code == helpdesk.CodeInvalid {
		return http.StatusBadRequest
	}
	return statusOf(code)
}
