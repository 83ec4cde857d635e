package main

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/card"
	"github.com/madoguchi/madoguchi/helpdesk/fetch"
)

// cardConfig is an endpoint that is asked about customers.
type cardConfig struct {
	Name         string    `toml:"name"`
	URL          string    `toml:"url"`
	Secret       string    `toml:"secret"`
	SecretFile   string    `toml:"secret_file"`
	Timeout      duration  `toml:"timeout"` // 3 s where it is left out
	Cache        *duration `toml:"cache"`   // 5 min where it is left out
	AllowPrivate bool      `toml:"allow_private"`
	Aliases      []string  `toml:"aliases"`
}

// Defaults of customer cards.
const (
	cardTimeout = 3 * time.Second
	cardCache   = 5 * time.Minute
)

func (k *checker) cards(list []cardConfig) {
	for i, c := range list {
		at := fmt.Sprintf("customer_card[%d]", i)
		u, err := url.Parse(c.URL)
		if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
			k.add(at+".url", `%q is no web address; write it like "https://shop.example.com/madoguchi/customer"`, c.URL)
		} else if port := u.Port(); !c.AllowPrivate && port != "" && port != "80" && port != "443" {
			k.add(at+".url", "port %s is reached only with allow_private = true", port)
		}
		if c.Secret != "" && c.SecretFile != "" {
			k.add(at+".secret_file", "give secret or secret_file, not both")
		}
		if c.SecretFile != "" {
			if _, err := os.ReadFile(c.SecretFile); err != nil {
				k.add(at+".secret_file", "%v", err)
			}
		}
		if c.Timeout.Duration < 0 {
			k.add(at+".timeout", `must be more than nothing, such as "3s"`)
		}
		if c.Cache != nil && c.Cache.Duration < 0 {
			k.add(at+".cache", `must not be negative; "0s" keeps nothing`)
		}
	}
}

// cards is what asks for customer cards, nil where none is configured.
func (c *config) cards() (*card.Desk, error) {
	var sources []card.Source
	for _, from := range c.Cards {
		s := card.Source{Name: from.Name, URL: from.URL, Secret: from.Secret, Aliases: from.Aliases, Cache: cardCache,
			Network: fetch.Network{Timeout: cmp.Or(from.Timeout.Duration, cardTimeout)}}
		if from.Cache != nil {
			s.Cache = from.Cache.Duration
		}
		if from.SecretFile != "" {
			secret, err := os.ReadFile(from.SecretFile)
			if err != nil {
				return nil, fmt.Errorf("read the secret of the customer card: %w", err)
			}
			s.Secret = strings.TrimSpace(string(secret))
		}
		if from.AllowPrivate {
			s.Network.Dial = card.DialAnywhere
		}
		sources = append(sources, s)
	}
	if len(sources) == 0 {
		return nil, nil
	}
	return card.New(sources, time.Now), nil
}
