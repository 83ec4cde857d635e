package ui

import (
	"maps"
	"net/url"
	"strconv"
)

// recordsShown is how many records a page of the settings has.
const recordsShown = 100

// pageOf returns the part of a list that a page shows, which begins behind the number of
// records that its query asks for, and the address of the page after it, or "". Of the
// query stays what narrows the list.
func pageOf[T any](list []T, path string, asked url.Values) (part []T, next string) {
	from, _ := strconv.Atoi(asked.Get("from"))
	from = min(max(from, 0), len(list))
	to := from + recordsShown
	if to >= len(list) {
		return list[from:], ""
	}
	asked = maps.Clone(asked)
	for _, once := range []string{"saved", "created", "replaced"} { // what was just done
		asked.Del(once)
	}
	asked.Set("from", strconv.Itoa(to))
	return list[from:to], path + "?" + asked.Encode()
}
