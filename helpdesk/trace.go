package helpdesk

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// StepKey names a decision about a mail. The sentence for it lives in the
// interface's catalogue, under explain.step.
type StepKey string

// The steps, in the order in which a mail meets them.
const (
	StepReceived            StepKey = "received"
	StepKind                StepKey = "kind"
	StepKindBecause         StepKey = "kind_because"
	StepAuthentication      StepKey = "authentication"
	StepForwarder           StepKey = "forwarder"
	StepUnauthenticated     StepKey = "unauthenticated"
	StepCharset             StepKey = "charset"
	StepDefect              StepKey = "defect"
	StepRecipientAlias      StepKey = "recipient_alias"
	StepRecipientPostmaster StepKey = "recipient_postmaster"
	StepRecipientReply      StepKey = "recipient_reply"
	StepRecipientAgent      StepKey = "recipient_agent"
	StepRecipientBounce     StepKey = "recipient_bounce"
	StepRecipientUnknown    StepKey = "recipient_unknown"
	StepRecipientExpired    StepKey = "recipient_expired"
	StepRecipientDisabled   StepKey = "recipient_disabled"
	StepDuplicate           StepKey = "duplicate"
	StepToken               StepKey = "token"
	StepForward             StepKey = "forward"
	StepReferencesNone      StepKey = "references_none"
	StepReferencesMany      StepKey = "references_many"
	StepReferenceUnknown    StepKey = "reference_unknown"
	StepReferenceIgnored    StepKey = "reference_ignored"
	StepReferenceFound      StepKey = "reference_found"
	StepParticipant         StepKey = "participant"
	StepStranger            StepKey = "stranger"
	StepSamePerson          StepKey = "same_person"
	StepNoParticipant       StepKey = "no_participant_needed"
	StepFailedAuth          StepKey = "failed_authentication"
	StepClosedForGood       StepKey = "closed_for_good"
	StepAgent               StepKey = "agent"
	StepBlocked             StepKey = "blocked"
	StepTrusted             StepKey = "trusted"
	StepQuarantined         StepKey = "quarantined"
	StepQuarantinedAgain    StepKey = "quarantined_again"
	StepFilter              StepKey = "filter"
	StepFiltered            StepKey = "filtered"
	StepPlacedNew           StepKey = "placed_new"
	StepPlaced              StepKey = "placed"
	StepOpened              StepKey = "opened"
	StepAssignee            StepKey = "assignee"
	StepAssigneeNone        StepKey = "assignee_none"
	StepRule                StepKey = "rule"
	StepRuleNot             StepKey = "rule_not"
	StepRuleAssigned        StepKey = "rule_assigned"
	StepRuleNobody          StepKey = "rule_nobody"
	StepTags                StepKey = "tags"
	StepTimer               StepKey = "timer"
	StepEvent               StepKey = "event"
	StepBounceMatched       StepKey = "bounce_matched"
	StepBounceIgnored       StepKey = "bounce_ignored"
	StepBounceUnmatched     StepKey = "bounce_unmatched"
	StepBounceOf            StepKey = "bounce_of"
	StepDelivery            StepKey = "delivery"
)

// StepKeys lists every step, for those who have a sentence for each.
func StepKeys() []StepKey {
	return []StepKey{
		StepReceived, StepKind, StepKindBecause, StepAuthentication, StepForwarder, StepUnauthenticated, StepCharset, StepDefect,
		StepRecipientAlias, StepRecipientPostmaster, StepRecipientReply, StepRecipientAgent, StepRecipientBounce,
		StepRecipientUnknown, StepRecipientExpired, StepRecipientDisabled, StepDuplicate, StepToken, StepForward,
		StepReferencesNone, StepReferencesMany, StepReferenceUnknown, StepReferenceIgnored, StepReferenceFound,
		StepParticipant, StepStranger, StepSamePerson, StepNoParticipant, StepFailedAuth, StepClosedForGood, StepAgent, StepBlocked,
		StepTrusted, StepQuarantined, StepQuarantinedAgain, StepFilter, StepFiltered,
		StepPlacedNew, StepPlaced, StepOpened, StepAssignee, StepAssigneeNone, StepRule, StepRuleNot, StepRuleAssigned, StepRuleNobody, StepTags, StepTimer, StepEvent,
		StepBounceMatched, StepBounceIgnored, StepBounceUnmatched, StepBounceOf, StepDelivery,
	}
}

// Step is one decision about a mail. Data holds what its sentence needs, by
// name: addresses, identifiers, and words of this package's own types
// ("reason", "kind", "state", "trust"). Times are in RFC 3339.
type Step struct {
	Key  StepKey
	Data map[string]string
}

// trace collects the steps of a rehearsal. A nil trace collects nothing, so
// that commands can name their decisions at no cost.
type trace struct{ steps []Step }

// add appends a step; pairs are names and values, and empty values are left out.
func (t *trace) add(k StepKey, pairs ...string) {
	if t == nil {
		return
	}
	data := make(map[string]string, len(pairs)/2)
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			data[pair[0]] = pair[1]
		}
	}
	t.steps = append(t.steps, Step{Key: k, Data: data})
}

