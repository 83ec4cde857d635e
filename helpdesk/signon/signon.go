// Package signon asks the house's OpenID Connect provider who somebody is: the
// authorization code flow with PKCE (OpenID Connect Core, section 3.1; RFC 7636).
// It knows nothing of users; whose identity it is, is decided elsewhere.
package signon

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Config is what the provider and we know of each other.
type Config struct {
	// Issuer is the provider's address, from which all else is discovered.
	Issuer                 string
	ClientID, ClientSecret string
	// Redirect is our address to which the provider sends people back.
	Redirect string
	// Scopes are asked for; openid, email and profile where there are none.
	Scopes []string
	// Client asks the provider; newClient's when nil.
	Client *http.Client
}

// What can go wrong; errors wrap one of these.
var (
	// ErrUnavailable: the provider does not answer, or not as one.
	ErrUnavailable = errors.New("the sign-on provider does not answer")
	// ErrRefused: the provider, or whoever was asked there, said no.
	ErrRefused = errors.New("the sign-on provider refused")
	// ErrForged: the answer is not to the question that this browser asked, or is
	// not the provider's.
	ErrForged = errors.New("the answer of the sign-on provider is not valid")
	// ErrNotAsked: the provider was to have people prove anew who they are, and let
	// them pass by an earlier login.
	ErrNotAsked = errors.New("the sign-on provider did not ask again")
)

// Identity is who somebody is, as the provider says it.
type Identity struct {
	Issuer, Subject string
	Email           string
	EmailVerified   bool
	Name            string
	// ProvenAt is when they proved it to the provider, zero where it does not say.
	ProvenAt time.Time
	// Token is the ID token, by which a logout names them.
	Token string
}

// Memory is what is to be remembered of a question until its answer, by the
// browser that is sent to the provider and by nobody else.
type Memory struct {
	State, Nonce, Verifier string
	// Again says that people were to prove anew who they are.
	Again bool
}

// Provider is an OpenID Connect provider. It is asked nothing before somebody
// logs in, so that the server starts without it.
type Provider struct {
	config Config

	mu         sync.Mutex
	discovered *discovered
}

// discovered is what the provider says of itself.
type discovered struct {
	provider *oidc.Provider
	oauth    oauth2.Config
	logout   string
}

// New returns the provider of a configuration.
func New(c Config) *Provider {
	if len(c.Scopes) == 0 {
		c.Scopes = []string{oidc.ScopeOpenID, "email", "profile"}
	}
	if c.Client == nil {
		c.Client = newClient()
	}
	return &Provider{config: c}
}

// discover asks the provider what it says of itself, once it answers.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.discovered != nil {
		return p.discovered, nil
	}
	provider, err := oidc.NewProvider(p.with(ctx), p.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: discover %s: %w", ErrUnavailable, p.config.Issuer, err)
	}
	var says struct {
		Logout string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&says); err != nil {
		return nil, fmt.Errorf("%w: discover %s: %w", ErrUnavailable, p.config.Issuer, err)
	}
	p.discovered = &discovered{provider: provider, logout: says.Logout, oauth: oauth2.Config{ClientID: p.config.ClientID,
		ClientSecret: p.config.ClientSecret, Endpoint: provider.Endpoint(), RedirectURL: p.config.Redirect, Scopes: p.config.Scopes}}
	return p.discovered, nil
}

// with makes the libraries use our client.
func (p *Provider) with(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.config.Client)
}

// Begin returns the address at the provider to which a browser is sent, and what
// to remember. again asks the provider to have people prove anew who they are.
func (p *Provider) Begin(ctx context.Context, again bool) (address string, m Memory, err error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", Memory{}, err
	}
	m = Memory{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Again: again}
	options := []oauth2.AuthCodeOption{oidc.Nonce(m.Nonce), oauth2.S256ChallengeOption(m.Verifier)}
	if again {
		// max_age also makes the provider say when it asked (OpenID Connect Core, section 3.1.2.1).
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return d.oauth.AuthCodeURL(m.State, options...), m, nil
}

// Finish reads the answer with which a browser came back: the query of its
// address, and what was remembered of the question.
func (p *Provider) Finish(ctx context.Context, m Memory, answer url.Values) (Identity, error) {
	if m.State == "" || subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(m.State)) != 1 {
		return Identity{}, fmt.Errorf("%w: state", ErrForged)
	}
	if refused := answer.Get("error"); refused != "" {
		return Identity{}, fmt.Errorf("%w: %s %s", ErrRefused, refused, answer.Get("error_description"))
	}
	d, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	token, err := d.oauth.Exchange(p.with(ctx), answer.Get("code"), oauth2.VerifierOption(m.Verifier))
	if err != nil {
		var said *oauth2.RetrieveError
		if errors.As(err, &said) && said.ErrorCode != "" {
			return Identity{}, fmt.Errorf("%w: %s", ErrRefused, said.ErrorCode)
		}
		return Identity{}, fmt.Errorf("%w: exchange the code: %w", ErrUnavailable, err)
	}
	return p.identity(ctx, d, token, m)
}

// LogoutURL is where people log out of the provider too, and are sent back from
// (OpenID Connect RP-Initiated Logout 1.0); "" where that is not known. token is the
// ID token of their login: with it the provider knows who wants to leave, and need not
// ask; "" where it is not at hand.
func (p *Provider) LogoutURL(token, back string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.discovered == nil || p.discovered.logout == "" {
		return ""
	}
	u, err := url.Parse(p.discovered.logout)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.config.ClientID)
	if token != "" {
		q.Set("id_token_hint", token)
	}
	q.Set("post_logout_redirect_uri", back)
	u.RawQuery = q.Encode()
	return u.String()
}
