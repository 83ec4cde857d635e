package mtasts_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/fetch"
	"github.com/madoguchi/madoguchi/helpdesk/fetch/fetchtest"
	"github.com/madoguchi/madoguchi/smtpd/mtasts"
)

// published says that every domain has a policy.
type published struct{}

func (published) LookupTXT(context.Context, string) ([]string, error) {
	return []string{"v=STSv1; id=1;"}, nil
}

type forgetful struct{}

func (forgetful) PolicyOf(context.Context, string) (mtasts.Kept, bool, error) {
	return mtasts.Kept{}, false, nil
}
func (forgetful) KeepPolicy(context.Context, string, mtasts.Kept) error { return nil }

// Whoever writes to us names a domain, and its policy is fetched when they are
// answered: that must not lead inside.
func TestAPolicyIsNotFetchedFromInside(t *testing.T) {
	answers := map[string][]string{"mta-sts.inside.test": {"10.0.0.1"}, "mta-sts.metadata.test": {"169.254.169.254"}, "mta-sts.own.test": {"127.0.0.1"}}
	network := fetch.Network{Dial: fetch.DialPublic(fetchtest.Resolver(t, answers))}
	finder := &mtasts.Finder{Resolver: published{}, Client: network.Client(1), Memory: forgetful{}, Now: time.Now}
	for _, domain := range []string{"inside.test", "metadata.test", "own.test"} {
		_, err := finder.Find(t.Context(), domain)
		if refused := (*fetch.RefusedAddressError)(nil); !errors.As(err, &refused) {
			t.Errorf("%s: %v, want it refused", domain, err)
		}
	}
}

// version is the id that every domain publishes.
type version struct{ id *string }

func (v version) LookupTXT(context.Context, string) ([]string, error) {
	return []string{"v=STSv1; id=" + *v.id + ";"}, nil
}

// A policy host that cannot be reached must not cost each delivery the wait for it.
func TestAPolicyThatCannotBeHadIsNotFetchedForEachMail(t *testing.T) {
	var asked atomic.Int32
	refused := errors.New("nobody is there")
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, refused
	}}
	now, id := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), "1"
	finder := &mtasts.Finder{Resolver: version{&id}, Client: &http.Client{Transport: transport}, Memory: forgetful{}, Now: func() time.Time { return now }}
	find := func(what, domain string, times int32) {
		t.Helper()
		p, err := finder.Find(t.Context(), domain)
		if p.Mode != mtasts.None || !errors.Is(err, refused) {
			t.Errorf("%s: %+v, %v", what, p, err)
		}
		if got := asked.Load(); got != times {
			t.Errorf("%s: the host was asked %d times, want %d", what, got, times)
		}
	}
	find("the first mail", "slow.test", 1)
	find("the next one", "slow.test", 1)
	find("another domain", "other.test", 2)
	now = now.Add(5*time.Minute - time.Second)
	find("within five minutes", "slow.test", 2)
	now = now.Add(time.Second)
	find("after five minutes", "slow.test", 3)
	id = "2"
	find("another policy", "slow.test", 4)
	now = now.Add(-time.Hour)
	find("the clock was set back", "slow.test", 5)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := finder.Find(gone, "third.test"); err == nil {
		t.Error("a caller who has gone gets an answer")
	}
	find("after a caller who gave up", "third.test", asked.Load()+1)
}
