package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/smtpd/acme"
	"github.com/madoguchi/madoguchi/smtpd/auth"
)

// lookEvery is how often the names are gathered again, and those looked up that
// led nowhere.
const lookEvery = 10 * time.Minute

// renewPatience bounds the renewing that somebody waits for.
const renewPatience = 90 * time.Second

// acmeStorage is where accounts, keys and certificates are kept.
func acmeStorage(data string) string { return filepath.Join(data, "acme") }

// obtaining is the certificates that a running server obtains by ACME. Its keeper
// is made anew when the configuration changes; what the one before had is served
// until the new one has better.
type obtaining struct {
	server   *server
	web      bool // whether the web's listener uses them too
	fallback tls.Certificate
	keeper   atomic.Pointer[acme.Keeper] // nil until the listeners are open

	mu     sync.Mutex // guards what follows
	config acmeConfig
	proofs acme.Proofs
	again  chan struct{}
}

func newObtaining(s *server) (*obtaining, error) {
	fallback, err := smtpd.SelfSigned(s.config.hostname())
	if err != nil {
		return nil, fmt.Errorf("make a self-signed certificate: %w", err)
	}
	return &obtaining{server: s, web: s.config.ACME.servesWeb(), fallback: fallback, again: make(chan struct{}, 1)}, nil
}

// GetCertificate is for tls.Config.GetCertificate.
func (o *obtaining) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if keeper := o.keeper.Load(); keeper != nil {
		return keeper.GetCertificate(hello)
	}
	return &o.fallback, nil
}

// open begins to use what is stored. The ports are those that listen now.
func (o *obtaining) open(c acmeConfig) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	roots, err := c.trusted()
	if err != nil {
		return err
	}
	key, err := c.externalAccountKey()
	if err != nil {
		return err
	}
	s := o.server
	keeper, err := acme.New(acme.Options{
		Directory: c.Directory, Email: c.Email, Roots: roots, KeyID: c.EABKeyID, MACKey: key,
		Storage: acmeStorage(s.config.Server.Data), Host: strings.ToLower(s.config.hostname()), Fallback: &o.fallback, Proofs: o.proofs,
		Resolver: auth.NewResolver(s.config.DNS.Resolver), Told: o.told, Log: s.log,
	})
	if err != nil {
		return err
	}
	if before := o.keeper.Swap(keeper); before != nil {
		before.Close()
	}
	o.config = c
	o.lookAgain()
	return nil
}

func (o *obtaining) lookAgain() {
	select {
	case o.again <- struct{}{}:
	default: // it is about to look
	}
}

// run keeps looking after the names until ctx ends.
func (o *obtaining) run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		names, err := o.names(ctx)
		if err != nil {
			o.server.log.ErrorContext(ctx, "gather the names for certificates", "error", err)
		} else {
			o.keeper.Load().Manage(ctx, names)
		}
		o.alarm(ctx)
		select {
		case <-ticker.C:
		case <-o.again:
		case <-ctx.Done():
			o.keeper.Load().Close()
			return
		}
	}
}

// told hears what became of an attempt. Failures are in the log already.
func (o *obtaining) told(name string, err error) {
	if err == nil {
		o.server.log.Info("certificate obtained", "name", name)
	}
	o.lookAgain()
}

// renew obtains new certificates now: of one name, or of all for "". What is in
// the middle of waiting for its next attempt begins anew.
func (o *obtaining) renew(ctx context.Context, name string) error {
	states := o.keeper.Load().States()
	if name != "" {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if !slices.ContainsFunc(states, func(s acme.State) bool { return s.Name == name }) {
			return &helpdesk.Error{Code: helpdesk.CodeNotFound, Field: "name", Message: "no certificate is kept for \"" + name + "\": madoguchi certificate lists the names, acme.names in the configuration file adds some"}
		}
	}
	o.mu.Lock()
	config := o.config
	o.mu.Unlock()
	if err := o.open(config); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, renewPatience)
	defer cancel()
	var failures []error
	for _, state := range states {
		if state.NotAfter.IsZero() || name != "" && state.Name != name {
			continue // what is not there yet is asked for as the keeper begins
		}
		failures = append(failures, o.keeper.Load().Renew(ctx, state.Name))
	}
	return errors.Join(failures...)
}

