package auth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/auth"
)

// breaking is a resolver that panics over one name, as a fault in reading its records
// would, and knows no other.
type breaking struct {
	nowhere
	over string
}

func (r breaking) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if strings.TrimSuffix(name, ".") == r.over {
		panic("over " + r.over)
	}
	return r.nowhere.LookupTXT(ctx, name)
}

// What is verified comes from strangers: a fault in one of the methods that run side by
// side has to reach the caller, who answers for that mail alone. In a goroutine of its own
// it would end the whole server.
func TestAPanicReachesTheCaller(t *testing.T) {
	raw := sign(t, "example.com", rsaKey(), sign(t, "example.com", edKey(), plainMail))
	for _, name := range []string{"example.com", "_dmarc.example.com", "s1._domainkey.example.com"} {
		v := auth.Verifier{Resolver: breaking{over: name}}
		func() {
			defer func() {
				if reason := recover(); reason == nil || !strings.Contains(reason.(error).Error(), "over "+name) {
					t.Errorf("%s: recovered %v", name, reason)
				}
			}()
			v.Verify(t.Context(), auth.Request{RemoteIP: peer, HELO: "mx.example.com", MailFrom: "a@example.com", Raw: []byte(raw)})
		}()
	}
}

// The same of what the DNS says of a domain of ours.
func TestAPanicOverADomainOfOursReachesTheCaller(t *testing.T) {
	defer func() {
		if reason := recover(); reason == nil {
			t.Error("nothing was recovered")
		}
	}()
	auth.CheckSetup(t.Context(), breaking{over: "_dmarc.example.com"}, auth.Setup{Domain: "example.com", Hostname: "mx.example.com", Sender: "mx.example.com"})
}
