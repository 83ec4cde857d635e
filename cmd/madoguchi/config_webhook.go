package main

import (
	"context"

	"github.com/madoguchi/madoguchi/helpdesk/fetch"
	"github.com/madoguchi/madoguchi/helpdesk/run"
)

// webhooksConfig is where webhooks may be, and how long they may fail.
type webhooksConfig struct {
	AllowNetworks []string `toml:"allow_networks"`
	GiveUpAfter   duration `toml:"give_up_after"`
}

func (k *checker) webhooks(c webhooksConfig) {
	k.networks("webhooks.allow_networks", c.AllowNetworks)
	k.positive("webhooks.give_up_after", int64(c.GiveUpAfter.Duration))
}

// network is how webhooks are reached.
func (c webhooksConfig) network() fetch.Network {
	return fetch.Network{Dial: fetch.DialAllowed(nil, networksOf(c.AllowNetworks))}
}

// openWebhooks returns what tells webhooks of events, and has the log followed.
func (s *server) openWebhooks(ctx context.Context, teller run.Teller) (*run.Teller, error) {
	teller.Desk, teller.Log, teller.Network = s.desk, s.log, s.config.Webhooks.network()
	teller.Agent = "Madoguchi/" + programVersion()
	opened := run.NewTeller(teller)
	follower, err := opened.Follower(ctx)
	if err != nil {
		return nil, err
	}
	s.background = append(s.background, func(ctx context.Context) { run.Follow(ctx, s.desk, follower, s.log) })
	return opened, nil
}
