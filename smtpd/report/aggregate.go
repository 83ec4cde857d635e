// Package report reads the reports that mail servers send about a domain's mail:
// DMARC aggregate reports (RFC 7489, section 7.2 and appendix C) and reports on the
// encryption of connections to its mail hosts (TLS-RPT, RFC 8460). Their bytes are a
// stranger's, so everything is bounded and nothing outside them is read.
package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode"
)

// Aggregate is a DMARC aggregate report: who sent mail in a domain's name to one
// receiver within a period.
type Aggregate struct {
	Organisation, Email, ID string
	Begin, End              time.Time
	Domain                  string // lower case
	Policy                  string // that the receiver found: none, quarantine or reject
	Rows                    []Row
	// Left says how many rows beyond the limit were not read.
	Left int
}

// Row is the mail of one address with the same fate.
type Row struct {
	Address     netip.Addr
	Count       int
	Disposition string // none, quarantine or reject
	DKIM, SPF   bool   // aligned with the From domain, and passed
	From        string // the domain of the From field
	// SignedBy and Envelope are the domains that DKIM and SPF themselves found.
	SignedBy, Envelope string
}

// Limits of one report.
const (
	maxRows  = 5000
	maxField = 255                // of one value, in bytes
	maxCount = 1_000_000_000      // of one row
	maxSpan  = 8 * 24 * time.Hour // of the period; a day is usual
	maxAge   = 400 * 24 * time.Hour
)

// feedback is the document as reporters write it. Names are matched without their
// namespace, which some leave out and RFC 9990 changed.
type feedback struct {
	XMLName  xml.Name `xml:"feedback"`
	Metadata struct {
		Organisation string `xml:"org_name"`
		Email        string `xml:"email"`
		ID           string `xml:"report_id"`
		Begin        int64  `xml:"date_range>begin"`
		End          int64  `xml:"date_range>end"`
	} `xml:"report_metadata"`
	Policy struct {
		Domain string `xml:"domain"`
		Policy string `xml:"p"`
	} `xml:"policy_published"`
	Records []record `xml:"record"`
}

type record struct {
	Address     string `xml:"row>source_ip"`
	Count       int    `xml:"row>count"`
	Disposition string `xml:"row>policy_evaluated>disposition"`
	DKIM        string `xml:"row>policy_evaluated>dkim"`
	SPF         string `xml:"row>policy_evaluated>spf"`
	From        string `xml:"identifiers>header_from"`
	Signatures  []struct {
		Domain string `xml:"domain"`
		Result string `xml:"result"`
	} `xml:"auth_results>dkim"`
	Envelopes []struct {
		Domain string `xml:"domain"`
	} `xml:"auth_results>spf"`
}

// parse reads the XML of a report.
func parse(r io.Reader, now time.Time) (*Aggregate, error) {
	var f feedback
	decoder := xml.NewTokenDecoder(&guarded{Decoder: xml.NewDecoder(r)})
	if err := decoder.Decode(&f); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNoReport, err)
	}
	a := &Aggregate{Organisation: clean(f.Metadata.Organisation), Email: clean(f.Metadata.Email), ID: clean(f.Metadata.ID),
		Begin: time.Unix(f.Metadata.Begin, 0).UTC(), End: time.Unix(f.Metadata.End, 0).UTC(),
		Domain: strings.ToLower(strings.TrimSuffix(clean(f.Policy.Domain), ".")), Policy: strings.ToLower(clean(f.Policy.Policy))}
	switch {
	case a.Organisation == "" && a.Email == "", a.ID == "":
		return nil, fmt.Errorf("%w: it does not say who reports, or has no id", ErrNoReport)
	case a.Domain == "":
		return nil, fmt.Errorf("%w: it names no domain", ErrNoReport)
	}
	if err := checkPeriod(a.Begin, a.End, now); err != nil {
		return nil, err
	}
	for _, r := range f.Records {
		if len(a.Rows) == maxRows {
			a.Left++
			continue
		}
		if row, ok := r.row(); ok {
			a.Rows = append(a.Rows, row)
		}
	}
	return a, nil
}

// checkPeriod refuses a period that no report can be on.
func checkPeriod(begin, end, now time.Time) error {
	if end.Before(begin) || end.Sub(begin) > maxSpan || begin.Before(now.Add(-maxAge)) || begin.After(now.Add(48*time.Hour)) {
		return fmt.Errorf("%w: its period from %s to %s cannot be", ErrNoReport, begin.Format(time.RFC3339), end.Format(time.RFC3339))
	}
	return nil
}

// row reads a record; false where it says nothing that could be counted.
func (r record) row() (Row, bool) {
	address, err := netip.ParseAddr(strings.TrimSpace(r.Address))
	if err != nil || r.Count <= 0 || r.Count > maxCount {
		return Row{}, false
	}
	row := Row{Address: address.Unmap().WithZone(""), Count: r.Count, Disposition: strings.ToLower(clean(r.Disposition)), From: strings.ToLower(clean(r.From)),
		DKIM: strings.EqualFold(strings.TrimSpace(r.DKIM), "pass"), SPF: strings.EqualFold(strings.TrimSpace(r.SPF), "pass")}
	for _, s := range r.Signatures {
		if strings.EqualFold(strings.TrimSpace(s.Result), "pass") {
			row.SignedBy = strings.ToLower(clean(s.Domain))
			break
		}
	}
	if len(r.Envelopes) > 0 {
		row.Envelope = strings.ToLower(clean(r.Envelopes[0].Domain))
	}
	return row, true
}

// guarded refuses documents that declare types or entities, which no report needs,
// and drops namespaces.
type guarded struct {
	*xml.Decoder
	depth, tokens int
}

const (
	maxDepth  = 32
	maxTokens = 2_000_000
)

// Token implements xml.TokenReader.
func (g *guarded) Token() (xml.Token, error) {
	t, err := g.Decoder.Token()
	if g.tokens++; g.tokens > maxTokens {
		return nil, errors.New("it has too many elements")
	}
	switch t := t.(type) {
	case xml.Directive:
		return nil, errors.New("it declares a document type")
	case xml.StartElement:
		if g.depth++; g.depth > maxDepth {
			return nil, errors.New("its elements are nested too deeply")
		}
		t.Name.Space, t.Attr = "", nil
		return t, err
	case xml.EndElement:
		g.depth--
		t.Name.Space = ""
		return t, err
	}
	return t, err
}

// clean makes a value fit to be kept and shown.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
	if len(s) > maxField {
		s = strings.ToValidUTF8(s[:maxField], "")
	}
	return s
}
