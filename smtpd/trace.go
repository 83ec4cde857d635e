package smtpd

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// received writes the trace field of RFC 5321 section 4.4. The recipient is
// named only where it is the only one, so that nobody learns of the others.
func received(e *Envelope, hostname string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Received: from %s", traceName(e.HELO))
	if e.RemoteIP.IsValid() {
		fmt.Fprintf(&b, " (%s)", addressLiteral(e.RemoteIP))
	}
	fmt.Fprintf(&b, "\r\n\tby %s with %s", traceName(hostname), e.Protocol)
	if e.TLS != "" {
		fmt.Fprintf(&b, "\r\n\t(%s)", e.TLS)
	}
	fmt.Fprintf(&b, " id %s", e.ID)
	if len(e.Recipients) == 1 {
		fmt.Fprintf(&b, "\r\n\tfor <%s>", e.Recipients[0])
	}
	fmt.Fprintf(&b, ";\r\n\t%s\r\n", e.ReceivedAt.Format(time.RFC1123Z))
	return b.String()
}

// traceName makes what a client calls itself fit for a trace field.
func traceName(name string) string {
	name = strings.Map(func(r rune) rune {
		if isHostRune(r) && !isNotASCII(r) || strings.ContainsRune("[]:", r) {
			return r
		}
		return '?'
	}, name[:min(len(name), 255)])
	if name == "" {
		return "unknown"
	}
	return name
}

// addressLiteral writes an address as in RFC 5321 section 4.1.3.
func addressLiteral(a netip.Addr) string {
	if a.Is6() {
		return "[IPv6:" + a.WithZone("").String() + "]"
	}
	return "[" + a.String() + "]"
}

// protocol returns the word for "with": RFC 3848, and RFC 6531 section 4.3 for
// mails that need UTF-8. HELO over TLS has no word of its own.
func protocol(lmtp, extended, secured, smtputf8 bool) string {
	word := "ESMTP"
	switch {
	case lmtp && smtputf8:
		word = "UTF8LMTP"
	case lmtp:
		word = "LMTP"
	case smtputf8:
		word = "UTF8SMTP"
	case !extended && !secured:
		return "SMTP"
	}
	if secured {
		word += "S"
	}
	return word
}

// tlsText writes "TLS1.3 TLS_AES_128_GCM_SHA256".
func tlsText(state *tls.ConnectionState) string {
	if state == nil {
		return ""
	}
	version := strings.ReplaceAll(tls.VersionName(state.Version), " ", "")
	return version + " " + tls.CipherSuiteName(state.CipherSuite)
}

// countReceived counts the Received fields of a mail's header.
func countReceived(raw []byte) int {
	const field = "received:"
	count := 0
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		if len(bytes.TrimRight(line, "\r")) == 0 {
			break
		}
		if len(line) >= len(field) && strings.EqualFold(string(line[:len(field)]), field) {
			count++
		}
		raw = rest
	}
	return count
}
