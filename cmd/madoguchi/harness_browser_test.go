package main_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/ui/browsertest"
)

// pagePatience is how long a page may take to show something. What is promised
// is a second, which is measured and logged; a busy machine gets more.
const pagePatience = time.Minute

// browser is a real browser with one tab.
type browser struct {
	t       testing.TB
	ctx     context.Context
	watched int
}

// openBrowser starts Chromium with a profile of its own. Without one the test
// is skipped, and says so; on a build server it fails instead.
func openBrowser(t testing.TB) *browser {
	t.Helper()
	path := findBrowser(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1440, 900), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "ja"), chromedp.Flag("accept-lang", "ja"))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: ctx}
	t.Cleanup(func() {
		if t.Failed() {
			b.keep()
		}
		chromedp.Cancel(ctx)
		closeTab()
		stop()
	})
	// No time limit here: the browser lives as long as this context.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return b
}

func findBrowser(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no Chromium was found, and CI=true: install one, this test must run here")
	}
	t.Skip("SKIPPED, not passed: no Chromium was found (looked for chromium, chromium-browser, google-chrome)")
	return ""
}

// do runs steps one after the other, all of them within pagePatience.
func (b *browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pagePatience)
	defer cancel()
	for _, step := range steps {
		if _, err := browsertest.Steady(ctx, step); err != nil {
			b.t.Fatalf("%s: %v", what, err)
		}
	}
}

// result runs an action that has a value.
func result[T any](b *browser, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pagePatience)
	defer cancel()
	value, err := browsertest.Steady(ctx, action)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return value
}

// typed puts text into a field in one piece, as an input method does. What the
// field holds is replaced.
func typed(selector chromedp.CSS, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(
		browsertest.AtRest(string(selector), func(context.Context, *chromedp.Target, browsertest.Point) error { return nil }),
		chromedp.Focus(selector),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			if _, err := chromedp.Evaluate[bool](`(document.activeElement.select?.(), true)`)(ctx, t); err != nil {
				return err
			}
			return insertText(ctx, t, text)
		}),
	)
}

func insertText(ctx context.Context, t *chromedp.Target, text string) error {
	_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
	return err
}

// click presses the middle of what a selector finds first in sight.
func click(selector chromedp.CSS) chromedp.Action[chromedp.Void] {
	return browsertest.Click(string(selector))
}

// text returns what an element shows.
func (b *browser) text(selector chromedp.CSS) string {
	b.t.Helper()
	return result(b, "read "+string(selector), chromedp.Text(selector))
}

// until waits for an expression of JavaScript to become true. The page itself
// looks; one that is replaced meanwhile is asked anew.
func (b *browser) until(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pagePatience)
	defer cancel()
	for {
		holds, err := browsertest.Steady(ctx, chromedp.Evaluate[bool](fmt.Sprintf(comesTrue, condition), chromedp.EvalAwaitPromise))
		if holds {
			return
		}
		if err != nil || ctx.Err() != nil {
			b.t.Fatalf("never came true: %s (%v)\nthe page says: %s", condition, err,
				result(b, "read the page", chromedp.Evaluate[string](`location.pathname + ": " + document.body.innerText.replace(/\s+/g, " ").slice(0, 1500)`)))
		}
	}
}

// comesTrue looks for a second at most, soon and then less often: reading all that
// a page says costs it a layout, which what is waited for needs as well.
const comesTrue = `new Promise(done => {
	const end = performance.now() + 1000;
	let pause = 5;
	const look = () => {
		let holds = false;
		try { holds = Boolean(%s); } catch {}
		if (holds || performance.now() > end) done(holds); else setTimeout(look, pause = Math.min(pause * 2, 80));
	};
	look();
})`

// eval runs an expression of JavaScript for what it does.
func (b *browser) eval(expression string) {
	b.t.Helper()
	result(b, "run "+expression, chromedp.Evaluate[bool](`(async () => (`+expression+`, true))()`, chromedp.EvalAwaitPromise))
}

// insert puts text where the caret is, in one piece.
func (b *browser) insert(text string) {
	b.t.Helper()
	b.do("type "+text, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error { return insertText(ctx, t, text) }))
}

