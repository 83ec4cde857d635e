package helpdesk

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// AssignmentRule says what becomes of new tickets that fit it. Rules are asked in
// their order, and the first that fits is the last, unless it goes on.
type AssignmentRule struct {
	ID       string
	Name     string
	Position int // from 0 on
	Disabled bool
	When     RuleConditions
	Then     RuleActions
	// GoOn lets the rules behind it be asked too.
	GoOn      bool
	CreatedAt time.Time
}

// RuleConditions must all hold; what is empty holds always, and of a list one
// is enough. Spam fits no rule.
type RuleConditions struct {
	Aliases   []string // ids
	Brands    []string // of the alias, see Alias.Brand; letter case makes no difference
	Languages []string // "ja", "en", "zh", "ko": by the letters of the mail, see languageOf
	Keywords  []string // in the subject or the new words
	Domains   []string // of the sender, their subdomains included
	// ReplyTypes are known once the model has read the mail: the rule is asked
	// then, once.
	ReplyTypes []string
	Hours      RuleHours
}

// RuleHours restricts a rule to mail that comes in or out of working hours.
type RuleHours string

// The values of RuleHours.
const (
	HoursAny     RuleHours = ""
	HoursWithin  RuleHours = "within"
	HoursOutside RuleHours = "outside"
)

// AssignMethod is how a rule chooses among its people.
type AssignMethod string

// The methods.
const (
	AssignNobody     AssignMethod = ""            // the rule assigns nobody
	AssignRoundRobin AssignMethod = "round_robin" // one after the other
	AssignBalanced   AssignMethod = "balanced"    // who has the fewest waiting customers
)

// RuleActions are what a rule does to a ticket.
type RuleActions struct {
	Assign AssignMethod
	Among  []string // user ids
	// TeamID is the team that the ticket is given to, "" to leave it; its members
	// are among those whom Assign chooses from.
	TeamID string
	Tags   []string // added
	// Priority is the name of one, "" to leave it.
	Priority  string
	Stage     string   // the name of a stage, where the ticket's pipeline has it; "" to leave it
	Followers []string // user ids
}

// rotation remembers whom a rule chose last.
type rotation struct {
	RuleID string
	Last   string // user id
}

// Limits of rules.
const (
	maxRules     = 200
	maxRuleName  = 100 // characters
	maxRuleWords = 100 // of a list
)

// ReplyTypes are the reply types that the model tells apart.
var ReplyTypes = []string{"needs_attention", "high_value", "standard"}

// RuleLanguages are the languages that a mail's letters can tell.
var RuleLanguages = []string{"ja", "en", "zh", "ko"}

// Rules returns the assignment rules in their order.
func (d *Desk) Rules(ctx context.Context, a Actor) ([]AssignmentRule, error) {
	if err := a.mayRead("assignment rules"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, rules, func(a, b AssignmentRule) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.ID, b.ID))
	})
}

func rulesOf(r store.Reader) (list []*AssignmentRule, err error) {
	for rule, err := range rules.Scan(r, store.Range{}) {
		if err != nil {
			return nil, err
		}
		list = append(list, rule)
	}
	slices.SortFunc(list, func(a, b *AssignmentRule) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// SaveRule creates a rule behind the others, or replaces the one with the same
// ID in its place.
func (d *Desk) SaveRule(ctx context.Context, a Actor, rule AssignmentRule) (*AssignmentRule, error) {
	if err := a.may("change assignment rules", PermitRules); err != nil {
		return nil, err
	}
	saved := rule
	err := d.update(ctx, a, func(c *command) error {
		saved = rule
		if err := c.checkRule(&saved); err != nil {
			return err
		}
		list, err := rulesOf(c)
		if err != nil {
			return err
		}
		var before *AssignmentRule
		if saved.ID == "" {
			if len(list) >= maxRules {
				return conflict("too_many_rules", "there are %d rules; that is the limit", maxRules)
			}
			saved.ID, saved.CreatedAt = d.newID(), c.now
			if len(list) > 0 {
				saved.Position = list[len(list)-1].Position + 1
			}
		} else {
			before, err = rules.Get(c, key(saved.ID))
			if before, err = found(before, err, "rule", saved.ID); err != nil {
				return err
			}
			if err := c.unchanged("rule", before.Version()); err != nil {
				return err
			}
			saved.CreatedAt, saved.Position = before.CreatedAt, before.Position
		}
		if err := rules.Put(c, &saved); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventRuleSaved,
			Data: changesOf(change{"rule", before.described(), saved.described()}).with("rule", saved.Name).with("id", saved.ID)})
		return err
	})
	return &saved, err
}

