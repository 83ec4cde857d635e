package store

import (
	"bytes"
	"fmt"
	"math"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// Records are CBOR (RFC 8949, deterministic as in section 4.2) with field names as
// map keys, behind one byte that is the schema version. Times are RFC 3339 in UTC
// with nanoseconds. Strings may hold any bytes, since mail does; the limits are
// raised so that what could be written can be read.
var (
	encoding = mustMode(cbor.EncOptions{
		Sort:          cbor.SortCoreDeterministic,
		ShortestFloat: cbor.ShortestFloat16,
		NaNConvert:    cbor.NaNConvert7e00,
		InfConvert:    cbor.InfConvertFloat16,
		IndefLength:   cbor.IndefLengthForbidden,
		Time:          cbor.TimeRFC3339NanoUTC,
		TextMarshaler: cbor.TextMarshalerTextString,
	}.UserBufferEncMode())
	decoding = mustMode(cbor.DecOptions{
		UTF8:              cbor.UTF8DecodeInvalid,
		MaxNestedLevels:   1024,
		MaxArrayElements:  math.MaxInt32,
		MaxMapPairs:       math.MaxInt32,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		TextUnmarshaler:   cbor.TextUnmarshalerTextString,
	}.DecMode())
)

func mustMode[M any](mode M, err error) M {
	if err != nil {
		panic(fmt.Sprintf("store: cbor options: %v", err))
	}
	return mode
}

// encode returns record behind the version byte of the table, packed, in memory of its own.
// What could not be read again is refused here and not found out later.
func (t *untypedTable) encode(record any) ([]byte, error) {
	out := encodeBuffers.Get().(*bytes.Buffer)
	defer func() {
		if out.Cap() <= maxKeptBuffer {
			encodeBuffers.Put(out)
		}
	}()
	out.Reset()
	out.WriteByte(t.version)
	if err := encoding.MarshalToBuffer(record, out); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if mayBeUnreadable(out.Bytes()[1:]) {
		if err := decoding.Unmarshal(out.Bytes()[1:], t.empty()); err != nil {
			return nil, fmt.Errorf("encode: %w: it could not be read again: %w", ErrInvalid, err)
		}
	}
	if out.Len() > MaxValueSize {
		return nil, fmt.Errorf("encode: %w record of %d bytes, the limit is %d", ErrInvalid, out.Len(), MaxValueSize)
	}
	return pack(out.Bytes(), t.rewritten), nil
}

// maxKeptBuffer is how large a buffer may be, in bytes, to be kept for the next record.
const maxKeptBuffer = 64 << 10

var encodeBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// mayBeUnreadable tells whether an encoded record holds what decoding might refuse: a
// text that could be a time in a year of more than four digits, or before the year 0
// (RFC 3339, section 1). It goes from one item's head to the next (RFC 8949, section
// 3), which takes a small part of the time of decoding every record again.
func mayBeUnreadable(data []byte) bool {
	const bytesItem, textItem = 2, 3
	for at := 0; at < len(data); {
		major, argument := data[at]>>5, uint64(data[at]&0x1f)
		at++
		if argument >= 24 { // it follows in 1, 2, 4 or 8 bytes
			size := 1 << (argument - 24)
			if argument > 27 || at+size > len(data) {
				return true
			}
			argument = 0
			for _, b := range data[at : at+size] {
				argument = argument<<8 | uint64(b)
			}
			at += size
		}
		if major != bytesItem && major != textItem {
			continue
		}
		if argument > uint64(len(data)-at) || major == textItem && mayBeFarTime(data[at:at+int(argument)]) {
			return true
		}
		at += int(argument)
	}
	return false
}

// mayBeFarTime is true of every time whose year has not four digits, and of little else.
func mayBeFarTime(text []byte) bool {
	const shortest = len("-001-01-01T00:00:00Z")
	return len(text) >= shortest && text[len(text)-1] == 'Z' && (text[0] == '-' || '0' <= text[4] && text[4] <= '9')
}

// decode reads a record of any version up to that of the table.
func (t *untypedTable) decode(value []byte) (record any, err error) {
	space := packBuffers.Get().(*[]byte)
	defer packBuffers.Put(space)
	version, data, err := unpack(value, *space)
	if err != nil {
		return nil, err
	}
	switch {
	case version > t.version:
		return nil, fmt.Errorf("%w: version %d, this program knows up to %d; use a newer program",
			ErrNewer, version, t.version)
	case version < t.version:
		if t.upgrade == nil {
			return nil, fmt.Errorf("%w: version %d, and the table upgrades nothing to %d", ErrCorrupt, version, t.version)
		}
		if record, err = t.upgrade(version, data); err != nil {
			return nil, fmt.Errorf("upgrade from version %d: %w", version, err)
		}
		return record, nil
	}
	record = t.empty()
	if err := decoding.Unmarshal(data, record); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return record, nil
}

// DecodeRecord reads the data that Spec.Upgrade is given into an older form of
// the record.
func DecodeRecord(data []byte, into any) error {
	if err := decoding.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}
