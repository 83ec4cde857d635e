package ui_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/helpdesk/analysis"
	"github.com/madoguchi/madoguchi/ui"
)

// scribe streams, as Ollama does, what the test hands it piece by piece; "" ends
// the text, and what begins with "!" is an error within the stream.
type scribe struct {
	pieces chan string
	asked  chan string   // the last message of each chat
	left   chan struct{} // the other side hung up
}

func (s *scribe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/show" {
		fmt.Fprint(w, `{"capabilities":["completion"]}`)
		return
	}
	var request struct{ Messages []struct{ Content string } }
	json.NewDecoder(r.Body).Decode(&request)
	s.asked <- request.Messages[len(request.Messages)-1].Content
	for {
		select {
		case <-r.Context().Done():
			s.left <- struct{}{}
			return
		case text := <-s.pieces:
			line := map[string]any{"done": text == "", "done_reason": "stop", "message": map[string]any{"role": "assistant", "content": text}}
			if wrong, found := strings.CutPrefix(text, "!"); found {
				line = map[string]any{"error": wrong}
			}
			json.NewEncoder(w).Encode(line)
			w.(http.Flusher).Flush()
			if text == "" || line["error"] != nil {
				return
			}
		}
	}
}

// say hands pieces over, and the end.
func (s *scribe) say(t *testing.T, pieces ...string) {
	t.Helper()
	for _, text := range append(pieces, "") {
		s.hand(t, text)
	}
}

// patience is how long the test waits for the other side before it fails.
const patience = time.Minute

func (s *scribe) hand(t *testing.T, text string) {
	t.Helper()
	select {
	case s.pieces <- text:
	case <-time.After(patience):
		t.Fatalf("nobody takes %q", text)
	}
}

func (s *scribe) heard(t *testing.T) string {
	t.Helper()
	select {
	case prompt := <-s.asked:
		return prompt
	case <-time.After(patience):
		t.Fatal("the model was not asked")
		return ""
	}
}

func (s *scribe) hungUp(t *testing.T) {
	t.Helper()
	select {
	case <-s.left:
	case <-time.After(patience):
		t.Fatal("nobody hung up")
	}
}

