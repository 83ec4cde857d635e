package store

import (
	"bytes"
	"fmt"
	"math"

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

// encode returns record behind its version byte, packed. What could not be read again,
// as a time after the year 9999, is refused here and not found out later.
func encode[T any](version byte, record *T) ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte(version)
	if err := encoding.MarshalToBuffer(record, &out); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	var again T
	if err := decoding.Unmarshal(out.Bytes()[1:], &again); err != nil {
		return nil, fmt.Errorf("encode: %w: it could not be read again: %w", ErrInvalid, err)
	}
	if out.Len() > MaxValueSize {
		return nil, fmt.Errorf("encode: %w record of %d bytes, the limit is %d", ErrInvalid, out.Len(), MaxValueSize)
	}
	return pack(out.Bytes()), nil
}

// decode reads a record of any version up to that of spec.
func (t *Table[T]) decode(value []byte) (*T, error) {
	version, data, err := unpack(value)
	if err != nil {
		return nil, err
	}
	switch {
	case version > t.spec.Version:
		return nil, fmt.Errorf("%w: version %d, this program knows up to %d; use a newer program",
			ErrNewer, version, t.spec.Version)
	case version < t.spec.Version:
		if t.spec.Upgrade == nil {
			return nil, fmt.Errorf("%w: version %d, and the table upgrades nothing to %d", ErrCorrupt, version, t.spec.Version)
		}
		record, err := t.spec.Upgrade(version, data)
		if err != nil {
			return nil, fmt.Errorf("upgrade from version %d: %w", version, err)
		}
		return record, nil
	}
	record := new(T)
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
