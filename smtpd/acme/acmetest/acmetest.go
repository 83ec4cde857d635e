// Package acmetest runs a real ACME server for tests: Pebble of Let's Encrypt,
// built from its pinned module (the directory pebble). It validates challenges
// for real, through the ports and the name server that it is given.
package acmetest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const module = "github.com/madoguchi/madoguchi"

// Settings are of one server.
type Settings struct {
	Directory string // where it may write
	// Resolver is the name server by which it finds who is to be validated.
	Resolver string
	// HTTPPort and TLSPort stand for 80 and 443 of whoever is validated.
	HTTPPort, TLSPort int
	Lifetime          time.Duration // of certificates
	// KeyID and MACKey are of the one account that may register; "" is everybody.
	KeyID, MACKey string
}

// Server is a running Pebble.
type Server struct {
	URL   string // of its directory
	Roots string // a file with the certificate that its own web server has

	command    *exec.Cmd
	management string
	client     http.Client
}

// Build builds Pebble into a file. It needs the Go command, and its module from
// the cache or the proxy.
func Build(ctx context.Context, file string) error {
	source, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("find the source: %w", err)
	}
	command := exec.CommandContext(ctx, "go", "build", "-o", file, "github.com/letsencrypt/pebble/v2/cmd/pebble")
	command.Dir = filepath.Join(strings.TrimSpace(string(source)), "smtpd", "acme", "acmetest", "pebble")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build pebble: %w\n%s", err, out)
	}
	return nil
}

// Start runs the program that Build made until ctx ends or Stop is called.
func Start(ctx context.Context, program string, settings Settings, log io.Writer) (*Server, error) {
	s := &Server{Roots: filepath.Join(settings.Directory, "pebble.pem")}
	key := filepath.Join(settings.Directory, "pebble.key")
	certificate, err := writeCertificate(s.Roots, key)
	if err != nil {
		return nil, err
	}
	addresses, err := freeAddresses(2)
	if err != nil {
		return nil, err
	}
	s.URL, s.management = "https://"+addresses[0]+"/dir", "https://"+addresses[1]
	type table map[string]any
	pebble := table{
		"listenAddress": addresses[0], "managementListenAddress": addresses[1], "certificate": s.Roots, "privateKey": key,
		"httpPort": settings.HTTPPort, "tlsPort": settings.TLSPort, "keyAlgorithm": "ecdsa", "retryAfter": table{"authz": 1, "order": 1},
		"profiles": table{"default": table{"description": "test", "validityPeriod": int(settings.Lifetime.Seconds())}},
	}
	if settings.KeyID != "" {
		pebble["externalAccountBindingRequired"] = true
		pebble["externalAccountMACKeys"] = table{settings.KeyID: settings.MACKey}
	}
	config, err := json.Marshal(table{"pebble": pebble})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(settings.Directory, "pebble.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	s.command = exec.CommandContext(ctx, program, "-config", file, "-dnsserver", settings.Resolver)
	// No waiting before a validation, and every nonce is good; all else is as in life.
	s.command.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_VA_ALWAYS_VALID=0", "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_AUTHZREUSE=0")
	s.command.Stdout, s.command.Stderr = log, log
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("start pebble: %w", err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(certificate)
	s.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, DisableKeepAlives: true}
	return s, s.waitUntilReady(ctx)
}

func (s *Server) waitUntilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if _, err := s.get(ctx, s.URL); err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(errors.New("pebble does not answer"), s.Stop())
		}
	}
}

func (s *Server) get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// Issued is what the certificates of this server lead to.
func (s *Server) Issued(ctx context.Context) (*x509.CertPool, error) {
	text, err := s.get(ctx, s.management+"/roots/0")
	if err != nil {
		return nil, fmt.Errorf("ask pebble for its root: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("pebble gave no root: %q", text)
	}
	return pool, nil
}

// Stop ends the server.
func (s *Server) Stop() error {
	err := s.command.Process.Kill()
	s.command.Wait() // killed
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// writeCertificate makes the one that Pebble's own web server shows.
func writeCertificate(certFile, keyFile string) (*x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pebble"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
	); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// freeAddresses are on the loopback, and free a moment ago.
func freeAddresses(n int) ([]string, error) {
	var list []string
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		list = append(list, listener.Addr().String())
	}
	return list, nil
}
