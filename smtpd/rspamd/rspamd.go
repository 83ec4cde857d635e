// Package rspamd asks an rspamd over HTTP what it thinks of a mail
// (https://rspamd.com/doc/developers/protocol.html).
package rspamd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Action is what rspamd would do with a mail.
type Action string

// The actions, the mildest first.
const (
	NoAction       Action = "no action"
	Greylist       Action = "greylist"
	AddHeader      Action = "add header"
	RewriteSubject Action = "rewrite subject"
	SoftReject     Action = "soft reject"
	Quarantine     Action = "quarantine"
	Reject         Action = "reject"
	Discard        Action = "discard"
)

// The bounds of what is taken over of an answer.
const (
	maxAnswer  = 1 << 20 // bytes
	maxSymbols = 30
	maxText    = 200 // bytes
	// idleConnections are kept open for the mails that come next.
	idleConnections = 16
)

// Client asks one rspamd: the normal worker (port 11333) or the proxy.
type Client struct {
	// URL is where it listens, such as "http://127.0.0.1:11333".
	URL string
	// Timeout bounds one question.
	Timeout time.Duration
	// Hostname is this server's name, for rspamd's log.
	Hostname string
	// HTTP asks; nil stands for a client that goes straight to URL: mails are not
	// sent on to where a redirect or a proxy of the environment leads.
	HTTP *http.Client

	once   sync.Once
	direct *http.Client
}

// Request is a mail and how it came.
type Request struct {
	ID         string     // under which rspamd logs it
	RemoteIP   netip.Addr // the zero Addr where the client is not known
	HELO       string
	MailFrom   string
	Recipients []string
	TLS        string // version and cipher suite, or ""
	Raw        []byte
}

// Result is what rspamd thinks.
type Result struct {
	Action          Action
	Score, Required float64
	// Symbols are the rules that fired, the weightiest first.
	Symbols []Symbol
	// Message is what rspamd wants the sender to be told, or "".
	Message string
}

// Symbol is a rule that fired.
type Symbol struct {
	Name    string
	Score   float64
	Options string // what it found, such as a domain; in one line
}

// Check has rspamd read a mail, through its /checkv2, within the client's Timeout. The
// error says why there is no answer.
func (c *Client) Check(ctx context.Context, r Request) (Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("no answer within %s", c.Timeout))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+"/checkv2", bytes.NewReader(r.Raw))
	if err != nil {
		return Result{}, fmt.Errorf("ask rspamd: %w", err)
	}
	header := func(name, value string) {
		if value != "" {
			request.Header.Add(name, value)
		}
	}
	if r.RemoteIP.IsValid() {
		header("IP", r.RemoteIP.WithZone("").String())
	}
	header("Helo", r.HELO)
	header("From", r.MailFrom)
	for _, recipient := range r.Recipients {
		header("Rcpt", recipient)
	}
	header("Queue-Id", r.ID)
	header("MTA-Name", c.Hostname)
	version, cipher, _ := strings.Cut(r.TLS, " ")
	header("TLS-Version", version)
	header("TLS-Cipher", cipher)
	var answer reply
	if err := c.ask(request, &answer); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return Result{}, fmt.Errorf("ask rspamd: %w", err)
	}
	return answer.result()
}

// Ping asks whether rspamd is there.
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+"/ping", nil)
	if err != nil {
		return fmt.Errorf("ask rspamd: %w", err)
	}
	body, err := c.do(request)
	if err != nil {
		return fmt.Errorf("ask rspamd: %w", err)
	}
	if !bytes.HasPrefix(body, []byte("pong")) {
		return fmt.Errorf("ask rspamd: %s answers, but is no rspamd", c.URL)
	}
	return nil
}

func (c *Client) ask(request *http.Request, answer *reply) error {
	body, err := c.do(request)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("its answer is not JSON: %w", err)
	}
	return nil
}

func (c *Client) straight() *http.Client {
	c.once.Do(func() {
		c.direct = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: idleConnections, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	})
	return c.direct
}

func (c *Client) do(request *http.Request) ([]byte, error) {
	client := c.HTTP
	if client == nil {
		client = c.straight()
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %s", response.Status)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("its answer has more than %d bytes", maxAnswer)
	}
	return body, nil
}

// reply is the answer on the wire.
type reply struct {
	Action   Action  `json:"action"`
	Score    float64 `json:"score"`
	Required float64 `json:"required_score"`
	Skipped  bool    `json:"is_skipped"`
	Symbols  map[string]struct {
		Score   float64  `json:"score"`
		Options []string `json:"options"`
	} `json:"symbols"`
	Messages map[string]any `json:"messages"`
	Error    string         `json:"error"`
}

var errNoAction = errors.New("ask rspamd: its answer names no action")

func (r reply) result() (Result, error) {
	if r.Error != "" {
		return Result{}, fmt.Errorf("ask rspamd: it says %q", line(r.Error))
	}
	if r.Skipped && r.Action == "" {
		r.Action = NoAction
	}
	if r.Action == "" {
		return Result{}, errNoAction
	}
	result := Result{Action: r.Action, Score: r.Score, Required: r.Required}
	for name, s := range r.Symbols {
		result.Symbols = append(result.Symbols, Symbol{line(name), s.Score, line(strings.Join(s.Options, ", "))})
	}
	slices.SortFunc(result.Symbols, func(a, b Symbol) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Score), math.Abs(a.Score)), cmp.Compare(a.Name, b.Name))
	})
	result.Symbols = result.Symbols[:min(len(result.Symbols), maxSymbols)]
	if text, ok := r.Messages["smtp_message"].(string); ok {
		result.Message = line(text)
	}
	return result, nil
}

// line makes a text of rspamd's one bounded line.
func line(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "?")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
