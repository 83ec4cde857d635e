package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
	"github.com/madoguchi/madoguchi/store"
)

// local does the operations on an open desk: a command's own, or the running
// server's, which serves them on its control socket.
type local struct {
	engine store.Engine
	desk   *helpdesk.Desk
	index  *search.Index
	// similar has no model of its own where no server runs.
	similar *similar.Index
	actor   helpdesk.Actor
	// config is the server's, or what a command without one was given; domains
	// are the server's, nil without one.
	config  config
	domains *domains
	checkup func() *checkup // nil without a server
	// kept is the copy of older data that opening it upgraded, "" where it was not.
	kept string
}

var _ operations = (*local)(nil)

// openLocal opens the data in directory, which nobody else uses; otherwise the
// error is store.ErrLocked.
func openLocal(ctx context.Context, directory string) (*local, error) {
	engine, err := openStore(directory, nil)
	if err != nil {
		return nil, err
	}
	kept, err := keepBeforeUpgrade(ctx, engine, directory)
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	l, err := newLocal(ctx, engine)
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	l.config.Server.Data, l.kept = directory, kept
	return l, nil
}

// newLocal opens the desk in engine; Close closes both.
func newLocal(ctx context.Context, engine store.Engine) (*local, error) {
	desk, err := helpdesk.Open(ctx, engine, helpdesk.Options{Program: programVersion()})
	if err != nil {
		return nil, err
	}
	return &local{engine: engine, desk: desk, index: search.New(engine, desk), actor: helpdesk.System("command line"), config: defaultConfig(),
		similar: similar.New(engine, desk, nil, slog.New(slog.DiscardHandler))}, nil
}

// configure has l go by a configuration as a server with it would.
func (l *local) configure(ctx context.Context, c config) error {
	desk, err := helpdesk.Open(ctx, l.engine, c.deskOptions())
	if err != nil {
		return err
	}
	l.desk, l.index, l.config = desk, search.New(l.engine, desk), c
	return nil
}

func (l *local) Close() error { return l.engine.Close() }

func (l *local) Status(ctx context.Context) (status, error) {
	needs, err := l.desk.NeedsSetup(ctx)
	return status{Version: programVersion(), NeedsSetup: needs, Forwarders: l.config.Incoming.TrustedForwarders, Resolver: l.config.DNS.Resolver}, err
}

func (l *local) Users(ctx context.Context) ([]userInfo, error) {
	users, err := l.desk.Users(ctx, l.actor)
	if err != nil {
		return nil, err
	}
	list := make([]userInfo, 0, len(users))
	for _, u := range users {
		list = append(list, describeUser(&u))
	}
	return list, nil
}

func describeUser(u *helpdesk.User) userInfo {
	return userInfo{Email: u.Email, Name: u.Name, Role: cmp.Or(u.RoleName, string(u.Role)), Disabled: u.Disabled}
}

func (l *local) AddUser(ctx context.Context, u newUser) (userInfo, error) {
	added, err := l.desk.CreateUser(ctx, l.actor, helpdesk.NewUser{
		Email: u.Email, Name: u.Name, Password: u.Password, Role: helpdesk.Role(u.Role),
	})
	if err != nil {
		return userInfo{}, err
	}
	return describeUser(added), nil
}

func (l *local) SetPassword(ctx context.Context, p newPassword) (userInfo, error) {
	user, err := l.userByEmail(ctx, p.Email)
	if err != nil {
		return userInfo{}, err
	}
	changed, err := l.desk.ChangeUser(ctx, l.actor, user.ID, helpdesk.UserChange{Password: &p.Password})
	if err != nil {
		return userInfo{}, err
	}
	return describeUser(changed), nil
}

func (l *local) ResetSecondFactor(ctx context.Context, email string) (userInfo, error) {
	user, err := l.userByEmail(ctx, email)
	if err != nil {
		return userInfo{}, err
	}
	changed, err := l.desk.ResetSecondFactor(ctx, l.actor, user.ID)
	if err != nil {
		return userInfo{}, err
	}
	return describeUser(changed), nil
}

func (l *local) userByEmail(ctx context.Context, email string) (*helpdesk.User, error) {
	users, err := l.desk.Users(ctx, l.actor)
	if err != nil {
		return nil, err
	}
	known := make([]string, 0, len(users))
	for _, u := range users {
		if strings.EqualFold(u.Email, strings.TrimSpace(email)) {
			return &u, nil
		}
		known = append(known, u.Email)
	}
	message := fmt.Sprintf("there is no user %q; known are: %s", email, strings.Join(known, ", "))
	if len(known) == 0 {
		message = fmt.Sprintf("there is no user %q, and none at all yet; add one with madoguchi user add", email)
	}
	return nil, &helpdesk.Error{Code: helpdesk.CodeNotFound, Field: "user", Message: message}
}

func (l *local) Aliases(ctx context.Context) ([]aliasInfo, error) {
	aliases, err := l.desk.Aliases(ctx, l.actor)
	if err != nil {
		return nil, err
	}
	describe, err := l.aliasDescriber(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]aliasInfo, 0, len(aliases))
	for _, a := range aliases {
		list = append(list, describe(&a))
	}
	return list, nil
}

