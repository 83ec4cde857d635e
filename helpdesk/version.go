package helpdesk

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// versionOf names what a record says, as an entity tag does (RFC 9110, section 8.8.3): it is the same for as long as
// all of that is. A field that is empty and one that is not there say the same.
func versionOf(record any) string {
	text, err := json.Marshal(record)
	if err != nil {
		return "" // names nothing, and nothing is compared with it
	}
	var said any
	if json.Unmarshal(text, &said) != nil {
		return ""
	}
	text, err = json.Marshal(withoutEmpty(said))
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// withoutEmpty leaves out of JSON what is empty; nil stands for that.
func withoutEmpty(said any) any {
	switch said := said.(type) {
	case map[string]any:
		for name, value := range said {
			if said[name] = withoutEmpty(value); said[name] == nil {
				delete(said, name)
			}
		}
		if len(said) == 0 {
			return nil
		}
	case []any:
		if len(said) == 0 {
			return nil
		}
		for i := range said {
			said[i] = withoutEmpty(said[i])
		}
	case string:
		if said == "" {
			return nil
		}
	}
	return said
}

// Having returns a acting on what it has seen: the version of a record (Template.Version and the like), "" where it
// does not say. A command that replaces the record then refuses to where somebody else has changed it since, with an
// Error that has what is there now as its Version; so nobody's words are lost without a word.
func (a Actor) Having(version string) Actor {
	a.having = version
	return a
}

// unchanged refuses to replace what is not any more as the actor has seen it. what is in words of the API.
func (c *command) unchanged(what, version string) error { return c.actor.unchanged(what, version) }

func (a Actor) unchanged(what, version string) error {
	if a.having == "" || a.having == version {
		return nil
	}
	return &Error{Code: CodeConflict, Key: "error.changed_meanwhile", Version: version,
		Message: "the " + what + " was changed meanwhile; read it again, and make your change to what is there now"}
}

// Version names what the template says. Being used changes nothing of it.
func (t Template) Version() string {
	t.CreatedAt, t.ChangedAt, t.LastUsedAt, t.ChangedBy, t.Uses = time.Time{}, time.Time{}, time.Time{}, "", 0
	return versionOf(t)
}

// Version names what is set for the alias.
func (a Alias) Version() string {
	a.CreatedAt = time.Time{}
	return versionOf(a)
}

// Version names what is kept of the company.
func (c Company) Version() string {
	c.CreatedAt = time.Time{}
	return versionOf(c)
}

// Version names what the rule does and when. Its place among the others is no part of it.
func (r AssignmentRule) Version() string {
	r.CreatedAt, r.Position = time.Time{}, 0
	return versionOf(r)
}

// Version names what is set for the service.
func (s Service) Version() string {
	s.CreatedAt, s.ChangedAt, s.ChangedBy = time.Time{}, time.Time{}, ""
	return versionOf(s)
}

// Version names what the working hours are.
func (c Calendar) Version() string {
	c.CreatedAt = time.Time{}
	return versionOf(c)
}

// Version names what the pipeline and its stages are. Its place among the others is no part of it.
func (p Pipeline) Version() string {
	p.CreatedAt, p.Position = time.Time{}, 0
	return versionOf(p)
}

// Version names what is due in the policy's scope; that of the zero policy stands for a scope that has none of its own.
func (p DuePolicy) Version() string {
	p.Scope, p.SavedAt = "", time.Time{}
	return versionOf(p)
}

// Version names what the team is called and who is in it.
func (t Team) Version() string {
	t.CreatedAt = time.Time{}
	return versionOf(t)
}

// Version names what the field asks for. Its place among the others is no part of it.
func (f Field) Version() string {
	f.CreatedAt, f.Position = time.Time{}, 0
	return versionOf(f)
}

// Version names what is chosen of the webhook, not how it fares.
func (w Webhook) Version() string { return versionOf([]any{w.Name, w.URL, w.Kinds}) }

// Version names what the list is and whose.
func (v SavedView) Version() string {
	v.CreatedAt = time.Time{}
	return versionOf(v)
}

// Version names what is set for the user by those who look after users; what is the user's own alone is in ProfileVersion.
func (u User) Version() string {
	return versionOf([]any{u.Email, u.Name, u.Role, u.Locale, u.Disabled, u.CalendarID})
}

// ProfileVersion names what users set for themselves.
func (u User) ProfileVersion() string {
	return versionOf([]any{u.Name, u.Locale, u.Signature, u.ForwardReplies, u.ForwardTo})
}

// Version names what people wrote of the contact. A name that mail says is no part of it; nor are the values of custom
// fields, each of which is changed by itself.
func (c Contact) Version() string {
	name := ""
	if c.NameKept {
		name = c.Name
	}
	return versionOf([]any{c.Email, c.Others, name, c.Reading, c.CompanyID, c.CompanyKept, c.Phone, c.Language, c.TimeZone, c.Notes, c.Tags, c.NeverAnswer, c.Blocked})
}

// RolesVersion names what some roles of the house's own are called and allow, in any order.
func RolesVersion(roles []CustomRole) string {
	said := map[string][]any{}
	for _, role := range roles {
		said[role.ID] = []any{role.Name, role.Set().List()}
	}
	return versionOf(said)
}

// SecondFactorVersion names who needs a second factor, and from when on.
func (s Settings) SecondFactorVersion() string {
	return versionOf([]any{s.SecondFactorRoles, s.SecondFactorFrom})
}
