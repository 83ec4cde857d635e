package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/smtpd"
)

// metrics is what the program measures of itself, for Prometheus. Labels are
// words of the program alone, never of a mail: their number is bounded.
type metrics struct {
	registry *prometheus.Registry
	received *prometheus.HistogramVec // by result
	work     *prometheus.HistogramVec // by kind of timer and result
	requests *prometheus.HistogramVec // by method and status
	events   *prometheus.CounterVec   // by kind
	kept     *prometheus.CounterVec   // by reason
	refused  *prometheus.CounterVec   // by reason
}

// seconds are the buckets of everything: from a page out of memory to a slow
// peer's patience.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

func newMetrics() *metrics {
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "madoguchi", Name: name, Help: help, Buckets: seconds}, labels)
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		received: histogram("mail_received_seconds", "Time from the end of a mail's data to its answer: accepted (250), refused (5xx), put_off by a filter or the greylist (451), or temporary: not stored for a fault here (451).", "result"),
		work:     histogram("work_seconds", "Time a piece of timed work took: done, put off by its own rules, or failed.", "kind", "result"),
		requests: histogram("http_request_seconds", "Time a web request took; live streams are not counted.", "method", "code"),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "madoguchi", Name: "events_total",
			Help: "Events of the log since the start, by kind."}, []string{"kind"}),
	}
	m.kept = prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "madoguchi", Name: "smtp_incidents_total",
		Help: "What the mail port did not let happen, or could not find out, by reason."}, []string{"reason"})
	// Each is there before it happens: a rate does not see a counter that begins with 1.
	for _, i := range smtpd.Incidents() {
		m.kept.WithLabelValues(string(i))
	}
	for _, result := range []string{mailAccepted, mailRefused, mailPutOff, mailTemporary} {
		m.received.WithLabelValues(result)
	}
	m.refused = prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "madoguchi", Name: "mail_refused_total",
		Help: "Mails and recipients that were not taken, and sessions turned away, since the start, by reason."}, []string{"reason"})
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "madoguchi", Name: "build_info", Help: "1, with the version as a label."}, []string{"version"})
	build.WithLabelValues(programVersion()).Set(1)
	m.registry.MustRegister(m.received, m.work, m.requests, m.events, m.kept, m.refused, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// openMetrics serves them on an address of their own, where one is configured.
func (s *server) openMetrics(ctx context.Context) (err error) {
	if s.config.Metrics.Listen == "" {
		return nil
	}
	if s.metricsAt, err = listen("metrics.listen", "[metrics] listen =", s.config.Metrics.Listen); err != nil {
		return err
	}
	s.metrics.registry.MustRegister(serverState{s})
	follower, err := s.metrics.follower(ctx, s.desk)
	if err != nil {
		return err
	}
	s.background = append(s.background, func(ctx context.Context) { run.Follow(ctx, s.desk, follower, s.log) })
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{Registry: s.metrics.registry}))
	s.metricsServer = &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(s.log.With("part", "metrics").Handler(), slog.LevelDebug)}
	s.log.Info("metrics", "address", "http://"+reachable(s.metricsAt.Addr())+"/metrics")
	return nil
}

// incident counts what the listener kept out.
func (m *metrics) incident(i smtpd.Incident) { m.kept.WithLabelValues(string(i)).Inc() }

// How a mail that came is answered.
const (
	mailAccepted  = "accepted"
	mailRefused   = "refused"
	mailPutOff    = "put_off" // as configured, which is nothing to be alarmed about
	mailTemporary = "temporary"
)

// measuredIntake measures each mail on its way to the desk.
type measuredIntake struct {
	intake
	metrics *metrics
}

func (i measuredIntake) Deliver(ctx context.Context, m *smtpd.Mail) error {
	began := time.Now()
	err := i.intake.Deliver(ctx, m)
	var refused *smtpd.Refusal
	result := mailAccepted
	switch {
	case errors.As(err, &refused) && refused.Code >= 500:
		result = mailRefused
	case refused != nil:
		result = mailPutOff
	case err != nil:
		result = mailTemporary
	}
	i.metrics.received.WithLabelValues(result).Observe(time.Since(began).Seconds())
	return err
}

// workers measures each piece of the workers' work.
func (m *metrics) workers(workers []run.Worker) []run.Worker {
	for i, w := range workers {
		workers[i].Do = func(ctx context.Context, id string) error {
			began := time.Now()
			err := w.Do(ctx, id)
			var later run.Later
			result := "done"
			switch {
			case errors.As(err, &later):
				result = "later"
			case err != nil:
				result = "failed"
			}
			m.work.WithLabelValues(string(w.Kind), result).Observe(time.Since(began).Seconds())
			return err
		}
	}
	return workers
}

// web measures requests. A live stream lasts as long as its page.
func (m *metrics) web(next http.Handler) http.Handler {
	measured := promhttp.InstrumentHandlerDuration(m.requests, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/live" {
			next.ServeHTTP(w, r)
			return
		}
		measured.ServeHTTP(w, r)
	})
}

// follower counts events from the newest on. It needs no cursor that lasts:
// counters begin anew with the process.
func (m *metrics) follower(ctx context.Context, desk *helpdesk.Desk) (run.Follower, error) {
	last, err := desk.LastSeq(ctx)
	return run.Follower{
		Name:   "metrics",
		Cursor: func(context.Context) (uint64, error) { return last, nil },
		Handle: func(_ context.Context, events []helpdesk.Event) error {
			for _, e := range events {
				m.events.WithLabelValues(string(e.Kind)).Inc()
				last = e.Seq
			}
			return nil
		},
	}, err
}