// aliasDescriber gives an alias's pipeline and owner their names.
func (l *local) aliasDescriber(ctx context.Context) (func(*helpdesk.Alias) aliasInfo, error) {
	pipelines, err := l.desk.Pipelines(ctx, l.actor)
	if err != nil {
		return nil, err
	}
	users, err := l.desk.Users(ctx, l.actor)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, p := range pipelines {
		names[p.ID] = p.Name
	}
	for _, u := range users {
		names[u.ID] = u.Email
	}
	return func(a *helpdesk.Alias) aliasInfo {
		return aliasInfo{
			Address: a.Address, Name: a.Name, Pipeline: names[a.PipelineID], Owner: names[a.OwnerID],
			Language: a.Language, Managed: a.Managed, Disabled: a.Disabled,
		}
	}, nil
}

func (l *local) AddAlias(ctx context.Context, a newAlias) (aliasInfo, error) {
	pipeline, err := l.pipelineByName(ctx, a.Pipeline, cmp.Or(a.Language, a.Terminal))
	if err != nil {
		return aliasInfo{}, err
	}
	alias := helpdesk.Alias{Address: a.Address, Name: a.Name, Language: a.Language, PipelineID: pipeline.ID}
	if a.Owner != "" {
		owner, err := l.userByEmail(ctx, a.Owner)
		if err != nil {
			return aliasInfo{}, err
		}
		alias.OwnerID = owner.ID
	}
	added, err := l.desk.SaveAlias(ctx, l.actor, alias)
	if err != nil {
		return aliasInfo{}, err
	}
	describe, err := l.aliasDescriber(ctx)
	if err != nil {
		return aliasInfo{}, err
	}
	return describe(added), nil
}

// pipelineByName finds a pipeline; "" is the first. A house without any gets
// the default one, named in language.
func (l *local) pipelineByName(ctx context.Context, name, language string) (*helpdesk.Pipeline, error) {
	if err := l.desk.EnsurePipeline(ctx, language); err != nil {
		return nil, err
	}
	pipelines, err := l.desk.Pipelines(ctx, l.actor)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return &pipelines[0], nil
	}
	known := make([]string, 0, len(pipelines))
	for _, p := range pipelines {
		if strings.EqualFold(p.Name, name) {
			return &p, nil
		}
		known = append(known, p.Name)
	}
	return nil, &helpdesk.Error{Code: helpdesk.CodeNotFound, Field: "pipeline",
		Message: fmt.Sprintf("there is no pipeline %q; known are: %s", name, strings.Join(known, ", "))}
}

func (l *local) CreateToken(ctx context.Context, t newToken) (createdToken, error) {
	user, err := l.userByEmail(ctx, t.User)
	if err != nil {
		return createdToken{}, err
	}
	token, err := l.desk.IssueToken(ctx, l.actor, helpdesk.NewToken{UserID: user.ID, Scope: helpdesk.Scope(t.Scope), Name: t.Name, Ends: t.Ends})
	return createdToken{token}, err
}

// Verify recomputes what can be recomputed, and tells what was counted.
func (l *local) Verify(ctx context.Context) (verification, error) {
	differences, err := l.desk.Verify(ctx)
	if err != nil {
		return verification{}, err
	}
	found, err := l.index.Verify(ctx)
	if helpdesk.IsDamage(err) {
		found, err = append(found, "the search index: "+err.Error()), nil
	}
	if err != nil {
		return verification{}, err
	}
	if len(found) > 0 {
		differences = append(append(differences, found...), "madoguchi reindex makes the search index anew")
	}
	vectors, err := l.similar.Verify(ctx)
	if helpdesk.IsDamage(err) {
		vectors, err = append(vectors, "the vectors: "+err.Error()), nil
	}
	if err != nil {
		return verification{}, err
	}
	differences = append(differences, vectors...)
	ledger, err := l.desk.Ledger(ctx, l.actor, helpdesk.LedgerQuery{Days: 1})
	if helpdesk.IsDamage(err) {
		differences, ledger, err = append(differences, "the ledger: "+err.Error()), &helpdesk.Ledger{}, nil
	}
	if err != nil {
		return verification{}, err
	}
	last, err := l.desk.LastSeq(ctx)
	if err != nil {
		return verification{}, err
	}
	return verification{Differences: differences, Summary: []string{describeLedger(ledger.Total), amount(last, "event", "events")}}, nil
}

// describeLedger is the ledger in one line.
func describeLedger(d helpdesk.LedgerDay) string {
	parts := make([]string, 0, len(d.Places))
	for _, place := range helpdesk.MailPlaces() {
		parts = append(parts, fmt.Sprintf("%d %s", d.Places[place], placeWords[place]))
	}
	return fmt.Sprintf("%s accepted: %s; %d turned away", amount(d.Accepted, "mail", "mails"), strings.Join(parts, ", "), d.RefusedSum())
}

var placeWords = map[helpdesk.MailPlace]string{helpdesk.PlaceTickets: "on tickets", helpdesk.PlaceHeld: "held", helpdesk.PlaceRelayed: "sent on for agents", helpdesk.PlaceRefused: "refused",
	helpdesk.PlaceQuarantine: "in quarantine", helpdesk.PlacePurged: "deleted from quarantine", helpdesk.PlaceErased: "erased", helpdesk.PlaceReports: "reports"}

// Vectors implements operations.
func (l *local) Vectors(ctx context.Context) (similar.Status, error) { return l.similar.Status(ctx) }

// Backup implements operations.
func (l *local) Backup(ctx context.Context, w io.Writer) error {
	snapshotter, ok := l.engine.(store.Snapshotter)
	if !ok {
		return errors.New("this store makes no copies of itself: back it up with its own tools")
	}
	_, err := snapshotter.Snapshot(ctx, w)
	return err
}
