// Package browsertest presses what a page shows as a person does: once it is
// there and lies still, and again where the page moved under the press.
package browsertest

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// Point is a place in the window, in CSS pixels.
type Point struct {
	X, Y float64
	Why  string // there is none
}

// replaced matches the errors of asking a page that another one has just taken
// the place of: the new one is to be asked again.
var replaced = regexp.MustCompile(`No node with given id|Could not find node|Cannot find context|context was destroyed|target navigated|Node is detached|net::ERR_ABORTED`)

// Steady runs one step, and again while pages replace each other under it.
func Steady[T any](ctx context.Context, step chromedp.Action[T]) (T, error) {
	for {
		value, err := chromedp.Run(ctx, step)
		if err == nil || ctx.Err() != nil || !replaced.MatchString(err.Error()) {
			return value, err
		}
	}
}

// Click presses the middle of what a selector finds first in sight. A press
// that meets something else, because the page was changed by somebody else's
// doing in that moment, is kept from it and made again.
func Click(selector string) chromedp.Action[chromedp.Void] {
	return AtRest(selector, func(ctx context.Context, t *chromedp.Target, at Point) error {
		if _, err := chromedp.Evaluate[bool](fmt.Sprintf(guard, Quoted(selector)))(ctx, t); err != nil {
			return err
		}
		if _, err := chromedp.MouseClickXY(at.X, at.Y)(ctx, t); err != nil {
			return err
		}
		met, err := chromedp.Evaluate[string](`window.__press?.end() ?? ""`)(ctx, t)
		switch {
		case err != nil && replaced.MatchString(err.Error()):
			return nil // the press led to another page
		case err == nil && met != "":
			return missed(met)
		}
		return err
	})
}

// missed is a press that met something else than it was meant for.
type missed string

func (m missed) Error() string { return "was missed by the press, which met " + string(m) }

// AtRest waits until the page has its modules, and what a selector finds is in
// sight, lies still and has nothing above it; then it acts there.
func AtRest(selector string, act func(context.Context, *chromedp.Target, Point) error) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for {
			at, err := chromedp.Evaluate[Point](fmt.Sprintf(restsAt, Quoted(selector)), chromedp.EvalAwaitPromise)(ctx, t)
			switch {
			case err != nil:
			case at.Why != "":
				err = fmt.Errorf("%s %s", selector, at.Why)
			default:
				err = act(ctx, t, at)
				if _, again := err.(missed); !again {
					return err
				}
				err = fmt.Errorf("%s %w", selector, err)
			}
			if ctx.Err() != nil || at == (Point{}) {
				return err
			}
			if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < time.Second {
				return err
			}
		}
	})
}

// restsAt looks for half a second for the middle of an element at rest.
const restsAt = `(async () => {
	let last = "", still = 0, why = "is not there";
	for (const end = performance.now() + 500; performance.now() < end; await new Promise(done => requestAnimationFrame(done))) {
		const found = [...document.querySelectorAll(%s)].find(e => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length);
		if (!found || document.readyState !== "complete") continue;
		found.scrollIntoView({block: "nearest", inline: "nearest"});
		const {left, top, width, height} = found.getBoundingClientRect(), x = left + width / 2, y = top + height / 2;
		why = "does not lie still";
		still = last === (last = [x, y, width, height].join()) ? still + 1 : 0;
		if (still < 2) continue;
		const above = document.elementFromPoint(x, y);
		if (found.contains(above) || above?.contains(found) && above.closest("label")) return {x, y, why: ""};
		why = "is covered by " + (above?.outerHTML.slice(0, 120) ?? "nothing: it is outside of the window");
	}
	return {x: 0, y: 0, why};
})()`

// guard watches the next press. Of one that begins or ends elsewhere nothing
// else hears; end says what it met instead.
const guard = `(() => {
	const selector = %s, kinds = ["pointerdown", "mousedown", "pointerup", "mouseup", "click"];
	let begun = "nothing", clicked = "nothing";
	const meant = target => target.closest?.(selector) || target.closest?.("label")?.querySelector(selector);
	const watch = event => {
		if (!event.isTrusted) return;
		const met = meant(event.target) ? "" : event.target.outerHTML?.slice(0, 120) ?? "the document";
		if (event.type === "pointerdown") begun = met;
		if (event.type === "click" && clicked === "nothing") clicked = met;
		if (begun || event.type === "click" && clicked) {
			event.preventDefault();
			event.stopImmediatePropagation();
		}
	};
	for (const kind of kinds) addEventListener(kind, watch, true);
	window.__press = {end() {
		for (const kind of kinds) removeEventListener(kind, watch, true);
		delete window.__press;
		return begun || clicked;
	}};
	return true;
})()`

// Quoted is s as a JavaScript string.
func Quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`).Replace(s) + "'"
}
