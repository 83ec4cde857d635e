package outbound

import (
	"fmt"
	"sync"
	"time"
)

// Bounds of what is kept: a server closes what lies idle for long, and some
// count the mails of a connection.
const (
	maxIdle  = 64
	maxMails = 50
)

// idleConnections are sessions that wait for the next mail to the same server.
type idleConnections struct {
	mu     sync.Mutex
	byKey  map[string][]*idleConnection
	count  int
	closed bool
}

type idleConnection struct {
	*conversation
	expiry *time.Timer
}

// connectionKey tells what a connection can be used for: one that was encrypted
// in a certain way is no other.
func connectionKey(t target, smarthost *Smarthost, p tlsPolicy) string {
	account := ""
	if smarthost != nil {
		account = smarthost.Username + "@" + smarthost.Address
	}
	return fmt.Sprint(t.host, " ", t.address, " ", account, " ", p.implicit, p.wanted, p.required, p.verify, p.keys, p.names)
}

func (c *conversation) key() string { return connectionKey(c.target, c.smarthost, c.policy) }

// take returns an idle connection, nil where there is none.
func (i *idleConnections) take(key string) *conversation {
	i.mu.Lock()
	defer i.mu.Unlock()
	list := i.byKey[key]
	if len(list) == 0 {
		return nil
	}
	last := list[len(list)-1]
	last.expiry.Stop()
	i.remove(key, last)
	return last.conversation
}

// keep holds a connection for the given time; false means that it is not kept.
func (i *idleConnections) keep(c *conversation, d time.Duration) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if d <= 0 || i.closed || i.count >= maxIdle || c.mails >= maxMails {
		return false
	}
	if i.byKey == nil {
		i.byKey = map[string][]*idleConnection{}
	}
	key, kept := c.key(), &idleConnection{conversation: c}
	kept.expiry = time.AfterFunc(d, func() {
		i.mu.Lock()
		mine := i.remove(key, kept)
		i.mu.Unlock()
		if mine {
			c.leave()
		}
	})
	i.byKey[key] = append(i.byKey[key], kept)
	i.count++
	return true
}

// remove reports whether the connection was still there. The caller holds mu.
func (i *idleConnections) remove(key string, gone *idleConnection) bool {
	for at, c := range i.byKey[key] {
		if c != gone {
			continue
		}
		i.byKey[key] = append(i.byKey[key][:at:at], i.byKey[key][at+1:]...)
		if len(i.byKey[key]) == 0 {
			delete(i.byKey, key)
		}
		i.count--
		return true
	}
	return false
}

func (c *conversation) leave() {
	c.quit()
	c.transport.Close()
}

// Close takes leave of every server that a connection is kept to, and keeps none
// from then on. Deliveries under way go on.
func (s *Sender) Close() {
	s.idle.mu.Lock()
	s.idle.closed = true
	var all []*conversation
	for _, list := range s.idle.byKey {
		for _, c := range list {
			c.expiry.Stop()
			all = append(all, c.conversation)
		}
	}
	s.idle.byKey, s.idle.count = nil, 0
	s.idle.mu.Unlock()
	var group sync.WaitGroup
	for _, c := range all {
		group.Go(c.leave)
	}
	group.Wait()
}
