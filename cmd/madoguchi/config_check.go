package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

// The values of smtp.tls.
const (
	tlsOff        = "off"
	tlsSelfSigned = "self-signed"
	tlsFiles      = "files"
)

// mtaSTSOff is the value of mta_sts.mode where no policy is served.
const mtaSTSOff = "off"

// checker gathers what is wrong with the values of a configuration.
type checker struct {
	path     string
	keys     []fileKey
	problems []error
}

// add notes a problem with the value of key, in the line it or the table
// around it stands in.
func (c *checker) add(key, format string, args ...any) {
	place := c.path
	for name := key; place == c.path && name != ""; name = parentKey(name) {
		if i := slices.IndexFunc(c.keys, func(k fileKey) bool { return k.name() == name }); i >= 0 {
			place = fmt.Sprintf("%s:%d", c.path, c.keys[i].line)
		}
	}
	if place != "" {
		place += ": "
	}
	c.problems = append(c.problems, fmt.Errorf("%s%s: %s", place, key, fmt.Sprintf(format, args...)))
}

// isServerName reports whether name can be said in SMTP and looked up: letters, digits,
// hyphens and dots between them, or an address in brackets. It is kind to underscores.
func isServerName(name string) bool {
	odd := func(r rune) bool {
		return !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Digit) && !strings.ContainsRune("-_.[]", r)
	}
	return !strings.ContainsFunc(name, odd) && strings.Trim(name, ".") == name && !strings.Contains(name, "..")
}

func parentKey(name string) string {
	return name[:max(0, strings.LastIndexAny(name, ".["))]
}

// check refuses values that cannot work. Keys tell the lines; nil is fine.
func (c *config) check(keys []fileKey) error {
	k := &checker{path: c.path, keys: keys}
	if c.Server.Data == "" {
		k.add("server.data", `must name a directory, such as "/var/lib/madoguchi"`)
	}
	if name := c.Server.Hostname; name != "" && !isServerName(name) {
		k.add("server.hostname", `%q is not the name of a server; write it like "mail.example.com"`, name)
	}
	k.smtp(c.SMTP)
	k.webhooks(c.Webhooks)
	k.selfTest(c.SelfTest)
	k.web(c.Web)
	k.oidc(c.OIDC, c.Web)
	k.proxyProtocol(c.Proxy)
	k.gate(c.Incoming)
	k.reports(c.Reports)
	k.dns(c.DNS)
	k.outbound(c.Outbound)
	if c.Metrics.Listen != "" {
		k.address("metrics.listen", c.Metrics.Listen)
	}
	k.dkim(c.DKIM)
	k.acme(c)
	k.oneOf("mta_sts.mode", c.MTASTS.Mode, "testing", "enforce", mtaSTSOff)
	k.positive("mta_sts.max_age", int64(c.MTASTS.MaxAge.Duration))
	k.helpdesk(c.Helpdesk)
	k.ai(c.AI)
	k.backup(c.Backup)
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "text", "json")
	k.cards(c.Cards)
	k.pipelines(c.Pipelines)
	k.aliases(c.Aliases, c.Reports.addresses())
	return errors.Join(k.problems...)
}

func (k *checker) smtp(c smtpConfig) {
	k.address("smtp.listen", c.Listen)
	k.oneOf("smtp.tls", c.TLS, tlsOff, tlsSelfSigned, tlsFiles)
	given := c.TLSCert != "" || c.TLSKey != ""
	switch {
	case c.TLS == tlsFiles:
		k.filled("smtp.tls_cert", c.TLSCert, `the certificate's PEM file, or smtp.tls = "self-signed"`)
		k.filled("smtp.tls_key", c.TLSKey, "the key's PEM file")
	case given:
		k.add("smtp.tls", `smtp.tls_cert and smtp.tls_key are only read with tls = "files", not %q: write tls = "files" as well`, c.TLS)
	}
	k.positive("smtp.read_timeout", int64(c.ReadTimeout.Duration))
	k.positive("smtp.write_timeout", int64(c.WriteTimeout.Duration))
	k.positive("smtp.data_timeout", int64(c.DataTimeout.Duration))
	k.positive("smtp.session_timeout", int64(c.SessionTimeout.Duration))
	k.positive("smtp.max_message_bytes", int64(c.MaxMessageBytes))
	k.positive("smtp.max_recipients", int64(c.MaxRecipients))
	k.positive("smtp.max_sessions", int64(c.MaxSessions))
	k.positive("smtp.max_sessions_per_ip", int64(c.MaxSessionsPerIP))
}

func (k *checker) web(c webConfig) {
	k.address("web.listen", c.Listen)
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
			k.add("web.url", `%q is not the address of a site; write it like "https://desk.example.com"`, c.URL)
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		k.add("web.tls_cert", "web.tls_cert and web.tls_key belong together: give both PEM files, or neither")
	}
}

