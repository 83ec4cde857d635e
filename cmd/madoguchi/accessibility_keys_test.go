package main_test

import (
	"fmt"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tabThrough goes through a page with the Tab key until it is round: it comes
// everywhere, is always in sight, and gets out of everything.
func (i *inspector) tabThrough(path string) {
	i.t.Helper()
	const most = 400
	i.visit(screen{name: path, path: path}, 1440)
	result(i.browser, "begin", chromedp.Evaluate[bool]("audit.start(), true"))
	type stop struct {
		Done  bool
		Found []obstacle
	}
	for range most {
		i.do("press Tab", chromedp.KeyEvent(kb.Tab))
		s := result(i.browser, "look at the focus", chromedp.Evaluate[stop]("audit.stop()"))
		i.report("Tab in "+path, s.Found)
		if s.Done {
			i.ask("Tab in "+path, "audit.missed()")
			return
		}
	}
	i.t.Errorf("Tab in %s: not round after %d steps, the last at %s", path, most, result(i.browser, "read the focus", chromedp.Evaluate[string]("document.activeElement.outerHTML.slice(0, 200)")))
}

// hear listens as a screen reader does: news is said without taking the focus.
func (i *inspector) hear(ticket uint64) {
	i.t.Helper()
	i.visit(screen{name: "the list", path: "/inbox/open"}, 1440)
	said := i.watch("the new ticket is said", `document.querySelector('#announce').textContent === '新着 1 件'`)
	i.await(said, send(i.t, i.program.smtp, brandt.email, "support@"+houseDomain, post(1, brandt.email, "support@"+houseDomain, "one-more@"+brandt.domain())))
	i.visit(screen{name: "a ticket", path: fmt.Sprintf("/inbox/open/%d", ticket)}, 1440)
	said = i.watch("what happened in the ticket is said", `document.querySelector('#announce').textContent === document.querySelector('#thread').dataset.news`)
	began := time.Now()
	i.do("change the priority", script(fmt.Sprintf(`await fetch('/tickets/%d/change', {method: 'POST', body: new URLSearchParams({priority: 'high'})})`, ticket)))
	i.await(said, began)
}

// skip uses the first link of a page, which leads past everything that is on
// each of them.
func (i *inspector) skip(path, to string) {
	i.t.Helper()
	i.visit(screen{name: path, path: path}, 1440)
	i.do("take the first link", chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter), script(painted))
	i.focused("the first link of "+path, to)
}

// openAndClose opens everything that opens, with the keyboard, and closes it
// with Escape: the focus goes in where there is something to fill in or to
// choose, and comes back to where it was.
func (i *inspector) openAndClose(ticket string) {
	i.t.Helper()
	const row = ".row[aria-selected=true]"
	i.visit(screen{name: ticket, path: ticket}, 1440)
	for _, o := range []struct{ from, keys, into string }{
		{row, "?", "#keys"},
		{row, "m", "#picker"},
		{row, "l", "#add-tag"},
		{row, "h", "#hold"},
		{"#filter > summary", kb.Enter, "#filter"},
		{"#sort > summary", kb.Enter, "#sort"},
		{"#me > summary", kb.Enter, "#me"},
		{"#me > summary", kb.Enter + kb.Tab, "#me .menu"},
		{"#ticket-more > summary", kb.Enter, "#ticket-more"},
		{".message.in .message-more > summary", kb.Enter, ".message-more"},
		{".send-more", kb.Enter + kb.Tab, ".split .menu"},
	} {
		i.openedFrom(o.from, o.keys, o.into)
	}
	i.visit(screen{name: ticket, path: ticket}, 1024)
	i.openedFrom("#ticket-head [data-action=panel]", kb.Enter, "#panel")
	i.visit(screen{name: "the list", path: "/inbox/open"}, 390)
	i.openedFrom("[data-action=open-nav]", kb.Enter, "#nav")
	i.openedFrom("[data-action=open-nav]", kb.Enter+kb.Tab+kb.Tab+kb.Tab, "#nav")
}

func (i *inspector) openedFrom(from, keys, into string) {
	i.t.Helper()
	result(i.browser, "focus "+from, chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%s).focus(), true", quoted(from))))
	for _, key := range keys {
		i.do("press a key at "+from, chromedp.KeyEvent(string(key)), script(painted))
	}
	if keys == "m" { // asks the server first
		i.do("wait for "+into, chromedp.WaitVisible(chromedp.CSS(into)), script(painted))
	}
	i.focused(fmt.Sprintf("%q at %s", keys, from), into)
	i.do("press Escape", chromedp.KeyEvent(kb.Escape), script(painted))
	back := from
	switch keys {
	case "l", "h": // what opened it is the menu's own button
		back = into + " > summary"
	}
	i.focused("Escape in "+into, back)
}

// focused reports where the focus is, unless it is on or within an element.
func (i *inspector) focused(after, within string) {
	i.t.Helper()
	at := result(i.browser, "read the focus", chromedp.Evaluate[string](fmt.Sprintf("document.activeElement.closest(%s) ? '' : document.activeElement.outerHTML.slice(0, 160)", quoted(within))))
	if at != "" {
		i.t.Errorf("after %s the focus is at %s, not %s", after, at, within)
	}
}
