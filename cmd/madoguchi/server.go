package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/ui"
)

// How long a stopping server waits for what is in progress.
const (
	mailPatience    = 30 * time.Second
	requestPatience = 10 * time.Second
)

// server is the running program: every part, connected.
type server struct {
	config       config                 // as reloads change it, which alone read it whole
	running      atomic.Pointer[config] // the same for everybody else
	log          *slog.Logger
	level        slog.LevelVar
	certificates certificates
	store        *store.Journal
	desk         *helpdesk.Desk
	index        *search.Index
	similar      *similar.Index
	topics       *similar.Topics

	inherited        sockets
	systemd          notifier
	smtp, lmtp       *smtpd.Server
	verifier         changingVerifier
	smtpAt, lmtpAt   net.Listener
	web, control     *http.Server
	webAt, controlAt net.Listener
	metrics          *metrics
	metricsServer    *http.Server // nil where none is asked for
	metricsAt        net.Listener
	acmeServer       *http.Server // nil where the authority does not come by HTTP
	acmeAt           net.Listener
	pages            *ui.Server
	provider         ui.SignOn // nil where there is none
	background       []func(context.Context)
	analyst          *analysis.Analyst // nil where no model is asked
	writer           *analysis.Writer  // the same
	matcher          *analysis.Matcher // the same
	domains          *domains
	backups          *run.Backups // nil where none are made
	ready            atomic.Bool
}

// newServer opens everything that can fail to open, so that a server either
// starts whole or says what is in its way.
func newServer(ctx context.Context, c config, logs io.Writer) (_ *server, err error) {
	s := &server{config: c, metrics: newMetrics()}
	s.runs()
	if s.log, err = newLogger(c.Log, logs, &s.level); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.closeAll()
		}
	}()
	if s.inherited, err = inheritSockets(); err != nil {
		return nil, err
	}
	steps := []func(context.Context) error{
		s.openData, s.openMail, s.openBackground, s.openBackups, s.openWeb, s.openACME, s.openMetrics, s.openControl,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *server) openData(ctx context.Context) (err error) {
	s.store, err = openStore(s.config.Server.Data, func(what string) {
		s.log.WarnContext(ctx, "damage of the store is put right", "damage", what)
	})
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("another process works on the data in %s: stop it, or give this one its own with --data DIR", s.config.Server.Data)
	}
	if err != nil {
		return err
	}
	if s.config.Backup.BeforeUpgrade {
		kept, err := keepBeforeUpgrade(ctx, s.store, s.config.Server.Data)
		if err != nil {
			return err
		}
		if kept != "" {
			s.log.InfoContext(ctx, "the data is of an older version and is upgraded; a copy of it as it was is kept", "copy", kept)
		}
	}
	options := s.config.deskOptions()
	options.Log = s.log
	s.desk, err = helpdesk.Open(ctx, s.store, options)
	if err != nil {
		return err
	}
	s.index = search.New(s.store, s.desk)
	s.index.Log = s.log
	if err := s.desk.ReleaseClaims(ctx); err != nil {
		return err
	}
	if err := s.applyFile(ctx, s.config); err != nil {
		return err
	}
	return s.applyPolicy(ctx, s.config)
}

// runs makes the configuration known as the one that runs.
func (s *server) runs() {
	c := s.config
	s.running.Store(&c)
}

// deskOptions are what the file says of the desk.
func (c *config) deskOptions() helpdesk.Options {
	return helpdesk.Options{
		Hostname:        c.hostname(),
		TokenLifetime:   c.Helpdesk.TokenLifetime.Duration,
		UndoWindow:      orNone(c.Helpdesk.UndoWindow.Duration),
		SessionLifetime: c.Helpdesk.SessionLifetime.Duration,
		Policy:          c.policy(),
		SessionIdle:     c.Helpdesk.SessionIdle.Duration,
		PrivateWebhooks: len(c.Webhooks.AllowNetworks) > 0,
		WebhookPatience: c.Webhooks.GiveUpAfter.Duration,
		PublicURL:       c.publicURL(),
		Program:         programVersion(),
	}
}

// policy is what the file says of the desk that may change while it runs.
func (c *config) policy() helpdesk.Policy {
	return helpdesk.Policy{
		SignOn:          c.OIDC.signOn(),
		DMARC:           c.Incoming.DMARC.handling(),
		ReportAddresses: c.Reports.addresses(),
		QuarantineKeep:  c.Incoming.QuarantineKeep.Duration,
		Greylisting:     c.Incoming.Greylist.greylisting(),
	}
}

