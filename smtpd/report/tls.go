package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TLS is a report on the encryption of connections to a domain's mail hosts
// (RFC 8460, section 4.4).
type TLS struct {
	Organisation, Contact, ID string
	Begin, End                time.Time
	Policies                  []TLSPolicy
	// Left says how many policies beyond the limit were not read.
	Left int
}

// TLSPolicy is what the sender found to hold for a domain, and what came of it.
type TLSPolicy struct {
	// Domain is the recipient's, or with DANE the name of the mail host; lower case.
	Domain string
	Type   string   // "sts", "tlsa", "no-policy-found", or what the reporter wrote
	Text   []string // the policy as it was found
	MX     []string // that an MTA-STS policy names
	// Successful and Failed count connections.
	Successful, Failed int
	Failures           []TLSFailure
	// Left counts the failed connections of the kinds beyond the limit.
	Left int
}

// TLSFailure counts connections that failed alike.
type TLSFailure struct {
	// Result is a word of RFC 8460, section 4.3, such as "certificate-expired".
	Result                        string
	Sender, Host, Address, Reason string // addresses, mail host and explanation; each may be empty
	Count                         int
}

// Limits of one report.
const (
	maxPolicies    = 50
	maxFailures    = 200 // of one policy
	maxPolicyLines = 50
)

// tlsDocument is the report as reporters write it, with the quirks of early drafts:
// a list of one as a string, and another name for the reason.
type tlsDocument struct {
	Organisation string `json:"organization-name"`
	Range        struct {
		Begin time.Time `json:"start-datetime"`
		End   time.Time `json:"end-datetime"`
	} `json:"date-range"`
	Contact  string   `json:"contact-info"`
	ID       string   `json:"report-id"`
	Policies policies `json:"policies"`
}

type policy struct {
	Policy struct {
		Type   string `json:"policy-type"`
		Text   lines  `json:"policy-string"`
		Domain string `json:"policy-domain"`
		MX     lines  `json:"mx-host"`
	} `json:"policy"`
	Summary struct {
		Successful count `json:"total-successful-session-count"`
		Failed     count `json:"total-failure-session-count"`
	} `json:"summary"`
	Failures failures `json:"failure-details"`
}

type failure struct {
	Result  string `json:"result-type"`
	Sender  string `json:"sending-mta-ip"`
	Host    string `json:"receiving-mx-hostname"`
	Address string `json:"receiving-ip"`
	Count   count  `json:"failed-session-count"`
	Reason  string `json:"failure-reason-code"`
	Code    string `json:"failure-error-code"`
}

// The lists keep what is within their limits, and count the rest.
type (
	policies struct {
		list []policy
		left int
	}
	failures struct {
		list []failure
		left int // connections
	}
	lines []string // or one string
)

// UnmarshalJSON implements json.Unmarshaler.
func (p *policies) UnmarshalJSON(data []byte) (err error) {
	p.list, err = atMost(maxPolicies, data, func(policy) { p.left++ })
	return err
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *failures) UnmarshalJSON(data []byte) (err error) {
	f.list, err = atMost(maxFailures, data, func(one failure) { f.left += int(one.Count) })
	return err
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *lines) UnmarshalJSON(data []byte) (err error) {
	if bytes.HasPrefix(data, []byte(`"`)) {
		data = slices.Concat([]byte("["), data, []byte("]"))
	}
	*l, err = atMost(maxPolicyLines, data, func(string) {})
	return err
}

// atMost reads the elements of a list one by one, since a small file unpacks to
// millions of them, and gives those beyond the limit to beyond.
func atMost[T any](limit int, data []byte, beyond func(T)) (list []T, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	switch begin, err := d.Token(); {
	case err != nil || begin == nil:
		return nil, err
	case begin != json.Delim('['):
		return nil, fmt.Errorf("a list was expected, not %q", clean(fmt.Sprint(begin)))
	}
	for d.More() {
		var one T
		if err := d.Decode(&one); err != nil {
			return nil, err
		}
		if len(list) == limit {
			beyond(one)
			continue
		}
		list = append(list, one)
	}
	return list, nil
}

func (l lines) clean() (list []string) {
	for _, text := range l {
		if text = clean(text); text != "" {
			list = append(list, text)
		}
	}
	return list
}

// count is a number of connections, which some write in quotes.
type count int

// UnmarshalJSON implements json.Unmarshaler.
func (c *count) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "null" || text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxCount {
		return fmt.Errorf("%q is no number of connections", clean(text))
	}
	*c = count(n)
	return nil
}

// parseTLS reads the JSON of a report.
func parseTLS(r io.Reader, now time.Time) (*TLS, error) {
	var d tlsDocument
	if err := json.NewDecoder(r).Decode(&d); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrNoReport, clean(err.Error()))
	}
	t := &TLS{Organisation: clean(d.Organisation), Contact: clean(d.Contact), ID: clean(d.ID), Begin: storable(d.Range.Begin), End: storable(d.Range.End)}
	if t.Organisation == "" && t.Contact == "" || t.ID == "" {
		return nil, fmt.Errorf("%w: it does not say who reports, or has no id", ErrNoReport)
	}
	if err := checkPeriod(t.Begin, t.End, now); err != nil {
		return nil, err
	}
	t.Left = d.Policies.left
	for _, p := range d.Policies.list {
		if read := p.read(); read.Domain != "" {
			t.Policies = append(t.Policies, read)
		}
	}
	if len(t.Policies) == 0 {
		return nil, fmt.Errorf("%w: it names no domain", ErrNoReport)
	}
	return t, nil
}

func (p policy) read() TLSPolicy {
	read := TLSPolicy{Domain: strings.ToLower(strings.TrimSuffix(clean(p.Policy.Domain), ".")), Type: strings.ToLower(clean(p.Policy.Type)),
		Text: p.Policy.Text.clean(), MX: p.Policy.MX.clean(), Successful: int(p.Summary.Successful), Failed: int(p.Summary.Failed), Left: p.Failures.left}
	for _, f := range p.Failures.list {
		read.Failures = append(read.Failures, TLSFailure{Result: strings.ToLower(clean(f.Result)), Sender: clean(f.Sender), Host: strings.ToLower(clean(f.Host)),
			Address: clean(f.Address), Reason: cmp.Or(clean(f.Reason), clean(f.Code)), Count: int(f.Count)})
	}
	return read
}

// storable is t, or the zero time where no period can begin.
func storable(t time.Time) time.Time {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return time.Time{}
	}
	return t.UTC()
}
