package check

import (
	"context"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// namePatience bounds a question to a name server, which is asked twice over UDP, where
// a packet may be lost, and once over TCP.
const namePatience = 2 * time.Second

// NameServers asks each name server (host:port) anything: whatever it says, it is there.
// One that is silent is wrong where it is the only one, and else makes each first question
// wait for it.
func NameServers(ctx context.Context, servers []string) []Finding {
	list := make([]Finding, len(servers))
	var group sync.WaitGroup
	for i, server := range servers {
		group.Go(func() { list[i] = nameServer(ctx, server) })
	}
	group.Wait()
	state := Wrong
	for _, f := range list {
		if f.Key != "resolver_silent" {
			state = Warning
		}
	}
	for i := range list {
		if list[i].Key == "resolver_silent" {
			list[i].State = state
		}
	}
	return list
}

func nameServer(ctx context.Context, server string) Finding {
	f := Finding{Area: "records", Subject: server, State: Fine, Key: "resolver_fine", Args: []string{server}}
	question := new(dns.Msg).SetQuestion(".", dns.TypeNS)
	for _, network := range []string{"udp", "udp", "tcp"} {
		client := &dns.Client{Net: network, Timeout: namePatience}
		if _, _, err := client.ExchangeContext(ctx, question, server); err != nil {
			continue
		}
		if network == "tcp" {
			f.State, f.Key = Warning, "resolver_tcp"
		}
		return f
	}
	f.Key = "resolver_silent"
	return f
}