func (k *checker) dns(c dnsConfig) {
	if c.Resolver != "" {
		host, _, err := net.SplitHostPort(c.Resolver)
		if err != nil {
			host = c.Resolver
		}
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil {
			k.add("dns.resolver", `%q is not the address of a name server; write it like "127.0.0.1:53", or "" for the system's`, c.Resolver)
		}
	}
	k.positive("dns.timeout", int64(c.Timeout.Duration))
}

func (k *checker) outbound(c outboundConfig) {
	k.account("outbound.", c.account())
	seen := map[string]bool{}
	for i, account := range c.Accounts {
		at := fmt.Sprintf("outbound.account[%d].", i)
		k.filled(at+"smarthost", account.Smarthost, `the server that takes the mail of these domains, such as "smtp.example.com:587"`)
		if len(account.Domains) == 0 {
			k.add(at+"domains", `names no domain; write those whose mail leaves here, such as ["example.com"]`)
		}
		for _, domain := range account.Domains {
			if domain = strings.ToLower(domain); seen[domain] {
				k.add(at+"domains", "%q stands in two accounts", domain)
			}
			seen[domain] = true
		}
		k.account(at, account)
	}
	if c.Port < 1 || c.Port > 65535 {
		k.add("outbound.port", "%d is no port; mail servers listen on 25", c.Port)
	}
	k.positive("outbound.timeout", int64(c.Timeout.Duration))
	k.natural("outbound.idle", int64(c.Idle.Duration))
	k.natural("outbound.concurrency", int64(c.Concurrency))
	k.natural("outbound.per_minute", int64(c.PerMinute))
	k.natural("outbound.total_per_minute", int64(c.TotalPerMinute))
}

// account checks a smarthost and its login.
func (k *checker) account(at string, c accountConfig) {
	if c.TLS != "" {
		k.oneOf(at+"tls", c.TLS, "opportunistic", "starttls", "implicit", "none")
	}
	if c.Smarthost != "" {
		smarthost := outbound.Smarthost{Address: c.Smarthost, Username: c.Username, TLS: c.TLS}
		if err := smarthost.Validate(); err != nil {
			k.add(at+"smarthost", "%s", strings.TrimPrefix(err.Error(), "smarthost: "))
		}
	}
	if c.Password != "" && c.PasswordFile != "" {
		k.add(at+"password_file", "give %spassword or %spassword_file, not both", at, at)
	}
	if c.Username != "" && c.Password == "" && c.PasswordFile == "" {
		k.add(at+"username", "needs %spassword_file (or %spassword) beside it", at, at)
	}
	if c.Username != "" && c.Smarthost == "" {
		k.add(at+"username", "needs %ssmarthost, the server to log in to", at)
	}
}

func (k *checker) dkim(keys []dkimConfig) {
	for i, c := range keys {
		at := fmt.Sprintf("dkim[%d].", i)
		k.filled(at+"domain", c.Domain, `the domain that signs, such as "example.com"`)
		k.filled(at+"selector", c.Selector, `the name under _domainkey, such as "madoguchi"`)
		k.filled(at+"key_file", c.KeyFile, "the private key's PEM file")
		same := func(other dkimConfig) bool {
			return strings.EqualFold(other.Domain, c.Domain) && strings.EqualFold(other.Selector, c.Selector)
		}
		if slices.ContainsFunc(keys[:i], same) {
			k.add(at+"selector", "%q of %q stands there already; several keys of a domain need selectors of their own", c.Selector, c.Domain)
		}
	}
}

func (k *checker) helpdesk(c helpdeskConfig) {
	k.positive("helpdesk.token_lifetime", int64(c.TokenLifetime.Duration))
	k.positive("helpdesk.session_lifetime", int64(c.SessionLifetime.Duration))
	k.positive("helpdesk.session_idle", int64(c.SessionIdle.Duration))
}

func (k *checker) ai(c aiConfig) {
	if u, err := url.Parse(c.Address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		k.add("ai.address", `%q is not the address of an Ollama server; write it like "http://127.0.0.1:11434"`, c.Address)
	}
	if c.Enabled {
		k.filled("ai.model", c.Model, `the model's name as "ollama list" shows it, or ai.enabled = false`)
	}
	k.positive("ai.timeout", int64(c.Timeout.Duration))
	k.positive("ai.concurrency", int64(c.Concurrency))
	if c.Context < 2048 {
		k.add("ai.context", "%d tokens do not hold a mail and the answer; write at least 2048", c.Context)
	}
	k.positive("ai.writing.concurrency", int64(c.Writing.Concurrency))
	k.writingTask("ai.draft.", c.Draft)
	k.writingTask("ai.rewrite.", c.Rewrite)
	k.writingTask("ai.translate.", c.Translate)
	k.writingTask("ai.summary.", c.Summary)
	k.writingTask("ai.service.", c.Service)
	k.positive("ai.embedding.timeout", int64(c.Embedding.Timeout.Duration))
	k.natural("ai.embedding.keep_alive", int64(c.Embedding.KeepAlive.Duration))
	if c.Embedding.Context < 256 {
		k.add("ai.embedding.context", "%d tokens do not hold a short mail; write at least 256", c.Embedding.Context)
	}
}

