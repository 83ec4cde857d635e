package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/tlsrpt"
)

// TLSReporter tells domains once a day how the encryption of our connections to
// them came out, where they ask for it (RFC 8460).
type TLSReporter struct {
	Desk     *helpdesk.Desk
	Resolver interface {
		LookupTXT(ctx context.Context, name string) ([]string, error)
	}
	// Client posts reports: to public addresses only, since strangers name them.
	Client *http.Client
	// Domain is one of ours whose mail is signed, as reports must be; "" for none.
	Domain   func(ctx context.Context) (string, error)
	Hostname string
	Now      func() time.Time
	Log      *slog.Logger
}

const (
	reportsAtOnce = 200
	// reportPatience bounds what one domain may take.
	reportPatience = 30 * time.Second
	// reportSpread is over how much of the night reports leave (RFC 8460, section 4.1).
	reportSpread = 4 * time.Hour
	reportRetry  = time.Hour
)

// Work sends the reports of the days that are over. What could not be sent is
// tried again for three days.
func (r *TLSReporter) Work(ctx context.Context, _ string) error {
	list, err := r.Desk.TLSDays(ctx, reportsAtOnce)
	if err != nil {
		return err
	}
	from, err := r.Domain(ctx)
	if err != nil {
		return err
	}
	left := len(list) == reportsAtOnce
	for _, day := range list {
		if err := r.report(ctx, from, day); err != nil {
			if ctx.Err() != nil {
				return err
			}
			left = true
			r.Log.InfoContext(ctx, "TLS report not sent, it is tried again", "domain", day.Domain, "day", day.Day, "error", err)
		}
	}
	now := r.Now().UTC()
	next := now.Truncate(24 * time.Hour).Add(24*time.Hour + rand.N(reportSpread))
	if left {
		next = now.Add(reportRetry)
	}
	return r.Desk.NextTLSReports(ctx, next)
}

// report sends one domain's, to everybody that its record names.
func (r *TLSReporter) report(ctx context.Context, from string, day helpdesk.TLSDay) error {
	ctx, cancel := context.WithTimeout(ctx, reportPatience)
	defer cancel()
	records, err := r.Resolver.LookupTXT(ctx, "_smtp._tls."+day.Domain+".")
	var missing *net.DNSError
	if err != nil && !(errors.As(err, &missing) && missing.IsNotFound) {
		return err
	}
	wanted := tlsrpt.Addresses(records)
	if from == "" || len(wanted) == 0 {
		return r.Desk.EndTLSDay(ctx, day.Day, day.Domain)
	}
	report, err := r.compose(from, day)
	if err != nil {
		return err
	}
	var mails []helpdesk.TLSReport
	for _, to := range wanted {
		if to.Scheme == "https" {
			if err := r.post(ctx, to, report); err != nil {
				return err
			}
			continue
		}
		address, err := url.PathUnescape(to.Opaque)
		if err != nil || strings.ContainsAny(address, "\r\n\t ,<>") {
			continue // no address
		}
		raw, err := tlsrpt.Mail{From: "tls-reports@" + from, To: address, Domain: day.Domain, Submitter: r.Hostname, MessageID: report.ID, Date: r.Now()}.Compose(report)
		if err != nil {
			return err
		}
		mails = append(mails, helpdesk.TLSReport{From: "tls-reports@" + from, To: address, Raw: raw})
	}
	return r.Desk.EndTLSDay(ctx, day.Day, day.Domain, mails...)
}

func (r *TLSReporter) compose(from string, day helpdesk.TLSDay) (tlsrpt.Report, error) {
	start, err := time.Parse(time.DateOnly, day.Day)
	if err != nil {
		return tlsrpt.Report{}, fmt.Errorf("the day of a TLS report: %w", err)
	}
	report := tlsrpt.Report{Organization: from, Contact: "postmaster@" + from, ID: day.Day + "." + day.Domain + "@" + r.Hostname,
		DateRange: tlsrpt.DateRange{Start: start, End: start.Add(24*time.Hour - time.Second)}}
	for _, p := range day.Policies {
		policy := tlsrpt.Policy{Policy: tlsrpt.PolicyText{Type: p.Policy, Text: p.Text, Domain: day.Domain, MX: p.MX}, Summary: tlsrpt.Summary{Successful: p.Successful, Failed: p.Failed}}
		for _, f := range p.Failures {
			policy.Failures = append(policy.Failures, tlsrpt.Failure{Result: f.Result, Sender: f.Sender, Host: f.Host, Address: f.Address, Count: f.Count, Reason: f.Reason})
		}
		report.Policies = append(report.Policies, policy)
	}
	return report, nil
}

// post hands a report over by HTTPS (section 5.4).
func (r *TLSReporter) post(ctx context.Context, to *url.URL, report tlsrpt.Report) error {
	packed, err := report.Compress()
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(packed))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", tlsrpt.MediaType)
	response, err := r.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", to.Host, response.Status)
	}
	return nil
}
