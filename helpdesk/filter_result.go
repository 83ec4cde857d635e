package helpdesk

import (
	"fmt"
	"slices"
	"strings"
)

// FilterResult is what a filter said of a mail on its way in: a blocklist about the
// client, a content filter about the mail. It is kept with the message.
type FilterResult struct {
	Filter string       // its name: "rspamd", or the domain of a blocklist
	Effect FilterEffect // what it means for the mail
	Detail string       `cbor:",omitempty"` // in the filter's own words
	Rules  []FilterRule `cbor:",omitempty"` // what it rests on, the weightiest first
}

// FilterRule is one of the rules that a content filter's verdict adds up.
type FilterRule struct {
	Name  string
	Score float64
	Note  string `cbor:",omitempty"`
}

// FilterEffect names what a finding means for a mail. The sentence for it lives in
// the interface's catalogue, under explain.effect.
type FilterEffect string

// The effects.
const (
	EffectNone   FilterEffect = "none"   // the filter has nothing against the mail
	EffectSpam   FilterEffect = "spam"   // a ticket that it opens is set aside as spam
	EffectSilent FilterEffect = "silent" // the filter could not be asked
)

// spamFilter is the filter on whose account a mail is spam, or "".
func (m *Message) spamFilter() string {
	i := slices.IndexFunc(m.Filters, func(f FilterResult) bool { return f.Effect == EffectSpam })
	if i < 0 {
		return ""
	}
	return m.Filters[i].Filter
}

// filterOut sets aside what a filter takes for spam, where it would open a ticket. A
// participant's answer stays in its conversation, where it is missed if it is
// lost; whom the house vouches for is heard; the postmaster is written to by those who are filtered by mistake; and
// what is not for a person to read goes where it belongs.
func (c *command) filterOut(p placement, m *Message) placement {
	name := m.spamFilter()
	if name == "" || p.reason == ReasonPostmaster || p.ticket != nil || p.previous != nil || p.blocked != "" || m.Authentication.Vouched != "" || m.Kind == KindBounce || m.Kind == KindReport {
		return p
	}
	c.trace.add(StepFiltered, "filter", name)
	p.filter, p.reason = name, ReasonFiltered
	return p
}

// filters tells what the filters said.
func (t *trace) filters(list []FilterResult) {
	for _, f := range list {
		t.add(StepFilter, "filter", f.Filter, "effect", string(f.Effect), "note", f.Detail, "details", f.rules())
	}
}

// rules are the rules behind a result on one line.
func (f FilterResult) rules() string {
	var list []string
	for _, p := range f.Rules {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %+.1f %s", p.Name, p.Score, p.Note)))
	}
	return strings.Join(list, ", ")
}
