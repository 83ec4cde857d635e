package search

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

// Bounds of a query: far above what people type.
const (
	maxQueryBytes = 1000
	maxClauses    = 30
)

// clause is one condition of a query; a ticket has to fulfil all of them.
type clause struct {
	not bool

	// Words: the tokens, adjacent, in one of the fields.
	tokens []queryToken
	fields []field
	number uint64 // also fulfilled by the ticket of this number
	// naming says which words the ticket's contact may have instead, "" for none, and
	// whether they are a phrase.
	naming string
	phrase bool
	named  []uint64 // the tickets whose contact has them, perhaps twice

	// or are other words that do as well.
	or []clause

	// Facts: one of them. With none and no tokens: nothing fulfils it.
	facts []string

	// Dates: a message or note from then on, and before then.
	dated        bool
	from, before time.Time
}

type queryToken struct {
	text   string
	offset uint32 // from the first token
	prefix bool   // any term that begins so
	goesOn bool   // the pair of characters after the one before, in the same run
}

func (c *clause) isWords() bool { return len(c.tokens) > 0 || c.number > 0 }

// people resolves names of users and of custom fields.
type people struct {
	actor helpdesk.Actor
	users []helpdesk.User
	// fields are those of tickets, which "field:" names.
	fields []helpdesk.Field
}

// filterNames are the filters by each of their names.
var filterNames = map[string]string{
	"from": "from", "to": "to", "subject": "subject", "alias": "alias", "tag": "tag", "assignee": "assignee",
	"before": "before", "after": "after", "has": "has", "is": "is", "field": "field",
	"差出人": "from", "宛先": "to", "件名": "subject", "窓口": "alias", "たぐ": "tag", "担当": "assignee", "担当者": "assignee", foldText("フィールド"): "field",
}

// filterList is for messages.
const filterList = "from:, to:, subject:, alias:, tag:, assignee:, before:, after:, field:, has:attachment, is:open"

// replyMarks stand before pasted subjects and say nothing; schemes begin pasted
// links. Neither is a filter.
var (
	replyMarks = []string{"re", "fw", "fwd"}
	schemes    = []string{"http", "https", "mailto", "tel", "cid", "ftp"}
)

// parseQuery reads a query as people type it.
func parseQuery(text string, zone *time.Location, p people) ([]clause, error) {
	if len(text) > maxQueryBytes {
		return nil, refuse("search_too_long", "the search has %d bytes; the limit is %d", len(text), maxQueryBytes)
	}
	var clauses []clause
	rest, either := strings.TrimSpace(text), false
	for rest != "" {
		var w word
		w, rest = nextWord(rest)
		if w.isOr() && len(clauses) > 0 {
			either = true
			continue
		}
		c, ok, err := w.clause(zone, p)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if either {
			either = false
			if !clauses[len(clauses)-1].join(c) {
				return nil, refuse("search_or", "OR stands between words, or between filters such as is: and tag:; %q goes with neither", w.typed)
			}
			continue
		}
		if len(clauses) == maxClauses {
			return nil, refuse("search_too_many", "the search has more than %d words; leave some out", maxClauses)
		}
		clauses = append(clauses, c)
	}
	clauses = joinDates(clauses)
	if len(clauses) == 0 && strings.TrimSpace(text) != "" {
		return nil, refuse("search_empty", "there is no letter or digit in %q to search for", text)
	}
	return clauses, nil
}

func refuse(key, format string, args ...any) error {
	return &helpdesk.Error{Code: helpdesk.CodeInvalid, Field: "q", Key: "error." + key, Args: args, Message: fmt.Sprintf(format, args...)}
}

// word is a piece of a query as it was typed: -name:"value".
type word struct {
	not    bool
	name   string // of a filter, as typed; "" for none
	value  string
	quoted bool
	typed  string
}

const quotes = "\"＂“”„"

