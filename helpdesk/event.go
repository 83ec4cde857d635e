package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// EventKind names what happened.
type EventKind string

// The event kinds.
const (
	EventTicketCreated          EventKind = "ticket.created"
	EventTicketStage            EventKind = "ticket.stage"
	EventTicketReopened         EventKind = "ticket.reopened"
	EventTicketAssigned         EventKind = "ticket.assigned"
	EventTicketTags             EventKind = "ticket.tags"
	EventTicketPriority         EventKind = "ticket.priority"
	EventTicketSnoozed          EventKind = "ticket.snoozed"
	EventTicketWoken            EventKind = "ticket.woken"
	EventTicketFollowed         EventKind = "ticket.followed"
	EventTicketUnfollowed       EventKind = "ticket.unfollowed"
	EventTicketDistinct         EventKind = "ticket.distinct"
	EventTicketOverdue          EventKind = "ticket.overdue"
	EventTicketSpam             EventKind = "ticket.spam"
	EventTicketNotSpam          EventKind = "ticket.not_spam"
	EventTicketWithdrawn        EventKind = "ticket.withdrawn"
	EventMessageReceived        EventKind = "message.received"
	EventMessageHeld            EventKind = "message.held"
	EventMessageJoined          EventKind = "message.joined"
	EventMessageSplit           EventKind = "message.split"
	EventMessageRefused         EventKind = "message.refused"
	EventMessageDuplicate       EventKind = "message.duplicate"
	EventMessageRelayed         EventKind = "message.relayed"
	EventMessageDecoded         EventKind = "message.decoded"
	EventMessageMoved           EventKind = "message.moved"
	EventMessageReturned        EventKind = "message.returned"
	EventTicketMerged           EventKind = "ticket.merged"
	EventTicketUnmerged         EventKind = "ticket.unmerged"
	EventReplyPosted            EventKind = "reply.posted"
	EventReplyUndone            EventKind = "reply.undone"
	EventReplyLogged            EventKind = "reply.logged"
	EventNoteAdded              EventKind = "note.added"
	EventMentionSeen            EventKind = "mention.seen"
	EventTemplateSaved          EventKind = "template.saved"
	EventTemplateDeleted        EventKind = "template.deleted"
	EventServiceSaved           EventKind = "service.saved"
	EventServiceDeleted         EventKind = "service.deleted"
	EventServiceMatched         EventKind = "service.matched"
	EventServiceUnmatched       EventKind = "service.unmatched"
	EventServiceRejected        EventKind = "service.rejected"
	EventServiceForbidden       EventKind = "service.forbidden"
	EventServiceAgain           EventKind = "service.again"
	EventServiceStopped         EventKind = "service.stopped"
	EventServiceSent            EventKind = "service.sent"
	EventDraftTaken             EventKind = "draft.taken"
	EventDraftWithdrawn         EventKind = "draft.withdrawn"
	EventReplyScheduled         EventKind = "reply.scheduled"
	EventReplyStopped           EventKind = "reply.stopped"
	EventApprovalRequested      EventKind = "approval.requested"
	EventApprovalRefused        EventKind = "approval.refused"
	EventReplyApproved          EventKind = "reply.approved"
	EventBulkReplyAsked         EventKind = "bulk_reply.asked"
	EventBulkReplyReturned      EventKind = "bulk_reply.returned"
	EventBulkReplySent          EventKind = "bulk_reply.sent"
	EventBulkReplyUndone        EventKind = "bulk_reply.undone"
	EventDeliverySent           EventKind = "delivery.sent"
	EventDeliveryDeferred       EventKind = "delivery.deferred"
	EventDeliveryFailed         EventKind = "delivery.failed"
	EventDeliveryDelayed        EventKind = "delivery.delayed"
	EventDestinationPaused      EventKind = "destination.paused"
	EventDestinationResumed     EventKind = "destination.resumed"
	EventDeliveryRetried        EventKind = "delivery.retried"
	EventAddressSuppressed      EventKind = "address.suppressed"
	EventAddressLifted          EventKind = "address.lifted"
	EventTicketImported         EventKind = "ticket.imported"
	EventMessageImported        EventKind = "message.imported"
	EventNoteImported           EventKind = "note.imported"
	EventImportDone             EventKind = "import.done"
	EventBackupRequested        EventKind = "backup.requested"
	EventDataRecovered          EventKind = "data.recovered"
	EventTicketRecovered        EventKind = "ticket.recovered"
	EventTicketRestored         EventKind = "ticket.restored"
	EventMessageRestored        EventKind = "message.restored"
	EventAddressOptedOut        EventKind = "address.opted_out"
	EventAddressOptedIn         EventKind = "address.opted_in"
	EventAlarmRaised            EventKind = "alarm.raised"
	EventAlarmEnded             EventKind = "alarm.ended"
	EventAcknowledged           EventKind = "acknowledgement.posted"
	EventAcknowledgementSkipped EventKind = "acknowledgement.skipped"
	EventCopySent               EventKind = "copy.sent"
	EventCopyFailed             EventKind = "copy.failed"
	EventAnalysisStored         EventKind = "analysis.stored"
	EventAnalysisFailed         EventKind = "analysis.failed"
	EventAnalysisCorrected      EventKind = "analysis.corrected"
	EventActionTicked           EventKind = "action.ticked"
	EventReanalysisStarted      EventKind = "reanalysis.started"
	EventReanalysisEnded        EventKind = "reanalysis.ended"
	EventAliasSaved             EventKind = "alias.saved"
	EventAliasDeleted           EventKind = "alias.deleted"
	EventPipelineSaved          EventKind = "pipeline.saved"
	EventUserSaved              EventKind = "user.saved"
	EventTicketTeam             EventKind = "ticket.team"
	EventTicketField            EventKind = "ticket.field"
	EventContactField           EventKind = "contact.field"
	EventContactSaved           EventKind = "contact.saved"
	EventContactMerged          EventKind = "contact.merged"
	EventContactUnmerged        EventKind = "contact.unmerged"
	EventContactsImported       EventKind = "contacts.imported"
	EventTicketContact          EventKind = "ticket.contact"
	EventCompanySaved           EventKind = "company.saved"
	EventCompanyDeleted         EventKind = "company.deleted"
	EventTeamSaved              EventKind = "team.saved"
	EventTeamDeleted            EventKind = "team.deleted"
	EventFieldSaved             EventKind = "field.saved"
	EventFieldDeleted           EventKind = "field.deleted"
	EventFieldsOrdered          EventKind = "fields.ordered"
	EventRoleSaved              EventKind = "role.saved"
	EventRoleDeleted            EventKind = "role.deleted"
	EventLogin                  EventKind = "login.done"
	EventLoginFailed            EventKind = "login.failed"
	EventSessionEnded           EventKind = "session.ended"
	EventSecondFactorEnabled    EventKind = "second_factor.enabled"
	EventSecondFactorDisabled   EventKind = "second_factor.disabled"
	EventSecondFactorCodes      EventKind = "second_factor.codes"
	EventSecondFactorCodeUsed   EventKind = "second_factor.code_used"
	EventSecondFactorDistrusted EventKind = "second_factor.distrusted"
	EventSecondFactorReset      EventKind = "second_factor.reset"
	EventSecondFactorRequired   EventKind = "second_factor.required"
	EventPasskeyAdded           EventKind = "passkey.added"
	EventPasskeyRemoved         EventKind = "passkey.removed"
	EventPasskeyRenamed         EventKind = "passkey.renamed"
	EventPasskeyCopied          EventKind = "passkey.copied"
	EventIdentityBound          EventKind = "identity.bound"
	EventIdentityReleased       EventKind = "identity.released"
	EventExported               EventKind = "export.made"
	EventTokenUsed              EventKind = "token.used"
	EventTokenCreated           EventKind = "token.created"
	EventTokenEnding            EventKind = "token.ending"
	EventTokenEnded             EventKind = "token.ended"
	EventTokenRevoked           EventKind = "token.revoked"
	EventSettingsSaved          EventKind = "settings.saved"
	EventUserAway               EventKind = "user.away"
	EventUserBack               EventKind = "user.back"
	EventRuleSaved              EventKind = "rule.saved"
	EventRuleDeleted            EventKind = "rule.deleted"
	EventRulesOrdered           EventKind = "rules.ordered"
	EventRuleApplied            EventKind = "rule.applied"
	EventRuleNobody             EventKind = "rule.nobody"
	EventHoursSaved             EventKind = "hours.saved"
	EventHoursDeleted           EventKind = "hours.deleted"
	EventDueTimesSaved          EventKind = "due_times.saved"
	EventDueTimesDeleted        EventKind = "due_times.deleted"
	EventDueTimesApplied        EventKind = "due_times.applied"
	EventSenderBlocked          EventKind = "sender.blocked"
	EventSenderUnblocked        EventKind = "sender.unblocked"
	EventSenderTrusted          EventKind = "sender.trusted"
	EventSenderDistrusted       EventKind = "sender.distrusted"
	EventMailQuarantined        EventKind = "mail.quarantined"
	EventMailReleased           EventKind = "mail.released"
	EventMailRejected           EventKind = "mail.rejected"
	EventMailPurged             EventKind = "mail.purged"
	EventGreylistAllowed        EventKind = "greylist.allowed"
	EventGreylistDisallowed     EventKind = "greylist.disallowed"
	EventReportReceived         EventKind = "report.received"
	EventViewSaved              EventKind = "view.saved"
	EventViewDeleted            EventKind = "view.deleted"
	EventDKIMCreated            EventKind = "dkim.created"
	EventDKIMUsed               EventKind = "dkim.used"
	EventWebhookSaved           EventKind = "webhook.saved"
	EventWebhookDeleted         EventKind = "webhook.deleted"
	EventWebhookSecret          EventKind = "webhook.secret"
	EventWebhookPaused          EventKind = "webhook.paused"
	EventWebhookResumed         EventKind = "webhook.resumed"
	EventWebhookSkipped         EventKind = "webhook.skipped"
	EventWebhookParked          EventKind = "webhook.parked"
	EventTimerParked            EventKind = "timer.parked"
)