func (o *obtaining) states() []acme.State {
	if keeper := o.keeper.Load(); keeper != nil {
		return keeper.States()
	}
	return nil
}

// answerChallenge answers the authority that comes by HTTP.
func (o *obtaining) answerChallenge(w http.ResponseWriter, r *http.Request) {
	keeper := o.keeper.Load()
	if keeper == nil {
		http.NotFound(w, r)
		return
	}
	keeper.AnswerChallenge(w, r)
}

// redirect leads browsers that come without encryption to https, for the names
// that are ours.
func (o *obtaining) redirect(w http.ResponseWriter, r *http.Request) {
	host := strings.ToLower(r.Host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	target := url.URL{Scheme: "https", Host: host, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	u, err := url.Parse(o.server.config.Web.URL)
	switch {
	case !o.web || !slices.ContainsFunc(o.states(), func(s acme.State) bool { return s.Name == host }):
		http.NotFound(w, r)
		return
	case err == nil && strings.EqualFold(u.Hostname(), host):
		target.Host = u.Host // with its port
	}
	http.Redirect(w, r, target.String(), http.StatusPermanentRedirect)
}

// names are those of the configuration, or else every name by which
// this server is reached with encryption.
func (o *obtaining) names(ctx context.Context) ([]string, error) {
	o.mu.Lock()
	names := o.config.Names
	o.mu.Unlock()
	if len(names) > 0 {
		return names, nil
	}
	s := o.server
	names = []string{s.config.hostname()} // not the whole configuration: a reload writes other parts of it
	if o.web {
		if u, err := url.Parse(s.config.Web.URL); err == nil && u.Host != "" {
			names = append(names, u.Hostname())
		}
		if _, served := s.domains.policy(); served {
			list, err := s.desk.SendingDomains(ctx)
			if err != nil {
				return nil, err
			}
			for _, domain := range list {
				names = append(names, "mta-sts."+domain)
			}
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return !certifiable(name) }), nil
}

// openACME listens for the authority and begins to use what is stored.
func (s *server) openACME(context.Context) (err error) {
	o := s.certificates.obtaining
	if o == nil {
		return nil
	}
	if s.config.ACME.Listen != "" {
		if s.acmeAt, err = s.inherited.listen("acme", "acme.listen", "[acme] listen =", s.config.ACME.Listen); err != nil {
			return err
		}
		mux := http.NewServeMux()
		mux.HandleFunc("GET /.well-known/acme-challenge/", o.answerChallenge)
		mux.HandleFunc("/", o.redirect)
		s.acmeServer = &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: 16 << 10,
			ErrorLog: slog.NewLogLogger(s.log.With("part", "acme").Handler(), slog.LevelDebug)}
	}
	o.proofs = s.proofs()
	if err := o.open(s.config.ACME); err != nil {
		return err
	}
	s.background = append(s.background, o.run)
	return nil
}

// proofs are the ports that can answer the authority. Without one of its own it
// is the web's, behind a proxy that passes the requests on.
func (s *server) proofs() acme.Proofs {
	var p acme.Proofs
	web := tcpAddress(s.webAt)
	at := web
	switch {
	case s.acmeAt != nil:
		at = tcpAddress(s.acmeAt)
		p.HTTP = at.Port
	case !s.config.ACME.servesWeb():
		p.HTTP = web.Port
	}
	if s.config.ACME.servesWeb() && web.IP.IsUnspecified() == at.IP.IsUnspecified() {
		p.TLSALPN = web.Port
	}
	if !at.IP.IsUnspecified() {
		p.Host = at.IP.String()
	}
	return p
}

// tcpAddress is where a listener listens; one that is no TCP listener has port 0,
// which no authority can reach.
func tcpAddress(l net.Listener) *net.TCPAddr {
	if address, ok := l.Addr().(*net.TCPAddr); ok {
		return address
	}
	return &net.TCPAddr{IP: net.IPv4zero}
}
