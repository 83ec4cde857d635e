package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// parseTags reads a tag=value list (RFC 6376 section 3.2). Names are kept as
// written, which matters: they are case-sensitive. A tag that appears twice
// makes the list invalid.
func parseTags(s string) (map[string]string, error) {
	tags := make(map[string]string)
	for part := range strings.SplitSeq(s, ";") {
		name, value, ok := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		if !ok {
			if name == "" {
				continue
			}
			return tags, errors.New("a tag without a value")
		}
		if _, twice := tags[name]; twice {
			return tags, fmt.Errorf("the tag %s= appears twice", clean(name))
		}
		tags[name] = strings.TrimSpace(value)
	}
	return tags, nil
}

// parseList reads a colon-separated list, such as h=.
func parseList(s string) []string {
	var list []string
	for item := range strings.SplitSeq(s, ":") {
		if item = withoutSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
