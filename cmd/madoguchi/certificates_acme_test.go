package main_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/acme/acmetest"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestCertificatesByACME follows a server from an empty data directory: with a
// real authority that comes to see it, through renewals and changes of the
// configuration, without one restart.
func TestCertificatesByACME(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the ACME server")
	}
	program := filepath.Join(t.TempDir(), "pebble")
	if err := acmetest.Build(t.Context(), program); err != nil {
		t.Skipf("SKIPPED, not passed: the ACME server cannot be built, so no certificate was obtained: %v", err)
	}
	z := dnstest.ServeZone(t, "mx.desk.test. 60 IN A 127.0.0.1", "web.desk.test. 60 IN A 127.0.0.1", "mta-sts.desk.test. 60 IN A 127.0.0.1",
		"extra.desk.test. 60 IN A 127.0.0.1", "new.desk.test. 60 IN A 127.0.0.1")
	plain, encrypted, metrics := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	port := func(address string) (number int) {
		_, text, _ := net.SplitHostPort(address)
		fmt.Sscan(text, &number)
		return number
	}
	pebble, err := acmetest.Start(t.Context(), program, acmetest.Settings{Directory: t.TempDir(), Resolver: z.Address,
		HTTPPort: port(plain), TLSPort: port(encrypted), Lifetime: 90 * 24 * time.Hour}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pebble.Stop() })
	roots, err := pebble.Issued(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data := newDesk(t)
	file := writeConfig(t, "")
	configure := func(directory, names string) {
		t.Helper()
		text := fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\ndata = %q\n[web]\nurl = \"https://web.desk.test:%d\"\n[dns]\nresolver = %q\n[ai]\nenabled = false\n[metrics]\nlisten = %q\n"+
			"[check]\noutgoing = \"\"\nblocklists = []\nclock = \"\"\n[acme]\nagreed = true\nemail = \"admin@desk.test\"\ndirectory = %q\nroot = %q\nlisten = %q\nnames = %s\n",
			data, port(encrypted), z.Address, metrics, directory, pebble.Roots, plain, names)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure(pebble.URL, "[]")
	s := start(t, data, "--config", file, "--http", encrypted)

	// At first there is only what it made itself; then what it obtained.
	mail := func(name string) *x509.Certificate { return overSTARTTLS(t, s.smtp, name) }
	web := func(name string) *x509.Certificate {
		t.Helper()
		conn, err := tls.Dial("tcp", encrypted, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0]
	}
	certified := func(c *x509.Certificate, name string) bool {
		return strings.HasPrefix(c.Issuer.CommonName, "Pebble") && c.VerifyHostname(name) == nil
	}
	eventually(t, time.Minute, "both listeners have certificates", func() bool {
		return certified(mail("mx.desk.test"), "mx.desk.test") && certified(web("web.desk.test"), "web.desk.test") && certified(web("mta-sts.desk.test"), "mta-sts.desk.test")
	})
	if c := mail(""); !certified(c, "mx.desk.test") {
		t.Errorf("a client that names nobody is shown %v", c.DNSNames)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, encrypted)
		}}}
	expectBody := func(url, want string) {
		t.Helper()
		response, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if body, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, %v\n%s", url, response.Status, err, body)
		}
	}
	expectBody("https://mta-sts.desk.test/.well-known/mta-sts.txt", "mx: mx.desk.test")
	expectBody("https://web.desk.test/readyz", "ready")
	expectRedirect(t, plain, "web.desk.test", fmt.Sprintf("https://web.desk.test:%d/inbox?view=mine", port(encrypted)))
	expectRedirect(t, plain, "elsewhere.test", "")

	// A renewal, asked for by hand, is used at once.
	list := func() (list []struct{ Name, Phase, Failure string }) {
		t.Helper()
		if err := json.Unmarshal([]byte(succeed(t, "", "certificate", "--json", "--data", data)), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	if all := list(); len(all) != 3 || all[0].Name != "mta-sts.desk.test" || all[1].Phase != "valid" || all[2].Phase != "valid" {
		t.Errorf("certificates: %+v", all)
	}
	before := mail("mx.desk.test")
	if out := succeed(t, "", "certificate", "renew", "mx.desk.test", "--data", data); !strings.Contains(out, "Pebble") {
		t.Errorf("renew prints:\n%s", out)
	}
	renewed := mail("mx.desk.test")
	if renewed.SerialNumber.Cmp(before.SerialNumber) == 0 || !certified(renewed, "mx.desk.test") {
		t.Error("the renewed certificate is not shown")
	}
	refuse(t, []string{"certificate", "renew", "other.test", "--data", data}, "no certificate is kept", "acme.names")

	// Another list of names is followed on SIGHUP.
	configure(pebble.URL, `["mx.desk.test", "extra.desk.test"]`)
	s.command.Process.Signal(syscall.SIGHUP)
	eventually(t, time.Minute, "the name that was added has a certificate", func() bool { return certified(web("extra.desk.test"), "extra.desk.test") })

	// An authority that is not there takes nothing away, and is told of.
	configure("https://127.0.0.1:1/dir", `["mx.desk.test", "new.desk.test"]`)
	s.command.Process.Signal(syscall.SIGHUP)
	eventually(t, time.Minute, "the failure is an alarm", func() bool {
		response, err := client.Get("https://web.desk.test/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode == http.StatusOK && strings.Contains(string(body), "alarm: certificate")
	})
	if c := mail("mx.desk.test"); !c.Equal(renewed) {
		t.Error("the certificate in use went away")
	}
	checked, _, _ := run(t, "", "check", "--data", data, "--config", file)
	for _, want := range []string{"WRONG  No certificate for new.desk.test: ", "→ madoguchi certificate renew"} {
		if !strings.Contains(checked, want) {
			t.Errorf("%q is not in:\n%s", want, checked)
		}
	}
	// Whether this one was asked for anew by now is the other authority's turn.
	if !regexp.MustCompile(`The certificate of mx\.desk\.test is (still )?valid until `).MatchString(checked) {
		t.Errorf("the certificate in use is not in:\n%s", checked)
	}
	response, err := http.Get("http://" + metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); !strings.Contains(string(body), fmt.Sprintf("madoguchi_certificate_expiry_timestamp_seconds{name=\"mx.desk.test\"} %g\n", float64(renewed.NotAfter.Unix()))) {
		t.Errorf("no expiry among:\n%s", body)
	}

	// The right one again, and what failed is mended at once.
	configure(pebble.URL, `["mx.desk.test", "new.desk.test"]`)
	s.command.Process.Signal(syscall.SIGHUP)
	eventually(t, time.Minute, "what failed is there", func() bool { return certified(web("new.desk.test"), "new.desk.test") })
	s.stop()
	if stored := list(); len(stored) != 5 {
		t.Errorf("without a server: %+v", stored)
	}
	refuse(t, []string{"certificate", "renew", "--data", data}, "madoguchi serve")
}

// overSTARTTLS returns the certificate that an SMTP server shows.
func overSTARTTLS(t *testing.T, address, name string) *x509.Certificate {
	t.Helper()
	client, err := smtp.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.StartTLS(&tls.Config{ServerName: name, InsecureSkipVerify: true}); err != nil {
		t.Fatal(err)
	}
	state, _ := client.TLSConnectionState()
	return state.PeerCertificates[0]
}

// expectRedirect asks without encryption, as a browser does that was given a
// bare name; want is "" where nothing may lead away.
func expectRedirect(t *testing.T, address, host, want string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/inbox?view=mine", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := response.Header.Get("Location"); got != want || (want == "") != (response.StatusCode == http.StatusNotFound) {
		t.Errorf("%s is led to %q (%s), want %q", host, got, response.Status, want)
	}
}
