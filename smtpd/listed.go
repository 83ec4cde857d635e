package smtpd

import (
	"fmt"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/dnsbl"
)

// lookUp begins to ask the blocklists about the client, so that the answer is
// there when it names a recipient.
func (s *session) lookUp() {
	lists := s.server.gate.Load().Blocklists
	if lists == nil || s.server.config.LMTP || s.server.exempt(s.wire.remote) {
		return
	}
	s.listed = make(chan []dnsbl.Listing, 1)
	go func() {
		var found []dnsbl.Listing
		err := guard(func() error {
			found = lists.Check(s.server.ctx, s.wire.remote)
			return nil
		})
		if err != nil {
			s.wire.log.Error("blocklists not asked", "error", err)
		}
		s.listed <- found
	}()
}

// listings waits for the answer of the blocklists, which bound their time.
func (s *session) listings() []dnsbl.Listing {
	if s.listed == nil {
		return nil
	}
	found := <-s.listed
	s.listed <- found // for the next who asks
	return found
}

// refusedAsListed refuses a recipient to a client on a blocklist. The postmaster
// can be written to from everywhere: who is listed by mistake has to be able to
// say so (RFC 5321, section 4.5.1).
func (s *session) refusedAsListed(to string) error {
	if local, _, _ := strings.Cut(to, "@"); strings.EqualFold(local, "postmaster") {
		return nil
	}
	for _, l := range s.listings() {
		if l.Refuse {
			s.server.count(IncidentListed)
			return status(554, [3]int{5, 7, 1}, "%s", fmt.Sprintf("[%s] is on the blocklist %s: %s", s.wire.remote, l.Zone, reasonOr(l.Reason, l.Answer.String())))
		}
	}
	return nil
}

func reasonOr(reason, fallback string) string {
	if reason == "" {
		return fallback
	}
	return reason
}
