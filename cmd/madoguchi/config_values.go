package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// day is the unit "d" of durations in the file: always 24 hours.
const day = 24 * time.Hour

// duration is a span of time, written as a string: Go's units (ms, s, m, h)
// and d for days.
type duration struct{ time.Duration }

// UnmarshalText reads "90d", "1d12h", "10s".
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := parseDuration(string(text))
	if err != nil {
		return err
	}
	d.Duration = parsed
	return nil
}

func parseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf(`%q is no duration; write a number with its unit, such as "10s", "5m", "2h" or "90d"`, s)
	rest, days := s, time.Duration(0)
	if number, after, found := strings.Cut(s, "d"); found {
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/int64(day)) {
			return 0, bad
		}
		rest, days = after, time.Duration(n)*day
		if rest == "" {
			return days, nil
		}
	}
	parsed, err := time.ParseDuration(rest)
	if err != nil || parsed < 0 || days+parsed < 0 {
		return 0, bad
	}
	return days + parsed, nil
}

// String writes d as the file does.
func (d duration) String() string {
	if d.Duration >= day && d.Duration%day == 0 {
		return strconv.FormatInt(int64(d.Duration/day), 10) + "d"
	}
	s := d.Duration.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// byteSize is a number of bytes, written as a number or as a string with a
// decimal unit ("25MB") or a binary one ("25MiB").
type byteSize int64

// byteUnits are tried in this order, so that "B" comes after those it ends.
var byteUnits = []struct {
	suffix string
	bytes  int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
	{"B", 1},
}

// UnmarshalText reads "25MB".
func (b *byteSize) UnmarshalText(text []byte) error {
	bad := fmt.Errorf(`%q is no size; write bytes as a number, or a number with its unit, such as "25MB" or "25MiB"`, text)
	number, unit := string(text), int64(1)
	for _, u := range byteUnits {
		if before, found := strings.CutSuffix(number, u.suffix); found {
			number, unit = strings.TrimSpace(before), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return bad
	}
	*b = byteSize(n * unit)
	return nil
}

// String writes b with the largest unit that loses nothing.
func (b byteSize) String() string {
	for _, u := range []struct {
		suffix string
		bytes  int64
	}{{"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}} {
		if n := int64(b); n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