// press presses keys one after the other, as a keyboard does: whoever takes a
// key down gets no character of it, which KeyEvent would send apart.
func (b *browser) press(keys string, modifiers ...chromedp.Modifier) {
	b.t.Helper()
	var held chromedp.Modifier
	for _, m := range modifiers {
		held |= m
	}
	b.do("press "+keys, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, r := range keys {
			key, known := kb.Keys[r]
			if !known {
				return fmt.Errorf("no keyboard has the key %q", r)
			}
			with := held
			if key.Shift {
				with |= chromedp.ModifierShift
			}
			down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: key.Key, Code: key.Code, WindowsVirtualKeyCode: key.Windows, Modifiers: int64(with)}
			if key.Text != "" && held&^chromedp.ModifierShift == 0 {
				down.Type, down.Text, down.UnmodifiedText = input.DispatchKeyEventTypeKeyDown, key.Text, key.Unmodified
			}
			up := down
			up.Type, up.Text, up.UnmodifiedText = input.DispatchKeyEventTypeKeyUp, "", ""
			for _, event := range []input.DispatchKeyEventParams{down, up} {
				if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, event); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// sight is something that a page is watched for.
type sight struct{ what, variable string }

// watch begins to watch for a condition, a JavaScript expression. The page
// itself looks after each of its changes, and keeps the time: asking from
// outside would measure the asking.
func (b *browser) watch(what, condition string) sight {
	b.t.Helper()
	b.watched++
	s := sight{what, fmt.Sprintf("window.__seen%d", b.watched)}
	install := fmt.Sprintf(`(() => {
		%[1]s = 0;
		const holds = () => { try { return Boolean(%[2]s); } catch { return false; } };
		const look = () => { if (!%[1]s && holds()) { %[1]s = Date.now(); observer.disconnect(); } };
		const observer = new MutationObserver(look);
		observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
		look();
		return true;
	})()`, s.variable, condition)
	result(b, "watch for "+what, chromedp.Evaluate[bool](install))
	return s
}

// await waits until what is watched for was seen, and logs how long after
// since that was.
func (b *browser) await(s sight, since time.Time) {
	b.t.Helper()
	b.t.Logf("%s: after %v", s.what, b.delay(s, since))
}

// delay waits until what is watched for was seen, and returns how long after
// since that was, in whole milliseconds.
func (b *browser) delay(s sight, since time.Time) time.Duration {
	b.t.Helper()
	var at int64
	eventually(b.t, pagePatience, s.what, func() bool {
		at = result(b, "look for "+s.what, chromedp.Evaluate[int64](s.variable))
		return at != 0
	})
	return max(time.UnixMilli(at).Sub(since.Truncate(time.Millisecond)), 0)
}

// mark leaves a mark in the page that loading it again would wipe out.
func (b *browser) mark() {
	b.t.Helper()
	result(b, "mark the page", chromedp.Evaluate[bool](`window.__marked = true`))
}

// unreloaded fails unless the page is the one that was marked.
func (b *browser) unreloaded() {
	b.t.Helper()
	if !result(b, "look for the mark", chromedp.Evaluate[bool](`window.__marked === true`)) {
		b.t.Fatal("the page was loaded again; it has to update by itself")
	}
}

// keep writes down what the page looked like when a test failed.
func (b *browser) keep() {
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	directory := b.t.ArtifactDir()
	if address, err := chromedp.Run(ctx, chromedp.Location()); err == nil {
		b.t.Logf("the browser is at %s; what it shows is in %s (kept with go test -artifacts)", address, directory)
	}
	if html, err := chromedp.Run(ctx, chromedp.OuterHTML(chromedp.CSS("html"))); err == nil {
		os.WriteFile(filepath.Join(directory, "page.html"), []byte(html), 0o600)
	}
	if picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
		os.WriteFile(filepath.Join(directory, "page.png"), picture, 0o600)
	}
}

// quoted is s as a JavaScript string.
func quoted(s string) string { return browsertest.Quoted(s) }
