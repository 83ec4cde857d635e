package main

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// fileKey is one key of the file as it stands there, before it is given a
// meaning. Its path counts repeated tables: "alias[1].name".
type fileKey struct {
	path []string
	line int
	kind unstable.Kind
}

// name is the key's path for people: "alias[1].name".
func (k fileKey) name() string { return keyName(k.path) }

func keyName(path []string) string {
	var b strings.Builder
	for _, part := range path {
		if b.Len() > 0 && !strings.HasPrefix(part, "[") {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}

// fileKeys lists every key of the document with its line. It stops where the
// document is no TOML; the decoder names that place.
func fileKeys(document []byte) []fileKey {
	w := keyWalk{document: document, tables: map[string]int{}}
	parser := unstable.Parser{}
	parser.Reset(document)
	for parser.NextExpression() {
		expression := parser.Expression()
		switch expression.Kind {
		case unstable.Table:
			w.prefix, _ = w.place(nil, expression.Key())
			w.add(w.prefix, w.line(expression.Key()), unstable.Table)
		case unstable.ArrayTable:
			path, _ := w.place(nil, expression.Key())
			count := w.tables[keyName(path)]
			w.tables[keyName(path)] = count + 1
			w.prefix = append(path, fmt.Sprintf("[%d]", count))
			w.add(w.prefix, w.line(expression.Key()), unstable.Table)
		case unstable.KeyValue:
			w.keyValue(w.prefix, expression)
		}
	}
	return w.keys
}

// keyWalk gathers the keys of one document. tables counts the [[tables]] seen
// by path, so that a table below one belongs to its newest.
type keyWalk struct {
	document []byte
	prefix   []string
	tables   map[string]int
	keys     []fileKey
}

func (w *keyWalk) add(path []string, line int, kind unstable.Kind) {
	w.keys = append(w.keys, fileKey{slices.Clone(path), line, kind})
}

func (w *keyWalk) keyValue(prefix []string, node *unstable.Node) {
	path, line := w.place(prefix, node.Key())
	w.value(path, line, node.Value())
}

func (w *keyWalk) value(path []string, line int, node *unstable.Node) {
	w.add(path, line, node.Kind)
	switch node.Kind {
	case unstable.InlineTable:
		for children := node.Children(); children.Next(); {
			w.keyValue(path, children.Node())
		}
	case unstable.Array:
		index := 0
		for children := node.Children(); children.Next(); {
			child := children.Node()
			w.value(append(slices.Clone(path), fmt.Sprintf("[%d]", index)), line, child)
			index++
		}
	}
}

// place appends a dotted key to prefix and gives the line it stands in.
func (w *keyWalk) place(prefix []string, parts unstable.Iterator) ([]string, int) {
	path, line := slices.Clone(prefix), w.line(parts)
	for parts.Next() {
		if count := w.tables[keyName(path)]; count > 0 && prefix == nil {
			path = append(path, fmt.Sprintf("[%d]", count-1))
		}
		path = append(path, string(parts.Node().Data))
	}
	return path, line
}

func (w *keyWalk) line(parts unstable.Iterator) int {
	if !parts.Next() {
		return 0
	}
	return 1 + bytes.Count(w.document[:parts.Node().Raw.Offset], []byte("\n"))
}

// checkKeys refuses keys that config does not have and values of another kind
// than theirs, all in one error.
func checkKeys(path string, keys []fileKey) error {
	var problems []error
	unknown := map[string]bool{}
	for _, key := range keys {
		if unknownParent(unknown, key.path) {
			continue
		}
		parent, _ := typeAt(key.path[:len(key.path)-1])
		target, known := typeAt(key.path)
		if !known {
			unknown[key.name()] = true
			problems = append(problems, fmt.Errorf("%s:%d: %s: unknown key%s", path, key.line, key.name(), suggestion(parent, key.path[len(key.path)-1])))
			continue
		}
		if want, ok := wanted(target, key.kind); !ok {
			unknown[key.name()] = true
			problems = append(problems, fmt.Errorf("%s:%d: %s: must be %s, not %s", path, key.line, key.name(), want, kindWords[key.kind]))
		}
	}
	return errors.Join(problems...)
}

// unknownParent says whether a table above path has been refused already.
func unknownParent(unknown map[string]bool, path []string) bool {
	for n := 1; n < len(path); n++ {
		if unknown[keyName(path[:n])] {
			return true
		}
	}
	return false
}

// typeAt finds the Go type that the key at path is decoded into.
func typeAt(path []string) (reflect.Type, bool) {
	t := reflect.TypeFor[config]()
	for _, part := range path {
		if strings.HasPrefix(part, "[") {
			if t.Kind() != reflect.Slice {
				return nil, false
			}
			t = t.Elem()
			continue
		}
		if t.Kind() == reflect.Map { // by language: any key
			t = t.Elem()
			continue
		}
		field, found := fieldOf(t, part)
		if !found {
			return nil, false
		}
		t = field.Type
	}
	return t, true
}

func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	if t.Kind() != reflect.Struct {
		return reflect.StructField{}, false
	}
	for field := range t.Fields() {
		if field.Tag.Get("toml") == key && key != "" {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

// wanted says in words what a key of type t takes, and whether a value of
// kind is that.
func wanted(t reflect.Type, kind unstable.Kind) (words string, ok bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[duration]():
		return `a duration in quotes, such as "10s", "5m" or "90d"`, kind == unstable.String
	case t == reflect.TypeFor[clockTime]():
		return `a time of day in quotes, such as "03:30"`, kind == unstable.String
	case t == reflect.TypeFor[byteSize]():
		return `a size, such as 25000000 or "25MB"`, kind == unstable.String || kind == unstable.Integer
	}
	switch t.Kind() {
	case reflect.String:
		return "text in quotes", kind == unstable.String
	case reflect.Int:
		return "a whole number", kind == unstable.Integer
	case reflect.Bool:
		return "true or false", kind == unstable.Bool
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct && t.Elem() != reflect.TypeFor[clockTime]() {
			return "a list of tables", kind == unstable.Array
		}
		return "a list in square brackets", kind == unstable.Array
	default:
		return "a table", kind == unstable.Table || kind == unstable.InlineTable
	}
}

var kindWords = map[unstable.Kind]string{
	unstable.String: "text", unstable.Integer: "a whole number", unstable.Float: "a number with a fraction",
	unstable.Bool: "true or false", unstable.Array: "a list", unstable.InlineTable: "a table", unstable.Table: "a table",
	unstable.DateTime: "a time", unstable.LocalDateTime: "a time", unstable.LocalDate: "a date", unstable.LocalTime: "a time of day",
}

// suggestion names the key of t that was probably meant.
func suggestion(t reflect.Type, key string) string {
	if t == nil || t.Kind() != reflect.Struct {
		return ""
	}
	var known []string
	for field := range t.Fields() {
		if name := field.Tag.Get("toml"); name != "" {
			known = append(known, name)
		}
	}
	return didYouMean(key, known)
}

// editDistance is Levenshtein's: the insertions, deletions and replacements
// that lead from a to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// trimLibrary takes the library's name from its messages.
func trimLibrary(message string) string { return strings.TrimPrefix(message, "toml: ") }
