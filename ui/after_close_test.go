package ui_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// What is shown after a ticket was closed is each reader's choice, and what was
// done can be taken back from there.
func TestClosingLeadsWhereItsReaderWants(t *testing.T) {
	h := newReadyHouse(t)
	for _, subject := range []string{"一つ目", "二つ目", "三つ目"} {
		h.receive(letter{subject: subject, text: "本文です。"})
	}
	b := h.as(h.admin)
	open := h.seen(2).Row.Ticket.StageID
	closed, _ := h.seen(2).Pipeline.FirstOf(helpdesk.StageClosed)
	closing := func(number, back string) *page {
		return b.post("/tickets/"+number+"/change", "back", back, "stage", closed.ID, "then", "leave")
	}
	b.get("/settings/views").shows("チケットをクローズしたあと", "そのチケットを表示したままにする")
	closing("3", "/inbox/open/3").leads("/inbox/open/3")

	b.post("/settings/views", "action", "home", "home", "open", "after", "next").want(http.StatusSeeOther)
	b.post("/tickets/3/change", "back", "/inbox/open/3", "stage", open).want(http.StatusSeeOther)
	to := closing("3", "/inbox/open/3").want(http.StatusSeeOther).Header.Get("Location")
	if to != "/inbox/open/2?closed=3&was="+open {
		t.Fatalf("closing the first of the list leads to %s", to)
	}
	shown := b.fragment(to, "ticket").want(http.StatusOK).shows("二つ目", "#3</a> をクローズしました", "/tickets/3/change?stage="+open)
	if shown.Header.Get("HX-Push-Url") != "/inbox/open/2" || shown.Header.Get("HX-Reswap") != "outerHTML" {
		t.Errorf("the browser is told %v", shown.Header)
	}
	b.get(to).shows("二つ目", `class="toast"`)
	back := b.post("/tickets/3/change?stage="+open, "back", "/inbox/open/3?returned=1").want(http.StatusSeeOther).Header.Get("Location")
	if got := b.fragment(back, "ticket").shows("三つ目").Header.Get("HX-Replace-Url"); got != "/inbox/open/3" || !h.seen(3).Row.Ticket.Open {
		t.Errorf("taken back, the address is %q, open %t", got, h.seen(3).Row.Ticket.Open)
	}
	closing("1", "/inbox/open/1").leads("/inbox/open/2?closed=1&was=" + open) // the last one: the one before it

	sent := b.compose("/tickets/3/compose", map[string]string{"mode": "reply", "text": "お答えします。", "to": "tamura@kyaku.example", "seen": "1000", "then": "close", "back": "/inbox/open/3"}).
		want(http.StatusSeeOther).Header.Get("Location")
	if !strings.HasPrefix(sent, "/inbox/open/2?closed=3&sent=") {
		t.Fatalf("sending and closing leads to %s", sent)
	}
	b.get(sent).shows("二つ目", "/undo", `name="back" value="/inbox/open/3"`)

	b.post("/settings/views", "action", "home", "home", "open", "after", "list").want(http.StatusSeeOther)
	list := closing("2", "/inbox/open/2").want(http.StatusSeeOther).Header.Get("Location")
	b.get(list).want(http.StatusOK).shows("#2</a> をクローズしました").hides("data-composer")
}

var boundKeys = regexp.MustCompile(`data-do="([^"]+)" data-keys="([^"]+)"`)

// No key does two things, and none hides the first of a pair.
func TestNoKeyDoesTwoThings(t *testing.T) {
	h := newReadyHouse(t)
	found := boundKeys.FindAllStringSubmatch(h.as(h.admin).get("/inbox/open").body, -1)
	if len(found) < 30 {
		t.Fatalf("only %d keys are listed", len(found))
	}
	var all []string
	for _, line := range found {
		for key := range strings.SplitSeq(line[2], ",") {
			if slices.Contains(all, key) {
				t.Errorf("%q is bound twice, once to %s", key, line[1])
			}
			all = append(all, key)
		}
	}
	for _, key := range all {
		if first, _, pair := strings.Cut(key, " "); pair && first != "shift" && first != "mod" && slices.Contains(all, first) {
			t.Errorf("%q does something itself, so %q is never reached", first, key)
		}
	}
}
