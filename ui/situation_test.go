package ui_test

import (
	"html"
	"net/http"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

// A figure is as large as the list that it leads to is long.
func TestFiguresOfTheSituationLeadToTheirLists(t *testing.T) {
	var passed atomic.Int64
	clock := func() time.Time { // from Tuesday at ten in Tokyo on
		return time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC).Add(time.Duration(passed.Load()))
	}
	h := newReadyHouse(t, func(o *ui.Options) { o.Now = clock })
	h.Desk.Now = clock
	admin := h.admin.Actor()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := h.SaveAlias(h.ctx(), admin, helpdesk.Alias{Address: "parts+eu@example.jp"})
	must(err)
	must(h.SaveDuePolicy(h.ctx(), admin, helpdesk.DuePolicy{Scope: helpdesk.HouseScope,
		Times: map[helpdesk.Priority]helpdesk.DueTimes{helpdesk.PriorityNormal: {First: 4 * time.Hour, Resolution: time.Hour}}}))
	h.receive(letter{from: "a@kyaku.example", subject: "お待ち", text: "本文", to: "parts+eu@example.jp"})
	h.receive(letter{from: "b@kyaku.example", subject: "両方へ", text: "本文"})
	h.receive(letter{from: "c@kyaku.example", subject: "返信済み", text: "本文"}) // unsolved, but nobody waits
	_, err = h.Reply(h.ctx(), admin, helpdesk.Reply{Ticket: 3, Text: "お返事です。"})
	must(err)
	nobody := ""
	_, err = h.Change(h.ctx(), admin, 3, helpdesk.Change{Assignee: &nobody})
	must(err)
	passed.Store(int64(2 * time.Hour))
	h.doDue(helpdesk.TimerOverdue, h.MarkOverdue)

	b := h.as(h.admin)
	b.header.Set("Cookie", "zone=Asia%2FTokyo")
	body := b.get("/situation").want(http.StatusOK).body
	figures := regexp.MustCompile(`<a href="([^"]*)"><span>[^<]*</span><b[^>]*>(?:<svg.*?</svg>)?([0-9]+)</b>`).FindAllStringSubmatch(body, -1)
	figures = append(figures, regexp.MustCompile(`<a class="cut" href="([^"]*)">[^<]*</a></th><td class="number">([0-9]+)</td>`).FindAllStringSubmatch(body, -1)...)
	row := regexp.MustCompile(`id="row-[0-9]`)
	if len(figures) < 6 {
		t.Fatalf("only %d figures lead to lists: %q", len(figures), figures)
	}
	for _, f := range figures {
		address := html.UnescapeString(f[1])
		rows := len(row.FindAllString(b.get(address).want(http.StatusOK).body, -1))
		if f[2] != string(rune('0'+rows)) {
			t.Errorf("%s says %s and leads to %d tickets", address, f[2], rows)
		}
	}
}
