package main

import (
	"fmt"
	"io"
	"log/slog"
)

// newLogger writes to w as configured; level may be changed while it is used.
func newLogger(c logConfig, w io.Writer, level *slog.LevelVar) (*slog.Logger, error) {
	if err := setLevel(c, level); err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}

func setLevel(c logConfig, level *slog.LevelVar) error {
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return fmt.Errorf("log.level: %w", err)
	}
	return nil
}
