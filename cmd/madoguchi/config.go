package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd"
)

// config is the configuration file. Every key has a default, so no file is
// needed; config.example.toml documents each.
type config struct {
	Server    serverConfig     `toml:"server"`
	SMTP      smtpConfig       `toml:"smtp"`
	Web       webConfig        `toml:"web"`
	Proxy     proxyConfig      `toml:"proxy_protocol"`
	DNS       dnsConfig        `toml:"dns"`
	Incoming  incomingConfig   `toml:"incoming"`
	Reports   reportsConfig    `toml:"reports"`
	Outbound  outboundConfig   `toml:"outbound"`
	DKIM      []dkimConfig     `toml:"dkim"`
	ACME      acmeConfig       `toml:"acme"`
	MTASTS    mtaSTSConfig     `toml:"mta_sts"`
	Check     checkConfig      `toml:"check"`
	Helpdesk  helpdeskConfig   `toml:"helpdesk"`
	AI        aiConfig         `toml:"ai"`
	Backup    backupConfig     `toml:"backup"`
	OIDC      oidcConfig       `toml:"oidc"`
	Log       logConfig        `toml:"log"`
	Metrics   metricsConfig    `toml:"metrics"`
	Webhooks  webhooksConfig   `toml:"webhooks"`
	SelfTest  selfTestConfig   `toml:"self_test"`
	Cards     []cardConfig     `toml:"customer_card"`
	Pipelines []pipelineConfig `toml:"pipeline"`
	Aliases   []aliasConfig    `toml:"alias"`

	// path is the file this came from, "" without one.
	path string
}

type serverConfig struct {
	Hostname string `toml:"hostname"`
	Data     string `toml:"data"`
}

type smtpConfig struct {
	Listen           string   `toml:"listen"`
	LMTP             string   `toml:"lmtp"`
	TLS              string   `toml:"tls"`
	TLSCert          string   `toml:"tls_cert"`
	TLSKey           string   `toml:"tls_key"`
	ReadTimeout      duration `toml:"read_timeout"`
	WriteTimeout     duration `toml:"write_timeout"`
	DataTimeout      duration `toml:"data_timeout"`
	SessionTimeout   duration `toml:"session_timeout"`
	MaxMessageBytes  byteSize `toml:"max_message_bytes"`
	MaxRecipients    int      `toml:"max_recipients"`
	MaxSessions      int      `toml:"max_sessions"`
	MaxSessionsPerIP int      `toml:"max_sessions_per_ip"`
}

type webConfig struct {
	Listen  string `toml:"listen"`
	URL     string `toml:"url"`
	TLSCert string `toml:"tls_cert"`
	TLSKey  string `toml:"tls_key"`
}

type dnsConfig struct {
	Resolver string   `toml:"resolver"`
	Timeout  duration `toml:"timeout"`
	Trusted  bool     `toml:"trusted"`
}

type outboundConfig struct {
	Smarthost    string   `toml:"smarthost"`
	Username     string   `toml:"username"`
	Password     string   `toml:"password"`
	PasswordFile string   `toml:"password_file"`
	TLS          string   `toml:"tls"`
	Port         int      `toml:"port"`
	Timeout      duration `toml:"timeout"`
	Idle         duration `toml:"idle"`
	// Concurrency and PerMinute are for one destination.
	Concurrency    int             `toml:"concurrency"`
	PerMinute      int             `toml:"per_minute"`
	TotalPerMinute int             `toml:"total_per_minute"`
	TLSReports     bool            `toml:"tls_reports"`
	Accounts       []accountConfig `toml:"account"`
}

// accountConfig is a smarthost for the mail of some domains.
type accountConfig struct {
	Domains      []string `toml:"domains"`
	Smarthost    string   `toml:"smarthost"`
	Username     string   `toml:"username"`
	Password     string   `toml:"password"`
	PasswordFile string   `toml:"password_file"`
	TLS          string   `toml:"tls"`
}

type dkimConfig struct {
	Domain   string `toml:"domain"`
	Selector string `toml:"selector"`
	KeyFile  string `toml:"key_file"`
}

// mtaSTSConfig is the policy that this server serves for its own domains.
type mtaSTSConfig struct {
	Mode   string   `toml:"mode"`
	MaxAge duration `toml:"max_age"`
}