func (c *command) checkRule(r *AssignmentRule) error {
	r.Name = strings.Join(strings.Fields(r.Name), " ")
	if r.Name == "" {
		return invalid("name", "rule_name", "the rule has no name")
	}
	if utf8.RuneCountInString(r.Name) > maxRuleName {
		return invalid("name", "name_too_long", "the name has more than %d characters", maxRuleName)
	}
	w, t := &r.When, &r.Then
	w.Keywords, w.Domains, w.Brands = cleanWords(w.Keywords), cleanWords(w.Domains), cleanWords(w.Brands)
	for i, domain := range w.Domains {
		w.Domains[i] = strings.ToLower(strings.TrimPrefix(domain[strings.LastIndexByte(domain, '@')+1:], "."))
	}
	for _, list := range [][]string{w.Aliases, w.Brands, w.Languages, w.Keywords, w.Domains, w.ReplyTypes, t.Among, t.Followers} {
		if len(list) > maxRuleWords {
			return invalid("when", "rule_too_much", "one list of the rule has %d entries; the limit is %d", len(list), maxRuleWords)
		}
	}
	for _, id := range w.Aliases {
		if alias, err := aliases.Get(c, key(id)); err != nil {
			_, err = found(alias, err, "alias", id)
			return err
		}
	}
	for _, language := range w.Languages {
		if !slices.Contains(RuleLanguages, language) {
			return invalid("languages", "rule_language", "language %q is not one of ja, en, zh, ko", language)
		}
	}
	for _, replyType := range w.ReplyTypes {
		if !slices.Contains(ReplyTypes, replyType) {
			return invalid("reply_types", "rule_reply_type", "reply type %q is not one of needs_attention, high_value, standard", replyType)
		}
	}
	if w.Hours != HoursAny && w.Hours != HoursWithin && w.Hours != HoursOutside {
		return invalid("hours", "rule_hours", "%q is not one of within, outside", w.Hours)
	}
	return c.checkActions(t)
}

func (c *command) checkActions(t *RuleActions) (err error) {
	for _, list := range []*[]string{&t.Among, &t.Followers} {
		for i, user := range *list {
			if (*list)[i], err = userIDOf(c, user); err != nil {
				return err
			}
		}
	}
	if t.TeamID, err = teamIDOf(c, t.TeamID); err != nil {
		return err
	}
	if t.Tags, err = cleanTags(t.Tags); err != nil {
		return err
	}
	if _, ok := ParsePriority(t.Priority); t.Priority != "" && !ok {
		return invalid("priority", "priority_unknown", "priority %q is not one of urgent, high, normal, low", t.Priority)
	}
	switch t.Assign {
	case AssignNobody:
		t.Among = nil
	case AssignRoundRobin, AssignBalanced:
		if len(t.Among) == 0 && t.TeamID == "" {
			return invalid("among", "rule_among", "the rule assigns, but names nobody; choose at least one person or a team")
		}
	default:
		return invalid("assign", "rule_assign", "%q is not one of round_robin, balanced", t.Assign)
	}
	t.Stage = strings.TrimSpace(t.Stage)
	if t.Assign == AssignNobody && t.TeamID == "" && len(t.Tags) == 0 && t.Priority == "" && t.Stage == "" && len(t.Followers) == 0 {
		return invalid("then", "rule_does_nothing", "the rule does nothing; choose what becomes of a ticket that fits")
	}
	return nil
}

// cleanWords leaves out empty words and repetitions.
func cleanWords(list []string) (words []string) {
	for _, word := range list {
		if word = strings.Join(strings.Fields(word), " "); word != "" {
			words = appendNew(words, word)
		}
	}
	return words
}

// DeleteRule removes a rule and whose turn it was by it. What it has assigned stays.
func (d *Desk) DeleteRule(ctx context.Context, a Actor, id string) error {
	if err := a.may("change assignment rules", PermitRules); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		rule, err := rules.Get(c, key(id))
		if rule, err = found(rule, err, "rule", id); err != nil {
			return err
		}
		if err := rules.Delete(c, key(id)); err != nil {
			return err
		}
		if err := rotations.Delete(c, key(id)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventRuleDeleted, Data: map[string]string{"rule": rule.Name, "id": id}})
		return err
	})
}

// OrderRules puts the rules in the order of their ids. Those that are not named
// come behind, as they were.
func (d *Desk) OrderRules(ctx context.Context, a Actor, ids []string) error {
	if err := a.may("change assignment rules", PermitRules); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		list, err := rulesOf(c)
		if err != nil {
			return err
		}
		place := func(r *AssignmentRule) int {
			if i := slices.Index(ids, r.ID); i >= 0 {
				return i
			}
			return len(ids)
		}
		slices.SortStableFunc(list, func(a, b *AssignmentRule) int { return cmp.Compare(place(a), place(b)) })
		var names []string
		changed := false
		for i, rule := range list {
			names = append(names, rule.Name)
			if rule.Position == i {
				continue
			}
			rule.Position, changed = i, true
			if err := rules.Put(c, rule); err != nil {
				return err
			}
		}
		if !changed {
			return nil
		}
		_, err = c.record(Event{Kind: EventRulesOrdered, Data: map[string]string{"rules": strings.Join(names, ", ")}})
		return err
	})
}
