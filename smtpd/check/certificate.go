package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/smtp"
	"time"
)

// expirySlack is how long before its end a certificate should have a successor:
// those that renew themselves do so a month before.
const expirySlack = 14 * 24 * time.Hour

// MailCertificate looks at the certificate of an SMTP server at address, which
// others reach as host. roots are the system's where nil.
func MailCertificate(ctx context.Context, address, host string, roots *x509.CertPool, now time.Time) Finding {
	f := Finding{Area: "certificate", Subject: host, State: Unknown, Key: "smtp_silent", Args: []string{address}}
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return f
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return f
	}
	if err := client.Hello("localhost"); err != nil {
		return f
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		f.State, f.Key, f.Fix = Wrong, "no_starttls", `smtp.tls = "self-signed"`
		return f
	}
	if err := client.StartTLS(&tls.Config{ServerName: host, InsecureSkipVerify: true}); err != nil {
		f.State, f.Key, f.Args = Wrong, "tls_broken", []string{err.Error()}
		return f
	}
	state, _ := client.TLSConnectionState()
	client.Quit()
	return f.certificate(state.PeerCertificates, host, roots, now)
}

// WebCertificate looks at the certificate of an https server at address, which
// browsers reach as host.
func WebCertificate(ctx context.Context, address, host string, roots *x509.CertPool, now time.Time) Finding {
	f := Finding{Area: "certificate", Subject: host, State: Unknown, Key: "web_silent", Args: []string{address}}
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: host, InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return f
	}
	defer conn.Close()
	return f.certificate(conn.(*tls.Conn).ConnectionState().PeerCertificates, host, roots, now)
}

func (f Finding) certificate(chain []*x509.Certificate, host string, roots *x509.CertPool, now time.Time) Finding {
	if len(chain) == 0 {
		f.State, f.Key, f.Args = Wrong, "tls_broken", []string{"no certificate"}
		return f
	}
	leaf := chain[0]
	ends := leaf.NotAfter.Format(time.DateOnly)
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: intermediates, CurrentTime: now})
	nameError, isName := errors.AsType[x509.HostnameError](err)
	switch {
	case now.After(leaf.NotAfter):
		f.State, f.Key, f.Args = Wrong, "expired", []string{host, ends}
	case now.Before(leaf.NotBefore):
		f.State, f.Key, f.Args = Wrong, "not_yet", []string{host, leaf.NotBefore.Format(time.DateOnly)}
	case isName:
		f.State, f.Key, f.Args = Wrong, "other_name", []string{host, nameError.Error()}
	case err != nil && leaf.Issuer.String() == leaf.Subject.String():
		f.State, f.Key, f.Args, f.Fix = Warning, "self_signed", []string{host}, "[acme] agreed = true"
	case err != nil:
		f.State, f.Key, f.Args = Wrong, "untrusted", []string{host, err.Error()}
	case leaf.NotAfter.Sub(now) < expirySlack:
		f.State, f.Key, f.Args = Warning, "ends_soon", []string{host, ends}
	default:
		f.State, f.Key, f.Args = Fine, "certificate_fine", []string{host, ends}
	}
	return f
}
