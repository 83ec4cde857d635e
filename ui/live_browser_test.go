package ui_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

const isLive = `document.documentElement.dataset.live === "yes"`

// another opens a tab beside this one in the same browser: they share their cookies, and
// the connections to a server.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	b.t.Cleanup(cancel)
	return &tab{t: b.t, ctx: ctx, base: b.base}
}

// inFront tells a page that its tab comes to the front, or goes behind another.
func (b *tab) inFront(is bool) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(Object.defineProperty(document, "hidden", { configurable: true, value: %t }), document.dispatchEvent(new Event("visibilitychange")))`, !is))
}

// A browser opens six connections to a server that speaks HTTP/1.1, for all its tabs
// together: were each of them to keep one, the seventh would never be shown. Of those
// behind one goes on, and tells the others how many notices are unread.
func TestBrowserOpensMoreTabsThanConnections(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "一通目の件名", text: "一通目です。"})
	first := openTab(t, h.http.URL)
	first.open("/inbox/open/1")
	first.logIn("sato@example.jp", "/inbox/open/1")
	first.until(isLive + ` && document.querySelector("#drafts")`)
	tabs := []*tab{first}
	for n := range 6 {
		behind := tabs[n]
		eval[bool](behind, `window.stayed = true`)
		behind.inFront(false)
		if n == 0 {
			behind.until(isLive)
		} else {
			behind.until(`document.documentElement.dataset.live === undefined && document.querySelector("#connection").hidden`)
		}
		shown := first.another()
		shown.open("/inbox/open/1")
		shown.until(isLive + ` && document.querySelector("#drafts")`)
		tabs = append(tabs, shown)
	}

	h.receive(letter{from: "away@kyaku.example", subject: "留守中の件名", text: "本文"})
	colleague := h.as(h.user("mori@example.jp", "森 葵", helpdesk.RoleAgent))
	colleague.post(draftPath, "kind", "reply", "ticket", "1", "text", "留守中の下書きです。").want(http.StatusOK)
	colleague.post("/tickets/1/change", "assignee", "sato@example.jp").want(http.StatusSeeOther)
	const arrived, counted = says + `("新着 1 件を表示")`, `document.title.startsWith("(1) ")`
	first.until(arrived + " && " + counted)
	rested := tabs[1]
	rested.until(counted)
	if eval[bool](rested, arrived) {
		t.Error("more than one page that nobody sees is kept up to date")
	}

	// It missed what happened meanwhile, and is as if it had not.
	tabs[6].inFront(false)
	rested.inFront(true)
	rested.until(arrived + ` && document.querySelector("#drafts").innerText.includes("森 葵") && ` + isLive)
	if !eval[bool](rested, `window.stayed === true`) {
		t.Error("the page was loaded again")
	}
	first.inFront(true)
	tabs[2].until(isLive) // its turn to go on
}

// A connection that died without a word, as while a computer slept, is begun anew.
func TestBrowserLeavesASilentStream(t *testing.T) {
	h := newReadyHouse(t)
	var streams atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/live" || streams.Add(1) > 1 {
			h.web.Handler().ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, ": connected\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	b := openTab(t, server.URL)
	b.open("/inbox/open")
	b.logIn("sato@example.jp", "/inbox/open")
	b.until(isLive)
	h.receive(letter{subject: "眠っていた間の件名", text: "本文"})
	eval[bool](b, `(now => { Date.now = () => now() + 3600e3; return true; })(Date.now.bind(Date))`)
	b.until(says + `("眠っていた間の件名") && ` + isLive)
	if n := streams.Load(); n < 2 {
		t.Errorf("%d streams were begun", n)
	}
}