// checkConfig is whom a check-up asks.
type checkConfig struct {
	Outgoing   string   `toml:"outgoing"`
	Blocklists []string `toml:"blocklists"`
	Clock      string   `toml:"clock"`
}

type helpdeskConfig struct {
	TokenLifetime   duration `toml:"token_lifetime"`
	UndoWindow      duration `toml:"undo_window"`
	SessionLifetime duration `toml:"session_lifetime"`
	SessionIdle     duration `toml:"session_idle"`
}

type aiConfig struct {
	Enabled     bool     `toml:"enabled"`
	Address     string   `toml:"address"`
	Model       string   `toml:"model"`
	Timeout     duration `toml:"timeout"`
	Context     int      `toml:"context"`
	KeepAlive   duration `toml:"keep_alive"`
	Concurrency int      `toml:"concurrency"`

	Writing   writingConfig     `toml:"writing"`
	Draft     writingTaskConfig `toml:"draft"`
	Rewrite   writingTaskConfig `toml:"rewrite"`
	Translate writingTaskConfig `toml:"translate"`
	Summary   writingTaskConfig `toml:"summary"`
	Service   writingTaskConfig `toml:"service"`
	Embedding embeddingConfig   `toml:"embedding"`
}

// embeddingConfig is what makes vectors of customers' messages; without a model
// there are none.
type embeddingConfig struct {
	Model     string   `toml:"model"`
	Context   int      `toml:"context"`
	Timeout   duration `toml:"timeout"`
	KeepAlive duration `toml:"keep_alive"`
}

// writingConfig is what all texts for agents have in common.
type writingConfig struct {
	Concurrency int `toml:"concurrency"`
}

// writingTaskConfig is which model does one kind of work. What is empty is as in [ai].
type writingTaskConfig struct {
	Model     string   `toml:"model"`
	Context   int      `toml:"context"`
	Timeout   duration `toml:"timeout"`
	KeepAlive duration `toml:"keep_alive"`
}

type logConfig struct {
	Level  string `toml:"level"`
	Format string `toml:"format"`
}

type metricsConfig struct {
	Listen string `toml:"listen"`
}

type pipelineConfig struct {
	Name        string        `toml:"name"`
	Stages      []stageConfig `toml:"stages"`
	Reopen      *bool         `toml:"reopen"` // true where it is left out
	ReopenStage string        `toml:"reopen_stage"`
}

type stageConfig struct {
	Name string `toml:"name"`
	Kind string `toml:"kind"`
}

type aliasConfig struct {
	Address   string   `toml:"address"`
	Name      string   `toml:"name"`
	Brand     string   `toml:"brand"`
	Pipeline  string   `toml:"pipeline"`
	Owner     string   `toml:"owner"`
	Team      string   `toml:"team"`
	Tags      []string `toml:"tags"`
	Language  string   `toml:"language"`
	Signature string   `toml:"signature"`
	ForwardTo string   `toml:"forward_to"`
	// Acknowledgement answers a person's first mail.
	Acknowledgement string `toml:"acknowledgement"`
	// Signatures and Acknowledgements are by language.
	Signatures       map[string]string `toml:"signatures"`
	Acknowledgements map[string]string `toml:"acknowledgements"`
	// Approval asks for a second person before a reply leaves.
	Approval bool `toml:"approval"`
}

