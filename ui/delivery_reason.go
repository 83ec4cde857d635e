package ui

import (
	"slices"
	"strings"
	"unicode"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// deliveryReasons are what enhanced status codes mean, as keys of the catalogue: whole codes, and for the others subject
// and detail alone (RFC 3463, sections 3.2 to 3.8; RFC 7372, section 3; RFC 7505, section 4.2; the registry of IANA).
var deliveryReasons = map[string]string{
	"1.1": "no_mailbox", "1.2": "no_domain", "1.3": "bad_address", "1.6": "moved", "1.10": "no_mail",
	"2.1": "disabled", "2.2": "full", "2.3": "too_large",
	"3.1": "system_full", "3.2": "not_now", "3.4": "too_large",
	"4.1": "unreachable", "4.2": "broken_off", "4.3": "no_lookup", "4.4": "no_route", "4.5": "busy", "4.6": "loop", "4.7": "expired",
	"5.3":  "many_recipients",
	"7.20": "unproven", "7.21": "unproven", "7.22": "unproven", "7.23": "unproven", "7.26": "unproven", "7.25": "no_reverse", "7.28": "flood",
	"7.8": "login", "7.10": "encryption",
	"5.7.1": "policy",
	"4.7.1": "later", // greylisting, most often
}

// ownReasons are what our side says of an attempt by itself (smtpd/outbound), where its status alone does not tell it.
var ownReasons = shapes("delivery.own.", [][2]string{
	{"mta_sts", `the MTA-STS policy of (\S+) names none of its hosts \((.+)\)`},
	{"dane", `whether (\S+) is protected by DANE is not known: .+`},
	{"no_starttls", `the server offers no STARTTLS, and this mail must be encrypted`},
	{"login_clear", `the connection is not encrypted, so the password is not sent`},
	{"login_unoffered", `the server offers neither AUTH PLAIN nor AUTH LOGIN, but a username is configured`},
	{"tlsa", `its certificate is none of those that its TLSA records name`},
	{"certificate", `(?:TLS: )?(tls: failed to verify certificate: .+)`},
})

// whyUndelivered says in the reader's language what an attempt's status means, and after that what was said: a server
// speaks English, whoever's it is. Our own words are left out where they say no more; where our side did not even try, they
// are all there is to say.
func whyUndelivered(p locale.Printer, a helpdesk.Attempt) string {
	if a.Failure != "" {
		return explain(p, helpdesk.KeptError(a.Failure, a.Text))
	}
	return withMeaning(p, a, said(a))
}

// withMeaning puts what an attempt's status means before what was said.
func withMeaning(p locale.Printer, a helpdesk.Attempt, said string) string {
	if a.Code == 0 {
		if own, known := sentenceOf(p, ownReasons, a.Text); known {
			return strings.TrimSpace(own + " " + a.Enhanced)
		}
	}
	means := meaning(p, a.Enhanced)
	if means == "" {
		return said
	}
	english := p
	english.Language = locale.English
	if a.Code == 0 && !saysMore(a.Text, meaning(english, a.Enhanced)) {
		said = a.Enhanced
	}
	return strings.TrimSpace(means + " " + said)
}

// nothingMore are words that add nothing to what a status means.
var nothingMore = []string{"a", "an", "the", "this", "that", "is", "of", "to", "for", "server", "accepts", "closed"}

// saysMore tells whether a text has words that a sentence has not. Names of hosts and domains are no such words: that of
// the recipient stands beside it.
func saysMore(text, sentence string) bool {
	words := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-@_", r)
		})
	}
	known := words(sentence)
	for i := range known {
		known[i] = strings.Trim(known[i], ".-")
	}
	return slices.ContainsFunc(words(text), func(word string) bool {
		word = strings.Trim(word, ".-")
		return word != "" && !strings.ContainsAny(word, ".@") && !slices.Contains(known, word) && !slices.Contains(nothingMore, word)
	})
}

// meaning is what an enhanced status code means, in the reader's language; "" for one that says too little.
func meaning(p locale.Printer, status string) string {
	key, known := deliveryReasons[status]
	if !known {
		_, detail, _ := strings.Cut(status, ".")
		key, known = deliveryReasons[detail]
	}
	if !known {
		return ""
	}
	return p.T("delivery.why." + key)
}

// said is what the other side answered, with its status once.
func said(a helpdesk.Attempt) string {
	if a.Enhanced == "" || strings.Contains(a.Text, a.Enhanced) {
		return a.Text
	}
	return strings.TrimSpace(a.Enhanced + " " + a.Text)
}
