package ui_test

import (
	"net/http"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestProfilesAreForAdmins(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("ito@example.jp", "伊藤 海", helpdesk.RoleAgent)
	h.as(h.admin).get("/debug/pprof/").want(http.StatusOK).shows("goroutine", "heap")
	h.as(h.admin).get("/debug/pprof/goroutine?debug=1").want(http.StatusOK).shows("goroutine profile", "ui.(*Server).profile")
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/goroutine", "/debug/pprof/profile", "/debug/pprof/trace"} {
		h.as(agent).get(path).want(http.StatusForbidden)
	}
}
