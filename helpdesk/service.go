package helpdesk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// Service is a smart service: templates of one language, one of which may
// answer a customer's first mail by itself where nobody has answered in time. A
// model chooses which, or none; it can say nothing else.
type Service struct {
	ID       string
	Name     string   // unique
	Language string   // ISO 639-1: of its templates, its aliases and the mails that it answers
	Aliases  []string // ids; an alias is of one service
	// Templates are ids of shared templates that have a version in Language.
	Templates []string
	Delay     time.Duration // from the customer's newest mail on
	// CalendarID is that of the working hours in which answers leave, "" for always.
	CalendarID string
	// Threshold is how sure the model has to be, in percent.
	Threshold int
	// SenderLimit is how many answers of the service an address gets in 24 hours,
	// or in three times Delay where that is longer.
	SenderLimit int
	Disabled    bool
	CreatedAt   time.Time
	ChangedAt   time.Time
	ChangedBy   string // a user's id
}

// What a new service begins with.
const (
	ServiceDelay       = 18 * time.Hour
	ServiceThreshold   = 80
	ServiceSenderLimit = 1
)

// Limits of services.
const (
	MaxServiceTemplates   = 10
	maxServices           = 50
	maxServiceName        = 100 // characters
	maxServiceDelay       = 30 * 24 * time.Hour
	maxServiceSenderLimit = 20
)

var services = store.NewTable(store.Spec[Service]{Name: "service", Version: 1,
	Key: func(s *Service) []byte { return key(s.ID) },
	Indexes: []store.Index[Service]{
		{Name: "name", Unique: true, Keys: func(s *Service) [][]byte { return one(key(strings.ToLower(s.Name))) }},
		{Name: "alias", Unique: true, Keys: func(s *Service) (keys [][]byte) {
			for _, id := range s.Aliases {
				keys = append(keys, key(id))
			}
			return keys
		}},
	}})

