package main_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

var screenshotDirectory = flag.String("screenshots", "", "directory for pictures of every screen (TestScreenshots)")

// screen is something that a person can have before them.
type screen struct {
	name   string
	path   string
	height int    // of the picture where all of a long page is to be seen
	open   string // JavaScript that opens what a click would
	narrow bool   // looks different from another screen only below 1280 pixels
}

// frame is a size of browser window.
type frame struct{ width, height int }

var frames = []frame{{1440, 900}, {1024, 768}, {390, 844}}

// TestScreenshots takes a picture of every screen, in both languages, both
// themes and three widths, of the program at work with a made-up team's week.
func TestScreenshots(t *testing.T) {
	if *screenshotDirectory == "" {
		t.Skip("SKIPPED, not passed: no -screenshots DIR says where the pictures go (make screenshots)")
	}
	findBrowser(t)
	if err := os.MkdirAll(*screenshotDirectory, 0o755); err != nil {
		t.Fatal(err)
	}
	h, program := serveHouse(t)
	p := &photographer{browser: openBrowser(t), program: program, empty: start(t, t.TempDir()), directory: *screenshotDirectory}
	p.settle()
	for _, language := range []string{"ja", "en"} {
		p.speak(language)
		for _, s := range doorScreens(p.empty.setupLink()) {
			p.take(language, s)
		}
		for _, s := range h.stepScreens() {
			p.knock(s.email)
			p.take(language, s.screen)
		}
		p.sit(h.shown.guarded)
		for _, s := range guardedScreens() {
			p.take(language, s)
		}
		p.sit("")
		p.logIn(map[string]string{"ja": h.ayumi.Email, "en": h.daniel.Email}[language])
		for _, s := range deskScreens(h.shown) {
			p.take(language, s)
		}
		p.take(language, forwardScreen(h.shown))
		p.do("leave no draft behind", script(`fetch(document.querySelector('[data-discard]').formAction, {method: 'POST'})`))
		p.do("log out", chromedp.Navigate(program.web+"/inbox/open"), script(`document.querySelector('form[action="/logout"]').submit()`),
			chromedp.WaitVisible(chromedp.CSS(`form[action="/login"]`)))
	}
	p.saving.Wait()
	t.Logf("%d pictures in %s", p.taken, p.directory)
}

// serveHouse starts the program with the week of the house, which the model has
// read.
func serveHouse(t *testing.T) (*house, *running) {
	t.Helper()
	data := t.TempDir()
	h := newHouse(t, data)
	model := reserveOllama(t)
	model.answer = analysed
	model.start(t)
	model.pull()
	z := dnstest.ServeZone(t)
	config := writeConfig(t, fmt.Sprintf("[server]\nhostname = \"mx.%s\"\n\n[dns]\nresolver = %q\n\n[ai]\naddress = %q\nmodel = %q\n", houseDomain, z.Address, model.address, testModel))
	publish(t, z, data, config)
	program := start(t, data, "--config", config)
	waitForAnalyses(t, program, h)
	return h, program
}

// publish puts the records of the house's domain into the zone, as the command says.
func publish(t *testing.T, z *dnstest.Zone, data, config string) {
	t.Helper()
	z.Add(t, "mx."+houseDomain+". 60 IN A 192.0.2.25", "mta-sts."+houseDomain+". 60 IN A 192.0.2.25", "25.2.0.192.in-addr.arpa. 60 IN PTR mx."+houseDomain+".")
	for line := range strings.SplitSeq(succeed(t, "", "dns", houseDomain, "--zone", "--data", data, "--config", config), "\n") {
		if line != "" && !strings.HasPrefix(line, ";") {
			z.Add(t, line)
		}
	}
}

// doorScreens are those that nobody has to log in for.
func doorScreens(setup string) []screen {
	return []screen{
		{name: "login", path: "/login"},
		{name: "setup", path: setup, height: 1000},
		{name: "setup-refused", path: setup[:strings.IndexByte(setup, '?')] + "?key=wrong"},
	}
}

// stepScreen is what follows on the password of some people.
type stepScreen struct {
	screen
	email string
}

func (h *house) stepScreens() []stepScreen {
	return []stepScreen{
		{screen{name: "login-step", path: "/login/step"}, h.ken.Email},
		{screen{name: "login-enrol", path: "/login/step", height: 1000}, h.mari.Email},
	}
}

// guardedScreens are those of somebody with an authenticator app.
func guardedScreens() []screen {
	return []screen{
		{name: "access-with-app", path: "/settings/access", height: 1400},
		{name: "recovery-codes", path: "/settings/access", open: `const answer = await fetch('/settings/access/codes', {method: 'POST'});
			document.body.replaceWith(new DOMParser().parseFromString(await answer.text(), 'text/html').body)`},
	}
}

