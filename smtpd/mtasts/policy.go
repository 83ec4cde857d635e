// Package mtasts is MTA-STS (RFC 8461): what a domain says over HTTPS of how
// its mail hosts must be reached, both the domains of others and our own.
package mtasts

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mode says what a sender does where a policy is not met.
type Mode string

// The modes (RFC 8461, section 5).
const (
	Enforce Mode = "enforce" // the mail is not delivered
	Testing Mode = "testing" // it is delivered all the same
	None    Mode = "none"    // there is no policy any more
)

// maxAge is the longest max_age (RFC 8461, section 3.2).
const maxAge = 31557600 * time.Second

// Policy is a domain's policy.
type Policy struct {
	Mode   Mode
	MX     []string // host names, "*." in front of one stands for one label
	MaxAge time.Duration
}

// String is the policy as it is served, lines ending in CRLF.
func (p Policy) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: STSv1\r\nmode: %s\r\n", p.Mode)
	for _, host := range p.MX {
		fmt.Fprintf(&b, "mx: %s\r\n", host)
	}
	fmt.Fprintf(&b, "max_age: %d\r\n", int(p.MaxAge.Seconds()))
	return b.String()
}

// ID names the policy in the DNS. It changes when the policy does.
func (p Policy) ID() string {
	sum := sha256.Sum256([]byte(p.String()))
	return hex.EncodeToString(sum[:10])
}

// Record is the TXT record at _mta-sts.DOMAIN.
func (p Policy) Record() string { return "v=STSv1; id=" + p.ID() + ";" }

// Parse reads a policy. Keys that are not known are passed over; of a key that
// must be there once the first one counts (RFC 8461, section 3.2).
func Parse(text string) (Policy, error) {
	var p Policy
	seen := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found {
			return p, fmt.Errorf("the line %.100q is not of the form key: value", line)
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if name == "mx" {
			p.MX = append(p.MX, strings.ToLower(strings.TrimSuffix(value, ".")))
		} else if _, twice := seen[name]; !twice {
			seen[name] = value
		}
	}
	if err := lines.Err(); err != nil {
		return p, fmt.Errorf("read the policy: %w", err)
	}
	if seen["version"] != "STSv1" {
		return p, fmt.Errorf("version is %.100q, not STSv1", seen["version"])
	}
	p.Mode = Mode(seen["mode"])
	if !slices.Contains([]Mode{Enforce, Testing, None}, p.Mode) {
		return p, fmt.Errorf("mode is %.100q, not enforce, testing or none", seen["mode"])
	}
	seconds, err := strconv.ParseUint(seen["max_age"], 10, 64)
	if err != nil {
		return p, fmt.Errorf("max_age is %.100q, not a number of seconds", seen["max_age"])
	}
	p.MaxAge = time.Duration(min(seconds, uint64(maxAge/time.Second))) * time.Second
	if len(p.MX) == 0 && p.Mode != None {
		return p, fmt.Errorf("the policy names no mx")
	}
	return p, nil
}

// Allows reports whether a mail host is one that the policy names.
func (p Policy) Allows(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, pattern := range p.MX {
		if pattern == host {
			return true
		}
		if domain, wild := strings.CutPrefix(pattern, "*."); wild {
			if label, rest, found := strings.Cut(host, "."); found && label != "" && rest == domain {
				return true
			}
		}
	}
	return false
}

// RecordID reads the id of TXT records at _mta-sts.DOMAIN; "" where none, or
// more than one, is a policy's (RFC 8461, section 3.1).
func RecordID(records []string) string {
	found := ""
	for _, record := range records {
		fields := strings.Split(record, ";")
		if strings.TrimSpace(fields[0]) != "v=STSv1" {
			continue
		}
		if found != "" {
			return ""
		}
		for _, field := range fields[1:] {
			if name, value, ok := strings.Cut(strings.TrimSpace(field), "="); ok && strings.TrimSpace(name) == "id" {
				found = strings.TrimSpace(value)
			}
		}
		if !validID(found) {
			return ""
		}
	}
	return found
}

func validID(id string) bool {
	if id == "" || len(id) > 32 {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}
