package main_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// wcag are the rules of axe-core for WCAG 2.2, level A and AA, and what it
// thinks good beyond them. A rule that is off by default there is on here.
const wcag = `{runOnly: {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}, rules: {'target-size': {enabled: true}}}`

// contrast are the rules that the other theme can break, narrow those that a
// small window can.
const contrast = `{runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}}`

const narrow = `{runOnly: {type: 'rule', values: ['target-size', 'scrollable-region-focusable', 'region', 'aria-hidden-focus']}}`

// obstacle is something on a screen that keeps people out.
type obstacle struct{ Rule, Where, Words, Why string }

// inspector looks for obstacles with one browser.
type inspector struct {
	*browser
	program *running
	script  string
}

// TestAccessibility visits every screen: axe-core finds nothing, in both themes
// and on a phone; nothing has to be scrolled sideways at 320 pixels, which is
// 400 % zoom (WCAG 1.4.10); wide text spacing cuts no words (1.4.12); nothing
// moves for who asked for that; and the keyboard reaches everything, in sight.
func TestAccessibility(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the browser")
	}
	findBrowser(t)
	t.Parallel()
	h, program := serveHouse(t)
	empty := start(t, t.TempDir())
	b := openBrowser(t)
	i := &inspector{browser: b, program: program, script: readText(t, "testdata/axe/axe.min.js") + "\n" + readText(t, "testdata/accessibility.js")}
	p := &photographer{browser: b, program: program, empty: empty}
	p.settle()
	p.speak("ja")
	for _, s := range doorScreens(empty.setupLink()) {
		i.inspect(s)
	}
	for _, s := range h.stepScreens() {
		p.knock(s.email)
		i.inspect(s.screen)
	}
	p.sit(h.shown.guarded)
	for _, s := range guardedScreens() {
		i.inspect(s)
	}
	p.sit("")
	p.logIn(h.ayumi.Email)
	for _, s := range slices.Concat(deskScreens(h.shown), openedScreens(h.shown), i.otherSettings(deskScreens(h.shown))) {
		i.inspect(s)
	}
	i.inspect(forwardScreen(h.shown)) // the last: it leaves a draft
	for _, path := range []string{"/inbox/open", fmt.Sprintf("/inbox/open/%d", h.shown.quote), "/settings/aliases/" + h.shown.alias, "/settings/rules"} {
		i.tabThrough(path)
	}
	i.hear(h.shown.quote)
	i.skip("/inbox/open", "#conversation")
	i.skip("/settings/rules", "#settings-body")
	i.openAndClose(fmt.Sprintf("/inbox/open/%d", h.shown.quote))
}

// openedScreens are what opens above a screen and has no picture of its own.
func openedScreens(shown shown) []screen {
	ticket := fmt.Sprintf("/inbox/open/%d", shown.quote)
	return []screen{
		{name: "palette", path: "/inbox/open", open: `document.dispatchEvent(new KeyboardEvent('keydown', {key: 'k', ctrlKey: true, bubbles: true})); ` + sometime(`document.querySelector('#palette-list li')`)},
		{name: "own menu", path: "/inbox/open", open: `document.querySelector('#me').open = true`},
		{name: "order of the list", path: "/inbox/open", open: `document.querySelector('#sort').open = true`},
		{name: "help of the search", path: "/inbox/open", open: `document.querySelector('#find-text').focus()`},
		{name: "choosing tickets", path: "/inbox/open", open: `for (const box of [...document.querySelectorAll('.row-check')].slice(0, 2)) box.click(); ` + sometime(`document.querySelector('#bulk-choices > *')`)},
		{name: "choosing where to merge", path: ticket, open: `document.querySelector('#merge-link').click(); ` + sometime(`document.querySelector('#picker').open`)},
		{name: "making a link", path: ticket, open: sometime(`document.querySelector('.composer.rich')`) + `document.querySelector('[data-pop=link]').click()`},
		{name: "choosing a sign", path: ticket, open: sometime(`document.querySelector('.composer.rich')`) + `document.querySelector('[data-pop=symbols]').click(); ` + sometime(`document.querySelector('.symbol')`)},
		{name: "sending options", path: ticket, open: `document.querySelector('.split details').open = true`},
		{name: "a call to record", path: ticket, open: `document.querySelector('[name=mode][value=log]').click()`},
	}
}

// otherSettings are the pages of the settings that are on no list yet.
func (i *inspector) otherSettings(known []screen) []screen {
	i.t.Helper()
	i.visit(screen{name: "the settings", path: "/settings/profile"}, 1440)
	var other []screen
	for _, path := range result(i.browser, "read the settings' pages", chromedp.Evaluate[[]string](`[...document.querySelectorAll('.subnav a')].map(a => a.getAttribute('href'))`)) {
		if !slices.ContainsFunc(known, func(s screen) bool { return s.path == path }) {
			other = append(other, screen{name: path, path: path})
		}
	}
	return other
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// visit shows a screen in a width and lets its scripts come to rest.
func (i *inspector) visit(s screen, width int64) {
	i.t.Helper()
	address := s.path
	if strings.HasPrefix(address, "/") {
		address = i.program.web + address
	}
	i.do("visit "+s.name, chromedp.EmulateViewport(width, 900), media("light"), chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("body")), script(settled))
	if s.open != "" {
		i.do("open what "+s.name+" shows", script(s.open), script(painted))
	}
	result(i.browser, "bring the rules", chromedp.Evaluate[bool](i.script+"\n;true"))
}

// inspect asks everything of one screen.
func (i *inspector) inspect(s screen) {
	i.t.Helper()
	if s.narrow {
		i.visit(s, 390)
		i.ask(s.name+" on a phone", "audit.axe("+wcag+")")
		return
	}
	i.visit(s, 1440)
	rules := wcag
	if s.open != "" { // what is open may cover what is not in use meanwhile
		rules = strings.Replace(wcag, "'target-size': {enabled: true}", "'target-size': {enabled: false}", 1)
	}
	i.ask(s.name, "audit.axe("+rules+")")
	i.ask(s.name, "audit.contrast()")
	i.ask(s.name, "audit.motion()")
	i.ask(s.name, "audit.spacing()")
	i.do("turn on the dark theme", media("dark"), script(painted))
	i.ask(s.name+" in the dark", "audit.axe("+contrast+")")
	i.ask(s.name+" in the dark", "audit.contrast()")
	for _, width := range []int64{640, 320} {
		i.do("make the window narrow", chromedp.EmulateViewport(width, 900), script(painted))
		i.ask(fmt.Sprintf("%s at %d pixels", s.name, width), "audit.reflow()")
	}
	i.ask(s.name+" at 320 pixels", "audit.axe("+narrow+")")
}

// ask reports each obstacle that a question finds.
func (i *inspector) ask(where, question string) {
	i.t.Helper()
	i.report(where, result(i.browser, "ask about "+where, chromedp.Evaluate[[]obstacle](question, chromedp.EvalAwaitPromise)))
}

func (i *inspector) report(where string, found []obstacle) {
	i.t.Helper()
	for _, o := range found {
		i.t.Errorf("%s: %s at %s %q: %s", where, o.Rule, o.Where, o.Words, o.Why)
	}
}
