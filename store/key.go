package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Key builds a key from parts so that the bytes sort as the parts do, first part
// first, and so that the encoding of one value is never the beginning of the
// encoding of another of its type. Prefix(key) therefore finds exactly the
// keys whose first parts are equal. The methods append, as append does:
//
//	store.Key{}.Text("open").Uint64(ticket).TimeDescending(at)
//
// TimeDescending sorts the other way round. Decode reads the other parts back.
type Key []byte

const (
	// A zero byte in text is followed by escapedZero; the end is a zero byte
	// followed by textEnd. textEnd is the smaller: "a" sorts before "a\x00".
	textEnd     = 0x01
	escapedZero = 0xff

	// boundedTextSize is how many bytes of a BoundedText are kept as they are.
	boundedTextSize = 256
)

// Text appends a string of any bytes. It sorts byte by byte, as Go strings do.
func (k Key) Text(s string) Key {
	return append(k.TextPrefix(s), 0, textEnd)
}

// TextPrefix appends s without its end: Prefix of it finds all keys whose part at
// this place begins with s. It is for ranges; it cannot be decoded.
func (k Key) TextPrefix(s string) Key {
	for i := range len(s) {
		k = append(k, s[i])
		if s[i] == 0 {
			k = append(k, escapedZero)
		}
	}
	return k
}

// BoundedText appends a string that may be too long for a key, such as a header
// field of a mail: beyond 256 bytes the rest is replaced by a digest of the whole.
// Equal strings stay equal and different ones different, but the order among
// long strings with the same beginning is arbitrary; reading it back gives
// the shortened form.
func (k Key) BoundedText(s string) Key {
	if len(s) <= boundedTextSize {
		return k.Text(s)
	}
	digest := sha256.Sum256([]byte(s))
	return k.Text(s[:boundedTextSize] + string(digest[:]))
}

// Bytes appends bytes as Text does, for instance a primary key within an index key.
func (k Key) Bytes(b []byte) Key {
	return k.Text(string(b))
}

// Uint64 appends a number in eight bytes.
func (k Key) Uint64(n uint64) Key {
	return binary.BigEndian.AppendUint64(k, n)
}

// Bool appends a truth value: false sorts before true.
func (k Key) Bool(b bool) Key {
	if b {
		return append(k, 1)
	}
	return append(k, 0)
}

// Time appends an instant to the nanosecond in twelve bytes. Any time.Time is
// legal, the zero one included; the location is not kept.
func (k Key) Time(t time.Time) Key {
	const signBit = 1 << 63 // turns the order of signed numbers into that of unsigned ones
	k = binary.BigEndian.AppendUint64(k, uint64(t.Unix())^signBit)
	return binary.BigEndian.AppendUint32(k, uint32(t.Nanosecond()))
}

// TimeDescending appends an instant so that the latest sorts first.
func (k Key) TimeDescending(t time.Time) Key {
	start := len(k)
	k = k.Time(t)
	for i := start; i < len(k); i++ {
		k[i] = ^k[i]
	}
	return k
}

// Decode reads the parts of key in the order in which they were appended.
func Decode(key []byte) *KeyDecoder {
	return &KeyDecoder{rest: key}
}

// KeyDecoder takes a Key apart. The first part that does not fit stops it: from
// then on it returns zero values, and Err tells why.
type KeyDecoder struct {
	rest []byte
	err  error
}

var errKeyEnded = errors.New("the key is too short")

// Text reads what Text, or a short BoundedText, appended.
func (d *KeyDecoder) Text() string {
	if d.err != nil {
		return ""
	}
	var text []byte
	rest := d.rest
	for {
		zero := bytes.IndexByte(rest, 0)
		if zero < 0 || zero+1 == len(rest) {
			d.fail("text", errors.New("its end is missing"))
			return ""
		}
		text = append(text, rest[:zero]...)
		mark := rest[zero+1]
		rest = rest[zero+2:]
		switch mark {
		case textEnd:
			d.rest = rest
			return string(text)
		case escapedZero:
			text = append(text, 0)
		default:
			d.fail("text", fmt.Errorf("byte %#02x after a zero byte", mark))
			return ""
		}
	}
}

// Bytes reads what Bytes appended.
func (d *KeyDecoder) Bytes() []byte { return []byte(d.Text()) }

// Uint64 reads what Uint64 appended.
func (d *KeyDecoder) Uint64() uint64 {
	part := d.take("number", 8)
	if part == nil {
		return 0
	}
	return binary.BigEndian.Uint64(part)
}

// Bool reads what Bool appended.
func (d *KeyDecoder) Bool() bool {
	part := d.take("truth value", 1)
	if part == nil {
		return false
	}
	if part[0] > 1 {
		d.fail("truth value", fmt.Errorf("byte %#02x", part[0]))
	}
	return part[0] == 1
}

// Time reads what Time appended, in UTC.
func (d *KeyDecoder) Time() time.Time {
	part := d.take("time", 12)
	if part == nil {
		return time.Time{}
	}
	seconds := int64(binary.BigEndian.Uint64(part[:8]) ^ 1<<63)
	nanoseconds := binary.BigEndian.Uint32(part[8:])
	if nanoseconds >= uint32(time.Second) {
		d.fail("time", fmt.Errorf("%d nanoseconds", nanoseconds))
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

// Rest returns what is not read yet.
func (d *KeyDecoder) Rest() []byte { return d.rest }

// Err returns what did not fit, wrapped in ErrCorrupt, or nil.
func (d *KeyDecoder) Err() error { return d.err }

// End is Err, and also an error when something is left after the last part.
func (d *KeyDecoder) End() error {
	if d.err == nil && len(d.rest) > 0 {
		d.fail("end", fmt.Errorf("%d bytes are left", len(d.rest)))
	}
	return d.err
}

func (d *KeyDecoder) take(part string, size int) []byte {
	if d.err != nil {
		return nil
	}
	if len(d.rest) < size {
		d.fail(part, errKeyEnded)
		return nil
	}
	taken := d.rest[:size]
	d.rest = d.rest[size:]
	return taken
}

func (d *KeyDecoder) fail(part string, why error) {
	d.err = fmt.Errorf("decode %s of key: %w: %w", part, ErrCorrupt, why)
}