// forwardScreen is a mail that is being forwarded, which leaves a draft.
func forwardScreen(shown shown) screen {
	return screen{name: "ticket-forward", path: fmt.Sprintf("/inbox/open/%d", shown.files),
		open: `document.querySelector('.message.in [data-forward]').click(); ` + sometime(`document.querySelector('.composer.rich [name=forward]')?.form.contains(document.activeElement)`) + `document.activeElement.blur()`}
}

// deskScreens are those of somebody at work.
func deskScreens(shown shown) []screen {
	ticket := func(view string, number uint64) string { return fmt.Sprintf("/inbox/%s/%d", view, number) }
	return []screen{
		{name: "inbox", path: "/inbox/open"},
		{name: "inbox-empty", path: "/inbox/open?q=xyzzy"},
		{name: "inbox-filter", path: "/inbox/open", open: `document.querySelector('#filter').open = true`},
		{name: "inbox-sorted", path: "/inbox/open?sort=attention"},
		{name: "inbox-selected", path: "/inbox/open", open: `document.querySelectorAll('[data-check]').forEach((box, i) => { if (i < 3) box.click() })`},
		{name: "inbox-spam", path: "/inbox/spam"},
		{name: "bulk-replies", path: "/bulk-replies"},
		{name: "compose", path: "/compose?to=haruka%40customer.example&subject=%E3%81%94%E6%A1%88%E5%86%85"},
		{name: "topics", path: "/topics"},
		{name: "settings-views", path: "/settings/views"},
		{name: "settings-blocked", path: "/settings/blocked"},
		{name: "quarantine", path: "/quarantine"},
		{name: "settings-trusted", path: "/settings/trusted"},
		{name: "settings-reports", path: "/settings/reports"},
		{name: "settings-limits", path: "/settings/limits"},
		{name: "inbox-navigation", path: "/inbox/open", open: `document.querySelector('[data-action=open-nav]').click()`, narrow: true},
		{name: "ticket-quote", path: ticket("open", shown.quote)},
		{name: "ticket-quote-top", path: ticket("open", shown.quote), open: `document.querySelector('#thread').scrollTop = 0`},
		{name: "ticket-panel", path: ticket("open", shown.quote), open: `document.querySelector('[data-action=panel]').click()`, narrow: true},
		{name: "ticket-details", path: ticket("open", shown.urgent), open: `document.querySelector('.message.in .message-more').open = true`},
		{name: "ticket-writing", path: ticket("open", shown.quote), open: `document.querySelector('.writing-holder').open = true`},
		{name: "ticket-folded", path: ticket("open", shown.long), open: `document.querySelector('.older').scrollIntoView({block: 'center'})`},
		{name: "ticket-urgent", path: ticket("open", shown.urgent)},
		{name: "ticket-bounced", path: ticket("failed", shown.bounced)},
		{name: "ticket-held", path: ticket("held", shown.held)},
		{name: "quarantine-mail", path: "/quarantine/" + shown.forged},
		{name: "ticket-files", path: ticket("open", shown.files)},
		{name: "ticket-html", path: ticket("open", shown.html), open: `document.querySelector('[data-as=html]').click(); ` + sometime(`document.querySelector('.mail-shown')?.style.height`) + `document.querySelector('#thread').scrollTop = 0`},
		{name: "ticket-note", path: ticket("open", shown.html), open: `document.querySelector('[name=mode][value=note]').click()`},
		{name: "ticket-tag", path: ticket("open", shown.files), open: `document.querySelector('#add-tag').open = true`},
		{name: "keys", path: "/inbox/open", open: `document.querySelector('#keys').showModal()`},
		{name: "setup-done", path: "/setup/done", height: 1000},
		{name: "settings-profile", path: "/settings/profile", height: 1000},
		{name: "settings-access", path: "/settings/access", height: 1400},
		{name: "settings-access-app", path: "/settings/access/app", height: 900},
		{name: "settings-login", path: "/settings/login"},
		{name: "contacts", path: "/contacts"},
		{name: "contact", path: "/contacts/" + sekine.email, height: 1100},
		{name: "contact-erase", path: "/contacts/" + sekine.email + "/erase"},
		{name: "contacts-import", path: "/contacts/import"},
		{name: "companies", path: "/companies"},
		{name: "company-new", path: "/companies/new"},
		{name: "settings-aliases", path: "/settings/aliases"},
		{name: "settings-alias", path: "/settings/aliases/" + shown.alias, height: 1100},
		{name: "settings-templates", path: "/settings/templates"},
		{name: "settings-template", path: "/settings/templates/new", height: 1100},
		{name: "ticket-templates", path: ticket("open", shown.quote), open: sometime(`document.querySelector('.composer.rich')`) + `document.querySelector('[data-templates]').click(); ` + sometime(`document.querySelector('.caret-list:not([hidden]) [data-id]')`)},
		{name: "settings-pipelines", path: "/settings/pipelines"},
		{name: "settings-pipeline", path: "/settings/pipelines/" + shown.pipeline, height: 1000},
		{name: "situation", path: "/situation", height: 1100},
		{name: "insights", path: "/insights", height: 1900},
		{name: "away", path: "/inbox/open", open: `document.querySelector('#me').open = true; document.querySelector('#away').open = true`},
		{name: "settings-rules", path: "/settings/rules", height: 1000},
		{name: "settings-rule", path: "/settings/rules/new", height: 1100},
		{name: "settings-services", path: "/settings/services"},
		{name: "settings-service", path: "/settings/services/new", height: 1200},
		{name: "inbox-unmatched", path: "/inbox/unmatched"},
		{name: "settings-hours", path: "/settings/hours"},
		{name: "settings-calendar", path: "/settings/hours/standard", height: 1100},
		{name: "settings-due", path: "/settings/due"},
		{name: "settings-due-times", path: "/settings/due/house"},
		{name: "settings-users", path: "/settings/users"},
		{name: "settings-user", path: "/settings/users/" + shown.user},
		{name: "settings-teams", path: "/settings/teams"},
		{name: "settings-roles", path: "/settings/roles", height: 1300},
		{name: "settings-fields", path: "/settings/fields"},
		{name: "settings-domains", path: "/settings/domains", height: 1300},
		{name: "settings-webhooks", path: "/settings/webhooks"},
		{name: "settings-webhook-new", path: "/settings/webhooks/new", height: 1100},
		{name: "settings-tokens", path: "/settings/tokens"},
		{name: "settings-check", path: "/settings/check"},
		{name: "settings-erasures", path: "/settings/erasures"},
		{name: "settings-ledger", path: "/settings/ledger", height: 1000},
		{name: "settings-queue", path: "/settings/queue"},
		{name: "settings-backups", path: "/settings/backups"},
		{name: "settings-audit", path: "/settings/audit", height: 1100},
		{name: "settings-analysis", path: "/settings/analysis"},
		{name: "settings-system", path: "/settings/system", height: 1100},
		{name: "not-found", path: "/inbox/open/9999"},
	}
}

