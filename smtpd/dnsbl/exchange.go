package dnsbl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

// streamFor is how long a name server that answers over TCP alone is asked so at once.
const streamFor = 10 * time.Minute

// exchange asks the name servers in turn.
func (c *Checker) exchange(ctx context.Context, name string, kind uint16) (*dns.Msg, error) {
	ask := new(dns.Msg).SetQuestion(name, kind)
	ask.SetEdns0(1232, false)
	err := errors.New("no name server is known")
	for i, server := range c.options.Servers {
		// A server that is silent leaves time for the next.
		share, cancel := ctx, context.CancelFunc(func() {})
		if i < len(c.options.Servers)-1 {
			share, cancel = halfOf(ctx)
		}
		var reply *dns.Msg
		reply, err = c.exchangeWith(share, ask, server)
		cancel()
		if err == nil {
			return reply, nil
		}
	}
	return nil, fmt.Errorf("ask for %s of %s: %w", dns.TypeToString[kind], name, err)
}

// exchangeWith asks one server, over TCP where an answer was cut, and where nothing comes
// back over UDP, as through some firewalls.
func (c *Checker) exchangeWith(ctx context.Context, ask *dns.Msg, server string) (reply *dns.Msg, err error) {
	packets := !c.streams(server)
	if packets {
		half, cancel := halfOf(ctx)
		reply, err = c.over(half, "udp", ask, server)
		cancel()
		if err == nil && !reply.Truncated {
			return answered(reply, server)
		}
	}
	silent := packets && reply == nil
	if reply, err = c.over(ctx, "tcp", ask, server); err != nil {
		c.setStreams(server, time.Time{})
		return nil, err
	}
	if silent {
		c.setStreams(server, time.Now().Add(streamFor))
	}
	return answered(reply, server)
}

func (c *Checker) over(ctx context.Context, network string, ask *dns.Msg, server string) (*dns.Msg, error) {
	reply, _, err := (&dns.Client{Net: network, Timeout: c.options.Timeout}).ExchangeContext(ctx, ask, server)
	if err != nil {
		return nil, err
	}
	return reply, nil
}

func answered(reply *dns.Msg, server string) (*dns.Msg, error) {
	if reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError {
		return nil, fmt.Errorf("%s answers %s", server, dns.RcodeToString[reply.Rcode])
	}
	return reply, nil
}

// halfOf is a context with half of the time that is left.
func halfOf(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/2)
}

// streams tells whether a server is asked over TCP at once.
func (c *Checker) streams(server string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Before(c.stream[server])
}

func (c *Checker) setStreams(server string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stream[server] = until
}
