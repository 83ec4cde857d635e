package ui_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/ui/browsertest"
)

// tab is a page in a real browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu       sync.Mutex
	problems []string // what the console complained about
}

// openTab opens a window that shares nothing with those of other tests but the
// browser: no cookie, nothing stored or cached. Flags start a browser apart. Without
// one the test is skipped, except in CI, where that is a fault.
func openTab(t *testing.T, base string, flags ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("the browser test does not run in short mode")
	}
	path := findBrowser(t)
	var window []chromedp.ContextOption
	var running context.Context
	if len(flags) > 0 {
		allocator, stop := allocate(t.Context(), path, flags...)
		t.Cleanup(stop)
		running = allocator
	} else {
		shared.once.Do(func() { shared.start(path) })
		if shared.err != nil {
			t.Fatalf("start %s: %v", path, shared.err)
		}
		running = shared.ctx
		window = append(window, chromedp.WithNewBrowserContext())
	}
	ctx, cancel := chromedp.NewContext(running, window...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, base: base}
	b.do(chromedp.EmulateViewport(1440, 900))
	go b.listen()
	return b
}

func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no chromium found; install it (apt-get install chromium)")
	}
	t.Skip("THE BROWSER TEST DID NOT RUN: no chromium found; install it (apt-get install chromium)")
	return ""
}

func allocate(ctx context.Context, path string, flags ...chromedp.ExecAllocatorOption) (context.Context, context.CancelFunc) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "ja"))
	return chromedp.NewExecAllocator(ctx, append(options, flags...)...)
}

// sharedBrowser is the one that tests open their windows in: to start one takes as
// long as a short test.
type sharedBrowser struct {
	once sync.Once
	ctx  context.Context
	end  func()
	err  error
}

var shared sharedBrowser

func (s *sharedBrowser) start(path string) {
	allocator, stop := allocate(context.Background(), path)
	ctx, cancel := chromedp.NewContext(allocator)
	s.ctx, s.end = ctx, func() { cancel(); stop() }
	s.err = chromedp.Do(ctx)
}

// TestMain ends the browser that the tests shared.
func TestMain(m *testing.M) {
	code := m.Run()
	if shared.end != nil {
		shared.end()
	}
	os.Exit(code)
}

func (b *tab) listen() {
	for message, err := range chromedp.Console(b.ctx) {
		if err != nil {
			return
		}
		b.mu.Lock()
		b.problems = append(b.problems, fmt.Sprintf("%s: %s", message.Type, message.Text))
		b.mu.Unlock()
	}
}

// complaints are console messages with a word.
func (b *tab) complaints(words ...string) (found []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		for _, word := range words {
			if strings.Contains(p, word) {
				found = append(found, p)
			}
		}
	}
	return found
}

// do does one step after the other, each again where another page takes the place of the one it was begun on.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, step := range steps {
		if _, err := browsertest.Steady(b.ctx, step); err != nil {
			b.t.Fatal(err)
		}
	}
}

// open goes to an address of the web.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
}

// openAs goes to an address of the web that asks who is there first.
func (b *tab) openAs(email, path string) {
	b.t.Helper()
	b.open(path)
	b.logIn(email, path)
}

// logIn logs in where the browser is asked to, and goes on from there once the page
// hears what happens.
func (b *tab) logIn(email, arrived string) {
	b.t.Helper()
	b.until(`location.pathname === "/login" && document.readyState === "complete"`)
	b.fill(`[name=email]`, email)
	b.fill(`[name=password]`, password)
	b.click(`form[action="/login"] .primary`)
	b.until(`location.pathname === "` + arrived + `" && document.readyState === "complete" && document.documentElement.dataset.live === "yes"`)
}

// eval returns what an expression is in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	for {
		value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T]("(async () => ("+expression+"))()", chromedp.EvalAwaitPromise))
		if err == nil {
			return value
		}
		// The page was on its way to another one: ask that.
		if !strings.Contains(err.Error(), "navigated") && !strings.Contains(err.Error(), "context") || b.ctx.Err() != nil {
			b.t.Fatalf("%s: %v", expression, err)
		}
	}
}

// logOut leaves a page by its own form: of a session that ends otherwise the page hears
// live, and goes to the login at a moment of its own.
func (b *tab) logOut() {
	b.t.Helper()
	eval[bool](b, `(document.querySelector('form[action="/logout"]').submit(), true)`)
	b.until(`location.pathname === "/login"`)
}

// until waits for an expression to become true.
func (b *tab) until(expression string) {
	b.t.Helper()
	ok := eval[bool](b, `new Promise(done => {
		const end = performance.now() + 60000;
		const look = async () => {
			let is = false;
			try { is = Boolean(await (`+expression+`)); } catch {}
			if (is || performance.now() > end) done(is); else setTimeout(look, 15);
		};
		look();
	})`)
	if !ok {
		b.t.Fatalf("never came true: %s\nthe page says: %s\nthe console: %v", expression,
			eval[string](b, "document.body.innerText.replace(/\\s+/g, ' ')"), b.complaints(""))
	}
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(browsertest.Click(selector))
}

// keys presses keys where the focus is.
func (b *tab) keys(keys string, modifiers ...chromedp.Modifier) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

const says = `document.body.innerText.includes`
