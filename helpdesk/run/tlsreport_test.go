package run_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
	"github.com/madoguchi/madoguchi/smtpd/tlsrpt"
)

// records answers TXT questions; what it does not know does not exist.
type records map[string]string

func (r records) LookupTXT(_ context.Context, name string) ([]string, error) {
	if text, ok := r[name]; ok {
		return []string{text}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// Domains that ask are told once a day what was counted, by mail and by https,
// and nothing is kept of those that do not.
func TestDomainsAreToldHowEncryptionCameOut(t *testing.T) {
	desk, _ := open(t)
	now := time.Date(2026, 11, 22, 23, 50, 0, 0, time.UTC)
	desk.Now = func() time.Time { return now }
	count := func(results ...helpdesk.TLSResult) {
		t.Helper()
		for _, r := range results {
			if err := desk.CountTLS(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	good := helpdesk.TLSResult{Domain: "Asks.example", Policy: "sts", Text: []string{"version: STSv1", "mode: testing", "mx: mx.asks.example", "max_age: 86400"}, MX: []string{"mx.asks.example"}, Host: "mx.asks.example", Address: "192.0.2.1", Sender: "192.0.2.9"}
	bad := good
	bad.Result, bad.Reason = "certificate-expired", "it ended"
	count(good, good, bad, bad, helpdesk.TLSResult{Domain: "silent.example", Policy: "no-policy-found"}, helpdesk.TLSResult{Domain: "web.example", Policy: "no-policy-found", Result: "starttls-not-supported", Host: "mx.web.example"})
	for i := range 40 { // a stranger's names are bounded
		count(helpdesk.TLSResult{Domain: "asks.example", Policy: "no-policy-found", Result: "validation-failure", Reason: strings.Repeat("x", i+1)})
	}

	var posted []byte
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") == tlsrpt.MediaType {
			posted, _ = io.ReadAll(r.Body)
		}
		w.WriteHeader(http.StatusCreated)
	}))
	defer web.Close()
	reporter := &run.TLSReporter{Desk: desk, Client: web.Client(), Hostname: "mx.example.jp", Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Domain:   func(context.Context) (string, error) { return "example.jp", nil },
		Resolver: records{"_smtp._tls.asks.example.": "v=TLSRPTv1; rua=mailto:tls@asks.example", "_smtp._tls.web.example.": "v=TLSRPTv1;rua=" + web.URL + "/report"}}
	work := func() {
		t.Helper()
		if err := desk.ScheduleTLSReports(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if err := reporter.Work(t.Context(), "day"); err != nil {
			t.Fatal(err)
		}
	}
	work()
	if list, err := desk.TLSDays(t.Context(), 10); err != nil || len(list) != 0 || posted != nil {
		t.Fatalf("before the day is over: %+v, %v", list, err)
	}
	now = now.Add(20 * time.Minute)
	work()
	if left, err := desk.TLSDays(t.Context(), 10); err != nil || len(left) != 0 {
		t.Errorf("left over: %+v, %v", left, err)
	}
	byWeb := readReport(t, posted)
	if p := byWeb.Policies[0]; p.Summary.Failed != 1 || p.Failures[0].Result != "starttls-not-supported" || p.Failures[0].Host != "mx.web.example" {
		t.Errorf("posted: %+v", byWeb)
	}

	// The mail leaves signed, is in the form that others read, and is gone then.
	to := &peer{seen: make(chan struct{}, 1)}
	deliverer := &run.Deliverer{Desk: desk, Sender: to, Signing: signing(desk, map[string][]run.Signer{"example.jp": {mark("ours")}}), Log: slog.New(slog.DiscardHandler)}
	start(t, &run.Timers{Desk: desk, Workers: []run.Worker{{Kind: helpdesk.TimerDeliver, Concurrency: 1, Lease: time.Minute, Do: deliverer.Deliver}}})
	<-to.seen
	to.mu.Lock()
	sent := to.sent[0]
	to.mu.Unlock()
	checkReportMail(t, sent)
	if problems, err := desk.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v, %q", err, problems)
	}
}

func checkReportMail(t *testing.T, sent outbound.Mail) {
	t.Helper()
	if sent.To != "tls@asks.example" || sent.From != "tls-reports@example.jp" || !sent.Unwatched || !bytes.HasPrefix(sent.Raw, []byte("DKIM-Signature: ours")) {
		t.Errorf("sent: %+v", sent)
	}
	m, err := mail.ReadMessage(bytes.NewReader(sent.Raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "tlsrpt" || m.Header.Get("TLS-Report-Domain") != "asks.example" || m.Header.Get("TLS-Report-Submitter") != "mx.example.jp" {
		t.Fatalf("%s %v, %v", kind, params, m.Header)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	if _, err := parts.NextPart(); err != nil {
		t.Fatal(err)
	}
	file, err := parts.NextPart()
	if err != nil || file.Header.Get("Content-Type") != tlsrpt.MediaType || file.FileName() != "mx.example.jp!asks.example!1795305600!1795391999.json.gz" {
		t.Fatalf("%v, %s", file, file.FileName())
	}
	packed, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, file))
	if err != nil {
		t.Fatal(err)
	}
	report := readReport(t, packed)
	if len(report.Policies) != 2 || report.Contact != "postmaster@example.jp" || !report.DateRange.End.Equal(time.Date(2026, 11, 22, 23, 59, 59, 0, time.UTC)) {
		t.Fatalf("%+v", report)
	}
	sts, none := report.Policies[0], report.Policies[1]
	if sts.Policy.Type != "sts" || sts.Policy.Domain != "asks.example" || sts.Summary != (tlsrpt.Summary{Successful: 2, Failed: 2}) || len(sts.Failures) != 1 || sts.Failures[0].Count != 2 || sts.Failures[0].Sender != "192.0.2.9" {
		t.Errorf("%+v", sts)
	}
	if none.Summary.Failed != 40 || len(none.Failures) != 20 {
		t.Errorf("%d failures in %d details", none.Summary.Failed, len(none.Failures))
	}
}

func readReport(t *testing.T, packed []byte) (r tlsrpt.Report) {
	t.Helper()
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(unpacked).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}
