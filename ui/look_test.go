package ui_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestTheLookIsKeptInTheBrowser(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	b.get("/inbox/open").shows(`<html lang="ja">`, `value="" aria-pressed="true"`)
	b.header.Set("Referer", h.http.URL+"/inbox/mine?tag=a")
	b.post("/settings/look", "theme", "dark").want(http.StatusSeeOther).leads("/inbox/mine?tag=a")
	b.post("/settings/look", "density", "compact").want(http.StatusSeeOther)
	for _, path := range []string{"/inbox/open", "/settings/profile", "/inbox/nowhere"} {
		b.get(path).shows(`<html lang="ja" data-theme="dark" data-density="compact">`)
	}
	b.get("/inbox/open").shows(`value="dark" aria-pressed="true"`)
	h.as(h.admin).get("/inbox/open").shows(`<html lang="ja">`) // another browser

	b.post("/settings/look", "theme", `"><script>`).want(http.StatusSeeOther)
	b.post("/settings/look", "density", "").want(http.StatusSeeOther)
	b.get("/inbox/open").shows(`<html lang="ja">`)
	b.header.Set("Referer", "https://elsewhere.example//evil.example/")
	b.post("/settings/look", "theme", "").want(http.StatusSeeOther).leads("/")
}

func TestRowsSayWhatCanBeDoneWithThem(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	pipelines, err := h.Pipelines(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	closed, _ := pipelines[0].FirstOf(helpdesk.StageClosed)
	b.fragment("/inbox/open", "rows").shows(`data-close="` + closed.ID + `"`).hides("data-mine")
	b.post("/tickets/1/change", "assignee", h.admin.ID).want(http.StatusSeeOther)
	b.fragment("/inbox/mine", "rows").shows("data-mine")
	b.post("/tickets/1/change", "stage", closed.ID).want(http.StatusSeeOther)
	if rows := b.fragment("/inbox/closed", "rows"); !strings.Contains(rows.body, "data-mine") || strings.Contains(rows.body, "data-close") {
		t.Error("a closed ticket can be closed from its row")
	}
}
