package ui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestBrowserWorksInTheList takes and closes tickets where they stand in the
// list, and darkens the page, without leaving it.
func TestBrowserWorksInTheList(t *testing.T) {
	h := newReadyHouse(t)
	for n, colour := range []string{"赤", "青", "緑"} {
		h.receive(letter{from: fmt.Sprintf("k%d@kyaku.example", n), name: "客", subject: colour + "い件名", text: colour + "い本文"})
	}
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open")
	eval[bool](b, `window.stayed = true`)
	over := func(selector string) {
		at := eval[[]float64](b, fmt.Sprintf(`(r => [r.left + 40, r.top + r.height / 2])(document.querySelector(%q).getBoundingClientRect())`, selector))
		b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
	}
	over("#row-3")
	b.until(`!document.querySelector("#row-actions").hidden`)
	b.click("[data-row=assign]")
	b.until(`document.querySelector("#row-3 .row-assignee") && "mine" in document.querySelector("#row-3").dataset`)
	over("#row-2")
	over("#row-3")
	b.until(`document.querySelector("[data-row=assign]").hidden && !document.querySelector("[data-row=close]").hidden`)
	b.click("[data-row=close]")
	b.until(`document.querySelector("#nav [aria-current] b").textContent === "2"`)
	over("#conversation")

	eval[bool](b, `(document.querySelector("#me").open = true)`)
	b.click(`#me [value=dark]`)
	b.until(`getComputedStyle(document.documentElement).colorScheme === "dark"`)
	b.longSubject(h)
	if !eval[bool](b, `window.stayed === true`) {
		t.Error("the page was loaded again")
	}
	if found := b.complaints("Content Security Policy", "TypeError", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}

// longSubject opens a ticket whose subject is longer than its place, and shows
// all of it and less again; what arrives meanwhile does not fold it.
func (b *tab) longSubject(h *house) {
	b.t.Helper()
	h.receive(letter{from: "k9@kyaku.example", name: "客", subject: strings.Repeat("とても長い件名の続き、", 40), text: "本文"})
	b.until(`document.querySelector("#row-4, #arrivals:not([hidden])")`)
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#arrivals").click()`))
	b.click("#row-4")
	b.until(`document.querySelector("#ticket").dataset.number === "4" && document.querySelector(".subject-more:not([hidden])")`)
	const height = `document.querySelector(".ticket-title").offsetHeight`
	folded := eval[int](b, height)
	b.click(".subject-more")
	b.until(`document.querySelector(".subject-more").ariaExpanded === "true"`)
	if whole := eval[int](b, height); whole <= folded {
		b.t.Errorf("the head has %d pixels folded and %d whole", folded, whole)
	}
	urgent := helpdesk.PriorityUrgent
	if _, err := h.Change(h.ctx(), h.admin.Actor(), 4, helpdesk.Change{Priority: &urgent}); err != nil {
		b.t.Fatal(err)
	}
	b.until(`document.querySelector("#priority").value === "urgent" && document.querySelector(".subject-more").ariaExpanded === "true"`)
	b.click(".subject-more")
	b.until(`document.querySelector(".subject-more").ariaExpanded === "false" && ` + height + ` <= ` + fmt.Sprint(folded+2))

	// A choice that is refused is not shown as if it held.
	b.do(chromedp.Evaluate[chromedp.Void](`(select => {
		select.options[2].value = "unknown";
		select.selectedIndex = 2;
		select.dispatchEvent(new Event("change", {bubbles: true}));
	})(document.querySelector("#priority"))`))
	b.until(`document.querySelector("#alerts .alert") && document.querySelector("#priority").value === "urgent"`)

	// What a colleague closes fades where it stands, while a ticket is open.
	pipelines, err := h.Pipelines(h.ctx(), h.admin.Actor())
	if err != nil {
		b.t.Fatal(err)
	}
	closed, _ := pipelines[0].FirstOf(helpdesk.StageClosed)
	if _, err := h.Change(h.ctx(), h.admin.Actor(), 1, helpdesk.Change{Stage: &closed.ID}); err != nil {
		b.t.Fatal(err)
	}
	b.until(`document.querySelector("#row-1.leaving") && !document.querySelector("#row-4.leaving")`)
}
