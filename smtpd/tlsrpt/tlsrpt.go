// Package tlsrpt writes the reports of SMTP TLS Reporting (RFC 8460): how the
// encryption of our connections to a domain's mail hosts came out.
package tlsrpt

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Report is one domain's, of one day (RFC 8460, section 4.4).
type Report struct {
	Organization string    `json:"organization-name"`
	DateRange    DateRange `json:"date-range"`
	Contact      string    `json:"contact-info"`
	ID           string    `json:"report-id"`
	Policies     []Policy  `json:"policies"`
}

// DateRange is a day, from its first second to its last.
type DateRange struct {
	Start time.Time `json:"start-datetime"`
	End   time.Time `json:"end-datetime"`
}

// Policy is what was found to hold for the domain, and what came of it.
type Policy struct {
	Policy   PolicyText `json:"policy"`
	Summary  Summary    `json:"summary"`
	Failures []Failure  `json:"failure-details,omitempty"`
}

// PolicyText is the policy as it was found.
type PolicyText struct {
	Type   string   `json:"policy-type"` // "sts", "tlsa" or "no-policy-found"
	Text   []string `json:"policy-string,omitempty"`
	Domain string   `json:"policy-domain"`
	MX     []string `json:"mx-host,omitempty"`
}

// Summary counts sessions by whether they were encrypted as the policy asks (RFC 8460,
// section 4.4).
type Summary struct {
	Successful int `json:"total-successful-session-count"`
	Failed     int `json:"total-failure-session-count"`
}

// Failure is one way in which sessions failed (section 4.3 names the results).
type Failure struct {
	Result  string `json:"result-type"`
	Sender  string `json:"sending-mta-ip,omitempty"`
	Host    string `json:"receiving-mx-hostname,omitempty"`
	Address string `json:"receiving-ip,omitempty"`
	Count   int    `json:"failed-session-count"`
	Reason  string `json:"failure-reason-code,omitempty"`
}

// MediaType is that of a report as Compress returns it.
const MediaType = "application/tlsrpt+gzip"

// Compress writes the report as JSON, gzipped.
func (r Report) Compress() ([]byte, error) {
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	if err := json.NewEncoder(packed).Encode(r); err != nil {
		return nil, fmt.Errorf("write the TLS report: %w", err)
	}
	if err := packed.Close(); err != nil {
		return nil, fmt.Errorf("compress the TLS report: %w", err)
	}
	return out.Bytes(), nil
}

// Addresses reads the records at _smtp._tls.DOMAIN: where reports are to go, as
// mailto: and https: addresses (section 3). Other than exactly one record of the
// version is none.
func Addresses(records []string) (list []*url.URL) {
	valid := slices.DeleteFunc(slices.Clone(records), func(r string) bool {
		version, _, _ := strings.Cut(r, ";")
		return strings.TrimSpace(version) != "v=TLSRPTv1"
	})
	if len(valid) != 1 {
		return nil
	}
	for field := range strings.SplitSeq(valid[0], ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		if strings.TrimSpace(name) != "rua" {
			continue
		}
		for one := range strings.SplitSeq(value, ",") {
			u, err := url.Parse(strings.TrimSpace(one))
			if err != nil || u.Scheme != "mailto" && u.Scheme != "https" || u.Scheme == "mailto" && !strings.Contains(u.Opaque, "@") || u.Scheme == "https" && u.Host == "" {
				continue
			}
			if list = append(list, u); len(list) == maxAddresses {
				return list
			}
		}
	}
	return list
}

// maxAddresses bounds how many are told of one domain: its record is a stranger's.
const maxAddresses = 4

// Mail is how a report is sent by mail.
type Mail struct {
	From, To          string // addresses
	Domain, Submitter string
	MessageID         string // without angle brackets
	Date              time.Time
}

// Compose writes the mail of section 5.3, lines ending in CR LF.
func (m Mail) Compose(r Report) ([]byte, error) {
	packed, err := r.Compress()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	parts := multipart.NewWriter(&out)
	for _, line := range []string{
		"From: " + m.From, "To: " + m.To, "Date: " + m.Date.Format(time.RFC1123Z), "Message-ID: <" + m.MessageID + ">",
		"Subject: Report Domain: " + m.Domain + "\r\n Submitter: " + m.Submitter + "\r\n Report-ID: <" + r.ID + ">",
		"TLS-Report-Domain: " + m.Domain, "TLS-Report-Submitter: " + m.Submitter, "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
		`Content-Type: multipart/report; report-type="tlsrpt";` + "\r\n boundary=\"" + parts.Boundary() + `"`, "",
	} {
		out.WriteString(line + "\r\n")
	}
	text, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {"text/plain; charset=us-ascii"}})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(text, "This is a report on the encryption of connections from %s\r\nto the mail hosts of %s (RFC 8460).\r\n", m.Submitter, m.Domain)
	name := fmt.Sprintf("%s!%s!%d!%d.json.gz", m.Submitter, m.Domain, r.DateRange.Start.Unix(), r.DateRange.End.Unix())
	file, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {MediaType}, "Content-Transfer-Encoding": {"base64"},
		"Content-Disposition": {`attachment; filename="` + name + `"`}})
	if err != nil {
		return nil, err
	}
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(packed)), 76) {
		fmt.Fprintf(file, "%s\r\n", line)
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
