package outbound

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Smarthost is a server that takes all outgoing mail (RFC 6409).
type Smarthost struct {
	// Address is host:port. Without a port it is 465 for implicit TLS, and 587
	// otherwise.
	Address string
	// Username and Password authenticate with AUTH PLAIN or LOGIN; no AUTH where
	// Username is empty.
	Username, Password string
	// TLS is one of:
	//   "starttls"       STARTTLS, or no delivery
	//   "implicit"       TLS from the first byte (RFC 8314)
	//   "opportunistic"  STARTTLS where offered, certificate not verified
	//   "none"           no encryption
	// Empty stands for "starttls" where there is a Username and the host is not
	// on this machine, and for "opportunistic" otherwise.
	TLS string
}

// Validate reports what in the configuration cannot work.
func (h Smarthost) Validate() error {
	if _, _, err := h.hostPort(); err != nil {
		return err
	}
	switch h.TLS {
	case "", "starttls", "implicit", "opportunistic", "none":
	default:
		return fmt.Errorf(`smarthost: tls is %q; it must be "starttls", "implicit", "opportunistic" or "none"`, h.TLS)
	}
	if h.Username != "" && !h.onLoopback() && (h.TLS == "none" || h.TLS == "opportunistic") {
		return fmt.Errorf(`smarthost: tls is %q, which could send the password in clear; use "starttls" or "implicit"`, h.TLS)
	}
	if strings.ContainsRune(h.Username+h.Password, 0) {
		return fmt.Errorf("smarthost: the username or the password holds a NUL character")
	}
	return nil
}

func (h Smarthost) hostPort() (host, port string, err error) {
	address := h.Address
	if _, _, err := net.SplitHostPort(address); err != nil {
		port := "587"
		if h.TLS == "implicit" {
			port = "465"
		}
		address = net.JoinHostPort(strings.Trim(address, "[]"), port)
	}
	host, port, err = net.SplitHostPort(address)
	number, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" || portErr != nil || number == 0 || strings.ContainsAny(host, " /\r\n") {
		return "", "", fmt.Errorf(`smarthost: address is %q; it must be host:port, such as "mail.example.com:587"`, h.Address)
	}
	return host, port, nil
}

// onLoopback says that the connection cannot leave this machine.
func (h Smarthost) onLoopback() bool {
	host, _, err := h.hostPort()
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func (h Smarthost) policy() tlsPolicy {
	switch {
	case h.TLS == "starttls", h.TLS == "" && h.Username != "" && !h.onLoopback():
		return tlsPolicy{wanted: true, required: true, verify: true}
	case h.TLS == "implicit":
		return tlsPolicy{implicit: true, required: true, verify: true}
	case h.TLS == "none":
		return tlsPolicy{}
	}
	return tlsPolicy{wanted: true}
}
