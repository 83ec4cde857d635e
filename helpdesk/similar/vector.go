package similar

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/madoguchi/madoguchi/store"
)

// vector is a direction: one byte a dimension, and what one step is worth, so
// that the length is 1.
type vector struct {
	steps []int8
	step  float32
}

// newVector keeps the direction of v; false where it has none.
func newVector(v []float32) (vector, bool) {
	var square, most float64
	for _, x := range v {
		square += float64(x) * float64(x)
		most = max(most, math.Abs(float64(x)))
	}
	if most == 0 || math.IsNaN(square) || math.IsInf(square, 0) {
		return vector{}, false
	}
	q := vector{steps: make([]int8, len(v))}
	var length float64
	for i, x := range v {
		q.steps[i] = int8(math.Round(float64(x) / most * 127))
		length += float64(q.steps[i]) * float64(q.steps[i])
	}
	q.step = float32(1 / math.Sqrt(length))
	return q, true
}

// dot multiplies the steps of two vectors of the same length. Four sums go on
// beside each other, so that none waits for another.
func dot(a []int8, b []byte) int32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 int32
	for len(a) >= 8 && len(b) >= 8 {
		s0 += int32(a[0])*int32(int8(b[0])) + int32(a[4])*int32(int8(b[4]))
		s1 += int32(a[1])*int32(int8(b[1])) + int32(a[5])*int32(int8(b[5]))
		s2 += int32(a[2])*int32(int8(b[2])) + int32(a[6])*int32(int8(b[6]))
		s3 += int32(a[3])*int32(int8(b[3])) + int32(a[7])*int32(int8(b[7]))
		a, b = a[8:], b[8:]
	}
	for i := range a {
		s0 += int32(a[i]) * int32(int8(b[i]))
	}
	return s0 + s1 + s2 + s3
}

// A segment is the vectors of several messages in one value:
//
//	version (1), dimensions (2), count (2)
//	count times: the message's id (26), the worth of a step (4)
//	count times: the steps
//
// Numbers have their highest byte first.
const (
	segmentVersion = 1
	segmentHead    = 5
	idLength       = 26 // of a ULID
	entryHead      = idLength + 4
)

// entry is one vector with the message that it is of.
type entry struct {
	message string
	vector
}

func encodeSegment(dimensions int, list []entry) ([]byte, error) {
	out := make([]byte, 0, segmentHead+len(list)*(entryHead+dimensions))
	out = append(out, segmentVersion)
	out = binary.BigEndian.AppendUint16(out, uint16(dimensions))
	out = binary.BigEndian.AppendUint16(out, uint16(len(list)))
	for _, e := range list {
		if len(e.message) != idLength || len(e.steps) != dimensions {
			return nil, fmt.Errorf("message %q with %d dimensions does not fit into a segment of %d", e.message, len(e.steps), dimensions)
		}
		out = append(out, e.message...)
		out = binary.BigEndian.AppendUint32(out, math.Float32bits(e.step))
	}
	for _, e := range list {
		for _, s := range e.steps {
			out = append(out, byte(s))
		}
	}
	return out, nil
}

// segment is a stored segment, read where the store has it.
type segment struct {
	dimensions, count int
	heads, steps      []byte
}

func decodeSegment(value []byte) (s segment, err error) {
	if len(value) < segmentHead || value[0] != segmentVersion {
		return s, fmt.Errorf("segment of vectors: %w", store.ErrCorrupt)
	}
	s.dimensions, s.count = int(binary.BigEndian.Uint16(value[1:])), int(binary.BigEndian.Uint16(value[3:]))
	if len(value) != segmentHead+s.count*(entryHead+s.dimensions) {
		return s, fmt.Errorf("segment of %d vectors has %d bytes: %w", s.count, len(value), store.ErrCorrupt)
	}
	end := segmentHead + s.count*entryHead
	s.heads, s.steps = value[segmentHead:end], value[end:]
	return s, nil
}

func (s segment) message(i int) string {
	return string(s.heads[i*entryHead : i*entryHead+idLength])
}

func (s segment) step(i int) float32 {
	return math.Float32frombits(binary.BigEndian.Uint32(s.heads[i*entryHead+idLength:]))
}

func (s segment) stepsOf(i int) []byte { return s.steps[i*s.dimensions : (i+1)*s.dimensions] }

// entry copies a vector out of the store.
func (s segment) entry(i int) entry {
	e := entry{s.message(i), vector{make([]int8, s.dimensions), s.step(i)}}
	for d, b := range s.stepsOf(i) {
		e.steps[d] = int8(b)
	}
	return e
}
