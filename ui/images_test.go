package ui_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/fetch"
	"github.com/madoguchi/madoguchi/helpdesk/fetch/fetchtest"
	"github.com/madoguchi/madoguchi/ui"
)

// pixel is enough of a PNG to be told as one.
const pixel = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"

// imageHosts are two servers on loopback that stand for the public hosts
// example.com (TLS) and plain.example.com (none); all other names and addresses
// meet the real dial function.
type imageHosts struct {
	network fetch.Network
	mu      sync.Mutex
	heard   []*http.Request
}

func newImageHosts(t *testing.T, answers map[string][]string, serve http.HandlerFunc) *imageHosts {
	t.Helper()
	w := &imageHosts{}
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.heard = append(w.heard, r)
		w.mu.Unlock()
		serve(rw, r)
	})
	secure, plain := httptest.NewTLSServer(handler), httptest.NewServer(handler)
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	public := fetch.DialPublic(fetchtest.Resolver(t, answers))
	stands := map[string]string{"example.com:443": secure.Listener.Addr().String(), "plain.example.com:80": plain.Listener.Addr().String(),
		"plain.example.com:443": plain.Listener.Addr().String()} // it speaks no TLS
	w.network = fetch.Network{RootCAs: roots, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if at, ok := stands[address]; ok {
			var d net.Dialer
			return d.DialContext(ctx, network, at)
		}
		return public(ctx, network, address)
	}}
	return w
}

func (w *imageHosts) requests(path string) (list []*http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.heard {
		if r.URL.Path == path {
			list = append(list, r)
		}
	}
	return list
}

var imageAddress = regexp.MustCompile(`(?:src="|url\(&#39;|url\(')(/messages/[^"']*?/images\?[^"']*?)(?:"|&#39;|')`)

// imagesOf returns where the remote images of a mail are served, in its order.
func imagesOf(b *browser, messageID string) (list []string) {
	frame := b.get("/messages/" + messageID + "/html?images=1").want(http.StatusOK)
	for _, m := range imageAddress.FindAllStringSubmatch(frame.body, -1) {
		list = append(list, html.UnescapeString(m[1]))
	}
	return list
}

func TestRemoteImagesAreShownOnRequest(t *testing.T) {
	hosts := newImageHosts(t, nil, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "theirs=1")
		w.Header().Set("Content-Type", "text/html") // a lie
		fmt.Fprint(w, pixel)
	})
	h := newReadyHouse(t, func(o *ui.Options) { o.Images = hosts.network })
	receipt := h.receive(letter{subject: "件名", text: "本文", html: `<style>p{background:url(https://example.com/sheet.png)}</style><p style="background-image:url(http://plain.example.com/style.png)">x</p>` +
		`<img src="https://example.com/a.png?x=1&amp;y=%E3%81%82"><img src="https://example.com/open.gif" width="1" height="1"><a href="https://login.evil.example/">www.bank.co.jp</a>`})
	b := h.as(h.admin)
	path := "/messages/" + receipt.MessageID

	b.fragment(path+"/body?as=html", "body").shows("外部の画像 3 点", `data-images="`+receipt.MessageID+`"`, "画像 3 点を表示", "「www.bank.co.jp」と書かれたリンクの行き先は「login.evil.example」です。")
	b.fragment(path+"/body?as=html&images=1", "body").shows(path+"/html?images=1").hides("data-images=", "点を表示")
	without := b.get(path+"/html").hides("example.com/", "/images?").shows(`data-target="login.evil.example"`)
	if strings.Contains(without.Header.Get("Content-Security-Policy"), "img-src 'self'") {
		t.Error("the frame without images may load from us")
	}
	frame := b.get(path+"/html?images=1").hides(`"https://example.com`, "(https://", "open.gif")
	if policy := frame.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'; img-src 'self' data:;") || !strings.HasSuffix(policy, "sandbox allow-popups allow-popups-to-escape-sandbox") ||
		frame.Header.Get("Referrer-Policy") != "no-referrer" || frame.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers of the frame: %v", frame.Header)
	}

	list := imagesOf(b, receipt.MessageID)
	if len(list) != 3 {
		t.Fatalf("%d images in\n%s", len(list), frame.body)
	}
	stranger := h.browser() // browsers send no cookie from the frame
	for range 2 {
		for _, address := range list {
			p := stranger.get(address).want(http.StatusOK)
			if p.body != pixel || p.Header.Get("Content-Type") != "image/png" || p.Header.Get("X-Content-Type-Options") != "nosniff" || p.Header.Get("Set-Cookie") != "" ||
				p.Header.Get("Content-Security-Policy") != "default-src 'none'; sandbox; frame-ancestors 'none'" || p.Header.Get("Cache-Control") != "private, max-age=86400" {
				t.Errorf("%s: %v %q", address, p.Header, p.body)
			}
		}
	}
	for _, want := range []string{"/sheet.png", "/style.png", "/a.png"} {
		asked := hosts.requests(want)
		if len(asked) != 1 {
			t.Errorf("%s was fetched %d times, want once", want, len(asked))
			continue
		}
		header := asked[0].Header
		if header.Get("Cookie") != "" || header.Get("Referer") != "" || header.Get("Accept-Encoding") != "" || strings.Contains(strings.ToLower(header.Get("User-Agent")), "madoguchi") {
			t.Errorf("%s was asked for with %v", want, header)
		}
	}
	if query := hosts.requests("/a.png")[0].URL.RawQuery; query != "x=1&y=%E3%81%82" {
		t.Errorf("the query became %q", query)
	}
}

