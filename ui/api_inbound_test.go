package ui_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

// TestInboundMailIsTakenAsItArrives: the mail is passed on while the client still sends
// it, so that none is held whole; and a body that is no mail is said to be none.
func TestInboundMailIsTakenAsItArrives(t *testing.T) {
	h := newAPIHouse(t)
	begun := make(chan struct{}, 1)
	var got string
	web, err := ui.New(h.Desk, ui.Options{Now: h.now, Inbound: func(_ context.Context, m ui.InboundMail) (ui.InboundResult, error) {
		first := make([]byte, 1)
		if _, err := io.ReadFull(m.Raw, first); err != nil {
			return ui.InboundResult{}, err
		}
		begun <- struct{}{}
		rest, err := io.ReadAll(io.LimitReader(m.Raw, 1000))
		if got = string(first) + string(rest); err == nil {
			_, err = io.Copy(io.Discard, m.Raw)
		}
		return ui.InboundResult{Message: "1", State: helpdesk.MessagePosted}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(web.Handler())
	t.Cleanup(server.Close)
	send := func(body io.Reader) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/v1/inbound?from=&to=support@example.jp", body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+h.token)
		request.Header.Set("Content-Type", "message/rfc822")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(text)
	}
	body, client := io.Pipe()
	go func() {
		io.WriteString(client, "Subject: x\n")
		select {
		case <-begun: // else the server waits for the end
		case <-t.Context().Done():
		}
		io.WriteString(client, "\nx\n")
		client.Close()
	}()
	if status, text := send(body); status != http.StatusAccepted || got != "Subject: x\n\nx\n" {
		t.Errorf("%d %s; %q", status, text, got)
	}
	if status, text := send(strings.NewReader("")); status != http.StatusBadRequest || !strings.Contains(text, "empty") {
		t.Errorf("no body: %d %s", status, text)
	}
	if status, text := send(io.MultiReader(strings.NewReader(strings.Repeat("x", 64<<20)), strings.NewReader("x"))); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body above the limit: %d %s", status, text)
	}
}
