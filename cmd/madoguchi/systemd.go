package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// sockets are the listeners that systemd opened for us (sd_listen_fds(3)), by
// the FileDescriptorName= of their units: "smtp", "web" and "acme". So the program may
// serve port 25 without ever having the right to open it.
type sockets map[string]net.Listener

// inheritSockets takes them over; none where systemd did not start this process.
func inheritSockets() (sockets, error) {
	named, err := activation.ListenersWithNames()
	if err != nil {
		return nil, fmt.Errorf("sockets from systemd: %w", err)
	}
	found := sockets{}
	for name, listeners := range named {
		if name != "smtp" && name != "web" && name != "acme" {
			return nil, fmt.Errorf("sockets from systemd: %q is none of ours: set FileDescriptorName=smtp, web or acme in the socket unit", name)
		}
		if len(listeners) != 1 || listeners[0] == nil {
			return nil, fmt.Errorf("sockets from systemd: %q has %d addresses: give it one ListenStream=", name, len(listeners))
		}
		found[name] = listeners[0]
	}
	return found, nil
}

// listen takes what systemd opened under name, or opens address itself.
func (s sockets) listen(name, key, flag, address string) (net.Listener, error) {
	if listener := s[name]; listener != nil {
		delete(s, name)
		return listener, nil
	}
	return listen(key, flag, address)
}

// notifier tells systemd of the program's state (sd_notify(3)); it says nothing
// where nobody asked.
type notifier struct{}

func (notifier) say(lines ...string) {
	daemon.SdNotify(false, strings.Join(lines, "\n"))
}

// starting asks systemd for patience until done is called, whatever TimeoutStartSec= says:
// upgrading much data, with a copy of it, takes as long as it takes, and a start that is
// killed on the way would begin anew for ever.
func (n notifier) starting() (done func()) {
	const patience = 2 * time.Minute
	ask := func() {
		n.say("EXTEND_TIMEOUT_USEC="+strconv.FormatInt(patience.Microseconds(), 10), "STATUS=opening the data")
	}
	ask()
	ticker, over := time.NewTicker(patience/4), make(chan struct{})
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-over:
				return
			case <-ticker.C:
				ask()
			}
		}
	}()
	return func() { close(over) }
}

func (n notifier) ready(status string) { n.say(daemon.SdNotifyReady, "STATUS="+status) }

// reloading must be followed by ready.
func (n notifier) reloading() {
	n.say(daemon.SdNotifyReloading, "MONOTONIC_USEC="+strconv.FormatInt(monotonicMicroseconds(), 10))
}

func (n notifier) stopping() { n.say(daemon.SdNotifyStopping) }

// watch tells systemd that the program is well as long as well returns nil,
// twice as often as WatchdogSec= asks. A program that hangs is then started anew.
func (n notifier) watch(ctx context.Context, well func(context.Context) error) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	ticker := time.NewTicker(every / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if well(ctx) == nil {
				n.say(daemon.SdNotifyWatchdog)
			}
		}
	}
}

// monotonicMicroseconds is the time that systemd compares: CLOCK_MONOTONIC.
func monotonicMicroseconds() int64 {
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0
	}
	seconds, _, _ := strings.Cut(string(uptime), " ")
	value, _ := strconv.ParseFloat(seconds, 64)
	return int64(value * 1e6)
}