// The proxy fetches what a mail names for whoever may read it, and nothing else.
func TestRemoteImagesAreNobodysProxy(t *testing.T) {
	hosts := newImageHosts(t, nil, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, pixel) })
	h := newReadyHouse(t, func(o *ui.Options) { o.Images = hosts.network })
	first := h.receive(letter{subject: "一", text: "本文", html: `<img src="https://example.com/1.png">`})
	second := h.receive(letter{from: "other@kyaku.example", subject: "二", text: "本文", html: `<img src="https://example.com/2.png">`})
	b := h.as(h.admin)
	one, two := imagesOf(b, first.MessageID)[0], imagesOf(b, second.MessageID)[0]
	address, seal, _ := strings.Cut(one, "&s=")
	_, otherSeal, _ := strings.Cut(two, "&s=")
	middle := len(seal) / 2
	flipped := seal[:middle] + string('A'+(seal[middle]-'A'+1)%26) + seal[middle+1:]
	for name, forged := range map[string]string{
		"no seal":                address,
		"no address":             strings.Replace(one, "u=https", "v=https", 1),
		"another address":        strings.Replace(one, "1.png", "3.png", 1),
		"another message":        strings.Replace(one, first.MessageID, second.MessageID, 1),
		"another image's seal":   address + "&s=" + otherSeal,
		"a changed seal":         address + "&s=" + flipped,
		"a seal that is no code": address + "&s=%00!",
	} {
		if p := b.get(forged); p.StatusCode != http.StatusForbidden || p.body != "" {
			t.Errorf("%s: status %d %q", name, p.StatusCode, p.body)
		}
	}
	if len(hosts.requests("/1.png"))+len(hosts.requests("/2.png"))+len(hosts.requests("/3.png")) != 0 {
		t.Error("something was fetched")
	}
	h.browser().get("/messages/" + first.MessageID + "/html?images=1").want(http.StatusSeeOther)
	h.browser().get(one).want(http.StatusOK)
	b.post("/logout").want(http.StatusSeeOther)
	b.get(one).want(http.StatusUnauthorized) // though it was fetched already
	h.browser().get(two).want(http.StatusUnauthorized)
}

func TestARemoteImageThatDoesNotEndIsGivenUp(t *testing.T) {
	until := make(chan struct{})
	defer close(until)
	hosts := newImageHosts(t, nil, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, pixel)
		w.(http.Flusher).Flush()
		select {
		case <-until:
		case <-r.Context().Done():
		}
	})
	h := newReadyHouse(t, func(o *ui.Options) {
		o.Images = hosts.network
		o.Images.Timeout = 300 * time.Millisecond
	})
	receipt := h.receive(letter{subject: "件名", text: "本文", html: `<img src="https://example.com/slow">`})
	p := h.browser().get(imagesOf(h.as(h.admin), receipt.MessageID)[0])
	if p.StatusCode != http.StatusBadGateway || p.body != "" || p.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %d bytes, %v", p.StatusCode, len(p.body), p.Header)
	}
}

