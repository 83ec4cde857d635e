package ollamatest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
)

// ggufFile is a model file: facts by key, then matrices of 32-bit floats.
// Format: GGUF version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
type ggufFile struct {
	facts   []ggufFact
	tensors []tensor
}

type ggufFact struct {
	key   string
	value any // string, uint32, float32, bool, []string, []float32 or []int32
}

func (f *ggufFile) fact(key string, value any) { f.facts = append(f.facts, ggufFact{key, value}) }

// tensor is a matrix of rows that are columns long; a vector has one row.
type tensor struct {
	name          string
	columns, rows int
	values        []float32
}

func (f *ggufFile) matrix(name string, columns, rows int) *tensor {
	f.tensors = append(f.tensors, tensor{name, columns, rows, make([]float32, columns*rows)})
	return &f.tensors[len(f.tensors)-1]
}

// set writes one weight: what of the column goes into the row.
func (t *tensor) set(row, column int, weight float32) { t.values[row*t.columns+column] = weight }

// ones is a vector of ones: a norm that scales nothing.
func (f *ggufFile) ones(name string, size int) {
	t := f.matrix(name, size, 1)
	for i := range t.values {
		t.values[i] = 1
	}
}

// Types of values, as the format numbers them.
const (
	ggufUint32  uint32 = 4
	ggufInt32   uint32 = 5
	ggufFloat32 uint32 = 6
	ggufBool    uint32 = 7
	ggufString  uint32 = 8
	ggufArray   uint32 = 9
)

// ggufAlignment is where each tensor begins, in bytes.
const ggufAlignment = 32

// writeTo writes the file to the path.
func (f *ggufFile) writeTo(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create the model file: %w", err)
	}
	defer file.Close()
	buffered := bufio.NewWriter(file)
	w := &ggufWriter{w: buffered}
	f.write(w)
	if w.err == nil {
		w.err = buffered.Flush()
	}
	if w.err == nil {
		w.err = file.Close()
	}
	if w.err != nil {
		return fmt.Errorf("write the model file %s: %w", path, w.err)
	}
	return nil
}

func (f *ggufFile) write(w *ggufWriter) {
	w.bytes([]byte("GGUF"))
	w.number(uint32(3))
	w.number(uint64(len(f.tensors)))
	w.number(uint64(len(f.facts)))
	for _, fact := range f.facts {
		w.text(fact.key)
		w.value(fact.value)
	}
	var offset uint64
	for _, t := range f.tensors {
		w.text(t.name)
		sizes := []uint64{uint64(t.columns), uint64(t.rows)}
		if t.rows == 1 {
			sizes = sizes[:1]
		}
		w.number(uint32(len(sizes)))
		w.number(sizes)
		w.number(uint32(0)) // 32-bit floats
		w.number(offset)
		offset += aligned(uint64(4 * len(t.values)))
	}
	w.pad()
	for _, t := range f.tensors {
		w.floats(t.values)
		w.pad()
	}
}

func aligned(n uint64) uint64 { return (n + ggufAlignment - 1) / ggufAlignment * ggufAlignment }

// ggufWriter keeps the first error, and where it is.
type ggufWriter struct {
	w   io.Writer
	at  uint64
	err error
}

func (w *ggufWriter) bytes(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.w.Write(b)
	w.at, w.err = w.at+uint64(n), err
}

func (w *ggufWriter) number(v any) {
	encoded, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.bytes(encoded)
}

func (w *ggufWriter) floats(values []float32) {
	encoded := make([]byte, 0, 4*len(values))
	for _, v := range values {
		encoded = binary.LittleEndian.AppendUint32(encoded, math.Float32bits(v))
	}
	w.bytes(encoded)
}

func (w *ggufWriter) text(s string) {
	w.number(uint64(len(s)))
	w.bytes([]byte(s))
}

func (w *ggufWriter) pad() { w.bytes(make([]byte, aligned(w.at)-w.at)) }

func (w *ggufWriter) value(v any) {
	switch v := v.(type) {
	case uint32:
		w.number(ggufUint32)
		w.number(v)
	case float32:
		w.number(ggufFloat32)
		w.number(v)
	case bool:
		w.number(ggufBool)
		w.number(v)
	case string:
		w.number(ggufString)
		w.text(v)
	case []string:
		w.list(ggufString, len(v))
		for _, s := range v {
			w.text(s)
		}
	case []float32:
		w.list(ggufFloat32, len(v))
		w.floats(v)
	case []int32:
		w.list(ggufInt32, len(v))
		w.number(v)
	default:
		if w.err == nil {
			w.err = fmt.Errorf("a fact of the type %T cannot be written", v)
		}
	}
}

func (w *ggufWriter) list(kind uint32, size int) {
	w.number(ggufArray)
	w.number(kind)
	w.number(uint64(size))
}
