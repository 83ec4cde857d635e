// Package acme obtains certificates from an ACME server (RFC 8555), keeps them
// in a directory, renews them in time and says how each is. The protocol and the
// renewing are certmagic's; which names are asked for, what is served meanwhile
// and what is told of it is decided here.
package acme

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	acmeapi "github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"
)

// LetsEncrypt is the directory of the authority that most use.
const LetsEncrypt = certmagic.LetsEncryptProductionCA

// Options say whom to ask, and how the answers are proven.
type Options struct {
	Directory string         // URL of the ACME server's directory
	Email     string         // for the account; may be empty
	Roots     *x509.CertPool // whom to trust as the ACME server; nil is the system's
	// KeyID and MACKey bind the account to one that exists already (RFC 8555,
	// section 7.3.4); the key is base64url. Both are empty without.
	KeyID, MACKey string
	// Storage is a directory for accounts, keys and certificates, readable by the
	// user alone.
	Storage string
	// Host is the name whose certificate clients get that name none, or another.
	Host string
	// Fallback is served while there is nothing better.
	Fallback *tls.Certificate
	// Proofs are the challenges that this program can answer.
	Proofs Proofs
	// Resolver looks whether a name leads anywhere before it is asked for.
	Resolver Resolver
	// Told hears of every success (a nil error) and every failure. It must be quick.
	Told func(name string, err error)
	Log  *slog.Logger
	// Every is how often certificates are looked through for those to renew. Zero is
	// ten minutes.
	Every time.Duration
}

// Proofs are where challenges are answered. The authority itself always comes to
// ports 80 and 443; these are the ports behind them.
type Proofs struct {
	Host    string // the address that both listen on; empty is every one
	HTTP    int    // the port that answers HTTP-01 (RFC 8555, section 8.3); 0 is none
	TLSALPN int    // the port that answers TLS-ALPN-01 (RFC 8737); 0 is none
}

// Resolver answers DNS questions; a *net.Resolver is one.
type Resolver interface {
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
}

// Keeper keeps the certificates of some names. It is safe for concurrent use.
type Keeper struct {
	options Options
	cache   *certmagic.Cache
	magic   *certmagic.Config
	issuer  *certmagic.ACMEIssuer
	kept    map[string]*tls.Certificate // what was in the storage at the start, of any authority

	mu    sync.Mutex
	names map[string]*managed
}

// longestPause is beyond what certmagic waits between two attempts: it gives up
// after a month, and we do not.
const longestPause = 24 * time.Hour

// managed is a name that is looked after.
type managed struct {
	stop   context.CancelFunc      // nil while it is not asked for
	absent bool                    // the DNS has no address for it
	failed error                   // of the newest attempt; nil after a success
	at     time.Time               // of that attempt
	ended  context.CancelCauseFunc // called with what an attempt failed with, where somebody waits for it
}

// New opens the storage. Nothing is asked for before Manage.
func New(o Options) (*Keeper, error) {
	if err := checkStorage(o.Storage); err != nil {
		return nil, err
	}
	k := &Keeper{options: o, names: map[string]*managed{}, kept: readKept(o.Storage)}
	log := zap.New(&core{log: o.Log})
	k.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return k.magic, nil },
		RenewCheckInterval: o.Every,
		Logger:             log,
	})
	config := certmagic.Config{Storage: &certmagic.FileStorage{Path: o.Storage}, Logger: log, OnEvent: k.hear}
	k.magic = certmagic.New(k.cache, config)
	template := certmagic.ACMEIssuer{
		CA: o.Directory, Email: o.Email, Agreed: true, TrustedRoots: o.Roots, Logger: log,
		ListenHost: o.Proofs.Host, AltHTTPPort: o.Proofs.HTTP, AltTLSALPNPort: o.Proofs.TLSALPN,
		DisableHTTPChallenge: o.Proofs.HTTP == 0, DisableTLSALPNChallenge: o.Proofs.TLSALPN == 0,
		DisableDistributedSolvers: true,
	}
	if o.KeyID != "" {
		template.ExternalAccount = &acmeapi.EAB{KeyID: o.KeyID, MACKey: o.MACKey}
	}
	k.issuer = certmagic.NewACMEIssuer(k.magic, template)
	k.magic.Issuers = []certmagic.Issuer{k.issuer}
	return k, nil
}