// Event is one line of the append-only log: what changed, when, by whom. It is
// written in the transaction of the change itself.
type Event struct {
	Seq     uint64 // 1, 2, 3…, without gaps
	At      time.Time
	Kind    EventKind
	Actor   Actor
	Ticket  uint64            `cbor:",omitempty"`
	Message string            `cbor:",omitempty"`
	Data    map[string]string `cbor:",omitempty"`
}

// record appends e to the log; Seq, At and Actor are filled in.
func (c *command) record(e Event) (uint64, error) {
	if c.last == 0 {
		last, err := lastSeq(c)
		if err != nil {
			return 0, err
		}
		c.last = last
	}
	e.Seq, e.At = c.last+1, c.now
	if e.Actor.Kind == "" {
		e.Actor = c.actor
	}
	if err := events.Replace(c, nil, &e); err != nil {
		return 0, fmt.Errorf("append event %s: %w", e.Kind, err)
	}
	c.last = e.Seq
	c.events = append(c.events, e)
	c.trace.event(&e)
	return e.Seq, nil
}

func lastSeq(r store.Reader) (uint64, error) {
	last, err := lastNumber(events.ScanKeys(r, store.Range{Reverse: true}))
	if err != nil {
		return 0, fmt.Errorf("read the end of the event log: %w", err)
	}
	return last, nil
}

