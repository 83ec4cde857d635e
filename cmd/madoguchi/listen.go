package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"github.com/madoguchi/madoguchi/smtpd/proxied"
)

// listen opens a TCP listener. key and flag name where the address can be
// changed, for the error that says so.
func listen(key, flag, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	_, port, _ := net.SplitHostPort(address)
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %s is in use by another program (ss -ltnp 'sport = :%s' shows which): stop it, or listen elsewhere with %s ADDR", key, address, port, flag)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: this user may not listen on %s: give the program the right (setcap cap_net_bind_service=+ep, or AmbientCapabilities in systemd), or listen above port 1023 with %s ADDR", key, address, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s: this machine has no address %s: listen on one it has, or on every one with %s :%s", key, address, flag, port)
	}
	return nil, fmt.Errorf("%s: listen on %s: %w", key, address, err)
}

// proxied has the clients of a listener named by the proxies in front of it, as
// far as the configuration says so.
func (s *server) proxied(name string, l net.Listener) net.Listener {
	c := s.config.Proxy
	if !c.on(name) {
		return l
	}
	return proxied.Listen(l, proxied.Options{Trusted: networksOf(c.Trusted), Timeout: c.Timeout.Duration,
		Optional: c.Missing == missingAccept, Log: s.log.With("listener", name)})
}

// reachable is the address by which this machine reaches a listener: one on
// every interface is reached on the loopback.
func reachable(address net.Addr) string {
	tcp, ok := address.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return address.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
}
