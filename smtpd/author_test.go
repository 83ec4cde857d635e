package smtpd_test

import (
	"context"
	"net"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/smtpd/auth"
)

// records are the TXT records of a DNS that has nothing else.
type records map[string]string

func (r records) LookupTXT(_ context.Context, name string) ([]string, error) {
	if text, ok := r[name]; ok {
		return []string{text}, nil
	}
	return nil, r.absent(name)
}

func (r records) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return nil, r.absent(name)
}

func (r records) LookupIPAddr(_ context.Context, name string) ([]net.IPAddr, error) {
	return nil, r.absent(name)
}

func (r records) LookupAddr(_ context.Context, name string) ([]string, error) {
	return nil, r.absent(name)
}

func (r records) absent(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// Whoever owns example.net can prove that, and nothing of the address that an agent
// is shown beside the proof.
func TestProofIsOfTheAddressThatIsShown(t *testing.T) {
	zone := records{"example.net.": "v=spf1 ip4:127.0.0.1 -all", "_dmarc.example.net.": "v=DMARC1; p=reject", "_dmarc.bank.example.": "v=DMARC1; p=reject"}
	f := serve(t, smtpd.Config{}, &desk{}, &auth.Verifier{Resolver: zone, Hostname: "mx.example.org"})
	for _, test := range []struct {
		from, shown string
		result      auth.Result
	}{
		{"customer@example.net", "customer@example.net", auth.Pass},
		{"'customer@example.net'", "customer@example.net", auth.Pass},
		{`"customer@example.net"`, "customer@example.net", auth.Pass},
		{`"customer@example.net" <>`, "customer@example.net", auth.Pass},
		{"'ceo@bank.example'", "ceo@bank.example", auth.Fail},
		{"(<customer@example.net>) ceo@bank.example", "ceo@bank.example", auth.PermError},
		{"(<customer@example.net>) =?utf-8?q?Bank?= <ceo@bank.example", "ceo@bank.example", auth.PermError},
	} {
		t.Run(test.from, func(t *testing.T) {
			c := f.inData(t)
			c.send("From: " + test.from + "\r\nSubject: Transfer\r\n\r\nPlease pay.\r\n.\r\n")
			c.expect("250 ")
			mails := f.desk.delivered()
			m := mails[len(mails)-1]
			if m.Message.From.Address != test.shown || m.Verdict.DMARC.Result != test.result || (m.Verdict.DMARC.AlignedBy != "") != (test.result == auth.Pass) {
				t.Errorf("shown %q, verdict %+v", m.Message.From.Address, m.Verdict.DMARC)
			}
		})
	}
}
