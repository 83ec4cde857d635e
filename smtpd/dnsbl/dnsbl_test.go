package dnsbl_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/madoguchi/madoguchi/smtpd/dnsbl"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

func lists(zones ...string) (all []dnsbl.List) {
	for _, zone := range zones {
		all = append(all, dnsbl.List{Zone: zone, Refuse: true})
	}
	return all
}

func TestListsAreAskedAsTheyWantToBe(t *testing.T) {
	n := dnstest.ServeZone(t,
		"7.2.0.192.zen.test. 300 IN A 127.0.0.4", `7.2.0.192.zen.test. 300 IN TXT "https://zen.test/query/192.0.2.7"`,
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.test. 300 IN A 127.0.0.2",
		"7.2.0.192.other.test. 300 IN A 127.0.0.9", `7.2.0.192.other.test. 300 IN TXT "an open" " proxy"`,
		"8.2.0.192.zen.test. 300 IN A 127.255.255.254", "9.2.0.192.zen.test. 300 IN A 203.0.113.5", "10.2.0.192.zen.test. 300 IN A 127.0.0.1",
		"11.2.0.192.other.test. 300 IN A 127.0.0.3", "11.2.0.192.other.test. 300 IN A 127.0.0.9")
	failed := 0
	options := dnsbl.Options{Servers: []string{n.Address}, Timeout: time.Minute, Log: slog.New(slog.DiscardHandler), Failed: func(string) { failed++ },
		Lists: []dnsbl.List{{Zone: "zen.test", Refuse: true},
			{Zone: "other.test", Answers: []netip.Prefix{netip.MustParsePrefix("127.0.0.8/31")}, Lookup: "https://other.test/why?ip={ip}"}}}
	for ip, want := range map[string]string{
		"192.0.2.7":        "zen.test refuse 127.0.0.4 https://zen.test/query/192.0.2.7; other.test mark 127.0.0.9 an open proxy https://other.test/why?ip=192.0.2.7",
		"::ffff:192.0.2.7": "zen.test refuse 127.0.0.4 https://zen.test/query/192.0.2.7; other.test mark 127.0.0.9 an open proxy https://other.test/why?ip=192.0.2.7",
		"2001:db8::1":      "zen.test refuse 127.0.0.2 ",
		"192.0.2.8":        "", // the list refuses this name server
		"192.0.2.9":        "", // somebody rewrites answers
		"192.0.2.10":       "", // another way to say so
		"192.0.2.11":       "other.test mark 127.0.0.9 https://other.test/why?ip=192.0.2.11",
		"192.0.2.1":        "",
		"127.0.0.1":        "", "10.0.0.7": "", "fe80::1": "",
	} {
		var got []string
		for _, l := range dnsbl.New(options).Check(t.Context(), netip.MustParseAddr(ip)) {
			action := "mark"
			if l.Refuse {
				action = "refuse"
			}
			got = append(got, fmt.Sprintf("%s %s %s %s", l.Zone, action, l.Answer, l.Reason))
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("%s is on %q, want %q", ip, text, want)
		}
	}
	if failed != 3 {
		t.Errorf("%d failures were counted, want 3", failed)
	}
	if n.Asked("1.0.0.127.zen.test.") > 0 || n.Asked("7.0.0.10.zen.test.") > 0 {
		t.Error("a list was asked about an address of this house")
	}
}

func TestAnswersAreRememberedAndAskedOnce(t *testing.T) {
	n := dnstest.ServeZone(t, "7.2.0.192.zen.test. 300 IN A 127.0.0.4")
	c := dnsbl.New(dnsbl.Options{Servers: []string{n.Address}, Timeout: time.Minute, Lists: lists("zen.test"), Log: slog.New(slog.DiscardHandler)})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if len(c.Check(t.Context(), netip.MustParseAddr("192.0.2.7"))) != 1 || len(c.Check(t.Context(), netip.MustParseAddr("192.0.2.8"))) != 0 {
				t.Error("wrong answer")
			}
		})
	}
	group.Wait()
	if listed, free := n.Asked("7.2.0.192.zen.test."), n.Asked("8.2.0.192.zen.test."); listed != 2 || free != 1 { // A and TXT; A
		t.Errorf("asked %d and %d times", listed, free)
	}
}

