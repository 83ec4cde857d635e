package helpdesk

import (
	"context"
	"errors"
	"fmt"

	"github.com/madoguchi/madoguchi/store"
)

// checkedTable is what Verify and the upgrade at Open need of a table.
type checkedTable interface {
	Name() string
	Declared() string
	Verify(store.Reader) ([]store.Difference, error)
	Reindex(tx store.Tx, from []byte, limit int) (next []byte, err error)
}

// allTables are the tables of the helpdesk.
func allTables() []checkedTable {
	return []checkedTable{
		events,
		cursors,
		timers,
		settings,
		users,
		sessions,
		devices,
		secondFactors,
		passkeys,
		identities,
		attempts,
		apiTokens,
		aliases,
		pipelines,
		services,
		trials,
		customRoles,
		teams,
		fields,
		contacts,
		companies,
		contactMergings,
		erasures,
		notes,
		movings,
		distincts,
		topicReports,
		suppressions,
		notices,
		noticeChoices,
		pushSubscriptions,
		pushKeys,
		acknowledgements,
		tokens,
		deliveries,
		analyses,
		insightDays,
		reanalyses,
		seens,
		idempotencies,
		drafts,
		bodies,
		messages,
		tickets,
		ledgers,
		ledgerHours,
		calendars,
		duePolicies,
		dueProgresses,
		rules,
		rotations,
		activities,
		templates,
		blockedSenders,
		savedViews,
		preferences,
		bulks,
		bulkItems,
		bulkReplies,
		bulkReplyItems,
		optOuts,
		optOutKeys,
		dkimKeys,
		tlsPolicies,
		tlsDays,
		alarms,
		selfTests,
		turnedAway,
		webhooks,
		webhookDeliveries,
		pauses,
		greylist,
		greylistSizes,
		quarantined,
		trustedSenders,
		dmarcReports,
		receivedTLSReports,
		handedIns,
		greylistAllowed,
		dataFormats,
		importedItems,
	}
}

// Verify recomputes every index, reads every raw mail, follows every reference
// between records and balances the ledger. It returns a line for each
// difference; none means that the store is whole.
func (d *Desk) Verify(ctx context.Context) (problems []string, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		if problems, err = d.verifyPages(ctx); err != nil {
			return err
		}
		for _, table := range allTables() {
			differences, err := table.Verify(r)
			for _, difference := range differences {
				problems = append(problems, difference.String())
			}
			if problems, err = goOn(problems, err); err != nil {
				return err
			}
		}
		for _, verify := range []func(context.Context, store.Reader) ([]string, error){
			verifyMails, verifyAccess, verifyTickets, d.verifyDue, verifyRoles, verifyMerged, verifyServices, verifyDrafts, verifyDeliveries, verifyTokens, verifyBulks, verifyBulkReplies, verifyBulkReplyFiles, verifyLog,
			verifyMentions, verifyTemplates, verifyContacts, verifyInsights, verifyReanalyses, verifyImported, verifyDistinct, verifyLedger, verifyArrivals, verifyQuarantine, verifyGreylist, verifyErasures} {
			found, err := verify(ctx, r)
			if problems, err = goOn(append(problems, found...), err); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return problems, fmt.Errorf("verify: %w", err)
	}
	return problems, nil
}

// verifyPages looks at how the engine keeps everything.
func (d *Desk) verifyPages(ctx context.Context) (problems []string, err error) {
	engine, ok := d.db.(store.Checker)
	if !ok {
		return nil, nil
	}
	err = engine.Check(ctx, func(damage store.Damage) { problems = append(problems, damage.String()) })
	return problems, err
}

// goOn makes damage one of the problems: what comes after it is looked at all the same.
func goOn(problems []string, err error) ([]string, error) {
	if errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrNewer) {
		return append(problems, err.Error()), nil
	}
	return problems, err
}

// verifyMails follows each message to its ticket, body and source.
func verifyMails(ctx context.Context, r store.Reader) (problems []string, err error) {
	sources := &store.BlobReader{Blobs: raws, Reader: r}
	for m, err := range readable(r, messages.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		if has, err := tickets.Has(r, key(m.Ticket)); err != nil || !has {
			problems = append(problems, fmt.Sprintf("message %s is of ticket %d, which does not exist (%v)", m.ID, m.Ticket, err))
		}
		if has, err := bodies.Has(r, key(m.ID)); err != nil || !has {
			problems = append(problems, fmt.Sprintf("message %s has no body (%v)", m.ID, err))
		}
		if m.Reason == ReasonLogged {
			continue
		}
		if _, err := sources.Get(key(m.ID)); err != nil {
			problems = append(problems, fmt.Sprintf("the source of message %s cannot be read: %v", m.ID, err))
		}
	}
	return problems, nil
}

// verifyDeliveries checks that each delivery and its message are on the same
// ticket, and that exactly those not yet done have a timer.
func verifyDeliveries(_ context.Context, r store.Reader) (problems []string, err error) {
	for d, err := range readable(r, deliveries.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if d.Ticket != 0 || d.Message != "" {
			m, err := messages.Get(r, key(d.Message))
			if err != nil {
				problems = append(problems, fmt.Sprintf("delivery %s carries message %s: %v", d.ID, d.Message, err))
				continue
			}
			if m.Ticket != d.Ticket {
				problems = append(problems, fmt.Sprintf("delivery %s is of ticket %d, its message of ticket %d", d.ID, d.Ticket, m.Ticket))
			}
		}
		has, err := timers.Has(r, key(string(TimerDeliver), d.ID))
		if err != nil {
			return problems, err
		}
		if has == d.State.done() {
			problems = append(problems, fmt.Sprintf("delivery %s is %s; has a timer: %t", d.ID, d.State, has))
		}
	}
	return problems, nil
}

// done reports whether nothing more will be tried.
func (s DeliveryState) done() bool {
	return s == DeliverySent || s == DeliveryFailed || s == DeliveryCancelled
}

// verifyTokens follows each token to its message.
func verifyTokens(_ context.Context, r store.Reader) (problems []string, err error) {
	for t, err := range readable(r, tokens.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if has, err := messages.Has(r, key(t.Message)); err != nil || !has {
			problems = append(problems, fmt.Sprintf("a token of kind %s leads to message %s, which does not exist (%v)", t.Kind, t.Message, err))
		}
	}
	return problems, nil
}

// verifyRoles looks up the role of each user.
func verifyRoles(_ context.Context, r store.Reader) (problems []string, err error) {
	for u, err := range readable(r, users.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if u.Role.BuiltIn() {
			continue
		}
		if has, err := customRoles.Has(r, key(string(u.Role))); err != nil || !has {
			problems = append(problems, fmt.Sprintf("user %s has role %q, which does not exist (%v)", u.Email, u.Role, err))
		}
	}
	return problems, nil
}

// verifyLog checks that the event log has no gap.
func verifyLog(_ context.Context, r store.Reader) (problems []string, err error) {
	var before uint64
	for e, err := range readable(r, events.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if e.Seq != before+1 {
			problems = append(problems, fmt.Sprintf("the event log goes from %d to %d", before, e.Seq))
		}
		before = e.Seq
	}
	return problems, nil
}
