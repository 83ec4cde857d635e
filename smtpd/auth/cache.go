package auth

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Bounds of a cache of answers. A name server in the same house has a cache of its own,
// but asking it costs more than a signature to check: most mails come from the same
// few senders.
const (
	maxCachedAnswers = 2048 // of 1,232 bytes at most
	maxCachedFor     = time.Hour
	maxCachedAbsence = 5 * time.Minute
)

// CachingResolver is a resolver that remembers. Answers of all kinds are kept as they
// came; texts (TXT), which every mail's sender is asked for, also as they were read.
type CachingResolver struct {
	*net.Resolver
	cache *answerCache
}

// NewCachingResolver is NewResolver with a cache of answers, each for the time that it
// says itself (RFC 1035, section 3.2.1; RFC 2308, section 5, where there is no such
// record), for mails that are received. Whoever looks whether a record is there by now
// wants NewResolver.
func NewCachingResolver(address string, now func() time.Time) *CachingResolver {
	resolver := NewResolver(address)
	dial := resolver.Dial
	cache := &answerCache{now: now, answers: map[string]cachedAnswer{}, texts: map[string]cachedTexts{}}
	resolver.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if !strings.HasPrefix(network, "udp") {
			return dial(ctx, network, address)
		}
		return &cachedConn{cache: cache, dial: func() (net.Conn, error) { return dial(ctx, network, address) }}, nil
	}
	return &CachingResolver{resolver, cache}
}

// LookupTXT implements Resolver.
func (r *CachingResolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if known, ok := r.cache.getTexts(name); ok {
		return slices.Clone(known.texts), known.absent
	}
	texts, err := r.Resolver.LookupTXT(ctx, name)
	if err == nil || isNotFound(err) {
		r.cache.keepTexts(name, texts, err)
	}
	return texts, err
}

// answerCache keeps answers by their question: all of a query but its number.
type answerCache struct {
	now     func() time.Time
	mu      sync.Mutex
	answers map[string]cachedAnswer
	texts   map[string]cachedTexts // by the name that was asked for
}

type cachedAnswer struct {
	message []byte
	until   time.Time
}

// cachedTexts are texts, or the error that there are none. They are unread until the
// resolver has made them of the answer.
type cachedTexts struct {
	read   bool
	texts  []string
	absent error
	until  time.Time
}

func (c *answerCache) getTexts(name string) (cachedTexts, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.texts[name]
	return known, known.read && c.now().Before(known.until)
}

// keepTexts keeps what was read of an answer as long as the answer.
func (c *answerCache) keepTexts(name string, texts []string, absent error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.texts[name]; ok {
		c.texts[name] = cachedTexts{true, slices.Clone(texts), absent, known.until}
	}
}

const idSize = 2 // of the number ahead of a query and its answer

