package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// difference is one key whose value two configurations do not share.
type difference struct {
	key     string // as in the file: "smtp.max_recipients", "alias[support@example.jp].name"
	was, is string // as the file would write it; secrets are not shown
	// restart says that a running server does not follow it.
	restart bool
}

// differences lists what changed between two configurations, in the file's order.
func differences(was, is config) []difference {
	var found []difference
	before, after := reflect.ValueOf(was), reflect.ValueOf(is)
	for table := range before.Type().Fields() {
		if name := table.Tag.Get("toml"); name != "" {
			compareValues(name, before.FieldByIndex(table.Index), after.FieldByIndex(table.Index), &found)
		}
	}
	for i := range found {
		found[i].restart = !reloads(found[i])
	}
	return found
}

func compareValues(key string, was, is reflect.Value, found *[]difference) {
	switch {
	case isTable(was.Type()):
		for field := range was.Type().Fields() {
			if name := field.Tag.Get("toml"); name != "" {
				compareValues(key+"."+name, was.FieldByIndex(field.Index), is.FieldByIndex(field.Index), found)
			}
		}
	case was.Kind() == reflect.Slice && isTable(was.Type().Elem()):
		compareTables(key, was, is, found)
	case !reflect.DeepEqual(was.Interface(), is.Interface()):
		*found = append(*found, difference{key: key, was: writeValue(key, was), is: writeValue(key, is)})
	}
}

// compareTables compares repeated tables by the name each has, so that one put
// between others does not look like a change of all that follow.
func compareTables(key string, was, is reflect.Value, found *[]difference) {
	before := tablesByName(was)
	after := tablesByName(is)
	for _, name := range tableNames(was) {
		at := fmt.Sprintf("%s[%s]", key, name)
		if now, ok := after[name]; ok {
			compareValues(at, before[name], now, found)
		} else {
			*found = append(*found, difference{key: at, was: "there", is: "gone"})
		}
	}
	for _, name := range tableNames(is) {
		if _, ok := before[name]; !ok {
			*found = append(*found, difference{key: fmt.Sprintf("%s[%s]", key, name), was: "none", is: "new"})
		}
	}
}

func tablesByName(tables reflect.Value) map[string]reflect.Value {
	named := make(map[string]reflect.Value, tables.Len())
	for i, name := range tableNames(tables) {
		named[name] = tables.Index(i)
	}
	return named
}

// tableNames is the first text of each table, which is its address, name or domain.
func tableNames(tables reflect.Value) []string {
	names := make([]string, tables.Len())
	for i := range names {
		for field := range tables.Index(i).Type().Fields() {
			if field.Type.Kind() == reflect.String {
				names[i] = tables.Index(i).FieldByIndex(field.Index).String()
				break
			}
		}
	}
	return names
}

// isTable says whether values of t are tables of the file; a duration is a
// struct too, but one value.
func isTable(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[duration]() && t != reflect.TypeFor[time.Time]()
}

// writeValue writes a value for the log.
func writeValue(key string, v reflect.Value) string {
	if name := key[strings.LastIndexByte(key, '.')+1:]; strings.Contains(name, "password") && !strings.HasSuffix(name, "_file") || strings.Contains(name, "secret") || strings.Contains(name, "token") && v.Kind() == reflect.String {
		if v.IsZero() {
			return "none"
		}
		return "(secret)"
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "none"
		}
		v = v.Elem()
	}
	if text, ok := v.Interface().(fmt.Stringer); ok {
		return text.String()
	}
	if v.Kind() == reflect.String && v.Len() > 80 {
		return fmt.Sprintf("%q…", string([]rune(v.String())[:min(40, len([]rune(v.String())))]))
	}
	if v.Kind() == reflect.String {
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v.Interface())
}
