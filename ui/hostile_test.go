package ui_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

// watch notes what a mail must not bring about in the browser.
type watch struct {
	dialogs, navigations atomic.Int32
}

func (w *watch) begin(t *testing.T, b *tab) {
	t.Helper()
	go chromedp.Listen(b.ctx, func(event any) {
		switch e := event.(type) {
		case *cdppage.EventJavascriptDialogOpening:
			w.dialogs.Add(1)
		case *cdppage.EventFrameNavigated:
			if e.Frame.ParentID == "" {
				w.navigations.Add(1)
			}
		}
	})
}

// attacksAMail is how many of the attacks that leave room for others share a mail.
const attacksAMail = 12

// hostileMails are the bodies of mails with all attacks.
func hostileMails(listener string) (bodies []string) {
	var shared []string
	for number := range hostileCount {
		source, alone := attack(number, listener)
		if alone {
			bodies = append(bodies, source)
		} else {
			shared = append(shared, "<div>"+source+"</div>")
		}
	}
	for group := range slices.Chunk(shared, attacksAMail) {
		bodies = append(bodies, strings.Join(group, "\n"))
	}
	return bodies
}

// TestHostileMailDoesNothing opens every attack in the real page in a real
// browser: nothing may be asked for, run, moved or covered, neither as a mail is
// shown at first nor when its images are asked for.
func TestHostileMailDoesNothing(t *testing.T) {
	if hostileCount < 200 {
		t.Fatalf("only %d attacks", hostileCount)
	}
	listener := newEar(t)
	var proxied atomic.Int32 // what the server was asked to fetch
	h := newReadyHouse(t, func(o *ui.Options) {
		o.Images.Dial = func(context.Context, string, string) (net.Conn, error) {
			proxied.Add(1)
			return nil, errors.New("the world is away")
		}
	})
	// Services of the browser's own are nowhere; names.test is asked of the
	// system, for what is only looked up leaves its trace in the log alone.
	netLog := filepath.Join(t.TempDir(), "net.json")
	b := openTab(t, h.http.URL, chromedp.Flag("log-net-log", netLog), chromedp.Flag("host-resolver-rules",
		"MAP *.googleapis.com ~NOTFOUND, MAP *.google.com ~NOTFOUND, MAP * "+listener.address+", EXCLUDE 127.0.0.1, EXCLUDE *.names.test"))
	var seen watch
	seen.begin(t, b)

	b.openAs("sato@example.jp", "/inbox/open")

	mails := hostileMails(listener.address)
	for group := range slices.Chunk(mails, 20) {
		first := h.receive(letter{subject: "件名", text: "本文", html: group[0]})
		reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: first.Ticket, Text: "返信です。"})
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range group[1:] {
			if r := h.receive(letter{to: reply.ReplyAddress, subject: "Re: 件名", text: "本文", html: body, authentication: proven}); r.Ticket != first.Ticket {
				t.Fatalf("a mail went to ticket %d, want %d", r.Ticket, first.Ticket)
			}
		}
		b.open(fmt.Sprintf("/inbox/open/%d?fold=none", first.Ticket))
		b.until(fmt.Sprintf(`document.querySelectorAll("[data-as=html].switch-option").length === %d`, len(group)))
		showAsHTML(t, b, &seen, listener, len(group))
	}
	if proxied.Load() == 0 {
		t.Error("no image went through the proxy: the attacks on it have not been shown")
	}
	t.Logf("%d attacks in %d mails; the proxy was asked to connect %d times", hostileCount, len(mails), proxied.Load())
	if asked := askedFor(t, b, netLog, "/login?mails=shown"); len(asked) > 0 {
		t.Errorf("the browser's own log of the network names %q", asked[:min(len(asked), 20)])
	}
	control(t, b, listener)
	if asked := askedFor(t, b, netLog, "/login?control=shown"); !slices.ContainsFunc(asked, func(a string) bool { return strings.Contains(a, "names.test") }) {
		t.Error("no name was looked up when nothing stops it")
	}
}

