package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// applyFile makes the desk agree with what the file declares.
func (s *server) applyFile(ctx context.Context, c config) error {
	declared := helpdesk.Declared{File: c.path}
	for _, p := range c.Pipelines {
		pipeline := helpdesk.DeclaredPipeline{Name: p.Name, Reopen: p.Reopen == nil || *p.Reopen, ReopenStage: p.ReopenStage}
		for _, stage := range p.Stages {
			pipeline.Stages = append(pipeline.Stages, helpdesk.Stage{Name: stage.Name, Kind: helpdesk.StageKind(stage.Kind)})
		}
		declared.Pipelines = append(declared.Pipelines, pipeline)
	}
	for _, a := range c.Aliases {
		declared.Aliases = append(declared.Aliases, helpdesk.DeclaredAlias(a))
	}
	if len(declared.Aliases) > 0 && len(declared.Pipelines) == 0 {
		if err := s.desk.EnsurePipeline(ctx, declared.Aliases[0].Language); err != nil {
			return err
		}
	}
	if err := s.desk.ApplyFile(ctx, declared); err != nil {
		return fmt.Errorf("%s: %w", c.path, err)
	}
	return nil
}

// reload reads the configuration again and logs what is different in it. A file
// that is wrong changes nothing; a part that cannot be followed is left as it
// was, and the file is compared with what runs once more at the next reload.
func (s *server) reload(ctx context.Context, flags serveFlags) {
	c, err := flags.read()
	if err != nil {
		s.log.Warn("reload: nothing was changed", "error", err)
		return
	}
	changes := differences(s.config, c)
	for _, d := range changes {
		if d.restart {
			s.log.Warn("reload: this key needs a restart", "key", d.key, "runs", d.was, "file", d.is)
		} else {
			s.log.Info("reload: changed", "key", d.key, "was", d.was, "is", d.is)
		}
	}
	if len(changes) == 0 {
		s.log.Info("reload: the file says what it said before", "file", c.path)
	}
	for _, part := range []struct {
		name   string
		follow func() error
	}{
		{"certificates", func() error { return s.reloadCertificates(c) }},
		{"aliases and pipelines", func() error { return s.reloadHouse(ctx, c) }},
		{"incoming mail and reports", func() error { return s.reloadIncoming(ctx, c) }},
		{"single sign-on", func() error { return s.reloadSignOn(ctx, c) }},
		{"log level", func() error { return s.reloadLevel(c) }},
	} {
		if err := part.follow(); err != nil {
			s.log.Warn("reload: left as before: "+part.name, "error", err)
			continue
		}
		s.runs()
		s.log.Info("reloaded "+part.name, "file", c.path)
	}
}

// applyPolicy has the desk go by what the file says of mail and of sign-on, and logs
// whom that logged out.
func (s *server) applyPolicy(ctx context.Context, c config) error {
	ended, err := s.desk.SetPolicy(ctx, helpdesk.File(c.path), c.policy())
	if ended.SignOn > 0 {
		s.log.WarnContext(ctx, "sessions by single sign-on ended: their provider or the domain of their address may not log in any more",
			"sessions", ended.SignOn, "issuer", c.OIDC.Issuer, "domains", c.OIDC.Domains)
	}
	if ended.Other > 0 {
		s.log.WarnContext(ctx, "sessions by password or passkey ended: oidc.only lets in by single sign-on alone", "sessions", ended.Other, "issuer", c.OIDC.Issuer)
	}
	return errors.Join(err, s.warnOfReportAliases(ctx, c))
}

// warnOfReportAliases tells of aliases from before whose address takes reports now.
func (s *server) warnOfReportAliases(ctx context.Context, c config) error {
	aliases, err := s.desk.Aliases(ctx, helpdesk.File(c.path))
	if err != nil {
		return err
	}
	for _, alias := range aliases {
		if !alias.Disabled && slices.ContainsFunc(c.Reports.addresses(), func(a string) bool { return strings.EqualFold(a, alias.Address) }) {
			s.log.WarnContext(ctx, "mail to this alias is taken for reports and makes no tickets: give [reports] another address, or disable the alias", "alias", alias.Address)
		}
	}
	return nil
}

