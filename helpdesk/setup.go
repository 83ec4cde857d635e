package helpdesk

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// Settings returns the house's settings, their zero value before it is set up. They are
// no secret, so no actor is asked for.
func (d *Desk) Settings(ctx context.Context) (s Settings, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		s, err = readSettings(r)
		return err
	})
	return s, err
}

func readSettings(r store.Reader) (Settings, error) {
	s, err := settings.Get(r, key("house"))
	if errors.Is(err, store.ErrNotFound) {
		return Settings{}, nil
	}
	if err != nil {
		return Settings{}, err
	}
	return *s, nil
}

// NeedsSetup reports whether nobody can log in yet: there is no user.
func (d *Desk) NeedsSetup(ctx context.Context) (needs bool, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		needs, err = noUsers(r)
		return err
	})
	return needs, err
}

func noUsers(r store.Reader) (bool, error) {
	for _, err := range users.Scan(r, store.Range{}) {
		return false, err
	}
	return true, nil
}

// SetupSecret makes the secret of a new one-time setup link; earlier links
// stop working. It returns "" once the house is set up.
func (d *Desk) SetupSecret(ctx context.Context) (string, error) {
	secret, hash := newSecret()
	err := d.update(ctx, System("setup"), func(c *command) error {
		needs, err := noUsers(c)
		if err != nil || !needs {
			secret = ""
			return err
		}
		s, err := readSettings(c)
		if err != nil {
			return err
		}
		s.SetupHash = hash
		return settings.Put(c, &s)
	})
	return secret, err
}

// CheckSetup returns CodeForbidden unless secret is that of the newest setup
// link and the house is not set up yet.
func (d *Desk) CheckSetup(ctx context.Context, secret string) error {
	return d.view(ctx, func(r store.Reader) error { return checkSetup(r, secret) })
}

func checkSetup(r store.Reader, secret string) error {
	s, err := readSettings(r)
	if err != nil {
		return err
	}
	needs, err := noUsers(r)
	if err != nil {
		return err
	}
	if !needs {
		return &Error{Code: CodeForbidden, Key: "error.setup_done", Message: "this server is set up already; log in"}
	}
	if s.SetupHash == "" || subtle.ConstantTimeCompare([]byte(hashSecret(secret)), []byte(s.SetupHash)) != 1 {
		return &Error{Code: CodeForbidden, Key: "error.setup_key", Message: "this setup link is not valid; use the one that the server printed when it started last"}
	}
	return nil
}

// Setup is what the first-run page asks for.
type Setup struct {
	Secret     string
	Domain     string
	Name       string // of the organisation; may be empty
	AdminEmail string
	AdminName  string
	Password   string
	AliasLocal string // "support"
	AliasName  string
	Locale     string // "ja" or "en": also the language of the first pipeline
}

// CompleteSetup uses the one-time link: it makes the admin, the first pipeline
// where there is none, and the first alias, all at once.
func (d *Desk) CompleteSetup(ctx context.Context, s Setup) (*User, error) {
	if err := d.CheckSetup(ctx, s.Secret); err != nil {
		return nil, err
	}
	s.Domain = strings.ToLower(strings.TrimSpace(s.Domain))
	if err := checkAddress("domain", "postmaster@"+s.Domain); err != nil {
		return nil, invalid("domain", "domain_invalid", "%q is not a domain; write it like example.com", s.Domain)
	}
	admin, err := NewUser{Email: s.AdminEmail, Name: s.AdminName, Password: s.Password, Role: RoleAdmin, Locale: s.Locale}.user(d.passwords)
	if err != nil {
		return nil, err
	}
	err = d.update(ctx, System("setup"), func(c *command) error {
		if err := checkSetup(c, s.Secret); err != nil {
			return err
		}
		return c.completeSetup(s, admin)
	})
	if err != nil {
		return nil, err
	}
	return admin, nil
}

func (c *command) completeSetup(s Setup, admin *User) error {
	if err := c.createUser(admin); err != nil {
		return err
	}
	if err := c.ensurePipeline(s.Locale); err != nil {
		return err
	}
	alias := Alias{Address: strings.TrimSpace(s.AliasLocal) + "@" + s.Domain, Name: s.AliasName, Language: s.Locale}
	_, err := aliases.First(c, "address", key(mailboxOf(alias.Address)))
	if errors.Is(err, store.ErrNotFound) { // else it is declared in the configuration file
		_, err = c.saveAlias(alias)
	}
	if err != nil {
		return err
	}
	if err := settings.Put(c, &Settings{Domain: s.Domain, Name: s.Name, SetUpAt: c.now}); err != nil {
		return err
	}
	_, err = c.record(Event{Kind: EventSettingsSaved, Data: map[string]string{"domain": s.Domain}})
	return err
}

// EnsurePipeline makes the default pipeline, named in the given language,
// where there is none at all.
func (d *Desk) EnsurePipeline(ctx context.Context, locale string) error {
	return d.update(ctx, System("setup"), func(c *command) error { return c.ensurePipeline(locale) })
}

func (c *command) ensurePipeline(locale string) error {
	for _, err := range pipelines.Scan(c, store.Range{}) {
		return err
	}
	p := Pipeline{Name: "Support", Reopen: true, ReopenStage: "In progress", Stages: []Stage{
		{Name: "New", Kind: StageOpen}, {Name: "In progress", Kind: StageOpen}, {Name: "Done", Kind: StageClosed}}}
	if locale == "ja" {
		p = Pipeline{Name: "サポート", Reopen: true, ReopenStage: "対応中", Stages: []Stage{
			{Name: "受付", Kind: StageOpen}, {Name: "対応中", Kind: StageOpen}, {Name: "完了", Kind: StageClosed}}}
	}
	_, err := c.savePipeline(p)
	return err
}