// attackInLog is what the browser's log says when it asks for something of an
// attack. The addresses of our proxy hold those of the images in another spelling.
var attackInLog = regexp.MustCompile(`://heard\.test/p\d+|p\d+\.names\.test`)

// askedFor returns what of the attacks the browser has asked the network for, by
// its own log up to the visit of a last page.
func askedFor(t *testing.T, b *tab, netLog, last string) []string {
	t.Helper()
	b.open(last)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		data, err := os.ReadFile(netLog)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), last) {
			return attackInLog.FindAllString(string(data), -1)
		}
		settle(b)
	}
	t.Fatalf("the browser's log never mentions %s", last)
	return nil
}

// showAsHTML shows every mail of the open ticket as HTML, then with its images,
// and looks for harm.
func showAsHTML(t *testing.T, b *tab, seen *watch, listener *ear, count int) {
	t.Helper()
	before := eval[string](b, topState)
	listener.all()
	navigations := seen.navigations.Load()
	measured := fmt.Sprintf(`document.querySelectorAll(".mail-frame").length === %d && [...document.querySelectorAll(".mail-shown")].every(f => f.style.height)`, count)

	eval[bool](b, `(document.querySelectorAll("[data-as=html].switch-option").forEach(o => o.click()), true)`)
	b.until(measured)
	settle(b)
	checkFrames(t, b)
	eval[bool](b, `(document.querySelectorAll("[data-images]").forEach(o => o.click()), true)`)
	b.until(`document.querySelectorAll("[data-images]").length === 0`)
	b.until(measured)
	settle(b)
	checkFrames(t, b)

	if heard := listener.all(); len(heard) > 0 {
		t.Errorf("the network heard %d times: %q", len(heard), heard[:min(len(heard), 20)])
	}
	if n := seen.dialogs.Load(); n > 0 {
		t.Errorf("%d dialogs opened", n)
	}
	if n := seen.navigations.Load() - navigations; n > 0 {
		t.Errorf("the page was navigated %d times", n)
	}
	if after := eval[string](b, topState); after != before {
		t.Errorf("the page changed:\nbefore %s\nafter  %s", before, after)
	}
	targets, err := chromedp.Targets(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		if target.Type == "page" && !strings.HasPrefix(target.URL, b.base) && target.URL != "about:blank" {
			t.Errorf("a window was opened: %s", target.URL)
		}
	}
}

// settle gives what was started time to be heard: refreshes, animations and
// lazy requests begin within a few frames.
func settle(b *tab) {
	eval[bool](b, `new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done(true))), 250))`)
}

// topState is what a mail might change of the page around it.
const topState = `JSON.stringify([document.title, location.href, window.ran ?? null, history.length, document.cookie, window.name,
	document.querySelectorAll("script, link, base, meta, style").length, document.body.childElementCount, document.forms.length,
	typeof document.cookie, typeof document.getElementById, document.activeElement.tagName])`