// Services returns the smart services by name.
func (d *Desk) Services(ctx context.Context, a Actor) ([]Service, error) {
	if err := a.mayRead("services"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, services, func(a, b Service) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
}

// SaveService creates a service, or replaces the one with the same ID. Aliases
// and templates are given by id. What waits to be sent is judged by the service
// as it is when it is due.
func (d *Desk) SaveService(ctx context.Context, a Actor, s Service) (*Service, error) {
	if err := a.may("change services", PermitRules); err != nil {
		return nil, err
	}
	saved := s
	err := d.update(ctx, a, func(c *command) (err error) {
		saved = s
		saved.Aliases, saved.Templates = slices.Clone(s.Aliases), slices.Clone(s.Templates)
		var before *Service
		if s.ID != "" {
			before, err = services.Get(c, key(s.ID))
			if before, err = found(before, err, "service", s.ID); err != nil {
				return err
			}
			if err := c.unchanged("service", before.Version()); err != nil {
				return err
			}
			saved.CreatedAt = before.CreatedAt
		}
		if err := c.checkService(&saved); err != nil {
			return err
		}
		if before == nil {
			saved.ID, saved.CreatedAt = d.newID(), c.now
		}
		return c.putService(&saved, before)
	})
	return &saved, err
}

func (c *command) putService(s, before *Service) error {
	s.ChangedAt, s.ChangedBy = c.now, c.actor.UserID
	if err := services.Put(c, s); err != nil {
		return err
	}
	was, err := c.describeService(before)
	if err != nil {
		return err
	}
	is, err := c.describeService(s)
	if err != nil {
		return err
	}
	_, err = c.record(Event{Kind: EventServiceSaved,
		Data: changesOf(change{"service", was, is}).with("service", s.Name).with("id", s.ID)})
	return err
}

// checkService cleans s and refuses what it cannot be.
func (c *command) checkService(s *Service) error {
	s.Name, s.Language = oneLine(s.Name), strings.ToLower(strings.TrimSpace(s.Language))
	s.Aliases, s.Templates = appendNew([]string(nil), s.Aliases...), appendNew([]string(nil), s.Templates...)
	s.Delay = s.Delay.Truncate(time.Minute)
	switch {
	case s.Name == "":
		return invalid("name", "service_name", "the service has no name")
	case utf8.RuneCountInString(s.Name) > maxServiceName:
		return invalid("name", "name_too_long", "the name has more than %d characters", maxServiceName)
	case !languageCode.MatchString(s.Language):
		return invalid("language", "service_language", "the service has no language; choose the one of its templates")
	case s.Delay < 0 || s.Delay > maxServiceDelay:
		return invalid("delay", "service_delay", "a delay of %s is not between 0 and %d hours", s.Delay, int(maxServiceDelay/time.Hour))
	case s.Threshold < 1 || s.Threshold > 100:
		return invalid("threshold", "service_threshold", "a threshold of %d is not between 1 and 100 percent", s.Threshold)
	case s.SenderLimit < 1 || s.SenderLimit > maxServiceSenderLimit:
		return invalid("sender_limit", "service_sender_limit", "%d answers a day to an address is not between 1 and %d", s.SenderLimit, maxServiceSenderLimit)
	case len(s.Templates) == 0:
		return invalid("templates", "service_no_templates", "the service has no template; choose at least one")
	case len(s.Templates) > MaxServiceTemplates:
		return invalid("templates", "service_many_templates", "the service has %d templates; the limit is %d", len(s.Templates), MaxServiceTemplates)
	case len(s.Aliases) == 0:
		return invalid("aliases", "service_no_aliases", "the service has no alias; choose at least one")
	}
	if s.CalendarID != "" && s.CalendarID != StandardCalendar {
		calendar, err := calendars.Get(c, key(s.CalendarID))
		if _, err = found(calendar, err, "calendar", s.CalendarID); err != nil {
			return err
		}
	}
	if err := c.checkServiceTemplates(s); err != nil {
		return err
	}
	return c.checkServicePlace(s)
}

// checkServiceTemplates follows the templates: everybody's, in the service's
// language, and without what only an agent can fill.
func (c *command) checkServiceTemplates(s *Service) error {
	for _, id := range s.Templates {
		t, err := templates.Get(c, key(id))
		if t, err = found(t, err, "template", id); err != nil {
			return err
		}
		v, ok := t.in(s.Language)
		switch {
		case t.OwnerID != "":
			return invalid("templates", "service_own_template", "%q is one person's own template; choose shared ones", t.Name)
		case !ok:
			return invalid("templates", "service_template_language", "%q has no text in language %q", t.Name, s.Language)
		}
		for _, text := range []string{v.Subject, v.Text, v.HTML} {
			for _, name := range Unfilled(text) {
				if !slices.Contains(unattended, name) {
					return invalid("templates", "service_template_agent", "%q holds {{%s}}, which has no value where nobody writes; take it out of the template", t.Name, name)
				}
			}
		}
	}
	return nil
}

// checkServicePlace looks at the aliases and at the other services.
func (c *command) checkServicePlace(s *Service) error {
	for _, id := range s.Aliases {
		alias, err := aliases.Get(c, key(id))
		if alias, err = found(alias, err, "alias", id); err != nil {
			return err
		}
		switch {
		case baseLanguage(alias.Language) != baseLanguage(s.Language):
			return invalid("aliases", "service_alias_language", "%s is not an alias of language %q; choose the language in the alias's settings", alias.Address, s.Language)
		case alias.Approval:
			return invalid("aliases", "service_alias_approval", "answers from %s need a second person's approval; nothing can be sent from it by itself", alias.Address)
		}
	}
	count := 0
	for other, err := range services.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		if count++; other.ID == s.ID {
			continue
		}
		if strings.EqualFold(other.Name, s.Name) {
			return conflict("service_taken", "there is a service %q already", s.Name)
		}
		for _, id := range s.Aliases {
			if slices.Contains(other.Aliases, id) {
				alias, err := aliases.Get(c, key(id))
				if err != nil {
					return err
				}
				return conflict("service_alias_taken", "%s is answered by service %q already; an alias has one", alias.Address, other.Name)
			}
		}
	}
	if s.ID == "" && count >= maxServices {
		return conflict("too_many_services", "there are %d services; that is the limit", maxServices)
	}
	return nil
}

