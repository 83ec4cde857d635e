package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
	"github.com/madoguchi/madoguchi/ui"
)

// The web's time-outs. There is none for a whole answer: the live updates are
// one that never ends.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 10 * time.Minute // an attachment over a slow line
	idleTimeout   = 2 * time.Minute
)

func (s *server) openWeb(context.Context) (err error) {
	c := s.config
	if s.webAt, err = s.inherited.listen("web", "web.listen", "--http", c.Web.Listen); err != nil {
		return err
	}
	s.webAt = s.proxied(proxyWeb, s.webAt)
	cards, err := c.cards()
	if err != nil {
		return err
	}
	if s.provider, err = c.provider(); err != nil {
		return err
	}
	encrypted := s.certificates.web.config()
	s.pages, err = ui.New(s.desk, ui.Options{
		Log:         s.log,
		Mail:        mailView{},
		Search:      s.index,
		Cards:       cards,
		Policy:      c.pagesPolicy(s.provider),
		Secure:      encrypted != nil || strings.HasPrefix(c.Web.URL, "https://"),
		Version:     programVersion(),
		Program:     os.Args[0],
		PublicURL:   c.Web.URL,
		Hostname:    c.hostname(),
		SMTPAddress: s.smtpAddress(),
		Outbound:    describeOutbound(c.Outbound),
		UndoWindow:  c.Helpdesk.UndoWindow.Duration,
		Analysis:    s.analysisStatus,
		Inbound:     s.inbound,
		TurnedAway:  s.turnedAway,
		ReverseName: s.domains.reverseName,
		CheckDomain: s.domains.checkForPage,
		RotateKeys:  s.domains.rotate,
		Check:       func(ctx context.Context) ([]ui.Finding, error) { return s.checkup().checkForPage(ctx) },
		Backups:     s.backupKeeper(),
		Writer:      s.textWriter(),
		Matcher:     s.templateMatcher(),
		Similar:     similar.NewFinder(s.similar, s.desk, s.index),
		Vectors:     s.similar.Status,
	})
	if err != nil {
		return err
	}
	if encrypted != nil {
		encrypted.NextProtos = []string{"h2", "http/1.1"}
		if s.config.ACME.servesWeb() {
			encrypted.NextProtos = append(encrypted.NextProtos, "acme-tls/1") // RFC 8737, section 3
		}
		s.webAt = tls.NewListener(s.webAt, encrypted)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answerText(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.answerReady)
	mux.HandleFunc("GET /.well-known/mta-sts.txt", s.domains.servePolicy)
	if s.certificates.obtaining != nil {
		mux.HandleFunc("GET /.well-known/acme-challenge/", s.certificates.obtaining.answerChallenge)
	}
	mux.Handle("/", s.pages.Handler())
	s.web = &http.Server{
		Handler:           s.metrics.web(boundBodies(mux)),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ConnState:         newWebConnections(s.log).changed,
		ErrorLog:          slog.NewLogLogger(s.log.With("part", "web").Handler(), slog.LevelDebug),
	}
	return nil
}

// answerReady says 200 while mail and browsers are served and the store
// takes updates: after a failed sync it may refuse them until it is opened again.
func (s *server) answerReady(w http.ResponseWriter, r *http.Request) {
	if !s.ready.Load() {
		answerText(w, http.StatusServiceUnavailable, "not serving")
		return
	}
	if err := s.desk.Ready(r.Context()); err != nil {
		s.log.Error("readiness", "error", err)
		answerText(w, http.StatusServiceUnavailable, "the store takes no updates")
		return
	}
	answerText(w, http.StatusOK, "ready"+s.alarmLines(r.Context()))
}

// alarmLines tells of the alarms that stand, a line each. What an alarm found is
// for those who may read the settings.
func (s *server) alarmLines(ctx context.Context) (lines string) {
	alarms, err := s.desk.Alarms(ctx, helpdesk.System("readiness"))
	if err != nil {
		s.log.Error("alarms", "error", err)
	}
	for _, a := range alarms {
		lines += "\nalarm: " + string(a.Kind) + " since " + a.At.UTC().Format(time.RFC3339)
	}
	return lines
}

func answerText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.WriteHeader(code)
	w.Write([]byte(text + "\n"))
}

// boundBodies gives requests that bring something a time by which it must have
// come. The deadline would also end a live stream, so pages have none.
func boundBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // without support there is none
		}
		next.ServeHTTP(w, r)
	})
}

// describeOutbound says in a few words how mail leaves.
func describeOutbound(c outboundConfig) string {
	if c.Smarthost == "" {
		return "MX"
	}
	return "smarthost " + c.Smarthost
}