func (t *trace) recipient(r *recipient) {
	if t == nil {
		return
	}
	if r.token == nil {
		k := StepRecipientAlias
		if r.postmaster {
			k = StepRecipientPostmaster
		}
		t.add(k, "address", r.address, "alias", r.alias.Address)
		return
	}
	k := map[TokenKind]StepKey{TokenReply: StepRecipientReply, TokenAgent: StepRecipientAgent, TokenBounce: StepRecipientBounce}[r.token.Kind]
	t.add(k, "address", r.address, "ticket", formatNumber(r.token.Ticket), "message", r.token.Message,
		"delivery", r.token.Delivery, "expires", stamp(r.token.ExpiresAt))
}

func (t *trace) refused(e *RecipientError) {
	if t == nil {
		return
	}
	k := map[RecipientProblem]StepKey{RecipientUnknown: StepRecipientUnknown, RecipientExpired: StepRecipientExpired,
		RecipientDisabled: StepRecipientDisabled}[e.Problem]
	t.add(k, "address", e.Address, "write_to", e.WriteTo)
}

// mail names what was found out about a mail before it was placed. why is what
// decided its kind.
func (t *trace) mail(m *Message, why string) {
	if t == nil {
		return
	}
	k := StepKind
	if why != "" {
		k = StepKindBecause
	}
	t.add(k, "kind", string(m.Kind), "why", why)
	t.authentication(m.Authentication)
	t.filters(m.Filters)
	for _, note := range m.CharsetNotes {
		t.add(StepCharset, "note", note)
	}
	for _, defect := range m.Defects {
		t.add(StepDefect, "note", defect)
	}
}

func (t *trace) authentication(a Authentication) {
	var dkim []string
	for _, signature := range a.DKIM {
		dkim = append(dkim, strings.TrimSpace(signature.Result+" "+signature.Domain))
	}
	if a.SPF.Result == "" && a.DMARC.Result == "" && len(dkim) == 0 {
		t.add(StepUnauthenticated, "trust", string(a.Trust()))
		return
	}
	or := func(s string) string {
		if s == "" {
			return "none"
		}
		return s
	}
	t.add(StepAuthentication, "trust", string(a.Trust()), "spf", or(a.SPF.Result), "dkim", or(strings.Join(dkim, ", ")),
		"dmarc", or(a.DMARC.Result), "policy", or(a.Policy), "aligned_by", or(a.AlignedBy))
	if a.Forwarder != "" {
		t.add(StepForwarder, "domain", a.Forwarder)
	}
}

// references says when there are none, or more than are looked up.
func (t *trace) references(list []string) {
	switch {
	case t == nil:
	case len(list) == 0:
		t.add(StepReferencesNone)
	case len(list) > maxReferences:
		t.add(StepReferencesMany, "count", strconv.Itoa(len(list)), "limit", strconv.Itoa(maxReferences))
	}
}

func (t *trace) participant(ticket *Ticket, address string, takesPart bool) {
	if t == nil {
		return
	}
	k := StepStranger
	if takesPart {
		k = StepParticipant
	}
	t.add(k, "address", address, "ticket", formatNumber(ticket.Number))
}

func (t *trace) agent(u *User, known, proven bool) {
	if t == nil {
		return
	}
	t.add(StepAgent, "user", u.Email, "known", strconv.FormatBool(known), "proven", strconv.FormatBool(proven),
		"disabled", strconv.FormatBool(u.Disabled))
}

// placed says where m went; isNew, that its ticket was made for it.
func (t *trace) placed(m *Message, isNew bool) {
	if t == nil {
		return
	}
	k := StepPlaced
	if isNew {
		k = StepPlacedNew
	}
	t.add(k, "ticket", formatNumber(m.Ticket), "state", string(m.State), "reason", string(m.Reason))
}

// opened says what a new ticket begins with. The assignee is an id, which
// nameAssignees replaces.
func (t *trace) opened(ticket *Ticket, p *Pipeline) {
	if t == nil {
		return
	}
	previous := ""
	if ticket.Previous > 0 {
		previous = formatNumber(ticket.Previous)
	}
	t.add(StepOpened, "ticket", formatNumber(ticket.Number), "pipeline", p.Name, "stage", p.Stages[0].Name, "previous", previous)
	if ticket.AssigneeID == "" {
		t.add(StepAssigneeNone)
	} else {
		t.add(StepAssignee, "user", ticket.AssigneeID)
	}
	if len(ticket.Tags) > 0 {
		t.add(StepTags, "tags", joinTags(ticket.Tags))
	}
}

func (t *trace) timer(kind TimerKind, due time.Time) {
	if t == nil {
		return
	}
	t.add(StepTimer, "timer", string(kind), "due", stamp(due))
}

func (t *trace) event(e *Event) {
	if t == nil {
		return
	}
	t.add(StepEvent, "event", string(e.Kind), "seq", formatNumber(e.Seq), "at", stamp(e.At), "by", e.Actor.called(),
		"details", e.details())
}

// called is how an actor is named where there is no interface to do it.
func (a Actor) called() string {
	if a.Name != "" {
		return a.Name
	}
	return string(a.Kind)
}

// details are the data of an event on one line, by name.
func (e *Event) details() string {
	var parts []string
	for name, value := range e.Data {
		if value != "" {
			parts = append(parts, name+": "+value)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