func TestRemoteImagesThatAreRefused(t *testing.T) {
	answers := map[string][]string{"intranet.test": {"10.1.2.3"}, "metadata.test": {"169.254.169.254"}, "localhost.test": {"127.0.0.1"}, "rebinding.test": {"8.8.8.8", "127.0.0.1"}}
	hosts := newImageHosts(t, answers, func(w http.ResponseWriter, r *http.Request) {
		switch name := strings.TrimPrefix(r.URL.Path, "/"); name {
		case "to":
			w.Header().Set("Location", r.URL.Query().Get("u"))
			w.WriteHeader(http.StatusFound)
		case "svg":
			w.Header().Set("Content-Type", "image/png")
			fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)
		case "html":
			w.Header().Set("Content-Type", "image/png")
			fmt.Fprint(w, "<!doctype html><script>alert(1)</script>")
		case "bmp":
			fmt.Fprint(w, "BM\x00\x00\x00\x00")
		case "empty":
		case "gone":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, pixel)
		case "declared":
			w.Header().Set("Content-Length", "6000000")
			fmt.Fprint(w, pixel)
		case "chunked":
			fmt.Fprint(w, pixel)
			for range 6 {
				w.Write(make([]byte, 1<<20))
				w.(http.Flusher).Flush()
			}
		case "loop":
			http.Redirect(w, r, "/loop?"+r.URL.RawQuery+"x", http.StatusFound)
		default:
			fmt.Fprint(w, pixel)
		}
	})
	h := newReadyHouse(t, func(o *ui.Options) { o.Images = hosts.network })
	refused := []string{
		"https://example.com/svg", "https://example.com/html", "https://example.com/bmp", "https://example.com/empty", "https://example.com/gone",
		"https://example.com/declared", "https://example.com/chunked", "https://example.com/loop",
		"https://127.0.0.1/x", "https://[::1]/x", "https://[::ffff:127.0.0.1]/x", "https://[::ffff:10.0.0.1]/x", "https://0/x", "https://2130706433/x", "https://0x7f.1/x", "https://localhost/x",
		"http://intranet.test/x", "https://metadata.test/latest/meta-data/", "https://localhost.test/x", "https://unknown.test/x",
		"https://example.com:8443/x", "https://example.com:22/x", "https://user:secret@example.com/x", "https://192.168.0.1:80/x",
	}
	for _, inside := range []string{"https://127.0.0.1/x", "http://127.0.0.1/x", "https://[::ffff:169.254.169.254]/x", "http://localhost.test/x", "https://intranet.test/", "file:///etc/passwd",
		"ftp://example.com/x", "https://example.com:8080/x", "https://user@example.com/x", "//10.0.0.1/x", "gopher://127.0.0.1:25/x", "https://[::1]/", "http://%31%32%37.0.0.1/"} {
		refused = append(refused, "https://example.com/to?u="+inside)
	}
	accepted := []string{"https://example.com/to?u=/to%3Fu%3D/to%253Fu%253D/fine", "https://example.com/to?u=http://plain.example.com/fine", "http://plain.example.com/fine", "http://example.com/fine",
		"http://plain.example.com:80/fine", "https://example.com:443/fine"}
	var body strings.Builder
	for _, address := range append(refused, accepted...) {
		body.WriteString(`<img src="` + html.EscapeString(address) + `">`)
	}
	receipt := h.receive(letter{subject: "件名", text: "本文", html: body.String()})
	list := imagesOf(h.as(h.admin), receipt.MessageID)
	if len(list) != len(refused)+len(accepted) {
		t.Fatalf("%d images, want %d", len(list), len(refused)+len(accepted))
	}
	for i, address := range list {
		p := h.browser().get(address)
		if i >= len(refused) {
			if p.StatusCode != http.StatusOK || p.body != pixel {
				t.Errorf("%s: status %d", accepted[i-len(refused)], p.StatusCode)
			}
			continue
		}
		if p.StatusCode != http.StatusBadGateway || p.body != "" || p.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, %d bytes, %v", refused[i], p.StatusCode, len(p.body), p.Header)
		}
	}
	if log := h.log.String(); strings.Contains(log, "secret") || strings.Contains(log, "/etc/passwd") || !strings.Contains(log, "not an address of the public internet") {
		t.Errorf("the log says\n%s", log)
	}
}
