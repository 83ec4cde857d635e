package store_test

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// parts is a tuple of every type that a key can hold.
type parts struct {
	text string
	n    uint64
	yes  bool
	at   time.Time
}

func compareBools(a, b bool) int {
	if a == b {
		return 0
	}
	if b {
		return -1
	}
	return 1
}

func (p parts) compare(q parts) int {
	return cmp.Or(strings.Compare(p.text, q.text), cmp.Compare(p.n, q.n), compareBools(p.yes, q.yes), p.at.Compare(q.at))
}

func (p parts) key() store.Key {
	return store.Key{}.Text(p.text).Uint64(p.n).Bool(p.yes).Time(p.at)
}

// randomParts draws from few values near the borders, so that tuples often agree
// in their first parts and texts are often each other's beginnings.
func randomParts(r *rand.Rand) parts {
	letters := []string{"\x00", "\x01", "\xff", "a", "b", "日"}
	var text strings.Builder
	for range r.IntN(4) {
		text.WriteString(letters[r.IntN(len(letters))])
	}
	numbers := []uint64{0, 1, 255, 256, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64}
	times := []time.Time{
		{}, time.Unix(0, 0), time.Unix(0, 1), time.Unix(-1, 999_999_999), time.Unix(-1, 0),
		time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("JST", 9*3600)),
		time.Date(-300, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	return parts{text.String(), numbers[r.IntN(len(numbers))], r.IntN(2) == 1, times[r.IntN(len(times))]}
}

func TestKeyOrderIsThatOfItsParts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		p, q := randomParts(r), randomParts(r)
		want := p.compare(q)
		if got := bytes.Compare(p.key(), q.key()); got != want {
			t.Fatalf("%+v and %+v: keys compare as %d, want %d", p, q, got, want)
		}
		if got, want := bytes.Compare(store.Key{}.TimeDescending(p.at), store.Key{}.TimeDescending(q.at)), q.at.Compare(p.at); got != want {
			t.Fatalf("%s and %s: descending keys compare as %d, want %d", p.at, q.at, got, want)
		}
	}
}

func TestKeyPrefixIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		p, q := randomParts(r), randomParts(r)
		within := store.Prefix(store.Key{}.Text(p.text))
		key := q.key()
		inside := bytes.Compare(key, within.Start) >= 0 && (within.End == nil || bytes.Compare(key, within.End) < 0)
		if inside != (p.text == q.text) {
			t.Fatalf("prefix of %q holds %+v: %t", p.text, q, inside)
		}
		begins := bytes.HasPrefix(key, store.Key{}.TextPrefix(p.text))
		if begins != strings.HasPrefix(q.text, p.text) {
			t.Fatalf("text prefix %q of %+v: %t", p.text, q, begins)
		}
	}
}

func TestKeyDecode(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 10_000 {
		p := randomParts(r)
		up := store.Decode(append(p.key(), "rest"...))
		got := parts{up.Text(), up.Uint64(), up.Bool(), up.Time()}
		if got.compare(p) != 0 || string(up.Rest()) != "rest" || up.Err() != nil {
			t.Fatalf("%+v came back as %+v, rest %q, %v", p, got, up.Rest(), up.Err())
		}
	}
	d := store.Decode(store.Key{}.Bytes([]byte{0, 1, 255}))
	if got := d.Bytes(); !bytes.Equal(got, []byte{0, 1, 255}) || d.End() != nil {
		t.Errorf("bytes came back as %v, %v", got, d.End())
	}
}

func TestKeyDecodeRefusesWhatIsNoKey(t *testing.T) {
	tests := map[string]func(*store.KeyDecoder){
		"":                         func(d *store.KeyDecoder) { d.Uint64() },
		"1234567":                  func(d *store.KeyDecoder) { d.Uint64() },
		"12345678901":              func(d *store.KeyDecoder) { d.Time() },
		"text":                     func(d *store.KeyDecoder) { d.Text() },
		"text\x00":                 func(d *store.KeyDecoder) { d.Text() },
		"text\x00\x02":             func(d *store.KeyDecoder) { d.Text() },
		"\x02":                     func(d *store.KeyDecoder) { d.Bool() },
		"12345678\xff\xff\xff\xff": func(d *store.KeyDecoder) { d.Time() },
		"a\x00\x01left":            func(d *store.KeyDecoder) { d.Text() },
	}
	for key, read := range tests {
		d := store.Decode([]byte(key))
		read(d)
		if err := d.End(); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%q: %v, want ErrCorrupt", key, err)
		}
		if d.Text() != "" || d.Uint64() != 0 || d.Bool() || !d.Time().IsZero() {
			t.Errorf("%q: a decoder that failed goes on", key)
		}
	}
}

func TestBoundedTextIsShortAndDistinct(t *testing.T) {
	long := strings.Repeat("x", 5000)
	seen := map[string]string{}
	for _, text := range []string{"", "x", long[:256], long[:257], long[:288], long, long + "y", long[:256] + "y"} {
		key := store.Key{}.BoundedText(text)
		if len(key) > 300 {
			t.Errorf("text of %d bytes: key of %d", len(text), len(key))
		}
		if other, twice := seen[string(key)]; twice {
			t.Errorf("texts of %d and %d bytes share a key", len(other), len(text))
		}
		seen[string(key)] = text
	}
	if !bytes.Equal(store.Key{}.BoundedText("short"), store.Key{}.Text("short")) {
		t.Error("a short text is not kept as it is")
	}
}

func FuzzKeyDecode(f *testing.F) {
	f.Add([]byte(store.Key{}.Text("a\x00b").Uint64(7).Bool(true).Time(time.Unix(1, 2))))
	f.Fuzz(func(t *testing.T, key []byte) {
		d := store.Decode(key)
		text, n, yes, at := d.Text(), d.Uint64(), d.Bool(), d.Time()
		if d.End() != nil {
			return
		}
		if again := (parts{text, n, yes, at}).key(); !bytes.Equal(again, key) {
			t.Errorf("%q decodes to a key that encodes as %q", key, again)
		}
	})
}
