package signon_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk/signon"
)

// Our secret goes to the server that was asked and to no other, and an answer
// without an end is not read to its end.
func TestTheProvidersAnswersLeadNowhereElse(t *testing.T) {
	var heard atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard.Add(1)
		fmt.Fprint(w, "{}")
	}))
	t.Cleanup(elsewhere.Close)
	for name, answer := range map[string]http.HandlerFunc{
		"redirected": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/take", http.StatusTemporaryRedirect)
		},
		"in circles": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		},
		"without end": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"access_token": "%s"`, strings.Repeat("x", 3<<20))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var server *httptest.Server
			server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					answer(w, r)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"issuer": %q, "authorization_endpoint": %q, "token_endpoint": %q, "jwks_uri": %q}`, server.URL, server.URL+"/auth", server.URL+"/token", server.URL+"/keys")
			}))
			t.Cleanup(server.Close)
			p := signon.New(signon.Config{Issuer: server.URL, ClientID: clientID, ClientSecret: "sesame", Redirect: "https://desk.example.jp/back"})
			_, m, err := p.Begin(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Finish(t.Context(), m, url.Values{"state": {m.State}, "code": {"code"}}); !errors.Is(err, signon.ErrUnavailable) {
				t.Errorf("%v, want that the provider does not answer", err)
			}
		})
	}
	if heard.Load() > 0 {
		t.Error("another server was asked")
	}
}
