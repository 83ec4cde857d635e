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
func (c *command) unchanged(what, version string) error {
	if c.actor.having == "" || c.actor.having == version {
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
