package helpdesk

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// TrustRisk says what is to be known before a sender is trusted with a proof.
type TrustRisk string

// The risks. None of them is of a proof of the sender's own domain.
const (
	// RiskProvider is of a domain where anybody gets an account: it signs, or sends, for
	// all of them, so each could write in the sender's name as far as the provider lets
	// them.
	RiskProvider TrustRisk = "provider"
	// RiskOther is of a domain that has nothing to do with the sender's, such as a list
	// or a forwarder: whoever gets a mail through it could write in the sender's name.
	RiskOther TrustRisk = "other"
	// RiskEverybody is of trusting all addresses of a domain where anybody gets one.
	RiskEverybody TrustRisk = "everybody"
)

// Risk says what is to be known before mail of sender, an address or a domain, is
// received with this proof; "" for nothing.
func (p Proof) Risk(sender string) TrustRisk {
	domain := strings.ToLower(domainOf(sender))
	switch {
	case p.Kind == ProofNetwork || sameOrganisation(p.Value, domain):
		return ""
	case sharedSender(p.Value):
		return RiskProvider
	}
	return RiskOther
}

// Risk says what is to be known of an entry; "" for nothing.
func (t *TrustedSender) Risk() TrustRisk {
	if !strings.Contains(t.Pattern, "@") && FreeMail(t.Pattern) {
		return RiskEverybody
	}
	return t.Proof.Risk(t.Pattern)
}

// sameOrganisation reports whether two domains are of one registered domain.
func sameOrganisation(a, b string) bool {
	one, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(a))
	other, otherErr := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(b))
	if err != nil || otherErr != nil {
		return strings.EqualFold(a, b)
	}
	return one == other
}

// sharedSender reports whether anybody can have mail sent or signed by a domain: a
// mail service's, a carrier's, or that of a service which sends for others.
func sharedSender(domain string) bool {
	return FreeMail(domain) || slices.ContainsFunc(sendingServices, func(s string) bool {
		return domain == s || strings.HasSuffix(domain, "."+s)
	})
}

// sendingServices sign the mail of their customers with a domain of their own, beside
// the customer's or instead of it.
var sendingServices = []string{
	"amazonses.com", "sendgrid.net", "sendgrid.info", "mailgun.org", "mailgun.net", "mandrillapp.com", "mcsv.net", "mcdlv.net", "rsgsv.net", "mtasv.net",
	"sparkpostmail.com", "mailjet.com", "sendinblue.com", "brevo.com", "hubspotemail.net", "zendesk.com", "freshdesk.com", "salesforce.com", "createsend.com",
	"constantcontact.com", "smtp2go.com", "elasticemail.com", "sakura.ne.jp", "xserver.jp", "lolipop.jp", "heteml.jp", "conoha.ne.jp", "kagoya.net", "secure.ne.jp",
	"blastengine.jp", "cuenote.jp", "smp.ne.jp",
}
