package signon_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/signon"
)

// scribe is a provider that writes whatever ID token it is told to: what no honest
// one does.
type scribe struct {
	*httptest.Server
	t        *testing.T
	key      *rsa.PrivateKey
	header   map[string]any
	claims   map[string]any
	userinfo map[string]any
}

func newScribe(t *testing.T) *scribe {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &scribe{t: t, key: key}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		var answer any
		switch r.URL.Path {
		case "/keys":
			answer = map[string]any{"keys": []any{map[string]any{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k",
				"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())}}}
		case "/token":
			answer = map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": s.token()}
		case "/userinfo":
			answer = s.userinfo
		default:
			answer = map[string]any{"issuer": s.URL, "authorization_endpoint": s.URL + "/auth", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys", "userinfo_endpoint": s.URL + "/userinfo"}
		}
		json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(s.Close)
	return s
}

// token writes the claims as a JSON web token, signed unless its header says not to.
func (s *scribe) token() string {
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			s.t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	text := part(s.header) + "." + part(s.claims)
	if s.header["alg"] == "none" {
		return text + "."
	}
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, digest[:])
	if err != nil {
		s.t.Error(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// TestWhatAProviderSaysIsChecked asks a provider that lies.
func TestWhatAProviderSaysIsChecked(t *testing.T) {
	s := newScribe(t)
	now := time.Now().Truncate(time.Second)
	hourAgo := now.Add(-time.Hour)
	for name, c := range map[string]struct {
		again  bool
		header map[string]any
		claims map[string]any
		info   map[string]any
		fails  error
		proven time.Time
	}{
		"honest":                        {proven: hourAgo, claims: map[string]any{"auth_time": hourAgo.Unix()}},
		"silent about when":             {},
		"asked anew":                    {again: true, proven: now, claims: map[string]any{"auth_time": now.Unix()}},
		"asked anew, silent about when": {again: true, proven: now},
		"not asked anew":                {again: true, claims: map[string]any{"auth_time": hourAgo.Unix()}, fails: signon.ErrNotAsked},
		"of another question":           {claims: map[string]any{"nonce": "another"}, fails: signon.ErrForged},
		"of no question":                {claims: map[string]any{"nonce": nil}, fails: signon.ErrForged},
		"for another program":           {claims: map[string]any{"aud": "another"}, fails: signon.ErrForged},
		"of another provider":           {claims: map[string]any{"iss": "https://evil.example"}, fails: signon.ErrForged},
		"too old":                       {claims: map[string]any{"exp": hourAgo.Unix()}, fails: signon.ErrForged},
		"by a clock behind ours":        {claims: map[string]any{"iat": now.Add(-150 * time.Second).Unix(), "exp": now.Add(-90 * time.Second).Unix()}},
		"by a clock ahead of ours":      {claims: map[string]any{"iat": now.Add(2 * time.Minute).Unix(), "nbf": now.Add(2 * time.Minute).Unix(), "exp": now.Add(3 * time.Minute).Unix()}},
		"not signed":                    {header: map[string]any{"alg": "none"}, fails: signon.ErrForged},
		"signed as with a password":     {header: map[string]any{"alg": "HS256"}, fails: signon.ErrForged},
		"asked for the address":         {claims: map[string]any{"email": nil}, info: map[string]any{"sub": "u1", "email": "sato@example.jp"}},
		"asked of somebody else":        {claims: map[string]any{"email": nil}, info: map[string]any{"sub": "u2", "email": "sato@example.jp"}, fails: signon.ErrForged},
		"whose proof is told elsewhere": {claims: map[string]any{"email": nil}, info: map[string]any{"sub": "u1", "email": "sato@example.jp", "auth_time": now.Unix()}},
	} {
		t.Run(name, func(t *testing.T) {
			p := signon.New(signon.Config{Issuer: s.URL, ClientID: clientID, Redirect: "https://desk.example.jp/back"})
			address, m, err := p.Begin(t.Context(), c.again)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(address, "prompt=login") != c.again || strings.Contains(address, "max_age=0") != c.again {
				t.Errorf("the question is %s", address)
			}
			s.header = map[string]any{"alg": "RS256", "typ": "JWT", "kid": "k"}
			maps.Copy(s.header, c.header)
			s.claims = map[string]any{"iss": s.URL, "sub": "u1", "aud": clientID, "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "nonce": m.Nonce, "email": "sato@example.jp", "email_verified": true}
			maps.Copy(s.claims, c.claims)
			s.userinfo = c.info
			who, err := p.Finish(t.Context(), m, url.Values{"state": {m.State}, "code": {"code"}})
			if !errors.Is(err, c.fails) || (c.fails == nil && err != nil) {
				t.Fatalf("%v, want %v", err, c.fails)
			}
			if !who.ProvenAt.Equal(c.proven) || (err == nil && who.Email != "sato@example.jp") {
				t.Errorf("%+v, want proven at %s", who, c.proven)
			}
		})
	}
}
