package search

import (
	"regexp"
	"strings"
)

// A number as people type it: digits, or letters and digits, in groups; and the other ways in which the same one
// stands in mails.
var (
	// grouped are groups that a hyphen parts.
	grouped = regexp.MustCompile(`^[0-9a-z]+(-[0-9a-z]+)+$`)
	// dialled is a Japanese phone number without hyphens.
	dialled = regexp.MustCompile(`^0[0-9]{9,10}$`)
	// coded is such as an order's number: letters, then digits.
	coded = regexp.MustCompile(`^([a-z]{1,6})([0-9]{3,})$`)
	// hyphens are what is typed for one, in a text that is folded already. With Japanese input a hyphen becomes the
	// sign for long vowels.
	hyphens = strings.NewReplacer("‐", "-", "–", "-", "—", "-", "―", "-", "−", "-", "ー", "-", "~", "-")
)

// phoneGroups are how many digits stand in the groups of Japanese phone numbers, by how many there are in all. Which
// one an area has only a list would know.
var phoneGroups = map[int][][]int{10: {{2, 4, 4}, {3, 3, 4}, {4, 2, 4}, {4, 3, 3}}, 11: {{3, 4, 4}, {4, 3, 4}}}

// spellings are the other ways to write a number of a phone, an order or a customer: with hyphens and without, and with
// the sign for long vowels where a hyphen was meant. There are none of other words.
func spellings(value string) (others []string) {
	typed := foldText(value)
	number := hyphens.Replace(typed)
	switch {
	case !strings.ContainsAny(number, "0123456789"):
		return nil
	case grouped.MatchString(number):
		others = append(others, strings.ReplaceAll(number, "-", ""), number, strings.ReplaceAll(number, "-", "ー"))
	case dialled.MatchString(number):
		for _, groups := range phoneGroups[len(number)] {
			var parts []string
			rest := number
			for _, digits := range groups {
				parts, rest = append(parts, rest[:digits]), rest[digits:]
			}
			others = append(others, strings.Join(parts, "-"), strings.Join(parts, "ー"))
		}
	case coded.MatchString(number):
		others = append(others, coded.ReplaceAllString(number, "$1-$2"))
	}
	return others
}

// alternatives adds the other spellings of what a clause asks for: one of them is enough.
func (c *clause) alternatives(value string, quoted bool) {
	for _, other := range spellings(value) {
		o := clause{not: c.not}
		o.words(other, quoted, c.fields)
		if o.digest() != c.digest() {
			c.or = append(c.or, o)
		}
	}
}
