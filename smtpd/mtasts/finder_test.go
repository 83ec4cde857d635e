package mtasts_test

import (
	"context"
	"errors"
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
