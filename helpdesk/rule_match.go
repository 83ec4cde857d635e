package helpdesk

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/madoguchi/madoguchi/store"
)

// ruleFacts are what rules ask of a ticket's first mail.
type ruleFacts struct {
	alias     string // id
	brand     string // the alias's, folded
	language  string
	text      string // of the subject and the new words, folded
	domain    string // of the sender
	replyType string // "" while the model has not read it
	within    bool   // it came in working hours
}

// factsOf gathers the facts of a ticket that m opened.
func (k *clocks) factsOf(t *Ticket, m *Message) (ruleFacts, error) {
	facts := ruleFacts{alias: t.AliasID, domain: domainOf(m.From.Email), replyType: t.ReplyType}
	body, err := optional(bodies.Get(k.r, key(m.ID)))
	if err != nil {
		return facts, err
	}
	text := ""
	if body != nil {
		if text = body.ReplyText; strings.TrimSpace(text) == "" {
			text = body.Text
		}
	}
	facts.text = foldWords(m.Subject + "\n" + text)
	alias, err := optional(aliases.Get(k.r, key(t.AliasID)))
	if err != nil {
		return facts, err
	}
	facts.language = languageOf(m.Subject + "\n" + text)
	if alias != nil {
		facts.brand, facts.language = foldWords(alias.Brand), cmp.Or(facts.language, alias.Language)
	}
	schedule, err := k.scheduleOf(t)
	if err == nil {
		facts.within = schedule.Open(m.At)
	}
	return facts, err
}

// foldWords makes words comparable: widths, letter case and runs of space make
// no difference.
func foldWords(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(s))), " ")
}

// languageOf tells a text's language by its letters, as far as they can: kana
// is Japanese, hangul Korean, Chinese characters without either are Chinese, and
// Latin letters are taken for English. It is "" for a text without letters.
func languageOf(text string) string {
	var kana, hangul, han, latin int
	for i, r := range text {
		if i > 16<<10 {
			break
		}
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Hangul, r):
			hangul++
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.Is(unicode.Latin, r):
			latin++
		}
	}
	switch {
	case kana > 0 && kana+han >= hangul:
		return "ja"
	case hangul > 0:
		return "ko"
	case han > 0 && han*4 >= latin: // a character says about as much as four letters
		return "zh"
	case latin > 0:
		return "en"
	}
	return ""
}

// RuleCondition names a condition of a rule, "" for none.
type RuleCondition string

// The conditions.
const (
	ConditionDisabled  RuleCondition = "disabled"
	ConditionAlias     RuleCondition = "alias"
	ConditionBrand     RuleCondition = "brand"
	ConditionLanguage  RuleCondition = "language"
	ConditionKeyword   RuleCondition = "keyword"
	ConditionDomain    RuleCondition = "domain"
	ConditionReplyType RuleCondition = "reply_type"
	ConditionHours     RuleCondition = "hours"
)

// fails is the first condition of the rule that does not hold, "" where it fits.
func (r *AssignmentRule) fails(f ruleFacts) RuleCondition {
	lacks := func(list []string, value string) bool { return len(list) > 0 && !slices.Contains(list, value) }
	w := r.When
	switch {
	case r.Disabled:
		return ConditionDisabled
	case lacks(w.Aliases, f.alias):
		return ConditionAlias
	case len(w.Brands) > 0 && !slices.ContainsFunc(w.Brands, func(brand string) bool { return foldWords(brand) == f.brand }):
		return ConditionBrand
	case lacks(w.Languages, f.language):
		return ConditionLanguage
	case len(w.Domains) > 0 && !slices.ContainsFunc(w.Domains, func(d string) bool { return f.domain == d || strings.HasSuffix(f.domain, "."+d) }):
		return ConditionDomain
	case w.Hours == HoursWithin && !f.within, w.Hours == HoursOutside && f.within:
		return ConditionHours
	case len(w.Keywords) > 0 && !slices.ContainsFunc(w.Keywords, func(word string) bool { return strings.Contains(f.text, foldWords(word)) }):
		return ConditionKeyword
	case lacks(w.ReplyTypes, f.replyType):
		return ConditionReplyType
	}
	return ""
}

// Skipped is somebody whom a rule passed over.
type Skipped struct {
	User   User
	Reason Unavailable
}

// choose picks one of a rule's people who is there, nil where nobody is.
func (c *command) choose(r *AssignmentRule) (chosen *User, skipped []Skipped, err error) {
	last, err := optional(rotations.Get(c, key(r.ID)))
	if err != nil {
		return nil, nil, err
	}
	among := r.Then.Among
	if team, err := optional(teams.Get(c, key(r.Then.TeamID))); err != nil {
		return nil, nil, err
	} else if team != nil {
		among = slices.Concat(among, missing(among, team.Members))
	}
	if last != nil {
		if i := slices.Index(among, last.Last); i >= 0 {
			among = slices.Concat(among[i+1:], among[:i+1])
		}
	}
	fewest := maxCount + 1
	for _, id := range among {
		user, reason, err := c.clock().availability(id, c.now)
		if err != nil {
			return nil, nil, err
		}
		if reason != "" {
			skipped = append(skipped, Skipped{*user, reason})
			continue
		}
		load := 0
		if r.Then.Assign == AssignBalanced {
			if load, err = countUpTo(tickets, c, "load", key(id)); err != nil {
				return nil, nil, err
			}
		}
		if chosen == nil || load < fewest {
			chosen, fewest = user, load
		}
	}
	return chosen, skipped, nil
}

// firstMail is the mail that opened a ticket, nil where there is none.
func firstMail(r store.Reader, number uint64) (*Message, error) {
	list, err := messagesOf(r, number)
	if err != nil {
		return nil, err
	}
	var first *Message
	for _, m := range list {
		if m.State == MessagePosted && m.Direction == Inbound && (first == nil || m.Seq < first.Seq) {
			first = m
		}
	}
	return first, nil
}
