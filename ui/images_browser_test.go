package ui_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/madoguchi/madoguchi/ui"
)

// answered keeps the status of a response.
type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// TestImagesAreShownInTheFrame asks for the images of a mail in a real browser,
// which sends no cookie from the frame they are shown in.
func TestImagesAreShownInTheFrame(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 60, 700))); err != nil {
		t.Fatal(err)
	}
	hosts := newImageHosts(t, nil, func(w http.ResponseWriter, _ *http.Request) { w.Write(picture.Bytes()) })
	h := newReadyHouse(t, func(o *ui.Options) { o.Images = hosts.network })
	var shown, measured atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answered{w, http.StatusOK}
		if !strings.HasSuffix(r.URL.Path, "/images") {
			h.web.Handler().ServeHTTP(w, r)
			return
		}
		h.web.Handler().ServeHTTP(a, r)
		if a.status == http.StatusOK && r.Header.Get("Cookie") == "" {
			shown.Add(1)
		} else if a.status == http.StatusOK {
			measured.Add(1)
		}
	}))
	t.Cleanup(server.Close)
	h.receive(letter{subject: "件名", text: "本文", html: `<p>新製品のご案内です。</p><img src="https://example.com/picture.png"><p><a href="https://login.evil.example/">www.bank.co.jp</a></p>`})
	b := openTab(t, server.URL)
	b.openAs("sato@example.jp", "/inbox/open/1")
	b.click(`[data-as=html].switch-option`)
	b.until(says + `("外部の画像 1 点は、読み込まずに除いています。") && ` + says + `("「www.bank.co.jp」と書かれたリンクの行き先は「login.evil.example」です。")`)
	b.until(`getComputedStyle(document.querySelector(".mail-measured").contentDocument.querySelector("[data-target]"), "::after").content.includes("login.evil.example")`)
	if len(hosts.requests("/picture.png")) != 0 {
		t.Error("the image was fetched unasked")
	}
	b.click(`[data-images]`)
	b.until(`document.querySelector(".mail-measured")?.contentDocument.querySelector("img")?.naturalHeight === 700`)
	b.until(`document.querySelector(".mail-shown").getBoundingClientRect().height > 700`)
	b.until(`!document.querySelector("[data-images]") && document.querySelector(".mail-shown").src.endsWith("?images=1")`)
	for shown.Load() == 0 && b.ctx.Err() == nil {
		settle(b)
	}
	if shown.Load() != 1 || measured.Load() != 1 || len(hosts.requests("/picture.png")) != 1 {
		t.Errorf("shown %d times, measured %d times, fetched %d times; want once each", shown.Load(), measured.Load(), len(hosts.requests("/picture.png")))
	}
	if found := b.complaints("Content Security Policy", "Cross-Origin", "blocked"); len(found) > 0 {
		t.Errorf("the console complained: %q", found)
	}
	// A refresh of the page keeps what was asked for; the next visit asks anew.
	b.open("/inbox/open/1")
	b.until(says + `("本文")`)
	if eval[bool](b, `Boolean(document.querySelector(".mail-frame, [data-images]"))`) {
		t.Error("the choice was remembered")
	}
}
