package acme

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"go.uber.org/zap/zapcore"
)

// core writes what certmagic logs to a slog.Logger.
type core struct{ log *slog.Logger }

// retry is certmagic's word for an attempt that failed, with its reason and the
// time of the next.
const retry = "will retry"

// level is a warning for what failed as a whole; each step towards it is for who
// looks for a fault.
func level(e zapcore.Entry) slog.Level {
	if e.Message == retry {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// Enabled implements zapcore.Core.
func (c *core) Enabled(zapcore.Level) bool { return true }

// With implements zapcore.Core.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	return &core{log: slog.New(c.log.Handler().WithAttrs(attributes(fields)))}
}

// Check implements zapcore.Core.
func (c *core) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.log.Enabled(context.Background(), level(e)) {
		return to.AddCore(e, c)
	}
	return to
}

// Write implements zapcore.Core.
func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	c.log.LogAttrs(context.Background(), level(e), "acme: "+e.Message, attributes(fields)...)
	return nil
}

// Sync implements zapcore.Core.
func (c *core) Sync() error { return nil }

func attributes(fields []zapcore.Field) (list []slog.Attr) {
	encoder := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(encoder)
	}
	for _, name := range slices.Sorted(maps.Keys(encoder.Fields)) {
		list = append(list, slog.Any(name, encoder.Fields[name]))
	}
	return list
}
