package card

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/madoguchi/madoguchi/helpdesk/fetch"
)

// Source is an endpoint that knows customers.
type Source struct {
	Name string // a heading, where the answer has no title; may be empty
	URL  string
	// Secret signs the requests; "" leaves them unsigned.
	Secret string
	// Aliases are the addresses for whose tickets it is asked; none means all.
	Aliases []string
	// Cache is how long an answer is kept; nothing is kept where it is not positive.
	Cache time.Duration
	// Network is how it is reached; its Timeout bounds the whole request.
	Network fetch.Network
}

// Customer is whom is asked about.
type Customer struct {
	Email     string   // the main address
	Addresses []string // all of them, the main one first
	Name      string
	Language  string
	Alias     string // the address that the ticket came to, or ""
}

// Desk asks sources, and remembers their answers for a while. It may be used by
// several goroutines.
type Desk struct {
	sources []source
	now     func() time.Time
	flight  singleflight.Group

	mu    sync.Mutex
	kept  map[string]kept
	order []string // oldest first; every key of kept once
}

type source struct {
	Source
	client *http.Client
	slots  chan struct{}
}

type kept struct {
	card *Card
	at   time.Time
}

// Bounds of asking.
const (
	maxKept = 1000 // answers in memory
	atOnce  = 8    // requests to one source at one time
)

// New returns a desk for sources. now is the clock.
func New(sources []Source, now func() time.Time) *Desk {
	d := &Desk{now: now, kept: map[string]kept{}}
	for _, s := range sources {
		d.sources = append(d.sources, source{s, s.Network.Client(atOnce), make(chan struct{}, atOnce)})
	}
	return d
}

// For returns the indexes of the sources that are asked for tickets of an alias;
// of all sources where alias is "".
func (d *Desk) For(alias string) (list []int) {
	for i, s := range d.sources {
		if alias == "" || len(s.Aliases) == 0 || slices.ContainsFunc(s.Aliases, func(a string) bool { return strings.EqualFold(a, alias) }) {
			list = append(list, i)
		}
	}
	return list
}

// Name is the heading of a source.
func (d *Desk) Name(i int) string { return d.sources[i].Name }

// Network is how a source, and the pictures of its cards, are reached.
func (d *Desk) Network(i int) fetch.Network { return d.sources[i].Network }

// Len is how many sources there are.
func (d *Desk) Len() int { return len(d.sources) }

// Problem is why there is no card, for people: Key is one of "timeout",
// "unreachable", "refused_address", "status", "redirect", "type", "answer".
type Problem struct {
	Key    string
	Detail string // in English, without the address asked
	err    error
}

func (p *Problem) Error() string { return "customer card: " + p.Key + ": " + p.Detail }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.err }

// Ask returns what source i knows of a customer. again asks it though an answer
// is kept. Errors are *Problem, or those of ctx.
func (d *Desk) Ask(ctx context.Context, i int, c Customer, again bool) (*Card, error) {
	s := &d.sources[i]
	key := strings.Join(append([]string{strconv.Itoa(i), c.Alias, c.Name, c.Language}, c.Addresses...), "\x00")
	if !again {
		if card, ok := d.remembered(key, s.Cache); ok {
			return card, nil
		}
	}
	done := d.flight.DoChan(key, func() (any, error) {
		// Whoever asks first may leave; others may wait for the same answer.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Network.Limit())
		defer cancel()
		card, err := s.ask(ctx, c, d.now())
		if err != nil {
			return nil, err
		}
		d.remember(key, card, s.Cache)
		return card, nil
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Card), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (d *Desk) remembered(key string, life time.Duration) (*Card, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k, ok := d.kept[key]
	return k.card, ok && d.now().Sub(k.at) < life
}

func (d *Desk) remember(key string, card *Card, life time.Duration) {
	if life <= 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.kept[key]; ok {
		d.order = slices.DeleteFunc(d.order, func(k string) bool { return k == key })
	} else if len(d.order) >= maxKept {
		delete(d.kept, d.order[0])
		d.order = d.order[1:]
	}
	d.kept[key], d.order = kept{card, d.now()}, append(d.order, key)
}

// question is the JSON that a source is sent.
type question struct {
	Email     string   `json:"email"`
	Addresses []string `json:"addresses"`
	Name      string   `json:"name"`
	Language  string   `json:"language"`
	Alias     string   `json:"alias"`
}

func (s *source) ask(ctx context.Context, c Customer, now time.Time) (*Card, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, problemOf(ctx.Err())
	}
	body, err := json.Marshal(question(c))
	if err != nil {
		return nil, &Problem{"answer", err.Error(), err}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return nil, problemOf(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "Madoguchi customer card")
	if s.Secret != "" {
		at := strconv.FormatInt(now.Unix(), 10)
		request.Header.Set("Madoguchi-Timestamp", at)
		request.Header.Set("Madoguchi-Signature", "sha256="+Sign(s.Secret, at, body))
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, problemOf(err)
	}
	defer response.Body.Close()
	return readResponse(response)
}

// Sign is the signature of a request: HMAC-SHA256 (RFC 2104), in hexadecimal, of
// the timestamp, a full stop and the body.
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func readResponse(response *http.Response) (*Card, error) {
	switch code := response.StatusCode; {
	case code == http.StatusNotFound || code == http.StatusNoContent:
		return &Card{}, nil
	case code >= 300 && code < 400:
		return nil, &Problem{Key: "redirect", Detail: "it answered " + response.Status + "; redirects are not followed"}
	case code != http.StatusOK:
		return nil, &Problem{Key: "status", Detail: response.Status}
	}
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, &Problem{Key: "type", Detail: fmt.Sprintf("%.60q", response.Header.Get("Content-Type"))}
	}
	card, err := Read(response.Body)
	if err == nil {
		return card, nil
	}
	// A server that notices that we leave can still end its answer in good order.
	if ended := response.Request.Context().Err(); ended != nil {
		return nil, problemOf(ended)
	}
	if p := problemOf(err); p.Key == "timeout" {
		return nil, p
	}
	return nil, &Problem{"answer", err.Error(), err}
}

// problemOf says what kept a request from being answered, without the address,
// which may hold a secret.
func problemOf(err error) *Problem {
	var refused *fetch.RefusedAddressError
	var address *url.Error
	cause := err
	if errors.As(err, &address) {
		cause = address.Err
	}
	var timeout net.Error
	switch {
	case errors.As(err, &refused):
		return &Problem{"refused_address", refused.Error(), err}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &Problem{"timeout", "no answer in time", err}
	}
	return &Problem{"unreachable", cause.Error(), err}
}

// DialAnywhere is the Dial of a network on which private addresses are allowed,
// because the house said so of a server of its own.
func DialAnywhere(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	return d.DialContext(ctx, network, address)
}

const dialTimeout = 4 * time.Second
