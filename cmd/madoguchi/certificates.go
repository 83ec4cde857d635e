package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/madoguchi/madoguchi/smtpd"
)

// certificates are those of the two listeners. Files that change are read
// again by themselves; a reload may also name other files.
type certificates struct {
	smtp, web swappable
	obtaining *obtaining // nil without ACME
}

// swappable is a source of certificates that a reload can replace; empty where
// there is no TLS.
type swappable struct {
	source atomic.Pointer[func(*tls.ClientHelloInfo) (*tls.Certificate, error)]
}

// config is for a listener, nil without TLS. Session tickets are off: with
// them, Outlook.com breaks STARTTLS off.
func (s *swappable) config() *tls.Config {
	if s.source.Load() == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		SessionTicketsDisabled: true,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return (*s.source.Load())(hello)
		},
	}
}

func (s *swappable) from(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) {
	s.source.Store(&get)
}

func (s *swappable) fromFiles(certFile, keyFile string) error {
	loaded, err := smtpd.LoadCertificate(certFile, keyFile)
	if err != nil {
		return err
	}
	s.from(loaded.GetCertificate)
	return nil
}

func (s *swappable) selfSigned(hostname string) error {
	made, err := smtpd.SelfSigned(hostname)
	if err != nil {
		return err
	}
	s.from(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &made, nil })
	return nil
}

// load reads what c names.
func (s *certificates) load(c config) error {
	if err := s.loadSMTP(c); err != nil {
		return err
	}
	return s.loadWeb(c)
}

func (s *certificates) loadSMTP(c config) error {
	switch c.SMTP.TLS {
	case tlsFiles:
		if err := s.smtp.fromFiles(c.SMTP.TLSCert, c.SMTP.TLSKey); err != nil {
			return fmt.Errorf("smtp.tls_cert, smtp.tls_key: %w", err)
		}
	case tlsSelfSigned:
		if s.obtaining != nil {
			s.smtp.from(s.obtaining.GetCertificate)
			return nil
		}
		if err := s.smtp.selfSigned(c.hostname()); err != nil {
			return fmt.Errorf("smtp.tls: make a self-signed certificate: %w", err)
		}
	}
	return nil
}

func (s *certificates) loadWeb(c config) error {
	if s.obtaining != nil && c.ACME.Web {
		s.web.from(s.obtaining.GetCertificate)
	}
	if c.Web.TLSCert == "" {
		return nil
	}
	if err := s.web.fromFiles(c.Web.TLSCert, c.Web.TLSKey); err != nil {
		return fmt.Errorf("web.tls_cert, web.tls_key: %w", err)
	}
	return nil
}

// reload reads the files that read names, for the listeners that have TLS: to
// begin or to end it takes a restart. What cannot be read leaves the
// certificate in use.
func (s *certificates) reload(running, read config) error {
	var mail, web, obtained error
	if running.SMTP.TLS == tlsFiles && read.SMTP.TLS == tlsFiles {
		mail = s.loadSMTP(read)
	}
	if running.Web.TLSCert != "" {
		web = s.loadWeb(read)
	}
	if s.obtaining != nil && read.ACME.Agreed {
		obtained = s.obtaining.open(read.ACME)
	}
	return errors.Join(mail, web, obtained)
}