// checkStorage makes the directory and sees that it can be written to.
func checkStorage(directory string) error {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return fmt.Errorf("make the directory of certificates: %w", err)
	}
	probe, err := os.CreateTemp(directory, ".probe-")
	if err != nil {
		return fmt.Errorf("write to the directory of certificates: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// Manage looks after these names from now on, and no longer after others. What
// is there is used, what is missing is asked for in the background, again and
// again, ever less often. A name without an address in the DNS is not asked for
// until it has one: the authority would only count the failure. So Manage is to
// be called again from time to time.
func (k *Keeper) Manage(ctx context.Context, names []string) {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[strings.ToLower(strings.TrimSuffix(name, "."))] = true
	}
	k.mu.Lock()
	for name, m := range k.names {
		if !wanted[name] {
			if m.stop != nil {
				m.stop()
			}
			k.cache.RemoveManaged([]certmagic.SubjectIssuer{{Subject: name}})
			delete(k.names, name)
		}
	}
	var idle []string
	for name := range wanted {
		m := k.names[name]
		if m == nil {
			m = &managed{}
			k.names[name] = m
		}
		if m.failed != nil && time.Since(m.at) > longestPause && m.stop != nil {
			m.stop()
			m.stop = nil
		}
		if m.stop == nil {
			idle = append(idle, name)
		}
	}
	k.mu.Unlock()
	var group sync.WaitGroup
	for _, name := range idle {
		group.Go(func() { k.begin(ctx, name) })
	}
	group.Wait()
}

// begin has a certificate for name, now and later, if the name leads anywhere.
func (k *Keeper) begin(ctx context.Context, name string) {
	_, err := k.options.Resolver.LookupIPAddr(ctx, name+".")
	var dnsError *net.DNSError
	absent := errors.As(err, &dnsError) && dnsError.IsNotFound
	k.mu.Lock()
	defer k.mu.Unlock()
	m := k.names[name]
	if m == nil || m.stop != nil || ctx.Err() != nil {
		return
	}
	if m.absent = absent; absent && k.kept[name] == nil {
		return
	}
	ctx, m.stop = context.WithCancel(ctx)
	if err := k.magic.ManageAsync(ctx, []string{name}); err != nil {
		m.failed, m.at = err, time.Now()
	}
}

// Renew obtains a new certificate for name now, whatever is left of the one
// before, which is served until the new one is there. Where there is none yet it
// does nothing: that one is asked for anyway. It tries once.
func (k *Keeper) Renew(ctx context.Context, name string) error {
	_, err := k.magic.CacheManagedCertificate(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the certificate of %s: %w", name, err)
	}
	before := k.cache.AllMatchingCertificates(name)
	if err := k.renewOnce(ctx, name); err != nil {
		return fmt.Errorf("renew the certificate of %s: %w", name, err)
	}
	if _, err := k.magic.CacheManagedCertificate(ctx, name); err != nil {
		return fmt.Errorf("use the new certificate of %s: %w", name, err)
	}
	var old []string
	for _, c := range before {
		old = append(old, c.Hash())
	}
	k.cache.Remove(old)
	return nil
}

// renewOnce stops after the first failure. (certmagic's own way to try once asks
// questions on the terminal.)
func (k *Keeper) renewOnce(ctx context.Context, name string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	k.mu.Lock()
	if k.names[name] == nil {
		k.names[name] = &managed{}
	}
	k.names[name].ended = cancel
	k.mu.Unlock()
	err := k.magic.RenewCertAsync(ctx, name, true)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Close ends all asking and renewing. Certificates are served as before.
func (k *Keeper) Close() {
	k.mu.Lock()
	for _, m := range k.names {
		if m.stop != nil {
			m.stop()
		}
	}
	k.mu.Unlock()
	k.cache.Stop()
}

// hear is told by certmagic of what happens.
func (k *Keeper) hear(_ context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	switch event {
	case "cert_failed":
		err, _ := data["error"].(error)
		k.note(name, cmp.Or(reason(err), errors.New("it gave no reason")))
	case "cert_obtained":
		k.note(name, nil)
	}
	return nil
}

func (k *Keeper) note(name string, err error) {
	k.mu.Lock()
	if m := k.names[name]; m != nil {
		m.failed, m.at = err, time.Now()
		if m.ended != nil && err != nil {
			m.ended(err)
		}
	}
	k.mu.Unlock()
	if k.options.Told != nil {
		k.options.Told(name, err)
	}
}

// reason is what the authority says, where it said something: its own words tell
// more than how we came to hear them.
func reason(err error) error {
	var problem acmeapi.Problem
	if errors.As(err, &problem) && problem.Detail != "" {
		text := problem.Detail
		for _, sub := range problem.Subproblems {
			text += "; " + sub.Detail
		}
		return errors.New(text)
	}
	if where, ok := errors.AsType[*url.Error](err); ok {
		return where // without the steps that led there
	}
	return err
}

// GetCertificate is for tls.Config.GetCertificate. It answers challenges, and
// else never fails: what is not there yet is replaced by what is.
func (k *Keeper) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{acmez.ACMETLS1Protocol}) {
		return k.magic.GetCertificate(hello)
	}
	for _, name := range []string{strings.ToLower(strings.TrimSuffix(hello.ServerName, ".")), k.options.Host} {
		if found := k.best(name); found != nil {
			return found, nil
		}
	}
	return k.options.Fallback, nil
}

// best is the certificate of a name that is good for longest.
func (k *Keeper) best(name string) (found *tls.Certificate) {
	if name == "" {
		return nil
	}
	found = k.kept[name]
	for _, c := range k.cache.AllMatchingCertificates(name) {
		if found == nil || !c.Leaf.NotAfter.Before(found.Leaf.NotAfter) {
			found = &c.Certificate
		}
	}
	return found
}

// AnswerChallenge answers requests below /.well-known/acme-challenge/.
func (k *Keeper) AnswerChallenge(w http.ResponseWriter, r *http.Request) {
	if !k.issuer.HandleHTTPChallenge(w, r) {
		http.NotFound(w, r)
	}
}