// in returns the template's text in exactly this language.
func (t *Template) in(language string) (TemplateVersion, bool) {
	for _, v := range t.Versions {
		if baseLanguage(v.Language) == baseLanguage(language) {
			return v, true
		}
	}
	return TemplateVersion{}, false
}

// DeleteService removes a service. What it was about to send is not sent.
func (d *Desk) DeleteService(ctx context.Context, a Actor, id string) error {
	if err := a.may("change services", PermitRules); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		s, err := services.Get(c, key(id))
		if s, err = found(s, err, "service", id); err != nil {
			return err
		}
		if err := c.endTrial(id); err != nil {
			return err
		}
		if err := services.Delete(c, key(id)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventServiceDeleted, Data: map[string]string{"service": s.Name, "id": id}})
		return err
	})
}

// forgetInServices takes an alias or a template that is deleted out of the
// services that name it. One that is left without any rests.
func (c *command) forgetInServices(id string) error {
	var changed []*Service
	for s, err := range services.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		if slices.Contains(s.Aliases, id) || slices.Contains(s.Templates, id) {
			changed = append(changed, s)
		}
	}
	for _, s := range changed {
		before := *s
		gone := []string{id}
		s.Aliases, s.Templates = without(s.Aliases, gone), without(s.Templates, gone)
		s.Disabled = s.Disabled || len(s.Aliases) == 0 || len(s.Templates) == 0
		if err := c.putService(s, &before); err != nil {
			return err
		}
	}
	return nil
}

// serviceOf is the service that answers for an alias, nil for none or one that
// is switched off.
func serviceOf(r store.Reader, aliasID string) (*Service, error) {
	s, err := optional(services.First(r, "alias", key(aliasID)))
	if err != nil || s == nil || s.Disabled {
		return nil, err
	}
	return s, nil
}

// describeService says a service in words for the audit log, "" for none.
func (c *command) describeService(s *Service) (string, error) {
	if s == nil {
		return "", nil
	}
	var names [2][]string
	for _, id := range s.Aliases {
		alias, err := optional(aliases.Get(c, key(id)))
		if err != nil {
			return "", err
		}
		if alias != nil {
			names[0] = append(names[0], alias.Address)
		}
	}
	for _, id := range s.Templates {
		t, err := optional(templates.Get(c, key(id)))
		if err != nil {
			return "", err
		}
		if t != nil {
			names[1] = append(names[1], t.Name)
		}
	}
	return fmt.Sprintf("%s (%s); aliases: %s; templates: %s; delay: %s; hours: %s; threshold: %d%%; limit: %d a day; on: %s", s.Name, s.Language,
		strings.Join(names[0], ", "), strings.Join(names[1], ", "), s.Delay, cmp.Or(s.CalendarID, "always"), s.Threshold, s.SenderLimit, yesNo(!s.Disabled)), nil
}

// verifyServices follows the references of services, and looks for the timers
// of tickets that one is at work on.
func verifyServices(ctx context.Context, r store.Reader) (problems []string, err error) {
	for s, err := range readable(r, services.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		for _, id := range s.Aliases {
			if has, err := aliases.Has(r, key(id)); err != nil || !has {
				problems = append(problems, fmt.Sprintf("service %s answers for alias %s, which does not exist (%v)", s.ID, id, err))
			}
		}
		for _, id := range s.Templates {
			if has, err := templates.Has(r, key(id)); err != nil || !has {
				problems = append(problems, fmt.Sprintf("service %s has template %s, which does not exist (%v)", s.ID, id, err))
			}
		}
	}
	for t, err := range readable(r, tickets.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		for kind, state := range map[TimerKind]AutoReplyState{TimerMatch: AutoReplyMatching, TimerAutoReply: AutoReplyPlanned} {
			has, err := timers.Has(r, key(string(kind), formatNumber(t.Number)))
			if err != nil {
				return problems, err
			}
			if wants := t.AutoReply != nil && t.AutoReply.State == state; has != wants {
				problems = append(problems, fmt.Sprintf("ticket %d is to have a timer %s: %t; has one: %t", t.Number, kind, wants, has))
			}
		}
	}
	return problems, nil
}