func newScribe(t *testing.T) (*scribe, ui.TextWriter) {
	t.Helper()
	s := &scribe{pieces: make(chan string), asked: make(chan string, 8), left: make(chan struct{}, 8)}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	a, err := analysis.New(nil, analysis.Options{Address: server.URL, Model: "writer"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w, err := analysis.NewWriter(a, nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

// TestWritingWithTheModel is an answer that begins as the model's, and the
// reading of a conversation, in a real browser.
func TestWritingWithTheModel(t *testing.T) {
	s, writer := newScribe(t)
	status := ui.AnalysisStatus{Enabled: true, Reachable: true, ModelPresent: true, Address: "http://127.0.0.1:1", Model: "writer"}
	h := newReadyHouse(t, func(o *ui.Options) {
		o.Writer = writer
		o.Analysis = func(context.Context) ui.AnalysisStatus { return status }
	})
	got := h.receive(letter{subject: "請求書について", text: "請求書を再発行してください。いつ届きますか。\n"})
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open/1")
	b.until(`document.querySelector(".editor")`)
	const text = `document.querySelector("[data-text=reply]").value`
	const state = `document.querySelector("[data-model-work]").dataset.state`
	choose := func(task string) {
		b.click(".writing-holder summary")
		// The menu moves inside the window as it opens: pressed once it rests.
		eval[bool](b, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true), 50))))`)
		eval[bool](b, fmt.Sprintf(`(document.querySelector("[data-write=%s]").click(), true)`, task))
	}
	press := func(words string) {
		eval[bool](b, fmt.Sprintf(`([...document.querySelectorAll(".model-line button")].find((one) => one.textContent === %q).click(), true)`, words))
	}

	t.Run("a draft comes piece by piece, marked, and escaped", func(t *testing.T) {
		b.t = t
		choose("draft")
		if prompt := s.heard(t); !strings.Contains(prompt, "請求書を再発行してください。") {
			t.Errorf("the model was given %q", prompt)
		}
		s.hand(t, "田村様\n")
		b.until(`document.querySelector(".model-coming").textContent.includes("田村様")`)
		b.do(chromedp.Focus(chromedp.CSS(`[name=signature]`)))
		b.keys(kb.Enter, chromedp.ModifierCtrl) // nothing leaves meanwhile
		s.say(t, "<img src=x onerror='window.ran = true'>を", "お送りします。")
		b.until(state + ` === "fresh" && ` + text + ` === "田村様\n<img src=x onerror='window.ran = true'>をお送りします。"`)
		b.until(`CSS.highlights.get("model")?.size === 1`)
		if eval[bool](b, `Boolean(window.ran || document.querySelector(".editor img"))`) || h.messagesOf(t, 1) != 1 {
			t.Error("the model's text ran, or was sent")
		}
		press("元に戻す")
		b.until(text + ` === "" && !CSS.highlights.has("model")`)
		press("やり直す")
		b.until(text + `.startsWith("田村様") && ` + state + ` === "fresh"`)
		b.keys("。")
		b.until(state + ` === "edited"`)
		press("元に戻す")
		b.until(text + ` === ""`)
	})

	t.Run("a selection is written again, stopped, and refused", func(t *testing.T) {
		b.t = t
		b.click(".editor")
		b.keys("明日送る。")
		b.keys(kb.Enter + "後は任せて。")
		b.until(text + ` === "明日送る。\n後は任せて。"`)
		eval[bool](b, `(() => { const line = document.querySelectorAll(".editor div")[0].firstChild; getSelection().setBaseAndExtent(line, 0, line, 5); return true; })()`)
		choose("formal")
		if prompt := s.heard(t); !strings.Contains(prompt, "明日送る。") || strings.Contains(prompt, "後は任せて。") {
			t.Errorf("the model was given %q", prompt)
		}
		s.say(t, "明日お送りいたします。")
		b.until(text + ` === "明日お送りいたします。\n後は任せて。"`)
		press("確認しました")
		b.until(`document.querySelector("[data-model-work]").hidden`)

		choose("shorter")
		s.heard(t)
		s.hand(t, "半分")
		b.until(`document.querySelector(".model-coming").textContent === "半分"`)
		press("止める")
		s.hungUp(t) // the model was told
		b.until(text + ` === "明日お送りいたします。\n後は任せて。" && ` + says + `("止めました")`)

		choose("warmer")
		s.heard(t)
		s.hand(t, "途中")
		s.hand(t, "!the runner crashed")
		b.until(says + `("Ollama がエラーを返しました") && ` + text + ` === "明日お送りいたします。\n後は任せて。"`)
	})

	t.Run("a mail is translated, and what was found leads to its mail", func(t *testing.T) {
		b.t = t
		eval[bool](b, `(document.activeElement.blur(), document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "t", bubbles: true})), true)`)
		if prompt := s.heard(t); !strings.Contains(prompt, "into English") {
			t.Errorf("the model was asked %q", prompt)
		}
		s.say(t, "Please issue <b>the invoice</b> again.")
		b.until(fmt.Sprintf(`document.querySelector("#model-beside-%s .model-text").textContent === "Please issue <b>the invoice</b> again."`, got.MessageID))
		b.click("#reading-menu summary")
		b.click("[data-read=wants]")
		s.heard(t)
		s.say(t, "- 請求書の再発行 [1]\n- 値引き [7]\n")
		b.until(`document.querySelectorAll(".model-answers li").length === 2 && document.querySelectorAll(".model-source").length === 1 && document.querySelector(".model-answers li:last-child .badge")?.textContent === "根拠なし"`)
		b.click(".model-source")
		b.until(fmt.Sprintf(`document.querySelector("#message-%s.pointed")`, got.MessageID))
	})

	t.Run("without the model the menu says why", func(t *testing.T) {
		b.t = t
		status.Problem = "unreachable"
		b.click(".writing-holder summary")
		b.until(`document.querySelector(".writing-holder [data-model-away]").innerText.includes("Ollama に接続できません")`)
	})

	if found := b.complaints("Content Security Policy", "TypeError: Cannot", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}