// photographer takes the pictures with one browser.
type photographer struct {
	*browser
	program, empty *running
	directory      string
	taken          int
	saving         sync.WaitGroup
}

// settle puts the browser where the team is, and lets nothing move.
func (p *photographer) settle() {
	p.t.Helper()
	p.do("set the time zone", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"})
		return err
	}))
}

// speak chooses the language as the login page's switch does. Cookies belong to
// a host whatever the port, so both servers hear it.
func (p *photographer) speak(language string) {
	p.t.Helper()
	p.do("choose the language", chromedp.Navigate(p.program.web+"/login"), click(chromedp.CSS(`.languages [value=`+language+`]`)),
		chromedp.WaitVisible(chromedp.CSS(`html[lang=`+language+`]`)))
}

func (p *photographer) logIn(email string) {
	p.t.Helper()
	p.do("log in", chromedp.Navigate(p.program.web+"/login"), typed(`[name=email]`, email), typed(`[name=password]`, adminPassword), click(`form[action="/login"] button`),
		chromedp.WaitVisible(chromedp.CSS(`#list`)))
}

// knock goes as far as the password leads somebody who has to prove more.
func (p *photographer) knock(email string) {
	p.t.Helper()
	p.do("give the password of "+email, chromedp.Navigate(p.program.web+"/login"), typed(`[name=email]`, email), typed(`[name=password]`, adminPassword), click(`form[action="/login"] button`),
		chromedp.WaitVisible(chromedp.CSS(`[name=code]`)))
}

// sit gives the browser a session that began elsewhere, or none.
func (p *photographer) sit(session string) {
	p.t.Helper()
	p.do("take a session over", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if session == "" {
			_, err := cdp.Call(ctx, t, network.DeleteCookies, network.DeleteCookiesParams{Name: "session", URL: p.program.web})
			return err
		}
		_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: "session", Value: session, URL: p.program.web})
		return err
	}))
}

