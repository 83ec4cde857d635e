package ui

import (
	"encoding/json"
	"strings"
)

// keyTwice is a name that an object within data, which is valid JSON, has twice, "" where there is none. Which of the
// two counts is left open (RFC 8259, section 4): encoding/json takes the last, and what checked the request on its way
// may have read the first. The body's own fields are read whatever their case, so there case makes no other name.
func keyTwice(data []byte) string {
	type object struct {
		names map[string]bool // nil for an array
		value bool            // what comes next is one, not a name
	}
	var open []object
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{':
			open = append(open, object{names: map[string]bool{}})
		case '[':
			open = append(open, object{})
		case '}', ']':
			open = open[:len(open)-1]
		case ':', ',':
			open[len(open)-1].value = data[i] == ':'
		case '"':
			from := i
			i = endOfString(data, i)
			in := len(open) - 1
			if in < 0 || open[in].names == nil || open[in].value {
				continue
			}
			var name string
			if json.Unmarshal(data[from:i+1], &name) != nil {
				continue
			}
			known := name
			if in == 0 {
				known = strings.ToLower(name)
			}
			if open[in].names[known] {
				return name
			}
			open[in].names[known] = true
		}
	}
	return ""
}

// endOfString is where the quotation mark is that ends the string which begins at from.
func endOfString(data []byte, from int) int {
	for i := from + 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(data) - 1
}
