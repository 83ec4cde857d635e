// Package check looks at what surrounds a mail server and asks whether it is in
// order: its certificate, its ports, lists of bad senders, its clock, its disk.
package check

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// State is how something is.
type State string

// The states. Only Wrong needs somebody now.
const (
	Fine    State = "fine"
	Warning State = "warning"
	Wrong   State = "wrong"
	Unknown State = "unknown" // it could not be found out
)

// Finding is one thing that was looked at.
type Finding struct {
	Area    string // "certificate", "port", "blocklist", "clock" or "disk"
	Subject string // an address, a name, a path
	State   State
	// Key names the sentence that says what was found, Args what stands in it.
	Key  string
	Args []string
	// Fix is what to type; empty where nothing is to be done, or not by typing.
	Fix string
}

// Resolver answers DNS questions; a *net.Resolver is one.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
}

const (
	dialPatience = 5 * time.Second
	// clockSlack is how far a clock may be off: signatures, tokens and greylists
	// begin to fail beyond minutes, people wonder before.
	clockSlack = 30 * time.Second
	// Disks fuller than this make work soon, or now.
	lowShare, lowBytes   = 10, 2 << 30
	fullShare, fullBytes = 2, 256 << 20
)

// Outgoing connects to the mail server of a domain, as a delivery would: many
// networks close the port. dial is that of a net.Dialer.
func Outgoing(ctx context.Context, r Resolver, dial func(context.Context, string, string) (net.Conn, error), domain string, port int) Finding {
	f := Finding{Area: "port", Subject: domain, State: Unknown, Key: "outgoing_unknown"}
	records, err := r.LookupMX(ctx, domain+".")
	if err != nil || len(records) == 0 {
		f.Args = []string{domain}
		return f
	}
	host := strings.TrimSuffix(records[0].Host, ".")
	address := net.JoinHostPort(host, fmt.Sprint(port))
	f.Subject, f.Args = address, []string{address}
	if greets(ctx, dial, address) {
		f.State, f.Key = Fine, "outgoing_open"
		return f
	}
	f.State, f.Key = Wrong, "outgoing_closed"
	return f
}

// Incoming connects to the server by its public name, as others do. From inside
// a network that may fail though others get through.
func Incoming(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), host string, port int) Finding {
	address := net.JoinHostPort(host, fmt.Sprint(port))
	f := Finding{Area: "port", Subject: address, State: Fine, Key: "incoming_open", Args: []string{address}}
	if !greets(ctx, dial, address) {
		f.State, f.Key = Warning, "incoming_closed"
	}
	return f
}

// greets reports whether an SMTP server answers; it is told farewell.
func greets(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), address string) bool {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	greeting := make([]byte, 3)
	if n, err := conn.Read(greeting); err != nil || n < 3 || greeting[0] != '2' {
		return false
	}
	fmt.Fprint(conn, "QUIT\r\n")
	return true
}

// Blocklist asks whether a list of bad senders (RFC 5782) has an address of
// this server.
func Blocklist(ctx context.Context, r Resolver, list string, ip netip.Addr) Finding {
	f := Finding{Area: "blocklist", Subject: list, State: Fine, Key: "unlisted", Args: []string{ip.String(), list}}
	found, err := r.LookupIPAddr(ctx, reversed(ip)+"."+list+".")
	if err != nil {
		if dnsError, ok := err.(*net.DNSError); ok && dnsError.IsNotFound {
			return f
		}
		f.State, f.Key = Unknown, "list_silent"
		return f
	}
	for _, answer := range found {
		code := answer.IP.To4()
		switch {
		case code == nil || code[0] != 127:
		case code[1] == 255: // such as 127.255.255.254: it refuses this resolver
			f.State, f.Key = Unknown, "list_refuses"
			return f
		default:
			f.State, f.Key = Wrong, "listed"
			f.Args = append(f.Args, code.String())
			return f
		}
	}
	return f
}

// reversed is an address as lists are asked for it (RFC 5782, sections 2.1 and 2.4).
func reversed(ip netip.Addr) string {
	ip = ip.Unmap()
	var parts []string
	if ip.Is4() {
		for _, b := range ip.As4() {
			parts = append(parts, fmt.Sprint(b))
		}
	} else {
		for _, b := range ip.As16() {
			parts = append(parts, fmt.Sprintf("%x", b>>4), fmt.Sprintf("%x", b&15))
		}
	}
	slices.Reverse(parts)
	return strings.Join(parts, ".")
}

// Clock compares the time with that of a web server (the Date of its answer), in
// whole seconds, half of the request's duration allowed for.
func Clock(ctx context.Context, client *http.Client, url string, now func() time.Time) Finding {
	f := Finding{Area: "clock", Subject: url, State: Unknown, Key: "clock_unknown", Args: []string{url}}
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return f
	}
	asked := now()
	response, err := client.Do(request)
	if err != nil {
		return f
	}
	response.Body.Close()
	answered := now()
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return f
	}
	// The header has no parts of a second: on average half of one is missing.
	ours := asked.Add(answered.Sub(asked) / 2)
	off := ours.Sub(theirs.Add(500 * time.Millisecond)).Round(time.Second)
	f.State, f.Key, f.Args = Fine, "clock_right", []string{off.String(), url}
	if off.Abs() > clockSlack {
		f.State, f.Key, f.Fix = Wrong, "clock_off", "timedatectl set-ntp true"
	}
	return f
}

// Disk looks at the space that is left where a directory is.
func Disk(directory string) Finding {
	f := Finding{Area: "disk", Subject: directory, State: Fine, Key: "disk_free"}
	var s syscall.Statfs_t
	if err := syscall.Statfs(directory, &s); err != nil {
		f.State, f.Key, f.Args = Unknown, "disk_unknown", []string{directory}
		return f
	}
	return f.judge(uint64(s.Bavail)*uint64(s.Bsize), uint64(s.Blocks)*uint64(s.Bsize))
}

func (f Finding) judge(free, total uint64) Finding {
	share := uint64(100)
	if total > 0 {
		share = free * 100 / total
	}
	f.Args = []string{gigabytes(free), fmt.Sprint(share), f.Subject}
	switch {
	case free < fullBytes || share < fullShare && free < lowBytes:
		f.State, f.Key, f.Fix = Wrong, "disk_full", "du -sh "+f.Subject+"/*"
	case free < lowBytes || share < lowShare && free < 10*lowBytes:
		f.State, f.Key, f.Fix = Warning, "disk_low", "du -sh "+f.Subject+"/*"
	}
	return f
}

func gigabytes(bytes uint64) string { return fmt.Sprintf("%.1f GB", float64(bytes)/1e9) }