// take takes a screen in every size and theme.
func (p *photographer) take(language string, s screen) {
	p.t.Helper()
	address := s.path
	if strings.HasPrefix(address, "/") {
		address = p.program.web + address
	}
	for _, f := range frames {
		if s.narrow && f.width >= 1280 {
			continue
		}
		if s.height != 0 {
			f.height = s.height
		}
		p.do(s.name+" in "+language, chromedp.EmulateViewport(int64(f.width), int64(f.height)), media("light"), chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("body")),
			script(settled))
		if s.open != "" {
			p.do("open what "+s.name+" shows", script(s.open), script(settled))
		}
		for _, theme := range []string{"light", "dark"} {
			p.do("turn on the "+theme+" theme", media(theme), script(painted))
			p.save(fmt.Sprintf("%s.%s.%s.%d.png", s.name, language, theme, f.width), result(p.browser, "take a picture of "+s.name, chromedp.CaptureScreenshot()))
		}
	}
}

// settled resolves once nothing of the page is still to come: type, the live
// stream, images, what it asks the server for by itself, and what the scripts
// do after those.
var settled = `
	await document.fonts.ready;` +
	sometime(`document.readyState === 'complete' && (!document.querySelector('#live') || document.documentElement.dataset.live === 'yes')`) +
	sometime(`[...document.images].every(i => i.complete || i.loading === 'lazy')`) +
	sometime(`!document.querySelector('.htmx-request')`) + `
	await new Promise(done => setTimeout(done, 80));` + painted

// sometime is a statement of JavaScript that waits in the page for a condition. One
// that never comes is an error that names it.
func sometime(condition string) string {
	return fmt.Sprintf(` for (const end = performance.now() + %d; !(%s); await new Promise(done => setTimeout(done, 20))) if (performance.now() > end) throw new Error(%s); `,
		(pagePatience - pagePatience/4).Milliseconds(), condition, quoted("never came: "+condition))
}

// painted resolves once what the page is now has been drawn.
const painted = `await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))`

// script runs statements in the page and waits for what they await.
func script(statements string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool](`(async () => {`+statements+`; return true })()`, chromedp.EvalAwaitPromise)(ctx, t)
		return err
	})
}

// media chooses the theme and stills every movement.
func media(theme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	})
}

// save writes a picture, in as few bytes as it can.
func (p *photographer) save(name string, picture []byte) {
	p.t.Helper()
	p.taken++
	p.saving.Go(func() {
		img, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			p.t.Errorf("%s: %v", name, err)
			return
		}
		var small bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestCompression}
		if err := encoder.Encode(&small, indexed(img)); err != nil {
			p.t.Errorf("%s: %v", name, err)
			return
		}
		if err := os.WriteFile(filepath.Join(p.directory, name), small.Bytes(), 0o644); err != nil {
			p.t.Error(err)
		}
	})
}

// indexed is a picture with at most 256 colours. An interface has few; what is
// left out are shades at the edges of letters that are hard to tell from
// others, and never a rare colour because it is rare: a dot means something.
func indexed(img image.Image) *image.Paletted {
	bounds := img.Bounds()
	counts := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	frequent := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int { return cmp.Compare(counts[b], counts[a]) })
	palette := distinct(frequent, 8)
	for apart := 10; len(palette) > 256; apart += 2 {
		palette = distinct(frequent, apart)
	}
	colours := make(color.Palette, len(palette))
	for i, c := range palette {
		colours[i] = c
	}
	nearest := map[color.RGBA]uint8{}
	for _, c := range frequent {
		nearest[c] = uint8(colours.Index(c))
	}
	few := image.NewPaletted(bounds, colours)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			few.SetColorIndex(x, y, nearest[at(x, y)])
		}
	}
	return few
}

// distinct leaves out colours that are nearer than apart to a more frequent one.
// The most frequent of all stay as they are: they are the grounds.
func distinct(frequent []color.RGBA, apart int) []color.RGBA {
	const grounds = 48
	kept := slices.Clone(frequent[:min(grounds, len(frequent))])
	for _, c := range frequent[len(kept):] {
		near := slices.ContainsFunc(kept, func(k color.RGBA) bool {
			r, g, b := int(c.R)-int(k.R), int(c.G)-int(k.G), int(c.B)-int(k.B)
			return r*r+g*g+b*b < apart*apart
		})
		if !near {
			kept = append(kept, c)
		}
	}
	return kept
}

// waitForAnalyses waits until the model has read every ticket.
func waitForAnalyses(t *testing.T, program *running, h *house) {
	t.Helper()
	a := api{program.web, strings.TrimSpace(succeed(t, "", "token", "create", "--user", h.ayumi.Email, "--scope", "read", "--data", program.data))}
	eventually(t, patience, "every ticket is analysed", func() bool {
		for _, number := range a.tickets(t) {
			if a.ticket(t, number).Messages[0].Analysis == nil {
				return false
			}
		}
		return true
	})
}
