package main_test

import (
	"maps"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// ledgerAnswer is what the API says of the ledger.
type ledgerAnswer struct {
	Balanced bool `json:"balanced"`
	Total    struct {
		Accepted   int            `json:"accepted"`
		Places     map[string]int `json:"places"`
		Difference int            `json:"difference"`
		Duplicates int            `json:"duplicates"`
		Refused    map[string]int `json:"refused"`
	} `json:"total"`
}

func (a api) ledger(t testing.TB) (l ledgerAnswer) {
	t.Helper()
	if status := a.do(t, "GET", "/ledger", nil, nil, &l); status != 200 {
		t.Fatalf("GET /ledger: %d", status)
	}
	return l
}

// What is refused is counted by its reason, and what is counted outlives the process.
func TestRefusalsAreInTheLedger(t *testing.T) {
	t.Parallel()
	zone := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	data := newDesk(t)
	s := start(t, data, "--resolver", zone.Address)
	client, err := smtp.Dial(s.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	send(t, s.smtp, customerAddress, deskAddress, post(1, customerAddress, deskAddress, "1@customer.test"))
	send(t, s.smtp, customerAddress, deskAddress, post(1, customerAddress, deskAddress, "1@customer.test"))
	for _, refused := range []func() error{
		func() error { return client.Mail(customerAddress, &smtp.MailOptions{Size: 1 << 30}) },
		func() error { return client.Mail(customerAddress, nil) },
		func() error { return client.Rcpt("nobody@elsewhere.test", nil) },
		func() error { return client.Rcpt("reply+abcdefghijkmnpqr@elsewhere.test", nil) },
	} {
		refused() // or begins the transaction
	}
	want := map[string]int{"too_large": 1, "unknown_recipient": 2}
	check := func(s *running) {
		t.Helper()
		l := s.apiOf(t).ledger(t)
		if !l.Balanced || l.Total.Accepted != 1 || l.Total.Duplicates != 1 || l.Total.Places["tickets"] != 1 || !maps.Equal(l.Total.Refused, want) {
			t.Errorf("the ledger: %+v, want refused %v", l, want)
		}
	}
	check(s)
	s.stop()
	check(start(t, data, "--resolver", zone.Address))
}