// defaultConfig is what holds where the file says nothing: a server that is
// reachable from this machine only.
func defaultConfig() config {
	smtp := smtpd.DefaultConfig()
	return config{
		Server: serverConfig{Data: defaultData},
		SMTP: smtpConfig{
			Listen:           "127.0.0.1:2525",
			TLS:              tlsSelfSigned,
			ReadTimeout:      duration{smtp.ReadTimeout},
			WriteTimeout:     duration{smtp.WriteTimeout},
			DataTimeout:      duration{smtp.DataTimeout},
			SessionTimeout:   duration{smtp.SessionTimeout},
			MaxMessageBytes:  byteSize(smtp.MaxMessageBytes),
			MaxRecipients:    smtp.MaxRecipients,
			MaxSessions:      smtp.MaxSessions,
			MaxSessionsPerIP: smtp.MaxSessionsPerIP,
		},
		Web:      webConfig{Listen: "127.0.0.1:8080"},
		Proxy:    proxyConfig{Trusted: []string{}, Listeners: []string{proxySMTP, proxyWeb}, Timeout: duration{5 * time.Second}, Missing: missingRefuse},
		Incoming: defaultIncoming(),
		DNS:      dnsConfig{Timeout: duration{10 * time.Second}},
		Outbound: outboundConfig{Port: 25, Timeout: duration{2 * time.Minute}, Idle: duration{20 * time.Second}, Concurrency: 4},
		ACME:     defaultACME(),
		MTASTS:   mtaSTSConfig{Mode: "testing", MaxAge: duration{7 * day}},
		Check:    checkConfig{Outgoing: "gmail.com", Blocklists: []string{"zen.spamhaus.org", "bl.spamcop.net"}, Clock: "https://www.cloudflare.com/"},
		Helpdesk: helpdeskConfig{
			TokenLifetime:   duration{90 * day},
			UndoWindow:      duration{10 * time.Second},
			SessionLifetime: duration{30 * day},
			SessionIdle:     duration{7 * day},
		},
		AI: aiConfig{
			Enabled: true, Address: "http://127.0.0.1:11434", Model: "qwen3.5:4b",
			Timeout: duration{10 * time.Minute}, Context: 8192,
			KeepAlive: duration{10 * time.Minute}, Concurrency: 1,
			Writing: writingConfig{Concurrency: 2},
			Draft:   writingTaskConfig{Timeout: duration{5 * time.Minute}}, Rewrite: writingTaskConfig{Timeout: duration{5 * time.Minute}},
			Translate: writingTaskConfig{Timeout: duration{5 * time.Minute}}, Summary: writingTaskConfig{Timeout: duration{5 * time.Minute}},
			Service:   writingTaskConfig{Timeout: duration{10 * time.Minute}},
			Embedding: embeddingConfig{Context: 2048, Timeout: duration{time.Minute}},
		},
		Backup:   backupConfig{At: []clockTime{{3*time.Hour + 30*time.Minute}}, KeepDaily: 7, KeepWeekly: 4, KeepMonthly: 12, BeforeUpgrade: true},
		OIDC:     oidcConfig{Scopes: []string{"openid", "email", "profile"}, Domains: []string{}},
		Log:      logConfig{Level: "info", Format: "text"},
		SelfTest: selfTestConfig{Every: duration{time.Hour}, Within: duration{time.Minute}},
		Webhooks: webhooksConfig{AllowNetworks: []string{}, GiveUpAfter: duration{helpdesk.DefaultWebhookPatience}},
	}
}

// readConfig reads the file over the defaults; "" gives the defaults. The
// error names every problem of the file at once, one a line, each with its
// file, line, key and what to type.
func readConfig(path string) (config, error) {
	c := defaultConfig()
	if path == "" {
		return c, nil
	}
	document, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, fmt.Errorf("there is no configuration file %s; config.example.toml shows one, and none is needed to start (leave --config out)", path)
	}
	if errors.Is(err, fs.ErrPermission) {
		owner, _ := ownerOf(path)
		return config{}, fmt.Errorf("the configuration file cannot be read by user %d: %w; it belongs to %s: run this as that user (sudo -u), or let this one read it", os.Getuid(), err, userName(owner))
	}
	if err != nil {
		return config{}, fmt.Errorf("read configuration: %w", err)
	}
	return parseConfig(path, document)
}

// parseConfig reads the document over the defaults.
func parseConfig(path string, document []byte) (config, error) {
	c := defaultConfig()
	c.path = path
	keys := fileKeys(document)
	if err := checkKeys(path, keys); err != nil {
		return config{}, err
	}
	decoder := toml.NewDecoder(bytes.NewReader(document)).DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return config{}, decodeError(path, err)
	}
	if err := c.check(keys); err != nil {
		return config{}, err
	}
	return c, nil
}

// decodeError gives a syntax error of the file its place.
func decodeError(path string, err error) error {
	var at *toml.DecodeError
	if errors.As(err, &at) {
		row, column := at.Position()
		return fmt.Errorf("%s:%d:%d: %s", path, row, column, trimLibrary(at.Error()))
	}
	return fmt.Errorf("%s: %s", path, trimLibrary(err.Error()))
}
