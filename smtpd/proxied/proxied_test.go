package proxied_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/madoguchi/madoguchi/smtpd/proxied"
)

// telling answers each connection with the client's address and what was read
// up to the first line feed.
func telling(t *testing.T, o proxied.Options) (address string, log *journal) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log = &journal{}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	l := proxied.Listen(inner, o)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			go func() {
				defer c.Close()
				var line []byte
				for b := make([]byte, 1); !bytes.HasSuffix(line, []byte("\n")); {
					if _, err := c.Read(b); err != nil {
						break
					}
					line = append(line, b[0])
				}
				io.WriteString(c, c.RemoteAddr().String()+" "+string(line))
				c.(interface{ CloseWrite() error }).CloseWrite()
			}()
		}
	}()
	return inner.Addr().String(), log
}

type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

func ask(t *testing.T, address, say string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	io.WriteString(c, say)
	answer, _ := io.ReadAll(c) // a reset is an end, too
	return string(answer)
}

func version2(t *testing.T, h proxyproto.Header) string {
	t.Helper()
	h.Version = 2
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestClientIsWhomTheProxyNames(t *testing.T) {
	address, log := telling(t, proxied.Options{Trusted: loopback, Timeout: time.Minute})
	client, server := &net.TCPAddr{IP: net.ParseIP("2001:db8::7"), Port: 4711}, &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 25}
	for name, test := range map[string]struct{ say, want string }{
		"version 1":         {"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\nhello\n", "192.0.2.7:4711 hello\n"},
		"version 1, IPv6":   {"PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\nhello\n", "[2001:db8::7]:4711 hello\n"},
		"version 1 unknown": {"PROXY UNKNOWN\r\nhello\n", "127.0.0.1:"},
		"version 2": {version2(t, proxyproto.Header{Command: proxyproto.PROXY, TransportProtocol: proxyproto.TCPv6, SourceAddr: client, DestinationAddr: server}) + "hello\n",
			"[2001:db8::7]:4711 hello\n"},
		"version 2, the proxy itself": {version2(t, proxyproto.Header{Command: proxyproto.LOCAL}) + "hello\n", "127.0.0.1:"},
		"no header":                   {"hello\n", ""},
		"half a header":               {"PROXY TCP4 192.0.2.7\r\nhello\n", ""},
		"an address that is none":     {"PROXY TCP4 999.0.2.7 198.51.100.1 1 25\r\nhello\n", ""},
		"a line without end":          {"PROXY TCP4 " + strings.Repeat("1", 5000), ""},
	} {
		answer := ask(t, address, test.say)
		if !strings.HasPrefix(answer, test.want) || test.want == "" && answer != "" {
			t.Errorf("%s: %q, want %q", name, answer, test.want)
		}
	}
	if !strings.Contains(log.String(), "signature not present") {
		t.Errorf("the log does not say why:\n%s", log)
	}
}

func TestStrangersAreNotBelieved(t *testing.T) {
	address, _ := telling(t, proxied.Options{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Timeout: time.Second})
	if got := ask(t, address, "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n"); !strings.HasPrefix(got, "127.0.0.1:") || !strings.HasSuffix(got, " PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n") {
		t.Errorf("a stranger's header was read: %q", got)
	}
}

// A proxy that opens connections and says nothing holds up neither the others
// nor itself for longer than the time-out.
func TestSilenceHoldsNobodyUp(t *testing.T) {
	address, log := telling(t, proxied.Options{Trusted: loopback, Timeout: 2 * time.Second})
	silent, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if got := ask(t, address, "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\nhello\n"); got != "192.0.2.7:4711 hello\n" {
		t.Errorf("beside a silent connection: %q", got)
	}
	silent.SetDeadline(time.Now().Add(2 * time.Minute))
	if n, err := silent.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the silent connection is still open: %d %v", n, err)
	}
	if !strings.Contains(log.String(), "no PROXY header within 2s") {
		t.Errorf("log\n%s", log)
	}
}

func TestHeaderMayBeMissingWhereThatIsAllowed(t *testing.T) {
	address, _ := telling(t, proxied.Options{Trusted: loopback, Timeout: 200 * time.Millisecond, Optional: true})
	if got := ask(t, address, "hello\n"); !strings.HasPrefix(got, "127.0.0.1:") || !strings.HasSuffix(got, " hello\n") {
		t.Errorf("without a header: %q", got)
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	time.AfterFunc(400*time.Millisecond, func() { io.WriteString(c, "late\n") }) // a client that waits for a greeting
	if got, _ := io.ReadAll(c); !strings.HasSuffix(string(got), " late\n") {
		t.Errorf("a client that speaks second: %q", got)
	}
	address, _ = telling(t, proxied.Options{Trusted: loopback, Timeout: time.Minute, Optional: true})
	if got := ask(t, address, "PROXY TCP4 192.0.2.7\r\nhello\n"); got != "" {
		t.Errorf("half a header: %q", got)
	}
}