// checkFrames looks at what the browser itself made of each mail, in the copy
// that is measured, and at where the frames are.
func checkFrames(t *testing.T, b *tab) {
	t.Helper()
	// A frame begins with an empty document, which is complete as well.
	b.until(`[...document.querySelectorAll(".mail-measured")].every(copy => copy.contentDocument?.readyState === "complete" && copy.contentDocument.URL === copy.src)`)
	problems := eval[[]string](b, `(() => {
		const problems = [];
		for (const holder of document.querySelectorAll(".mail-frame")) {
			const shown = holder.querySelector(".mail-shown"), copy = holder.querySelector(".mail-measured");
			const say = (text) => problems.push(shown.src.slice(-40) + ": " + text);
			if (shown.contentDocument !== null) say("our page can look into the frame");
			if (/allow-(scripts|same-origin|top|forms)/.test(shown.getAttribute("sandbox"))) say("sandbox " + shown.getAttribute("sandbox"));
			const outer = holder.getBoundingClientRect(), inner = shown.getBoundingClientRect();
			if (inner.left < outer.left || inner.right > outer.right + 1 || inner.top < outer.top || inner.bottom > outer.bottom + 1) say("the frame covers more than its place");
			const page = copy.contentDocument;
			if (!page?.body || !page.head) {
				say("there is no document");
				continue;
			}
			if (page.defaultView.ran !== undefined) say("ran");
			const body = page.body;
			if (body.children.length > 2 || page.head.children.length !== 3) say("the mail is not alone in its body: " + body.children.length + ", " + page.head.children.length);
			for (const e of page.querySelectorAll("*")) {
				if (e.namespaceURI !== "http://www.w3.org/1999/xhtml") say("foreign element " + e.tagName);
				if (body.contains(e) && /^(SCRIPT|IFRAME|FRAME|FRAMESET|OBJECT|EMBED|APPLET|FORM|INPUT|BUTTON|SELECT|TEXTAREA|BASE|META|LINK|TEMPLATE|SLOT|DIALOG|VIDEO|AUDIO|SOURCE|TRACK|PICTURE|PORTAL|FENCEDFRAME|NOSCRIPT|TITLE|PLAINTEXT|XMP)$/.test(e.tagName)) say("element " + e.tagName);
				if (e.shadowRoot) say("a shadow");
				for (const a of e.attributes) {
					if (/^on|^(srcset|ping|action|formaction|srcdoc|poster|autofocus|contenteditable|accesskey|popover|attributionsrc|is|slot|tabindex|lowsrc|dynsrc|longdesc|data)$/i.test(a.name)) say("attribute " + a.name);
				}
				if (body.contains(e) && e.id && !e.id.startsWith("m-")) say("id " + e.id);
				if (e.hasAttribute("href")) {
					if (!/^(https?|mailto|tel):$/.test(e.protocol)) say("link to " + e.href);
					if (e.target !== "_blank" || !e.relList.contains("noopener") || !e.relList.contains("noreferrer")) say("link opens in " + e.target);
				}
				if (e.tagName === "IMG" && e.src && !e.src.startsWith("data:image/") && !e.src.startsWith(location.origin + "/messages/")) say("image " + e.src);
				if (/^(fixed|sticky|absolute)$/.test(page.defaultView.getComputedStyle(e).position)) say(e.tagName + " is " + page.defaultView.getComputedStyle(e).position);
			}
			for (const sheet of page.styleSheets) {
				for (const rule of sheet.cssRules) {
					if (!/^CSS(Style|Media)Rule$/.test(rule.constructor.name)) say(rule.constructor.name);
				}
			}
		}
		for (const [x, y] of [[5, 5], [innerWidth - 5, 5], [5, innerHeight - 5]]) {
			if (document.elementFromPoint(x, y)?.tagName === "IFRAME") problems.push("a frame covers the corner " + x + "," + y);
		}
		return problems;
	})()`)
	for _, p := range slices.Compact(problems) {
		t.Error(p)
	}
}

var heardAttack = regexp.MustCompile(`/p(\d+)`)

// control shows the same attacks as they are, in a page that trusts them: unless
// most of them are heard there, the silence above proves nothing.
func control(t *testing.T, b *tab, listener *ear) {
	t.Helper()
	var frames strings.Builder
	for number := range hostileCount {
		source, _ := attack(number, listener.address)
		// The test's own page has to stay, so only that is forbidden.
		fmt.Fprintf(&frames, "<iframe sandbox='allow-scripts allow-same-origin allow-forms' srcdoc=\"%s\"></iframe>", html.EscapeString(source))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><title>control</title>", frames.String())
	}))
	defer server.Close()
	listener.all()
	b.do(chromedp.Navigate(server.URL))
	settle(b)
	found := map[string]bool{}
	for _, heard := range listener.all() {
		if m := heardAttack.FindStringSubmatch(heard); m != nil {
			found[m[1]] = true
		}
	}
	t.Logf("shown as they are, %d of %d attacks are heard", len(found), hostileCount)
	if len(found) < hostileCount/3 {
		t.Errorf("only %d of %d attacks are heard when nothing stops them", len(found), hostileCount)
	}
	if !eval[bool](b, `window.ran === 1`) {
		t.Error("no script ran when nothing stops it")
	}
}
