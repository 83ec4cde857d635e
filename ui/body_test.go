package ui_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

// TestVisitorsBringLittle: a login page takes no files, whatever it is sent.
func TestVisitorsBringLittle(t *testing.T) {
	h := newAPIHouse(t)
	file := "--X\r\nContent-Disposition: form-data; name=\"email\"; filename=\"a\"\r\n\r\n" + strings.Repeat("x", 1<<20) + "\r\n--X--\r\n"
	for _, path := range []string{"/login", "/language", "/setup"} {
		response, err := http.Post(h.http.URL+path, "multipart/form-data; boundary=X", strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s answers %d", path, response.StatusCode)
		}
	}
	// Whose session has ended meanwhile is told so, and not that the form is too large.
	response, err := http.Post(h.http.URL+"/tickets/1/compose", "multipart/form-data; boundary=X", strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode == http.StatusRequestEntityTooLarge {
		t.Error("a large form of an ended session is refused as too large")
	}
}

// TestAFormTooLargeClearsNothing: what net/http does not read of a form is not taken for
// fields that somebody emptied.
func TestAFormTooLargeClearsNothing(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	b.post("/settings/profile", "name", "佐藤 花", "signature", "経理部").want(http.StatusSeeOther)
	b.post("/settings/profile", "name", "佐藤 花", "signature", strings.Repeat("x", 10<<20)).
		want(http.StatusRequestEntityTooLarge).shows("送信された内容が大きすぎる", "10.5 MB").hides("名前を入力")
	b.get("/settings/profile").want(http.StatusOK).shows("経理部")
}

// TestATemplateTooLargeIsToldTheLimit: its files come with it.
func TestATemplateTooLargeIsToldTheLimit(t *testing.T) {
	h := newReadyHouse(t, func(o *ui.Options) { o.MaxUpload = 100_000 })
	file := "--X\r\nContent-Disposition: form-data; name=\"file-0\"; filename=\"a\"\r\n\r\n" + strings.Repeat("x", 2<<20) + "\r\n--X--\r\n"
	h.as(h.admin).do("POST", "/settings/templates/new", strings.NewReader(file), "multipart/form-data; boundary=X").
		want(http.StatusRequestEntityTooLarge).shows("上限は 1.1 MB")
}

// TestLargeBodiesArriveOnTheDisk: however many large requests arrive at once, they take
// no memory before they are whole; then they are read as far as there is memory, and
// all are answered.
func TestLargeBodiesArriveOnTheDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out bodies of many megabytes")
	}
	const requests, size = 6, 16 << 20
	h := newAPIHouse(t)
	h.first()
	body := append([]byte(`{"text":"`), bytes.Repeat([]byte("x"), size)...)
	end := []byte(`"}`)
	began := heap()
	var open []net.Conn
	for range requests {
		c, err := net.Dial("tcp", h.http.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /api/v1/tickets/1/replies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
			h.token, len(body)+len(end))
		if _, err := c.Write(body); err != nil { // returns once the server has read most of it
			t.Fatal(err)
		}
		open = append(open, c)
	}
	if took := heap() - began; took > requests*size/4 {
		t.Errorf("%d bodies of %d bytes take %d bytes while they arrive", requests, size, took)
	}
	for _, c := range open {
		if _, err := c.Write(end); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range open {
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusUnprocessableEntity && response.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), string(helpdesk.CodeInvalid)) {
			t.Errorf("a text of %d bytes: %d %.200s", size, response.StatusCode, text)
		}
	}
}

// heap is what is in use, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
