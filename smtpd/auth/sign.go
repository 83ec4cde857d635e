package auth

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// Signer puts a DKIM signature on outgoing mail. It may be used by several
// goroutines at once.
type Signer struct {
	domain, selector string
	key              crypto.Signer
}

// NewSigner returns a Signer for a domain (d=) and selector (s=). The key is
// one that ParseKey returns; anything it cannot sign with is an error of Sign.
func NewSigner(domain, selector string, key crypto.Signer) *Signer {
	return &Signer{domain: domain, selector: selector, key: key}
}

// signedFields are signed wherever the mail has them, each once more than it
// is there, so that nobody can set another in front (RFC 6376 section 8.15).
// Fields that are absent are not signed: lists and gateways add them rightfully.
var signedFields = []string{
	"From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID",
	"In-Reply-To", "References", "MIME-Version", "Content-Type",
	"Content-Transfer-Encoding", "Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post",
}

// Sign returns the mail with a DKIM-Signature (relaxed/relaxed, SHA-256) in
// front and every line ending in CRLF. raw is not changed.
func (s *Signer) Sign(raw []byte) ([]byte, error) {
	domain, ok := asciiDomain(s.domain)
	if !ok {
		return nil, fmt.Errorf("sign mail: %q is no domain name", s.domain)
	}
	if _, ok := asciiDomain(s.selector); !ok {
		return nil, fmt.Errorf("sign mail: %q is no DKIM selector", s.selector)
	}
	m := parseMessage(raw)
	if len(m.named("from")) != 1 {
		return nil, errors.New("sign mail: the mail must have one From field")
	}
	if m.unfolding() > maxUnfolding {
		return nil, errors.New("sign mail: the header is too long")
	}
	var names []string
	for _, name := range signedFields {
		if n := len(m.named(strings.ToLower(name))); n > 0 {
			for range n + 1 {
				names = append(names, name)
			}
		}
	}
	var signed bytes.Buffer
	signed.Grow(len(m.raw) + 2048)
	err := dkim.Sign(&signed, bytes.NewReader(m.raw), &dkim.SignOptions{
		Domain: domain, Selector: s.selector, Signer: s.key, HeaderKeys: names,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		return nil, fmt.Errorf("sign mail for %s: %w", domain, err)
	}
	return signed.Bytes(), nil
}

// maxUnfolding bounds message.unfolding, to about a second. A To field of ten
// thousand recipients, a line each, stays below it.
const maxUnfolding = 4 << 30

// unfolding is how many bytes go-msgauth copies to unfold the header: it joins a field
// line by line, which costs the square of the field's length.
func (m *message) unfolding() int {
	copied := 0
	for _, f := range m.fields {
		before := 0
		for line := range strings.SplitAfterSeq(f.raw, "\r\n") {
			if before > 0 && line != "" {
				copied += before + len(line)
			}
			before += len(line)
		}
	}
	return copied
}
