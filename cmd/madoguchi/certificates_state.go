package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/acme"
	"github.com/madoguchi/madoguchi/smtpd/check"
)

// states are those of the certificates that are obtained by ACME.
func (s *certificates) states() []acme.State {
	if s.obtaining == nil {
		return nil
	}
	return s.obtaining.states()
}

// certificateEnds are when the certificates end that the listeners show, by name.
func (s *server) certificateEnds() map[string]time.Time {
	ends := map[string]time.Time{}
	shown := func(from *swappable, name string) {
		get := from.source.Load()
		if get == nil || name == "" {
			return
		}
		c, err := (*get)(&tls.ClientHelloInfo{ServerName: name})
		if err != nil || c.Leaf == nil {
			return
		}
		if before, known := ends[name]; !known || c.Leaf.NotAfter.Before(before) {
			ends[name] = c.Leaf.NotAfter
		}
	}
	shown(&s.certificates.smtp, s.config.hostname())
	if u, err := url.Parse(s.config.Web.URL); err == nil {
		shown(&s.certificates.web, u.Hostname())
	}
	for _, state := range s.certificates.states() {
		if !state.NotAfter.IsZero() {
			ends[state.Name] = state.NotAfter
		}
	}
	return ends
}

// alarm tells the admins of what needs them, and that it is over.
func (o *obtaining) alarm(ctx context.Context) {
	desk, actor := o.server.desk, helpdesk.System("certificates")
	raised, err := desk.Alarms(ctx, actor)
	if err != nil {
		o.server.log.ErrorContext(ctx, "read the alarms", "error", err)
		return
	}
	states := o.states()
	for _, a := range raised {
		i := slices.IndexFunc(states, func(s acme.State) bool { return s.Name == a.Subject })
		over := i < 0 || states[i].Phase == acme.Valid || states[i].Phase == acme.Failing && !states[i].Pressing(time.Now())
		if a.Kind == helpdesk.AlarmCertificate && over {
			err = errors.Join(err, desk.EndAlarm(ctx, actor, a.Kind, a.Subject))
		}
	}
	for _, state := range states {
		if state.Pressing(time.Now()) {
			err = errors.Join(err, desk.RaiseAlarm(ctx, actor, helpdesk.AlarmCertificate, state.Name, certificateTrouble(state)))
		}
	}
	if err != nil && ctx.Err() == nil {
		o.server.log.ErrorContext(ctx, "tell the admins of certificates", "error", err)
	}
}

// certificateTrouble is what to say of a state that is pressing.
func certificateTrouble(s acme.State) helpdesk.AlarmDetail {
	switch ends := s.NotAfter.UTC().Format(time.DateOnly); {
	case s.Failure == "":
		return helpdesk.Found("certificate_ends", "it ends on %s and was not renewed", ends)
	case s.NotAfter.IsZero():
		return helpdesk.Found("certificate_none", "there is none yet: %s", s.Failure)
	default:
		return helpdesk.Found("certificate_failing", "it ends on %s and cannot be renewed: %s", ends, s.Failure)
	}
}

// obtainedFindings are a check-up's lines on the certificates of ACME.
func obtainedFindings(states []acme.State, now time.Time) (list []finding) {
	for _, state := range states {
		f := check.Finding{Area: "certificate", Subject: state.Name, State: check.Fine, Key: "acme_valid",
			Args: []string{state.Name, state.NotAfter.Format(time.DateOnly), state.Issuer}}
		switch {
		case state.Phase == acme.Absent:
			f.State, f.Key, f.Fix = check.Warning, "acme_absent", "madoguchi dns"
		case state.Phase == acme.Asking:
			f.State, f.Key = check.Warning, "acme_asking"
		case state.Pressing(now) && state.Failure == "":
			f.State, f.Key, f.Fix = check.Wrong, "acme_ends", "madoguchi certificate renew"
		case state.Pressing(now):
			f.State, f.Key, f.Args[1], f.Fix = check.Wrong, "acme_failing", state.Failure, "madoguchi certificate renew"
		case state.Phase == acme.Failing:
			f.State, f.Key, f.Args = check.Warning, "acme_late", append(f.Args, state.Failure)
			f.Fix = "madoguchi certificate renew"
		}
		list = append(list, found(f)...)
	}
	return list
}
