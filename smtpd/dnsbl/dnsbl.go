// Package dnsbl asks lists of bad senders in the DNS about addresses (RFC 5782).
// It fails open: a list that does not answer, or answers nonsense, lists nobody.
package dnsbl

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"
)

// List is one list of bad senders.
type List struct {
	// Zone is its domain, such as "zen.spamhaus.org".
	Zone string
	// Refuse says that mail from who is on it is not taken; else it is only
	// marked.
	Refuse bool
	// Answers are the answers that count; empty stands for every one within
	// 127.0.0.0/8 that is no error.
	Answers []netip.Prefix
	// Lookup is a page that says why, where the list itself does not: {ip} stands
	// for the address.
	Lookup string
}

// Listing says that an address is on a list.
type Listing struct {
	Zone   string
	Refuse bool
	Answer netip.Addr // what the list answered, which says why in its own terms
	Reason string     // for people, often with an address to go to; may be empty
}

// Options are what a Checker asks, and how.
type Options struct {
	Lists []List
	// Servers are the name servers, host:port, the next where one does not answer.
	Servers []string
	// Timeout bounds all the questions about one address together.
	Timeout time.Duration
	Log     *slog.Logger
	// Failed is called for each list that could not be asked about an address.
	Failed func(zone string)
}

// The bounds of what is remembered.
const (
	maxAnswers   = 1 << 14
	shortestTTL  = time.Minute
	longestTTL   = time.Hour
	maxReason    = 300 // bytes
	failuresRest = 3   // in a row, after which a list is left alone for restTime
	restTime     = time.Minute
)

// Checker asks lists and remembers their answers as long as they allow. It may
// be used by many sessions at once.
type Checker struct {
	options Options
	asking  singleflight.Group

	mu      sync.Mutex
	answers *simplelru.LRU[question, answer]
	trouble map[string]*trouble  // by zone
	stream  map[string]time.Time // until when a server is asked over TCP
}

type question struct {
	zone string
	ip   netip.Addr
}

type answer struct {
	listing *Listing // nil: not listed
	until   time.Time
}

// trouble is how often a list failed in a row, and until when it is left alone.
type trouble struct {
	failures int
	until    time.Time
}

// New returns a Checker; without lists it is never asked anything.
func New(o Options) *Checker {
	lru, err := simplelru.NewLRU[question, answer](maxAnswers, nil)
	if err != nil { // only a size below 1 has one
		panic(err)
	}
	c := &Checker{options: o, answers: lru, trouble: map[string]*trouble{}, stream: map[string]time.Time{}}
	for _, l := range o.Lists {
		c.trouble[l.Zone] = &trouble{}
	}
	return c
}

// Check returns the lists that an address is on, in their order. It asks all of
// them at once and returns within the time-out. An address that is not of the
// internet is on none.
func (c *Checker) Check(ctx context.Context, ip netip.Addr) []Listing {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || len(c.options.Lists) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	found := make([]*Listing, len(c.options.Lists))
	var group sync.WaitGroup
	for i, list := range c.options.Lists {
		group.Go(func() { found[i] = c.check(ctx, list, ip) })
	}
	group.Wait()
	var listings []Listing
	for _, l := range found {
		if l != nil {
			listings = append(listings, *l)
		}
	}
	return listings
}

// check answers from memory, or asks. Several sessions of one client ask once.
func (c *Checker) check(ctx context.Context, list List, ip netip.Addr) *Listing {
	q := question{list.Zone, ip}
	if a, known := c.remembered(q); known {
		return a.listing
	}
	type result struct {
		listing *Listing
		err     error
	}
	done := c.asking.DoChan(list.Zone+" "+ip.String(), func() (_ any, err error) {
		// What is read are strangers' answers: a fault in it must not end the server.
		defer func() {
			if reason := recover(); reason != nil {
				c.options.Log.Error("blocklist not asked: panic", "list", list.Zone, "error", reason, "stack", string(debug.Stack()))
				err = fmt.Errorf("panic: %v", reason)
			}
		}()
		if a, known := c.remembered(q); known { // another session's question ended just now
			return result{listing: a.listing}, nil
		}
		// Not the caller's context: another session may wait for the answer, too.
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.Timeout)
		defer cancel()
		listing, ttl, err := c.ask(own, list, ip)
		c.remember(q, listing, ttl, err)
		return result{listing, err}, nil
	})
	select {
	case r := <-done:
		if r, ok := r.Val.(result); ok && r.err == nil {
			return r.listing
		}
	case <-ctx.Done():
	}
	return nil
}

func (c *Checker) remembered(q question) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.trouble[q.zone].until.After(now) {
		return answer{}, true
	}
	a, found := c.answers.Get(q)
	return a, found && a.until.After(now)
}

// remember keeps an answer. A failure is not one, but a list that fails again
// and again is left alone for a while, so that not every mail waits for it.
func (c *Checker) remember(q question, listing *Listing, ttl time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, now := c.trouble[q.zone], time.Now()
	if err == nil {
		t.failures = 0
		c.answers.Add(q, answer{listing, now.Add(min(max(ttl, shortestTTL), longestTTL))})
		return
	}
	attributes := []any{"list", q.zone, "ip", q.ip.String(), "error", err}
	if t.failures++; t.failures >= failuresRest {
		t.failures, t.until = 0, now.Add(restTime)
		attributes = append(attributes, "left_alone_for", restTime.String())
	}
	c.options.Log.Warn("blocklist not asked: nobody is refused for it", attributes...)
	if c.options.Failed != nil {
		c.options.Failed(q.zone)
	}
}

// judge reads what a list answered.
func (l List) judge(answers []netip.Addr) (code netip.Addr, err error) {
	for _, a := range answers {
		switch {
		case !loopback.Contains(a):
			return netip.Addr{}, fmt.Errorf("%w: it answers %s, which no list does; the name server may rewrite answers", errNonsense, a)
		case refusals.Contains(a) || a == notice:
			return netip.Addr{}, fmt.Errorf("%w: it answers %s, so it refuses this name server (many lists do so to public ones)", errRefused, a)
		}
	}
	for _, a := range answers {
		if len(l.Answers) == 0 || slices.ContainsFunc(l.Answers, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return a, nil
		}
	}
	return netip.Addr{}, nil
}

// reason puts together what is said to the sender.
func (l List) reason(text string, ip netip.Addr) string {
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "?")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "")
	}
	if l.Lookup == "" || strings.Contains(text, "://") {
		return text
	}
	return strings.TrimSpace(text + " " + strings.ReplaceAll(l.Lookup, "{ip}", ip.String()))
}
