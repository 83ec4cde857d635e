package smtpd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"sync"
	"time"
)

// SelfSigned makes a certificate for hostname, ECDSA P-256, good for a year:
// for development, and for STARTTLS until there is a real one, since clients
// that encrypt when they can do not verify it (RFC 7435).
func SelfSigned(hostname string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make serial number: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: hostname},
		NotBefore:             now.Add(-time.Hour), // clocks differ
		NotAfter:              now.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(hostname); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{hostname}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate for %s: %w", hostname, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Certificate is a certificate in files, read again when they change: programs
// that renew certificates replace the files under a running server.
type Certificate struct {
	// Log hears of every reload and of every one that failed. Nil is silent. It
	// is set before the first handshake.
	Log *slog.Logger

	certFile, keyFile string

	mu      sync.Mutex
	current *tls.Certificate
	seen    [2]fileState // of the files when they were last read
}

type fileState struct {
	modified time.Time
	size     int64
}

// LoadCertificate reads a certificate chain and its key, both PEM. The error
// names the file.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	state, err := c.state()
	if err != nil {
		return nil, err
	}
	if err := c.read(state); err != nil {
		return nil, err
	}
	return c, nil
}

// GetCertificate is for tls.Config.GetCertificate. It never fails: files that
// cannot be read, or that do not match yet since only one was replaced so far,
// leave the certificate in use.
func (c *Certificate) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	state, err := c.state()
	if err == nil && state != c.seen {
		if err = c.read(state); err == nil && c.Log != nil {
			c.Log.Info("certificate read again", "file", c.certFile, "expires", c.current.Leaf.NotAfter)
		}
	}
	if err != nil && c.Log != nil {
		c.Log.Error("certificate not read again, the one before stays in use", "error", err)
	}
	return c.current, nil
}

// read replaces the certificate. A pair that is no good is not tried again
// before it changes.
func (c *Certificate) read(state [2]fileState) error {
	c.seen = state
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("read certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.current = &pair
	return nil
}

func (c *Certificate) state() ([2]fileState, error) {
	var state [2]fileState
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return state, fmt.Errorf("read certificate: %w", err)
		}
		state[i] = fileState{info.ModTime(), info.Size()}
	}
	return state, nil
}
