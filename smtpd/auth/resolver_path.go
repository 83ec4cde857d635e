package auth

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	// muteFor is how long a name server that was silent over UDP is asked over TCP.
	muteFor = 10 * time.Minute
	// streamPatience bounds connecting over TCP in place of UDP, so that of the five
	// seconds that the resolver gives an attempt some are left for UDP.
	streamPatience = 2 * time.Second
)

// paths are the ways to name servers: UDP, or TCP where nothing comes back over UDP, as
// through some firewalls. Go's resolver turns to TCP only for an answer that was cut. It
// asks each server a second time when none has answered, and here that attempt goes over
// TCP: so no question takes longer, and those that follow do not wait for UDP at all.
type paths struct {
	mu    sync.Mutex
	heard map[string]time.Time // when a server last answered over UDP
	mute  map[string]time.Time // until when a server is asked over TCP
}

func newPaths() *paths { return &paths{heard: map[string]time.Time{}, mute: map[string]time.Time{}} }

// dial is the Dial of a resolver.
func (p *paths) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	if !strings.HasPrefix(network, "udp") {
		return dialer.DialContext(ctx, network, address)
	}
	if p.isMute(address) {
		short, cancel := context.WithTimeout(ctx, streamPatience)
		conn, err := dialer.DialContext(short, "tcp", address)
		cancel()
		if err == nil {
			return &streamedPackets{Conn: conn, failed: func() { p.setMute(address, time.Time{}) }}, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		p.setMute(address, time.Time{})
	}
	conn, err := dialer.DialContext(ctx, network, address)
	if packets, ok := conn.(*net.UDPConn); ok {
		return &heardPackets{UDPConn: packets, paths: p, address: address, begun: time.Now()}, err
	}
	return conn, err
}

func (p *paths) isMute(address string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.mute[address])
}

func (p *paths) setMute(address string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute[address] = until
}

// tell notes whether a question over UDP that began at some time had an answer. A server
// that has answered another one since is not mute: it is the name that takes so long.
func (p *paths) tell(address string, begun time.Time, answered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch now := time.Now(); {
	case answered:
		p.heard[address] = now
	case p.heard[address].Before(begun):
		p.mute[address] = now.Add(muteFor)
	}
}

// packetConn is a connection over which the resolver sends messages and no stream.
type packetConn interface {
	net.Conn
	net.PacketConn
}

// heardPackets tells whether answers come over UDP.
type heardPackets struct {
	*net.UDPConn
	paths   *paths
	address string
	begun   time.Time
}

func (c *heardPackets) Read(b []byte) (int, error) {
	n, err := c.UDPConn.Read(b)
	if !errors.Is(err, net.ErrClosed) {
		c.paths.tell(c.address, c.begun, err == nil)
	}
	return n, err
}

// streamedPackets carries messages over TCP (RFC 1035, section 4.2.2). An answer that is
// longer than its reader expects of UDP is marked as cut, and asked for again.
type streamedPackets struct {
	net.Conn
	failed func()
}

var _ packetConn = (*streamedPackets)(nil)

func (c *streamedPackets) Write(query []byte) (int, error) {
	framed := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(query)), uint16(len(query)))
	if _, err := c.Conn.Write(append(framed, query...)); err != nil {
		c.failed()
		return 0, err
	}
	return len(query), nil
}

func (c *streamedPackets) Read(b []byte) (int, error) {
	answer, err := c.readMessage()
	if err != nil {
		c.failed()
		return 0, err
	}
	n := copy(b, answer)
	if n < len(answer) && n > 2 {
		b[2] |= 0x02 // TC (section 4.1.1)
	}
	return n, nil
}

func (c *streamedPackets) readMessage() ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(c.Conn, size[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(c.Conn, answer)
	return answer, err
}

func (c *streamedPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := c.Read(b)
	return n, c.RemoteAddr(), err
}

func (c *streamedPackets) WriteTo(b []byte, _ net.Addr) (int, error) { return c.Write(b) }
