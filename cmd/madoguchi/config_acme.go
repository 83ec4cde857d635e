package main

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/acme"
)

// acmeConfig is how certificates are obtained by ACME.
type acmeConfig struct {
	Agreed        bool     `toml:"agreed"`
	Email         string   `toml:"email"`
	Directory     string   `toml:"directory"`
	Root          string   `toml:"root"`
	Names         []string `toml:"names"`
	Web           bool     `toml:"web"`
	Listen        string   `toml:"listen"`
	EABKeyID      string   `toml:"eab_key_id"`
	EABSecret     string   `toml:"eab_secret"`
	EABSecretFile string   `toml:"eab_secret_file"`
}

func defaultACME() acmeConfig {
	return acmeConfig{Directory: acme.LetsEncrypt, Names: []string{}, Web: true, Listen: ":80"}
}

// servesWeb says whether the web's own listener has these certificates.
func (c acmeConfig) servesWeb() bool { return c.Agreed && c.Web }

func (k *checker) acme(all *config) {
	c := all.ACME
	if u, err := url.Parse(c.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		k.add("acme.directory", `%q is not the address of an ACME directory; write it like %q`, c.Directory, acme.LetsEncrypt)
	}
	if c.Email != "" && !looksLikeAddress(c.Email) {
		k.add("acme.email", "%q is not a mail address", c.Email)
	}
	for _, name := range c.Names {
		if !certifiable(name) {
			k.add("acme.names", `%q is not a name that a certificate can be for; write it like "mail.example.com"`, name)
		}
	}
	if c.Listen != "" {
		k.address("acme.listen", c.Listen)
	}
	k.externalAccount(c)
	if !c.Agreed {
		return
	}
	if all.SMTP.TLS == tlsFiles {
		k.add("acme.agreed", `both smtp.tls = "files" and ACME would give the certificate of SMTP: take smtp.tls, smtp.tls_cert and smtp.tls_key out, or write acme.agreed = false`)
	}
	if c.Web && all.Web.TLSCert != "" {
		k.add("acme.agreed", "both web.tls_cert and ACME would give the certificate of the web: take web.tls_cert and web.tls_key out, or write acme.web = false")
	}
	if c.Web && strings.HasPrefix(all.Web.URL, "http://") {
		k.add("web.url", "with ACME the web is served over https: write %q, or acme.web = false where a proxy stands in front", "https://"+strings.TrimPrefix(all.Web.URL, "http://"))
	}
	if !c.Web && all.SMTP.TLS == tlsOff {
		k.add("acme.agreed", `with acme.web = false and smtp.tls = "off" nothing would use a certificate: write acme.agreed = false`)
	}
	if c.Listen == "" && !c.Web && all.Web.TLSCert != "" {
		k.add("acme.listen", `nothing here could answer the authority: write ":80"`)
	}
}

func (k *checker) externalAccount(c acmeConfig) {
	secret := c.EABSecret != "" || c.EABSecretFile != ""
	switch {
	case c.EABSecret != "" && c.EABSecretFile != "":
		k.add("acme.eab_secret_file", "give acme.eab_secret or acme.eab_secret_file, not both")
	case c.EABKeyID != "" && !secret:
		k.add("acme.eab_key_id", "needs acme.eab_secret_file (or acme.eab_secret) beside it")
	case c.EABKeyID == "" && secret:
		k.add("acme.eab_key_id", "is missing: write the key identifier that the authority gave with the secret")
	}
}

// certifiable says whether an authority could give a certificate for a name: it
// is a full one, and no address.
func certifiable(name string) bool {
	name = strings.TrimSuffix(name, ".")
	_, err := netip.ParseAddr(name)
	return err != nil && strings.Contains(name, ".") && looksLikeAddress("postmaster@"+name) && !strings.ContainsAny(name, "*/:@")
}

// trusted are the authorities whose ACME server is believed; nil is the system's.
func (c acmeConfig) trusted() (*x509.CertPool, error) {
	if c.Root == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.Root)
	if err != nil {
		return nil, fmt.Errorf("acme.root: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("acme.root: %s holds no certificate in PEM form", c.Root)
	}
	return pool, nil
}

// externalAccount is the key of the account at the authority, "" without one.
func (c acmeConfig) externalAccountKey() (string, error) {
	secret := c.EABSecret
	if c.EABSecretFile != "" {
		text, err := os.ReadFile(c.EABSecretFile)
		if err != nil {
			return "", fmt.Errorf("acme.eab_secret_file: %w", err)
		}
		secret = strings.TrimSpace(string(text))
	}
	if _, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(secret, "=")); err != nil {
		return "", fmt.Errorf("acme.eab_secret is not base64url, as authorities give it: %w", err)
	}
	return strings.TrimRight(secret, "="), nil
}
