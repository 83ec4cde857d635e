package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/smtpd/rspamd"
)

// filter does with a mail what the filters advise: it refuses it, puts it off, or
// notes in in what they said.
func (i intake) filter(ctx context.Context, m *smtpd.Mail, in *helpdesk.Incoming) error {
	for _, l := range m.Listings {
		in.Filters = append(in.Filters, helpdesk.FilterResult{Filter: l.Zone, Effect: helpdesk.EffectSpam, Detail: strings.TrimSpace(l.Answer.String() + " " + l.Reason)})
	}
	greylist := i.running().Incoming.Greylist.Enabled
	switch {
	case m.FilterError != nil:
		in.Filters = append(in.Filters, helpdesk.FilterResult{Filter: "rspamd", Effect: helpdesk.EffectSilent, Detail: m.FilterError.Error()})
	case m.Filtered != nil:
		asks, err := i.heed(m, in)
		if err != nil {
			i.count(smtpd.IncidentFiltered)
			return err
		}
		greylist = greylist || asks
	}
	if !greylist || i.exempt(m.RemoteIP) {
		return nil
	}
	wait, err := i.desk.Greylist(ctx, *in)
	if err != nil || wait <= 0 {
		return err
	}
	i.count(smtpd.IncidentGreylisted)
	i.log.Info("greylisted", "id", m.ID, "ip", in.Envelope.RemoteIP, "from", m.MailFrom, "wait", wait.Round(time.Second).String())
	return &smtpd.Refusal{Code: 451, Enhanced: [3]int{4, 7, 1}, Reason: smtpd.ReasonPutOff,
		Message: fmt.Sprintf("greylisted, please try again after %s", (wait + time.Second - 1).Truncate(time.Second))}
}

// exempt says whether an address is a relay's of the house, which comes back by
// itself.
func (i intake) exempt(a netip.Addr) bool {
	return slices.ContainsFunc(networksOf(i.running().Incoming.Exempt), func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) })
}

// heed does what rspamd advises, as the configuration reads it. greylist says that
// the mail is to be put off once.
func (i intake) heed(m *smtpd.Mail, in *helpdesk.Incoming) (greylist bool, err error) {
	r, c := m.Filtered, i.running().Incoming.Rspamd
	result := helpdesk.FilterResult{Filter: "rspamd", Effect: helpdesk.EffectNone, Detail: fmt.Sprintf("%s, %.1f of %.1f", r.Action, r.Score, r.Required)}
	for _, s := range r.Symbols {
		result.Rules = append(result.Rules, helpdesk.FilterRule{Name: s.Name, Score: s.Score, Note: s.Options})
	}
	does := filterAccept
	switch r.Action {
	case rspamd.Reject, rspamd.Discard: // nothing is dropped in silence
		does = c.Reject
	case rspamd.Quarantine:
		does = filterQuarantine
	case rspamd.AddHeader:
		does = c.AddHeader
	case rspamd.RewriteSubject:
		does = c.RewriteSubject
	case rspamd.SoftReject:
		return false, &smtpd.Refusal{Code: 451, Enhanced: [3]int{4, 7, 1}, Reason: smtpd.ReasonPutOff, Message: orText(r.Message, "the content filter puts this message off, please try again later")}
	case rspamd.Greylist:
		greylist = true
	}
	if does == filterRefuse && !onlyPostmaster(m.Recipients) {
		return false, &smtpd.Refusal{Code: 554, Enhanced: [3]int{5, 7, 1}, Reason: smtpd.ReasonPolicy,
			Message: orText(r.Message, fmt.Sprintf("the content filter takes this message for spam (%.1f of %.1f); write to postmaster@%s if it is none", r.Score, r.Required, i.hostname))}
	}
	switch does {
	case filterQuarantine:
		in.Suspicion = &helpdesk.Suspicion{Kind: helpdesk.SuspectFilter, Detail: "rspamd: " + result.Detail}
	case filterMark, filterRefuse:
		result.Effect = helpdesk.EffectSpam
	}
	in.Filters = append(in.Filters, result)
	return greylist, nil
}

// onlyPostmaster says whether a mail is for postmasters alone, who can be written
// to about mail that was refused (RFC 5321, section 4.5.1).
func onlyPostmaster(recipients []string) bool {
	for _, address := range recipients {
		if local, _, _ := strings.Cut(address, "@"); !strings.EqualFold(local, "postmaster") {
			return false
		}
	}
	return true
}

func orText(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}
