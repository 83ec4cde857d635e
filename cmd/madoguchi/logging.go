package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
)

// newLogger writes to w as configured; level may be changed while it is used. For the journal
// of systemd each line begins with its priority, so that journalctl -p finds it.
func newLogger(c logConfig, w io.Writer, level *slog.LevelVar) (*slog.Logger, error) {
	if err := setLevel(c, level); err != nil {
		return nil, err
	}
	handler := func(w io.Writer) slog.Handler {
		options := &slog.HandlerOptions{Level: level}
		if c.Format == "json" {
			return slog.NewJSONHandler(w, options)
		}
		return slog.NewTextHandler(w, options)
	}
	if isJournal(w, os.Getenv("JOURNAL_STREAM")) {
		return slog.New(newJournalHandler(w, handler)), nil
	}
	return slog.New(handler(w)), nil
}

func setLevel(c logConfig, level *slog.LevelVar) error {
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return fmt.Errorf("log.level: %w", err)
	}
	return nil
}

// journalHandler has a handler for each priority of sd-daemon(3): debug, info, warning and error.
type journalHandler [4]slog.Handler

func newJournalHandler(w io.Writer, handler func(io.Writer) slog.Handler) journalHandler {
	var handlers journalHandler
	lock := new(sync.Mutex)
	for i, priority := range []string{"<7>", "<6>", "<4>", "<3>"} {
		handlers[i] = handler(&priorityWriter{lock: lock, w: w, priority: []byte(priority)})
	}
	return handlers
}

func (h journalHandler) of(level slog.Level) slog.Handler {
	switch {
	case level >= slog.LevelError:
		return h[3]
	case level >= slog.LevelWarn:
		return h[2]
	case level >= slog.LevelInfo:
		return h[1]
	}
	return h[0]
}

// Enabled implements slog.Handler.
func (h journalHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.of(level).Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h journalHandler) Handle(ctx context.Context, record slog.Record) error {
	return h.of(record.Level).Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h journalHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	for i := range h {
		h[i] = h[i].WithAttrs(attributes)
	}
	return h
}

// WithGroup implements slog.Handler.
func (h journalHandler) WithGroup(name string) slog.Handler {
	for i := range h {
		h[i] = h[i].WithGroup(name)
	}
	return h
}

// priorityWriter puts a priority before what is written, which is a line at a time.
type priorityWriter struct {
	lock     *sync.Mutex // one for all priorities
	w        io.Writer
	priority []byte
}

// Write implements io.Writer.
func (p *priorityWriter) Write(line []byte) (int, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	n, err := p.w.Write(bytes.Join([][]byte{p.priority, line}, nil))
	return max(n-len(p.priority), 0), err
}
