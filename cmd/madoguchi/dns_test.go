package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// dnsRecord is a record that the command prints.
type dnsRecord struct {
	Kind, Key, Phase, State, Name, Type, Value string
}

// dnsOf asks for the records of a domain, by kind and algorithm.
func dnsOf(t *testing.T, domain, data string, more ...string) map[string]dnsRecord {
	t.Helper()
	var list []struct {
		Domain  string
		Records []dnsRecord
	}
	out := succeed(t, "", append([]string{"dns", domain, "--json", "--data", data}, more...)...)
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 1 || list[0].Domain != domain {
		t.Fatalf("%v in:\n%s", err, out)
	}
	records := map[string]dnsRecord{}
	for _, r := range list[0].Records {
		records[strings.TrimSpace(r.Kind+" "+r.Key)] = r
	}
	return records
}

// TestDomainIsSetUpByWhatTheCommandPrints goes the way of an administrator:
// print the records, publish them, see them found, and have mail signed twice.
func TestDomainIsSetUpByWhatTheCommandPrints(t *testing.T) {
	t.Parallel()
	box := serveMailbox(t)
	z := dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.customer.test.", "mx.customer.test. 60 IN A 127.0.0.1",
		"mx.desk.test. 60 IN A 192.0.2.25", "mta-sts.desk.test. 60 IN A 192.0.2.25", "25.2.0.192.in-addr.arpa. 60 IN PTR mx.desk.test.")
	data := newDesk(t)
	config := writeConfig(t, fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\ndata = %q\n[outbound]\nport = %s\n[dns]\nresolver = %q\n[helpdesk]\nundo_window = \"0s\"\n[ai]\nenabled = false\n[mta_sts]\nmode = \"enforce\"\n",
		data, box.port(), z.Address))

	// Without a server the same is said.
	before := dnsOf(t, "desk.test", data, "--config", config)
	for _, kind := range []string{"mx", "spf", "dkim rsa", "dkim ed25519", "dmarc", "mta_sts", "tls_rpt"} {
		if r := before[kind]; r.State != "missing" || r.Name == "" || r.Value == "" {
			t.Errorf("%s: %+v", kind, r)
		}
	}
	zoneFile := succeed(t, "", "dns", "desk.test", "--zone", "--data", data, "--config", config)
	for line := range strings.SplitSeq(strings.TrimSpace(zoneFile), "\n") {
		if !strings.HasPrefix(line, ";") {
			z.Add(t, line)
		}
	}

	s := start(t, data, "--config", config)
	for kind, r := range dnsOf(t, "desk.test", data) {
		if r.State != "fine" {
			t.Errorf("%s is %s: %+v", kind, r.State, r)
		}
		if r.Kind == "dkim" && r.Phase != "used" {
			t.Errorf("%s is %s", r.Name, r.Phase)
		}
	}
	policy := fetchPolicy(t, s, "mta-sts.desk.test", http.StatusOK)
	if !strings.Contains(policy, "mode: enforce\r\nmx: mx.desk.test\r\nmax_age: 604800\r\n") {
		t.Errorf("the policy is %q", policy)
	}
	fetchPolicy(t, s, "mta-sts.elsewhere.test", http.StatusNotFound)
	fetchPolicy(t, s, "desk.test", http.StatusNotFound)

	house := s.apiOf(t)
	send(t, s.smtp, "tanaka@customer.test", deskAddress, fmt.Appendf(nil, "From: tanaka@customer.test\r\nTo: %s\r\nSubject: hello\r\nMessage-ID: <1@customer.test>\r\n\r\nhello\r\n", deskAddress))
	answer := func(text string) letter {
		t.Helper()
		house.do(t, http.MethodPost, "/tickets/1/replies", nil, map[string]string{"text": text}, nil)
		return box.next(t, "tanaka@customer.test", time.Minute)
	}
	if signed := signaturesOf(t, z, answer("first")); signed["rsa"] == "" || signed["ed25519"] == "" {
		t.Errorf("signed with %v", signed)
	}

	// New keys: the old ones sign until the new records are there, then retire.
	out := succeed(t, "", "dns", "rotate", "desk.test", "--data", data)
	if !strings.Contains(out, "replaces the one in use once published") {
		t.Errorf("rotate prints:\n%s", out)
	}
	refuse(t, []string{"dns", "rotate", "desk.test", "--data", data}, "has new keys already", "publish their records first")
	old := signaturesOf(t, z, answer("second"))
	for line := range strings.SplitSeq(strings.TrimSpace(succeed(t, "", "dns", "desk.test", "--zone", "--data", data)), "\n") {
		if !strings.HasPrefix(line, ";") {
			z.Add(t, line)
		}
	}
	succeed(t, "", "dns", "--data", data)
	renewed := signaturesOf(t, z, answer("third"))
	if old["rsa"] == "" || renewed["rsa"] == "" || old["rsa"] == renewed["rsa"] || old["ed25519"] == renewed["ed25519"] {
		t.Errorf("signed with %v, then with %v", old, renewed)
	}
	if out := succeed(t, "", "dns", "--data", data); !strings.Contains(out, "DKIM rsa (replaced; keep the record for now)") {
		t.Errorf("after the change:\n%s", out)
	}
	refuse(t, []string{"dns", "not a domain", "--data", data}, "is not a domain", "example.com")
}

// signaturesOf verifies every signature of a letter with what the zone says, and
// returns the selectors by algorithm.
func signaturesOf(t *testing.T, z *dnstest.Zone, l letter) map[string]string {
	t.Helper()
	verified, err := dkim.VerifyWithOptions(bytes.NewReader(l.raw), &dkim.VerifyOptions{LookupTXT: z.LookupTXT})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verified {
		if v.Err != nil || v.Domain != "desk.test" {
			t.Errorf("signature of %s: %v", v.Domain, v.Err)
		}
	}
	selectors := map[string]string{}
	header, _, _ := bytes.Cut(l.raw, []byte("\r\n\r\n"))
	for _, field := range strings.Split(strings.ReplaceAll(string(header), "\r\n ", " "), "\r\n") {
		if !strings.HasPrefix(field, "DKIM-Signature:") {
			continue
		}
		tags := map[string]string{}
		for tag := range strings.SplitSeq(strings.TrimPrefix(field, "DKIM-Signature:"), ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(tag), "=")
			tags[name] = value
		}
		selectors[strings.TrimSuffix(tags["a"], "-sha256")] = tags["s"]
	}
	if len(selectors) != len(verified) {
		t.Errorf("%d signatures, %v", len(verified), selectors)
	}
	return selectors
}

func fetchPolicy(t *testing.T, s *running, host string, want int) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.web+"/.well-known/mta-sts.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want {
		t.Fatalf("%s: %s, %v, %s", host, response.Status, err, body)
	}
	return string(body)
}