// nextWord takes the first word off text, which begins with no space. A quote
// that is not closed reaches to the end.
func nextWord(text string) (w word, rest string) {
	at := text
	if r, size := utf8.DecodeRuneInString(at); (r == '-' || r == '－') && len(at) > size && !startsWithSpace(at[size:]) {
		w.not, at = true, at[size:]
	}
	if i := strings.IndexFunc(at, func(r rune) bool {
		return r == ':' || r == '：' || unicode.IsSpace(r) || strings.ContainsRune(quotes, r)
	}); i > 0 {
		if r, size := utf8.DecodeRuneInString(at[i:]); r == ':' || r == '：' {
			switch name := at[:i]; {
			case slices.Contains(replyMarks, foldText(name)):
				at = at[i+size:]
			case isFilterName(foldText(name), at[i+size:]):
				w.name, at = name, at[i+size:]
			}
		}
	}
	if r, size := utf8.DecodeRuneInString(at); size > 0 && strings.ContainsRune(quotes, r) {
		w.quoted, at = true, at[size:]
		end := strings.IndexFunc(at, func(r rune) bool { return strings.ContainsRune(quotes, r) })
		if end < 0 {
			end = len(at)
		}
		w.value, at = at[:end], at[end:]
		_, size := utf8.DecodeRuneInString(at)
		at = at[size:]
	} else {
		end := strings.IndexFunc(at, unicode.IsSpace)
		if end < 0 {
			end = len(at)
		}
		w.value, at = at[:end], at[end:]
	}
	w.typed = text[:len(text)-len(at)]
	return w, strings.TrimSpace(at)
}

// isOr tells whether the word joins those beside it. In small letters it is a word like others.
func (w word) isOr() bool { return w.typed == "OR" || w.typed == "ＯＲ" }

// join has a condition be fulfilled also where another is. It is false of two that are of different kinds, of dates, and of
// what must not be there.
func (c *clause) join(other clause) bool {
	switch {
	case c.not || other.not || c.dated || other.dated:
		return false
	case c.isWords() && other.isWords() && len(c.or) < maxClauses:
		or := other.or
		other.or = nil
		c.or = append(append(c.or, other), or...)
		return true
	case len(c.facts) > 0 && len(other.facts) > 0:
		c.facts = append(c.facts, other.facts...)
		return true
	}
	return false
}

func startsWithSpace(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(r)
}

// isFilterName tells whether what stands before a colon is meant as a filter: a
// name of one, or what can only be a mistaken one.
func isFilterName(name, value string) bool {
	if _, known := filterNames[name]; known {
		return true
	}
	letters := strings.IndexFunc(name, func(r rune) bool { return r < 'a' || r > 'z' }) < 0
	return letters && value != "" && !startsWithSpace(value) && !strings.HasPrefix(value, "//") && !slices.Contains(schemes, name)
}

// clause makes the condition of a word; false where it says nothing.
func (w word) clause(zone *time.Location, p people) (c clause, ok bool, err error) {
	c.not = w.not
	if w.name == "" {
		c.words(w.value, w.quoted, anywhere)
		c.naming, c.phrase = w.value, w.quoted
		c.alternatives(w.value, w.quoted)
		if n, numeric := ticketNumber(w.value); numeric && !w.quoted {
			c.number = n
			if strings.HasPrefix(foldText(w.value), "#") {
				c.tokens, c.naming, c.or = nil, "", nil
			}
		}
		return c, c.isWords(), nil
	}
	name, known := filterNames[foldText(w.name)]
	if !known {
		return c, false, refuse("search_filter_unknown", "%s: is no filter; there are %s. To search for the words, put them in quotes: %q", w.name, filterList, w.typed)
	}
	if strings.TrimSpace(w.value) == "" {
		return c, false, refuse("search_filter_empty", "nothing follows %s:; write what to look for right after it, such as %s", w.name, examples[name])
	}
	return c, true, w.filter(&c, name, zone, p)
}

var examples = map[string]string{"from": "from:tamura", "to": "to:tamura@example.com", "subject": "subject:invoice", "alias": "alias:support",
	"tag": "tag:vip", "assignee": "assignee:me", "before": "before:2026-11-21", "after": "after:2026-11-21", "has": "has:attachment", "is": "is:open", "field": "field:plan=gold"}

func (w word) filter(c *clause, name string, zone *time.Location, p people) (err error) {
	switch name {
	case "from":
		c.words(w.value, w.quoted, []field{fieldFrom})
		c.naming, c.phrase = w.value, w.quoted
	case "to":
		c.words(w.value, w.quoted, []field{fieldTo})
	case "subject":
		c.words(w.value, w.quoted, []field{fieldSubject})
		c.alternatives(w.value, w.quoted)
	case "tag":
		c.facts = []string{factTag(w.value)}
	case "alias":
		c.facts = []string{factAlias(w.value)}
	case "is", "has":
		fact := name + ":" + strings.TrimSuffix(foldText(w.value), "s")
		if !slices.Contains([]string{factOpen, factClosed, factUnassigned, factWaiting, factHeld, factFailed, factSnoozed, factSpam, factAttachment}, fact) {
			return refuse("search_state_unknown", "%s is not one of is:open, is:closed, is:unassigned, is:waiting, is:held, is:failed, is:snoozed, is:spam, has:attachment", w.typed)
		}
		c.facts = []string{fact}
	case "assignee":
		c.facts, err = p.assignee(w.value)
	case "field":
		c.facts, err = p.field(w.value)
	case "before", "after":
		err = c.date(name, w.value, zone)
	}
	return err
}