func (c *answerCache) get(query []byte) []byte {
	if len(query) < idSize {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.answers[string(query[idSize:])]
	if !ok || !c.now().Before(known.until) {
		return nil
	}
	return append(append(make([]byte, 0, len(known.message)), query[:idSize]...), known.message[idSize:]...)
}

func (c *answerCache) put(query, answer []byte) {
	var asked dnsmessage.Message
	if asked.Unpack(query) != nil || len(asked.Questions) != 1 {
		return
	}
	lifetime := lifetimeOf(&asked, answer)
	if lifetime <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	makeRoom(c.answers, func(known cachedAnswer) bool { return now.Before(known.until) })
	c.answers[string(query[idSize:])] = cachedAnswer{append([]byte(nil), answer...), now.Add(lifetime)}
	if question := asked.Questions[0]; question.Type == dnsmessage.TypeTXT {
		makeRoom(c.texts, func(known cachedTexts) bool { return now.Before(known.until) })
		c.texts[question.Name.String()] = cachedTexts{until: now.Add(lifetime)}
	}
}

// makeRoom removes from a full cache what is no longer good, or else the first that comes.
func makeRoom[T any](cache map[string]T, good func(T) bool) {
	for key, known := range cache {
		if len(cache) < maxCachedAnswers {
			break
		}
		if delete(cache, key); good(known) {
			break
		}
	}
}

// lifetimeOf is how long an answer may be kept: not at all where it does not belong to
// the query, is cut short, or tells of trouble.
func lifetimeOf(asked *dnsmessage.Message, answer []byte) time.Duration {
	var parsed dnsmessage.Message
	if parsed.Unpack(answer) != nil || len(parsed.Questions) != 1 {
		return 0
	}
	question, repeated := asked.Questions[0], parsed.Questions[0]
	if !parsed.Response || parsed.ID != asked.ID || parsed.Truncated || repeated.Type != question.Type || repeated.Class != question.Class ||
		!strings.EqualFold(repeated.Name.String(), question.Name.String()) {
		return 0
	}
	switch {
	case parsed.RCode == dnsmessage.RCodeSuccess && len(parsed.Answers) > 0:
		lifetime := maxCachedFor
		for _, record := range parsed.Answers {
			lifetime = min(lifetime, time.Duration(record.Header.TTL)*time.Second)
		}
		return lifetime
	case parsed.RCode == dnsmessage.RCodeSuccess || parsed.RCode == dnsmessage.RCodeNameError:
		for _, record := range parsed.Authorities {
			if soa, ok := record.Body.(*dnsmessage.SOAResource); ok {
				return min(maxCachedAbsence, time.Duration(min(record.Header.TTL, soa.MinTTL))*time.Second)
			}
		}
	}
	return 0
}

// cachedConn is a connection to a name server that is made when the cache has no
// answer. It serves one query, as the resolver uses it.
type cachedConn struct {
	cache    *answerCache
	dial     func() (net.Conn, error)
	conn     net.Conn // nil until it is needed
	deadline time.Time
	query    []byte
	answer   []byte // from the cache, until it is read
}

var _ net.PacketConn = (*cachedConn)(nil) // so that the resolver sends messages and no stream

func (c *cachedConn) Write(query []byte) (int, error) {
	if c.answer = c.cache.get(query); c.answer != nil {
		return len(query), nil
	}
	if c.conn == nil {
		conn, err := c.dial()
		if err != nil {
			return 0, err
		}
		c.conn = conn
		if err := conn.SetDeadline(c.deadline); err != nil {
			return 0, err
		}
	}
	c.query = append(c.query[:0], query...)
	return c.conn.Write(query)
}

func (c *cachedConn) Read(b []byte) (int, error) {
	if c.answer != nil {
		n := copy(b, c.answer)
		c.answer = nil
		return n, nil
	}
	if c.conn == nil {
		return 0, net.ErrClosed
	}
	n, err := c.conn.Read(b)
	if err == nil {
		c.cache.put(c.query, b[:n])
	}
	return n, err
}

func (c *cachedConn) Close() error {
	if c.conn == nil {
		return nil
	}
	return c.conn.Close()
}

func (c *cachedConn) SetDeadline(t time.Time) error {
	c.deadline = t
	if c.conn == nil {
		return nil
	}
	return c.conn.SetDeadline(t)
}

func (c *cachedConn) SetReadDeadline(t time.Time) error  { return c.SetDeadline(t) }
func (c *cachedConn) SetWriteDeadline(t time.Time) error { return c.SetDeadline(t) }

func (c *cachedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := c.Read(b)
	return n, c.RemoteAddr(), err
}

func (c *cachedConn) WriteTo(b []byte, _ net.Addr) (int, error) { return c.Write(b) }

func (c *cachedConn) LocalAddr() net.Addr {
	if c.conn == nil {
		return &net.UDPAddr{}
	}
	return c.conn.LocalAddr()
}

func (c *cachedConn) RemoteAddr() net.Addr {
	if c.conn == nil {
		return &net.UDPAddr{}
	}
	return c.conn.RemoteAddr()
}
