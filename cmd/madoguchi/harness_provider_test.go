package main_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// provider is a real OpenID provider that knows one person and one client, and
// remembers the tokens that it gave out.
type provider struct {
	*httptest.Server
	client       *storage.Client
	clientSecret string
	person       *storage.User

	mu     sync.Mutex
	tokens map[string]string
}

const (
	providerClient   = "madoguchi"
	providerUser     = "p1"
	providerPassword = "at-the-provider-81"
)

// serveProvider starts a provider that sends people back to a web address.
func serveProvider(t *testing.T, web, email, clientSecret string) *provider {
	t.Helper()
	p := &provider{clientSecret: clientSecret, tokens: map[string]string{}}
	p.person = &storage.User{ID: providerUser, Username: providerUser, Password: providerPassword, FirstName: "花", LastName: "佐藤", Email: email, EmailVerified: true}
	p.client = storage.WebClient(providerClient, clientSecret, web+"/login/oidc/callback")
	var answer http.Handler
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/oauth/token" {
			answer.ServeHTTP(w, r)
			return
		}
		kept := httptest.NewRecorder()
		answer.ServeHTTP(kept, r)
		p.remember(kept.Body.Bytes())
		for name, values := range kept.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(kept.Code)
		w.Write(kept.Body.Bytes())
	}))
	t.Cleanup(p.Close)
	answer = exampleop.SetupServer(p.URL, storage.NewStorageWithClients(p, map[string]*storage.Client{providerClient: p.client}), slog.New(slog.DiscardHandler), false)
	return p
}

func (p *provider) remember(answer []byte) {
	var given map[string]any
	if json.Unmarshal(answer, &given) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, value := range given {
		if text, ok := value.(string); ok && strings.HasSuffix(name, "_token") {
			p.tokens[name] = text
		}
	}
}

// GetUserByID implements storage.UserStore.
func (p *provider) GetUserByID(id string) *storage.User {
	if id == p.person.ID {
		return p.person
	}
	return nil
}

// GetUserByUsername implements storage.UserStore.
func (p *provider) GetUserByUsername(name string) *storage.User { return p.GetUserByID(name) }

// ExampleClientID implements storage.UserStore.
func (p *provider) ExampleClientID() string { return "service" }

// logIn goes by the button of the login page at web to the provider and back. It
// returns every address on the way.
func (p *provider) logIn(t *testing.T, client *http.Client, web string) []*url.URL {
	t.Helper()
	return p.visit(t, client, web, http.StatusOK)
}

// refused is logIn by somebody who is not let in.
func (p *provider) refused(t *testing.T, client *http.Client, web string) {
	t.Helper()
	p.visit(t, client, web, http.StatusUnauthorized)
}

func (p *provider) visit(t *testing.T, client *http.Client, web string, ends int) (passed []*url.URL) {
	t.Helper()
	following := *client
	following.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		passed = append(passed, r.URL)
		return nil
	}
	response, err := following.Get(web + "/login/oidc")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	asked := response.Request.URL.Query().Get("authRequestID")
	response, err = following.PostForm(p.URL+"/login/username", url.Values{"id": {asked}, "username": {providerUser}, "password": {providerPassword}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if asked == "" || response.Request.URL.Host != strings.TrimPrefix(web, "http://") || response.StatusCode != ends {
		t.Fatalf("the way by the provider ends at %s: %s", response.Request.URL, response.Status)
	}
	return passed
}