// words sets the tokens to look for. The last word is a beginning unless it was
// quoted; a single character of a script without spaces is one always.
func (c *clause) words(text string, quoted bool, fields []field) {
	c.fields = fields
	all := slices.Collect(tokens(text))
	for i, t := range all {
		if t.single && i > 0 && all[i-1].end == t.end {
			continue // the pair before holds it
		}
		first, _ := utf8.DecodeRuneInString(t.text)
		last := i == len(all)-1 && classOf(first) == classWord
		c.tokens = append(c.tokens, queryToken{text: t.text, offset: t.position, prefix: t.single || last && !quoted,
			goesOn: i > 0 && t.isPair() && all[i-1].isPair()})
	}
}

// field finds a custom field of tickets by name, alone for any value of it, or
// with "=" and one.
func (p people) field(value string) ([]string, error) {
	name, wanted, valued := strings.Cut(strings.ReplaceAll(value, "＝", "="), "=")
	var names []string
	for _, f := range p.fields {
		if f.Owner != helpdesk.FieldOfTicket {
			continue
		}
		names = append(names, f.Name)
		if foldText(f.Name) != foldText(strings.TrimSpace(name)) {
			continue
		}
		if wanted = strings.TrimSpace(wanted); !valued || wanted == "" {
			return []string{factField(f.ID)}, nil
		}
		for _, choice := range f.Choices {
			if foldText(choice.Name) == foldText(wanted) {
				return []string{factFieldValue(f.ID, choice.ID)}, nil
			}
		}
		return []string{factFieldValue(f.ID, wanted)}, nil
	}
	return nil, refuse("search_field_unknown", "there is no field %q of tickets; there are: %s", name, strings.Join(names, ", "))
}

func ticketNumber(value string) (n uint64, ok bool) {
	digits := strings.TrimPrefix(foldText(value), "#")
	n, err := strconv.ParseUint(digits, 10, 32)
	return n, err == nil && n > 0 && digits[0] != '+'
}

// assignee finds users by address or by what their name holds.
func (p people) assignee(value string) (facts []string, err error) {
	wanted := foldText(value)
	switch wanted {
	case "me", "自分":
		if p.actor.UserID == "" {
			return nil, refuse("search_assignee_me", "assignee:me needs a user; name one by address")
		}
		return []string{factAssignee(p.actor.UserID)}, nil
	case "none", "なし":
		return []string{factUnassigned}, nil
	}
	plain := strings.Join(strings.Fields(wanted), "")
	for _, u := range p.users {
		local, _, _ := strings.Cut(u.Email, "@")
		name := strings.Join(strings.Fields(foldText(u.Name)), "")
		if u.Email == wanted || local == wanted || u.ID == value || strings.Contains(name, plain) {
			facts = append(facts, factAssignee(u.ID))
		}
	}
	if len(facts) == 0 {
		return nil, refuse("search_assignee_unknown", "there is no user %q; use an address, a name, me or none", value)
	}
	return facts, nil
}

// joinDates makes one condition of those on dates: who asks for what came after a day and
// before another means one message in between, not one after and another before.
func joinDates(clauses []clause) (joined []clause) {
	first := -1
	for _, c := range clauses {
		switch {
		case !c.dated || c.not:
		case first < 0:
			first = len(joined)
		default:
			joined[first].narrow(c)
			continue
		}
		joined = append(joined, c)
	}
	return joined
}

// narrow has a condition on dates ask for what another asks for too.
func (c *clause) narrow(other clause) {
	if other.from.After(c.from) {
		c.from = other.from
	}
	if c.before.IsZero() || !other.before.IsZero() && other.before.Before(c.before) {
		c.before = other.before
	}
}

// date reads a day, month or year. before:D ends at its first moment, after:D
// begins there.
func (c *clause) date(name, value string, zone *time.Location) error {
	folded := strings.NewReplacer("/", "-", ".", "-", "年", "-", "月", "-", "日", "").Replace(foldText(value))
	folded = strings.TrimSuffix(folded, "-")
	for _, layout := range []string{"2006-1-2", "2006-1", "2006"} {
		typed, err := time.Parse(layout, folded)
		if err != nil {
			continue
		}
		day := hours.Midnight(zone, typed.Year(), typed.Month(), typed.Day())
		c.dated = true
		if name == "after" {
			c.from = day
		} else {
			c.before = day
		}
		return nil
	}
	return refuse("search_date_invalid", "%q is not a date; write %s", value, examples[name])
}