// lastNumber is the first of keys that are numbers, 0 where there is none.
func lastNumber(keys iter.Seq2[[]byte, error]) (uint64, error) {
	for key, err := range keys {
		if err != nil {
			return 0, err
		}
		d := store.Decode(key)
		last := d.Uint64()
		return last, d.End()
	}
	return 0, nil
}

// Ready tells whether the store takes updates, by one that writes nothing. Its
// error is that of the store.
func (d *Desk) Ready(ctx context.Context) error {
	return d.db.Update(ctx, func(store.Tx) error { return nil })
}

// LastSeq returns the number of the newest durable event, 0 where there is none.
func (d *Desk) LastSeq(ctx context.Context) (last uint64, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		last, err = lastSeq(r)
		return err
	})
	return last, err
}

// Events returns up to limit events with a Seq greater than after, oldest
// first.
func (d *Desk) Events(ctx context.Context, a Actor, after uint64, limit int) ([]Event, error) {
	if err := a.mayRead("events"); err != nil {
		return nil, err
	}
	audits := a.May(PermitAudit)
	var list []Event
	err := d.view(ctx, func(r store.Reader) error {
		for e, err := range events.Scan(r, store.Range{Start: key(after + 1)}) {
			if err != nil {
				return err
			}
			if len(list) == limit {
				return nil
			}
			if e.audited() && !audits {
				e.hide()
			}
			list = append(list, *e)
		}
		return nil
	})
	return list, err
}

// hide takes out what only readers of the audit log may see: an event without
// details still tells that something changed, and when.
func (e *Event) hide() {
	e.Actor = Actor{Kind: e.Actor.Kind}
	e.Data = nil
}

// Wait returns as soon as an event with a Seq greater than after is durable,
// with the newest Seq, or when ctx ends, with its error.
func (d *Desk) Wait(ctx context.Context, after uint64) (uint64, error) {
	return d.wake.wait(ctx, after)
}

// Cursor returns how far the named subscriber has followed the log: the Seq of
// the last event it has dealt with.
func (d *Desk) Cursor(ctx context.Context, name string) (seq uint64, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		cursor, err := cursors.Get(r, key(name))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err == nil {
			seq = cursor.Seq
		}
		return err
	})
	return seq, err
}

// SaveCursor records that the named subscriber has dealt with everything up to
// seq.
func (d *Desk) SaveCursor(ctx context.Context, name string, seq uint64) error {
	return d.update(ctx, System(name), func(c *command) error {
		return cursors.Put(c, &cursor{Name: name, Seq: seq})
	})
}

type cursor struct {
	Name string
	Seq  uint64
}

// wakeups tell waiting goroutines that something new is durable. They are only
// hints: whoever is woken reads the store.
type wakeups struct {
	mu     sync.Mutex
	last   uint64
	events chan struct{} // closed at the next event
	timers chan struct{} // holds one hint
}

func newWakeups() *wakeups {
	return &wakeups{events: make(chan struct{}), timers: make(chan struct{}, 1)}
}

func (w *wakeups) event(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if seq <= w.last {
		return
	}
	w.last = seq
	close(w.events)
	w.events = make(chan struct{})
}

func (w *wakeups) wait(ctx context.Context, after uint64) (uint64, error) {
	for {
		w.mu.Lock()
		last, next := w.last, w.events
		w.mu.Unlock()
		if last > after {
			return last, nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return last, ctx.Err()
		}
	}
}

func (w *wakeups) timer() {
	select {
	case w.timers <- struct{}{}:
	default:
	}
}
