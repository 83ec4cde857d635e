package ui_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestTokensAreMadeAndRevokedInTheSettings: everybody their own, an admin anybody's.
func TestTokensAreMadeAndRevokedInTheSettings(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("agent@example.jp", "高橋", helpdesk.RoleAgent)
	mine := h.as(agent)
	mine.get("/settings/tokens").want(http.StatusOK).shows("トークンはありません").hides(`name="user"`)
	made := mine.post("/settings/tokens", "name", "倉庫", "scope", "read", "ends", "30").want(http.StatusOK).shows("今だけ表示", "mdg_", "倉庫", "まだ使われていません", "読み取り")
	token := regexp.MustCompile(`mdg_[\w-]+`).FindString(made.body)
	mine.get("/settings/tokens").hides(token).shows("倉庫", "期限 ")

	api := h.browser()
	api.header.Set("Authorization", "Bearer "+token)
	api.get("/api/v1/tickets").want(http.StatusOK)
	api.do(http.MethodPost, "/api/v1/tickets/1/notes", strings.NewReader(`{"text":"x"}`), "application/json").want(http.StatusForbidden)
	mine.get("/settings/tokens").shows("最後の使用", "127.0.0.1")

	// Nobody makes a token for somebody else, but an admin.
	mine.post("/settings/tokens", "user", h.admin.ID, "scope", "admin").want(http.StatusForbidden)
	admin := h.as(h.admin)
	admin.get("/settings/tokens").shows("倉庫", "高橋", `name="user"`)
	admin.post("/settings/tokens", "user", agent.ID, "name", strings.Repeat("長", 61), "scope", "write", "ends", "never").want(http.StatusUnprocessableEntity).shows("60 文字まで")
	list, err := h.Tokens(h.ctx(), h.admin.Actor())
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	other := h.user("other@example.jp", "中村", helpdesk.RoleAgent)
	h.as(other).post("/settings/tokens/" + list[0].ID() + "/revoke").want(http.StatusNotFound)
	admin.post("/settings/tokens/" + list[0].ID() + "/revoke").want(http.StatusSeeOther)
	api.get("/api/v1/tickets").want(http.StatusUnauthorized)
	if strings.Contains(h.log.String(), token) {
		t.Error("the log has a token")
	}
}
