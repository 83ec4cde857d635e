package evaluation

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Score is how well a model found one thing.
type Score struct {
	Finding helpdesk.Finding     `json:"finding"`
	Kind    helpdesk.FindingKind `json:"kind"`
	Share                        // of the mails in which it was judged
	// WithinOne counts scores that are at most one beside the expected one.
	WithinOne int `json:"within_one,omitempty"`
	// Constant is how many would be right if a choice were the same for every
	// mail: a model is worth something where it is better.
	Constant int `json:"constant,omitempty"`
	// Of texts and lists: what had to be named, what of it was, and in how many
	// mails something was found though there was nothing.
	Named      int              `json:"named,omitempty"`
	ToName     int              `json:"to_name,omitempty"`
	Invented   int              `json:"invented,omitempty"`
	ByLanguage map[string]Share `json:"by_language"`
	// Confusion counts what a choice was found to be, by what it is.
	Confusion map[string]map[string]int `json:"confusion,omitempty"`

	accepted map[string]int // in how many mails a choice would be right
}

// Share is how many of those judged were right.
type Share struct {
	Right  int `json:"right"`
	Judged int `json:"judged"`
}

// Percent is the share in percent, 0 where nothing was judged.
func (s Share) Percent() float64 {
	if s.Judged == 0 {
		return 0
	}
	return 100 * float64(s.Right) / float64(s.Judged)
}

func (s *Share) add(right bool) {
	s.Judged++
	if right {
		s.Right++
	}
}

// verdict is what was found of one thing in one mail.
type verdict struct {
	right, invented bool
	named, toName   int
	accepted        []string // of a choice
	expected, got   string
	withinOne       bool
}

// judge compares what a model found with what was expected.
func judge(f helpdesk.Finding, expected, got []string) verdict {
	if f.Kind() == helpdesk.FindingChoice || f == helpdesk.FindingLanguage {
		return judgeChoice(expected, got)
	}
	v := verdict{toName: len(expected)}
	for _, item := range expected {
		if slices.ContainsFunc(alternatives(item), func(words string) bool { return isNamed(words, got) }) {
			v.named++
		}
	}
	v.invented = len(expected) == 0 && len(got) > 0
	v.right = v.named == v.toName && !v.invented
	return v
}

func judgeChoice(expected, got []string) verdict {
	v := verdict{got: strings.Join(got, ", ")}
	accepted := []string{""}
	if len(expected) > 0 {
		accepted = alternatives(expected[0])
	}
	v.accepted, v.expected, v.right = accepted, accepted[0], slices.Contains(accepted, v.got)
	if v.right {
		v.expected = v.got
	}
	v.withinOne = slices.ContainsFunc(accepted, func(a string) bool {
		return len(a) == 1 && len(v.got) == 1 && max(a[0], v.got[0])-min(a[0], v.got[0]) <= 1
	})
	return v
}

// unanswered is the verdict where there was no answer: an empty one is not
// right because nothing was expected.
func (v verdict) unanswered() verdict {
	v.right, v.withinOne, v.named = false, false, 0
	if v.expected != "" {
		v.got = noAnswer
	}
	return v
}

// enoughAlike is how much of two texts has to be the same for one to stand for
// the other (the Dice coefficient of their pairs of characters): people and
// models do not write a sentence alike.
const enoughAlike = 0.5

// isNamed reports whether one of the texts has the words, or says nearly the
// same.
func isNamed(words string, texts []string) bool {
	words = fold(words)
	return slices.ContainsFunc(texts, func(text string) bool {
		text = fold(text)
		return strings.Contains(text, words) || alike(words, text) >= enoughAlike
	})
}

// fold makes texts comparable: widths and case do not matter, nor does space.
func fold(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(s))), "")
}

func alike(a, b string) float64 {
	pairs := map[[2]rune]int{}
	total := 0
	for p := range pairsOf(a) {
		pairs[p]++
		total++
	}
	same := 0
	for p := range pairsOf(b) {
		total++
		if pairs[p] > 0 {
			pairs[p]--
			same++
		}
	}
	if total == 0 {
		return 0
	}
	return 2 * float64(same) / float64(total)
}

func pairsOf(s string) func(func([2]rune) bool) {
	return func(yield func([2]rune) bool) {
		var last rune
		for i, r := range s {
			if i > 0 && !yield([2]rune{last, r}) {
				return
			}
			last = r
		}
	}
}

// add counts a verdict in a language.
func (s *Score) add(v verdict, language string) {
	s.Share.add(v.right)
	if s.ByLanguage == nil {
		s.ByLanguage = map[string]Share{}
	}
	of := s.ByLanguage[language]
	of.add(v.right)
	s.ByLanguage[language] = of
	s.Named += v.named
	s.ToName += v.toName
	if v.invented {
		s.Invented++
	}
	if v.withinOne {
		s.WithinOne++
	}
	if v.expected == "" {
		return
	}
	if s.accepted == nil {
		s.accepted = map[string]int{}
	}
	for _, choice := range v.accepted {
		s.accepted[choice]++
		s.Constant = max(s.Constant, s.accepted[choice])
	}
	if s.Confusion == nil {
		s.Confusion = map[string]map[string]int{}
	}
	if s.Confusion[v.expected] == nil {
		s.Confusion[v.expected] = map[string]int{}
	}
	s.Confusion[v.expected][v.got]++
}