// What runs is remembered part by part, so that the next reload tells the
// difference from it.

func (s *server) reloadCertificates(c config) error {
	if err := s.certificates.reload(s.config, c); err != nil {
		return err
	}
	for _, names := range []struct{ runs, file *string }{
		{&s.config.SMTP.TLSCert, &c.SMTP.TLSCert}, {&s.config.SMTP.TLSKey, &c.SMTP.TLSKey},
		{&s.config.Web.TLSCert, &c.Web.TLSCert}, {&s.config.Web.TLSKey, &c.Web.TLSKey},
	} {
		if !switchesTLS(*names.runs, *names.file) {
			*names.runs = *names.file
		}
	}
	if s.config.ACME.Agreed == c.ACME.Agreed {
		runs := s.config.ACME
		s.config.ACME = c.ACME
		s.config.ACME.Web, s.config.ACME.Listen = runs.Web, runs.Listen
	}
	return nil
}

func (s *server) reloadHouse(ctx context.Context, c config) error {
	if err := s.applyFile(ctx, c); err != nil {
		return err
	}
	s.config.Aliases, s.config.Pipelines = c.Aliases, c.Pipelines
	return nil
}

// reloadIncoming has sessions that are open go by the new limits and filters too.
func (s *server) reloadIncoming(ctx context.Context, c config) error {
	next := s.config // all else as it runs: the name, the resolver, the provider
	next.Incoming, next.Reports = c.Incoming, c.Reports
	if err := s.applyPolicy(ctx, next); err != nil {
		return err
	}
	guard := s.guard(&next)
	if reflect.DeepEqual(s.config.Incoming.DNSBL, c.Incoming.DNSBL) && s.config.Incoming.DNSBLTimeout == c.Incoming.DNSBLTimeout {
		guard.Blocklists = s.smtp.Guard().Blocklists // with what it remembers
	}
	s.smtp.SetGuard(guard)
	if s.lmtp != nil {
		s.lmtp.SetGuard(guard)
	}
	s.verifier.trust(c.Incoming.TrustedForwarders)
	s.config.Incoming, s.config.Reports = c.Incoming, c.Reports // the fields alone: others are read meanwhile
	s.pages.SetPolicy(next.pagesPolicy(s.provider))
	return nil
}

// reloadSignOn asks the provider of the new file from now on, with the secret that
// its file has now. Whoever may not come in that way any more is logged out.
func (s *server) reloadSignOn(ctx context.Context, c config) error {
	next := s.config
	next.OIDC = c.OIDC
	if next.OIDC.Issuer != "" && next.Web.URL == "" {
		return errors.New("oidc.issuer needs web.url beside it, and that needs a restart")
	}
	provider, err := next.provider()
	if err != nil {
		return err
	}
	s.config.OIDC, s.provider = c.OIDC, provider
	s.pages.SetPolicy(next.pagesPolicy(provider))
	return s.applyPolicy(ctx, next)
}

func (s *server) reloadLevel(c config) error {
	if err := setLevel(c.Log, &s.level); err != nil {
		return err
	}
	s.config.Log.Level = c.Log.Level
	return nil
}

// reloads says whether a running server follows the change.
func reloads(d difference) bool {
	table, _, _ := strings.Cut(d.key, "[")
	switch {
	case d.key == "acme.agreed", d.key == "acme.web", d.key == "acme.listen":
		return false
	case strings.HasPrefix(d.key, "acme."):
		return true
	case table == "pipeline", table == "alias", d.key == "log.level":
		return true
	case strings.HasPrefix(d.key, "incoming."), strings.HasPrefix(d.key, "reports."), strings.HasPrefix(d.key, "oidc."):
		return true
	case strings.HasSuffix(d.key, ".tls_cert"), strings.HasSuffix(d.key, ".tls_key"):
		return !switchesTLS(strings.Trim(d.was, `"`), strings.Trim(d.is, `"`))
	}
	return false
}

// switchesTLS says whether a file's name appears or disappears: its listener
// would have to begin or end TLS.
func switchesTLS(was, is string) bool { return (was == "") != (is == "") }