// writingTask checks who writes one kind of text.
func (k *checker) writingTask(at string, c writingTaskConfig) {
	k.positive(at+"timeout", int64(c.Timeout.Duration))
	k.natural(at+"keep_alive", int64(c.KeepAlive.Duration))
	if c.Context != 0 && c.Context < 2048 {
		k.add(at+"context", "%d tokens do not hold a conversation and a text; write at least 2048, or 0 for that of [ai]", c.Context)
	}
}

func (k *checker) pipelines(pipelines []pipelineConfig) {
	for i, p := range pipelines {
		at := fmt.Sprintf("pipeline[%d].", i)
		k.filled(at+"name", p.Name, "the pipeline's name")
		if slices.ContainsFunc(pipelines[:i], func(other pipelineConfig) bool { return other.Name == p.Name }) {
			k.add(at+"name", "%q is declared twice", p.Name)
		}
		names := map[string]string{}
		for j, s := range p.Stages {
			stage := fmt.Sprintf("%sstages[%d].", at, j)
			k.filled(stage+"name", s.Name, "the stage's name")
			k.oneOf(stage+"kind", s.Kind, string(helpdesk.StageOpen), string(helpdesk.StageClosed))
			if _, twice := names[s.Name]; twice {
				k.add(stage+"name", "%q is declared twice in this pipeline", s.Name)
			}
			names[s.Name] = s.Kind
		}
		if len(p.Stages) == 0 || p.Stages[0].Kind != string(helpdesk.StageOpen) {
			k.add(at+"stages", `needs a first stage of kind "open": that is where new tickets go`)
		}
		if kind, found := names[p.ReopenStage]; p.ReopenStage != "" && (!found || kind != string(helpdesk.StageOpen)) {
			k.add(at+"reopen_stage", "%q is not one of this pipeline's open stages", p.ReopenStage)
		}
	}
}

func (k *checker) aliases(aliases []aliasConfig, reports []string) {
	for i, a := range aliases {
		at := fmt.Sprintf("alias[%d].", i)
		if !looksLikeAddress(a.Address) {
			k.add(at+"address", `%q is not a mail address; write it like "support@example.com"`, a.Address)
		}
		if slices.ContainsFunc(aliases[:i], func(other aliasConfig) bool { return strings.EqualFold(other.Address, a.Address) }) {
			k.add(at+"address", "%q is declared twice", a.Address)
		}
		if slices.ContainsFunc(reports, func(address string) bool { return strings.EqualFold(address, a.Address) }) {
			k.add(at+"address", "%q takes reports ([reports]), so mail to it would make no tickets; give one of them another address", a.Address)
		}
		if a.Language != "" {
			k.oneOf(at+"language", a.Language, "ja", "en")
		}
		if a.ForwardTo != "" && !looksLikeAddress(a.ForwardTo) {
			k.add(at+"forward_to", "%q is not a mail address", a.ForwardTo)
		}
	}
}

// looksLikeAddress is a first look; the helpdesk has the last word.
func looksLikeAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 && !strings.ContainsAny(s, " \t\r\n<>,")
}

func (k *checker) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		k.add(key, `%q is not known; write one of "%s"`, value, strings.Join(allowed, `", "`))
	}
}

func (k *checker) filled(key, value, what string) {
	if value == "" {
		k.add(key, "is missing: write %s", what)
	}
}

func (k *checker) natural(key string, n int64) {
	if n < 0 {
		k.add(key, "must not be less than nothing; 0 is without")
	}
}

func (k *checker) positive(key string, n int64) {
	if n <= 0 {
		k.add(key, "must be more than nothing")
	}
}

// address checks host:port, where an empty host is every interface.
func (k *checker) address(key, value string) {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		k.add(key, `%q is not an address to listen on or connect to; write it like "127.0.0.1:2525", or ":25" for every interface`, value)
	}
}

// publicURL is the web's address where customers can reach it with encryption,
// without a slash at its end; "" where that is not known.
func (c *config) publicURL() string {
	if strings.HasPrefix(c.Web.URL, "https://") {
		return strings.TrimRight(c.Web.URL, "/")
	}
	return ""
}

// hostname is the name this server goes by in SMTP and in the Message-IDs it
// gives: the configured one, or the machine's.
func (c *config) hostname() string {
	if c.Server.Hostname != "" {
		return c.Server.Hostname
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}
