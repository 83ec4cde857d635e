package run_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/fetch/fetchtest"
	"github.com/madoguchi/madoguchi/helpdesk/run"
)

// browserKeys are what a browser makes when it subscribes.
type browserKeys struct {
	private *ecdh.PrivateKey
	auth    []byte
}

func newBrowserKeys(t *testing.T) *browserKeys {
	t.Helper()
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := &browserKeys{private: private, auth: make([]byte, 16)}
	rand.Read(k.auth)
	return k
}

// open decrypts a message as the browser does (RFC 8188, section 2; RFC 8291,
// section 3.4).
func (k *browserKeys) open(t *testing.T, body []byte) []byte {
	t.Helper()
	salt, size, idLength := body[:16], binary.BigEndian.Uint32(body[16:20]), int(body[20])
	if len(body) > int(size)+21+idLength {
		t.Fatalf("%d bytes in a record of %d", len(body), size)
	}
	sender := body[21 : 21+idLength]
	public, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := k.private.ECDH(public)
	if err != nil {
		t.Fatal(err)
	}
	derive := func(secret, salt []byte, info string, length int) []byte {
		key, err := hkdf.Key(sha256.New, secret, salt, info, length)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	ikm := derive(shared, k.auth, "WebPush: info\x00"+string(k.private.PublicKey().Bytes())+string(sender), 32)
	block, err := aes.NewCipher(derive(ikm, salt, "Content-Encoding: aes128gcm\x00", 16))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gcm.Open(nil, derive(ikm, salt, "Content-Encoding: nonce\x00", 12), body[21+idLength:], nil)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.TrimRight(string(plain), "\x00"))[:strings.LastIndexByte(strings.TrimRight(string(plain), "\x00"), 2)]
}

// pushDesk has one thing to tell.
type pushDesk struct {
	push    *helpdesk.Push
	keys    *helpdesk.PushKeys
	ended   int
	dropped string
}

func (d *pushDesk) PushKeys(context.Context) (*helpdesk.PushKeys, error)      { return d.keys, nil }
func (d *pushDesk) StartPush(context.Context, string) (*helpdesk.Push, error) { return d.push, nil }
func (d *pushDesk) EndPush(context.Context, string) error                     { d.ended++; return nil }
func (d *pushDesk) DropPush(_ context.Context, id string) error               { d.dropped = id; return nil }

func TestPushReachesTheBrowserAlone(t *testing.T) {
	keys := newBrowserKeys(t)
	encode := base64.RawURLEncoding.EncodeToString
	status := http.StatusCreated
	var heard *http.Request
	var body []byte
	network := fetchtest.Network(t, nil, map[string]http.Handler{"push.example.com:443": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
	})})
	house, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	network.RootCAs = network.RootCAs.Clone()
	desk := &pushDesk{keys: &helpdesk.PushKeys{Public: encode(house.PublicKey().Bytes()), Private: encode(house.Bytes())}, push: &helpdesk.Push{
		Subscription: helpdesk.PushSubscription{ID: "s1", Endpoint: "https://push.example.com/send/abc", P256DH: encode(keys.private.PublicKey().Bytes()), Auth: encode(keys.auth)},
		Notice:       helpdesk.NoticeView{Notice: helpdesk.Notice{ID: "n1", Kind: helpdesk.NoticeMention, Ticket: 7}, Subject: "件名"},
	}}
	pusher := run.NewPusher(run.Pusher{Desk: desk, Network: network, Subscriber: "https://desk.example.jp", Now: time.Now,
		Words: func(_ string, n helpdesk.NoticeView) (string, string) {
			return "森さんが声をかけました", n.Subject + strings.Repeat("長", 5000)
		}})
	if err := pusher.Push(t.Context(), "n1|s1"); err != nil || desk.ended != 1 {
		t.Fatalf("%v, ended %d", err, desk.ended)
	}
	if strings.Contains(string(body), "件名") || heard.Header.Get("Content-Encoding") != "aes128gcm" || !strings.HasPrefix(heard.Header.Get("Authorization"), "vapid t=") ||
		heard.Header.Get("TTL") == "" || heard.Header.Get("Urgency") != "high" || heard.Header.Get("Topic") != "t7" {
		t.Errorf("headers %v", heard.Header)
	}
	var told struct{ Title, Body, Tag, URL string }
	if err := json.Unmarshal(keys.open(t, body), &told); err != nil || told.Title != "森さんが声をかけました" || told.URL != "/tickets/7" || !strings.HasSuffix(told.Body, "…") {
		t.Errorf("told %+v, %v", told, err)
	}

	status = http.StatusGone
	if err := pusher.Push(t.Context(), "n1|s1"); err != nil || desk.dropped != "s1" {
		t.Errorf("a browser that is gone: %v, dropped %q", err, desk.dropped)
	}
	status = http.StatusServiceUnavailable
	ended := desk.ended
	if err := pusher.Push(t.Context(), "n1|s1"); err == nil || desk.ended != ended {
		t.Errorf("a service that is busy: %v", err)
	}
	desk.push.Subscription.Endpoint = "https://10.0.0.1/inside"
	if err := pusher.Push(t.Context(), "n1|s1"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("an address inside: %v", err)
	}
}
