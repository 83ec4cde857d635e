package main

import (
	"context"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// serverState collects what is read when Prometheus asks, rather than counted
// as it happens.
type serverState struct{ server *server }

// scrapeTime bounds one reading: a store that hangs must not pile up scrapes.
const scrapeTime = 5 * time.Second

func describeMetric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("madoguchi_"+name, help, labels, nil)
}

var (
	readyMetric    = describeMetric("ready", "1 while mail is taken and the store takes updates.")
	sessionsMetric = describeMetric("smtp_sessions", "Open SMTP sessions.")
	syncsMetric    = describeMetric("store_syncs_total", "Syncs of the store's log to disk, each for one update or more.")
	updatesMetric  = describeMetric("store_updates_total", "Updates that shared those syncs.")
	syncingMetric  = describeMetric("store_sync_seconds_total", "Time spent writing and syncing the log.")
	sizeMetric     = describeMetric("store_bytes", "Size of the store's file.")
	freeMetric     = describeMetric("disk_free_bytes", "Free space of the disk the store is on.")
	dueMetric      = describeMetric("backlog_due", "Timed work that is due and not begun, counted up to 10000.", "kind")
	lateMetric     = describeMetric("backlog_late_seconds", "How long the first piece of that work has been due.", "kind")
	parkedMetric   = describeMetric("backlog_parked", "Timed work that failed too often and waits for an admin.", "kind")
	selfGoodMetric = describeMetric("self_test_success_timestamp_seconds", "When the server's mail to itself last came through, in seconds since 1970.")
	selfTookMetric = describeMetric("self_test_seconds", "How long that mail took.")
	alarmMetric    = describeMetric("alarm", "1 for each alarm that stands.", "kind", "subject")
	expiryMetric   = describeMetric("certificate_expiry_timestamp_seconds", "When the certificate ends that is shown for a name, in seconds since 1970.", "name")
	backupMetric   = describeMetric("backup_age_seconds", "How long ago the newest backup that was read back was begun; absent where there is none.")
	loginsMetric   = describeMetric("logins_total", "Logins by how they ended: done, failed, or limited (not even tried, after too many failures).", "result")
	indexedMetric  = describeMetric("search_behind_events", "Events that the search index has yet to read.")
)

// Describe implements prometheus.Collector.
func (s serverState) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{readyMetric, sessionsMetric, syncsMetric, updatesMetric, syncingMetric, sizeMetric,
		freeMetric, dueMetric, lateMetric, parkedMetric, expiryMetric, alarmMetric, selfGoodMetric, selfTookMetric, backupMetric, loginsMetric, indexedMetric} {
		out <- d
	}
}

// Collect implements prometheus.Collector. What cannot be read is left out, so
// that an alert on its absence is right.
func (s serverState) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
	}
	ready := 0.0
	if s.server.ready.Load() && s.server.desk.Ready(ctx) == nil {
		ready = 1
	}
	gauge(readyMetric, ready)
	gauge(sessionsMetric, float64(s.server.smtp.Sessions()))
	stats := s.server.store.Stats()
	counter(syncsMetric, float64(stats.Syncs))
	counter(updatesMetric, float64(stats.Updates))
	counter(syncingMetric, stats.Busy.Seconds())

	data := s.server.config.Server.Data
	if info, err := os.Stat(storePath(data)); err == nil {
		gauge(sizeMetric, float64(info.Size()))
	}
	if free, err := freeSpace(data); err == nil {
		gauge(freeMetric, float64(free))
	}
	if backlog, err := s.server.desk.Backlog(ctx, helpdesk.System("metrics")); err == nil {
		for _, b := range backlog {
			gauge(dueMetric, float64(b.Due), string(b.Kind))
			gauge(lateMetric, b.Late.Seconds(), string(b.Kind))
			gauge(parkedMetric, float64(b.Parked), string(b.Kind))
		}
	}
	if t, err := s.server.desk.SelfTest(ctx); err == nil && !t.GoodAt.IsZero() {
		gauge(selfGoodMetric, float64(t.GoodAt.Unix()))
		gauge(selfTookMetric, t.Took.Seconds())
	}
	if alarms, err := s.server.desk.Alarms(ctx, helpdesk.System("metrics")); err == nil {
		for _, a := range alarms {
			gauge(alarmMetric, 1, string(a.Kind), a.Subject)
		}
	}
	for name, ends := range s.server.certificateEnds() {
		gauge(expiryMetric, float64(ends.Unix()), name)
	}
	if s.server.backups != nil {
		if last, err := s.server.backups.LastGood(); err == nil && !last.IsZero() {
			gauge(backupMetric, time.Since(last).Seconds())
		}
	}
	logins := s.server.desk.LoginCounts()
	counter(loginsMetric, float64(logins.Done), "done")
	counter(loginsMetric, float64(logins.Failed), "failed")
	counter(loginsMetric, float64(logins.Limited), "limited")
	last, err := s.server.desk.LastSeq(ctx)
	read, indexErr := s.server.index.Cursor(ctx)
	if err == nil && indexErr == nil {
		gauge(indexedMetric, float64(last-min(read, last)))
	}
}