// orNone writes "none" as the desk does: zero would stand for its default.
func orNone(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

func (s *server) openMail(context.Context) (err error) {
	c := s.config
	if c.ACME.Agreed {
		if s.certificates.obtaining, err = newObtaining(s); err != nil {
			return err
		}
	}
	if err := s.certificates.load(c); err != nil {
		return err
	}
	if s.smtpAt, err = s.inherited.listen("smtp", "smtp.listen", "--smtp", c.SMTP.Listen); err != nil {
		return err
	}
	s.smtpAt = s.proxied(proxySMTP, s.smtpAt)
	s.verifier.Store(&auth.Verifier{
		Resolver: auth.NewCachingResolver(c.DNS.Resolver, time.Now), Timeout: c.DNS.Timeout.Duration, Hostname: c.hostname(),
		Forwarders: c.Incoming.TrustedForwarders,
	})
	handler := measuredIntake{s.intake(), s.metrics}
	listening := s.smtpConfig()
	listening.Budget = smtpd.NewBudget(smtpd.DefaultBudget)
	s.smtp = smtpd.NewServer(listening, handler, &s.verifier, s.log)
	if c.SMTP.LMTP == "" {
		return nil
	}
	const anyone = 0o666 // Postfix runs as a user of its own; the directory says who may enter
	if s.lmtpAt, err = smtpd.ListenLMTP(c.SMTP.LMTP, anyone); err != nil {
		return fmt.Errorf("smtp.lmtp: %w", err)
	}
	local := listening
	local.LMTP, local.TLS, local.Listen = true, nil, c.SMTP.LMTP
	s.lmtp = smtpd.NewServer(local, handler, &s.verifier, s.log)
	return nil
}

// sessions is how many may bring mail at a time: as configured, but at most a quarter of the
// files that the process may have open. The store, the web and deliveries need some too.
func (s *server) sessions() int {
	most := s.config.SMTP.MaxSessions
	files := openFiles()
	if files == 0 || most <= files/4 {
		return most
	}
	s.log.Warn("fewer sessions than smtp.max_sessions: the process may have too few files open", "sessions", files/4, "max_sessions", most,
		"files", files, "try", "LimitNOFILE=65536 in the unit, or ulimit -n")
	return files / 4
}

func (s *server) smtpConfig() smtpd.Config {
	c := smtpd.DefaultConfig()
	from := s.config.SMTP
	c.Hostname, c.Listen, c.TLS = s.config.hostname(), from.Listen, s.certificates.smtp.config()
	c.MaxMessageBytes, c.MaxRecipients = int64(from.MaxMessageBytes), from.MaxRecipients
	c.MaxSessions, c.MaxSessionsPerIP = s.sessions(), from.MaxSessionsPerIP
	c.ReadTimeout, c.WriteTimeout = from.ReadTimeout.Duration, from.WriteTimeout.Duration
	c.Refused = func(reason smtpd.Reason) {
		s.desk.CountRefusal(helpdesk.RefusalReason(reason))
		s.metrics.refused.WithLabelValues(string(reason)).Inc()
	}
	c.DataTimeout, c.SessionTimeout = from.DataTimeout.Duration, from.SessionTimeout.Duration
	c.Guard, c.Count = s.guard(&s.config), s.metrics.incident
	return c
}

func (s *server) openControl(context.Context) (err error) {
	if s.controlAt, err = listenControl(s.config.Server.Data); err != nil {
		return err
	}
	operations := &served{local{engine: s.store, desk: s.desk, index: s.index, similar: s.similar, actor: helpdesk.System("command line"), config: s.config, domains: s.domains, checkup: s.checkup}, s}
	s.control = newControlServer(operations, s.log)
	return nil
}

// checkup looks at what surrounds this server.
func (s *server) checkup() *checkup {
	return &checkup{config: *s.running.Load(), domains: s.domains, smtp: s.smtpAddress(), model: s.analysisStatus, obtained: s.certificates.states}
}

// served is the operations on the running server's own desk.
type served struct {
	local
	server *server
}

// Status says where the server is reached.
func (o *served) Status(ctx context.Context) (status, error) {
	state, err := o.local.Status(ctx)
	state.Forwarders = o.server.running.Load().Incoming.TrustedForwarders
	state.Running, state.SMTP, state.Web = true, o.server.smtpAddress(), o.server.webURL()
	return state, err
}

// SetupLink makes a link that leads to this server.
func (o *served) SetupLink(ctx context.Context) (setupLink, error) {
	link, err := o.server.setupLink(ctx)
	if err == nil && link == "" {
		err = errAlreadySetUp
	}
	return setupLink{link}, err
}

func (s *server) smtpAddress() string { return reachable(s.smtpAt.Addr()) }

// webURL is the address for browsers, without a slash at its end.
func (s *server) webURL() string {
	if s.config.Web.URL != "" {
		return strings.TrimRight(s.config.Web.URL, "/")
	}
	scheme := "http://"
	if s.certificates.web.config() != nil {
		scheme = "https://"
	}
	return scheme + reachable(s.webAt.Addr())
}

// run serves until ctx ends or a part fails, then stops the parts in order:
// what strangers begin first, the store last. whenReady is called once
// everything listens, and runs beside it.
func (s *server) run(ctx context.Context, whenReady func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	behind, stopBehind := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBehind()
	group.Go(func() error { return named("smtp", s.smtp.Serve(s.smtpAt)) })
	if s.lmtp != nil {
		group.Go(func() error { return named("lmtp", s.lmtp.Serve(s.lmtpAt)) })
	}
	group.Go(func() error { return named("web", unlessClosed(s.web.Serve(s.webAt))) })
	group.Go(func() error { return named("control socket", unlessClosed(s.control.Serve(s.controlAt))) })
	if s.metricsServer != nil {
		group.Go(func() error { return named("metrics", unlessClosed(s.metricsServer.Serve(s.metricsAt))) })
	}
	if s.acmeServer != nil {
		group.Go(func() error { return named("acme", unlessClosed(s.acmeServer.Serve(s.acmeAt))) })
	}
	for _, loop := range s.background {
		group.Go(func() error {
			loop(behind)
			return nil
		})
	}
	s.ready.Store(true)
	group.Go(func() error { return whenReady(ctx) })
	group.Go(func() error {
		s.systemd.watch(ctx, s.desk.Ready)
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		s.systemd.stopping()
		s.log.Info("stopping: what is in progress is finished first; a second signal ends at once")
		s.ready.Store(false)
		err := s.stopListening()
		stopBehind()
		return err
	})
	err := group.Wait()
	err = errors.Join(err, s.closeAll())
	s.log.Info("stopped")
	return err
}

// stopListening ends what others began: mails in transfer are answered, pages
// in the making delivered.
func (s *server) stopListening() error {
	var group errgroup.Group
	mail, cancelMail := context.WithTimeout(context.Background(), mailPatience)
	defer cancelMail()
	group.Go(func() error { return s.smtp.Shutdown(mail) })
	if s.lmtp != nil {
		group.Go(func() error { return s.lmtp.Shutdown(mail) })
	}
	requests, cancelRequests := context.WithTimeout(context.Background(), requestPatience)
	defer cancelRequests()
	group.Go(func() error {
		s.pages.Close()
		s.stopHTTP(requests, "web", s.web)
		return nil
	})
	group.Go(func() error {
		s.stopHTTP(requests, "control socket", s.control)
		return nil
	})
	if s.acmeServer != nil {
		group.Go(func() error {
			s.stopHTTP(requests, "acme", s.acmeServer)
			return nil
		})
	}
	if s.metricsServer != nil {
		group.Go(func() error {
			s.stopHTTP(requests, "metrics", s.metricsServer)
			return nil
		})
	}
	return group.Wait()
}

// stopHTTP lets requests in flight end, and cuts off those that have not until
// ctx ends: a client that does not read must not keep the store open.
func (s *server) stopHTTP(ctx context.Context, part string, server *http.Server) {
	if err := server.Shutdown(ctx); err != nil {
		s.log.Warn("requests cut off", "part", part, "error", err)
		server.Close()
	}
}

// closeAll gives back what newServer opened, as far as it came.
func (s *server) closeAll() error {
	for _, listener := range []net.Listener{s.smtpAt, s.lmtpAt, s.webAt, s.acmeAt, s.metricsAt, s.controlAt} {
		if listener != nil {
			listener.Close() // closed already where it was served
		}
	}
	if s.store == nil {
		return nil
	}
	return s.store.Close()
}

// unlessClosed is what an HTTP server ended with, nothing where it was told to.
func unlessClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func named(part string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", part, err)
	}
	return nil
}