// A list that is down delays mail by one time-out at most, lists nobody, and is
// then left alone.
func TestListsThatAreDownListNobody(t *testing.T) {
	n := dnstest.ServeZone(t, ".silent.test. SILENT", ".broken.test. SERVFAIL", "7.2.0.192.zen.test. 300 IN A 127.0.0.4")
	var log bytes.Buffer
	c := dnsbl.New(dnsbl.Options{Servers: []string{n.Address}, Timeout: 2 * time.Second, Lists: lists("silent.test", "zen.test", "broken.test"),
		Log: slog.New(slog.NewTextHandler(&log, nil))})
	got := c.Check(t.Context(), netip.MustParseAddr("192.0.2.7"))
	if len(got) != 1 || got[0].Zone != "zen.test" {
		t.Errorf("listed as %+v", got)
	}
	for i := range 6 {
		c.Check(t.Context(), netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + i)}))
	}
	if n.Asked("105.2.0.192.broken.test.") != 0 || n.Asked("105.2.0.192.zen.test.") != 1 {
		t.Error("a broken list is asked on and on, or a good one no longer")
	}
	if !strings.Contains(log.String(), "left_alone_for=1m0s") || !strings.Contains(log.String(), "list=silent.test") {
		t.Errorf("log\n%s", log.String())
	}
	nowhere := dnsbl.New(dnsbl.Options{Timeout: time.Second, Lists: lists("zen.test"), Log: slog.New(slog.DiscardHandler)})
	if got := nowhere.Check(t.Context(), netip.MustParseAddr("192.0.2.7")); got != nil {
		t.Errorf("without a name server: %+v", got)
	}
	second := dnsbl.New(dnsbl.Options{Servers: []string{"127.0.0.1:1", n.Address}, Timeout: 10 * time.Second, Lists: lists("zen.test"), Log: slog.New(slog.DiscardHandler)})
	if got := second.Check(t.Context(), netip.MustParseAddr("192.0.2.7")); len(got) != 1 {
		t.Errorf("by the second name server: %+v", got)
	}
}

func TestListsAreTested(t *testing.T) {
	n := dnstest.ServeZone(t, "2.0.0.127.good.test. 60 IN A 127.0.0.2", "2.0.0.127.refuses.test. 60 IN A 127.255.255.254", "2.0.0.127.parked.test. 60 IN A 203.0.113.1",
		"2.0.0.127.all.test. 60 IN A 127.0.0.2", "1.0.0.127.all.test. 60 IN A 127.0.0.2", ".broken.test. SERVFAIL")
	c := dnsbl.New(dnsbl.Options{Servers: []string{n.Address}, Timeout: time.Minute, Log: slog.New(slog.DiscardHandler)})
	for zone, want := range map[string]dnsbl.State{"good.test": dnsbl.Fine, "refuses.test": dnsbl.Refused, "parked.test": dnsbl.Nonsense,
		"all.test": dnsbl.Everything, "gone.test": dnsbl.Dead, "broken.test": dnsbl.Silent} {
		if got, err := c.Test(t.Context(), dnsbl.List{Zone: zone}); got != want {
			t.Errorf("%s is %s (%v), want %s", zone, got, err, want)
		}
	}
}

// A fault in what is done with a stranger's answer must not end the server.
func TestAPanicListsNobody(t *testing.T) {
	n := dnstest.ServeZone(t, ".broken.test. SERVFAIL", "7.2.0.192.zen.test. 300 IN A 127.0.0.4")
	var log bytes.Buffer
	c := dnsbl.New(dnsbl.Options{Servers: []string{n.Address}, Timeout: time.Minute, Lists: lists("broken.test", "zen.test"),
		Failed: func(zone string) { panic("over " + zone) }, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if got := c.Check(t.Context(), netip.MustParseAddr("192.0.2.7")); len(got) != 1 || got[0].Zone != "zen.test" {
		t.Errorf("listed as %+v", got)
	}
	if !strings.Contains(log.String(), "over broken.test") {
		t.Errorf("log\n%s", log.String())
	}
}

// TestListsAreAskedOverTCPWhereUDPBringsNothing waits for an answer over UDP once, and then no more.
func TestListsAreAskedOverTCPWhereUDPBringsNothing(t *testing.T) {
	z := dnstest.ServeZone(t, "7.2.0.192.zen.test. 300 IN A 127.0.0.4", "8.2.0.192.zen.test. 300 IN A 127.0.0.4")
	var packets atomic.Int32
	address := dnstest.Serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
			packets.Add(1)
			return
		}
		z.ServeDNS(w, question)
	}))
	c := dnsbl.New(dnsbl.Options{Servers: []string{address}, Timeout: 4 * time.Second, Lists: lists("zen.test"), Log: slog.New(slog.DiscardHandler)})
	for _, ip := range []string{"192.0.2.7", "192.0.2.8"} {
		if listed := c.Check(t.Context(), netip.MustParseAddr(ip)); len(listed) != 1 {
			t.Errorf("%s is on %v", ip, listed)
		}
	}
	if n := packets.Load(); n != 1 {
		t.Errorf("%d questions were asked over UDP, want one", n)
	}
}
