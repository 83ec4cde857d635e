package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// Explain says why a stored message is where it is: from its record, its
// source, the tables as they are, and every event that names it. A rule that
// changed since does not change the answer, for which there is Rehearse.
func (d *Desk) Explain(ctx context.Context, a Actor, messageID string) (Explanation, error) {
	if err := a.may("read the explanation of a message", PermitSupervise); err != nil {
		return Explanation{}, err
	}
	var e Explanation
	err := d.view(ctx, func(r store.Reader) error {
		m, err := messages.Get(r, key(messageID))
		if errors.Is(err, store.ErrNotFound) && a.May(PermitQuarantine) {
			e, err = explainQuarantined(r, messageID)
			return err
		}
		if m, err = found(m, err, "message", messageID); err != nil {
			return err
		}
		raw, err := raws.Get(r, key(messageID))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		past := &retelling{Reader: r, message: m, trace: &trace{}}
		e = explain(m)
		err = past.tell(raw)
		e.Steps = past.trace.steps
		return err
	})
	return e, err
}

// retelling makes the steps of a stored message anew.
type retelling struct {
	store.Reader
	message *Message
	events  []*Event // all that name it, in order
	trace   *trace
}

func (r *retelling) tell(raw []byte) error {
	var err error
	if r.events, err = eventsOf(r, r.message); err != nil {
		return err
	}
	m := r.message
	if m.Direction == Inbound && m.Reason != ReasonLogged {
		if err := r.arrival(raw); err != nil {
			return err
		}
	}
	for _, e := range r.events {
		r.trace.event(e)
	}
	if err := r.deliveries(); err != nil {
		return err
	}
	if err := r.timers(m.ID, TimerCopy, TimerRelay, TimerAcknowledge, TimerAnalyse); err != nil {
		return err
	}
	if err := r.timers(formatNumber(m.Ticket), TimerMatch, TimerAutoReply); err != nil {
		return err
	}
	r.trace.placed(m, false)
	return nil
}

// arrival tells how a received mail came and what decided its place.
func (r *retelling) arrival(raw []byte) error {
	m := r.message
	r.trace.add(StepReceived, "at", stamp(m.At), "remote_ip", m.Envelope.RemoteIP, "helo", m.Envelope.HELO,
		"mail_from", m.Envelope.MailFrom, "size", strconv.Itoa(len(raw)))
	why := ""
	if class := mail.Classify(mail.Parse(raw), m.Envelope.nullSender()); kindOf(class) == m.Kind {
		why = class.Reason
	}
	r.trace.mail(m, why)
	token, err := r.recipients()
	if err != nil {
		return err
	}
	if token != nil {
		r.trace.add(StepToken, "ticket", formatNumber(token.Ticket))
	} else if err := r.references(); err != nil {
		return err
	}
	r.admission()
	for _, b := range m.Bounces {
		r.trace.add(StepBounceOf, "recipient", b.Recipient, "status", b.Status, "note", b.Reason)
	}
	return nil
}

// recipients resolves the envelope as of the arrival; an alias that has gone
// since is unknown.
func (r *retelling) recipients() (token *Token, err error) {
	for _, address := range r.message.Envelope.Recipients {
		to, err := findRecipient(r, address, r.message.At)
		var refused *RecipientError
		switch {
		case errors.As(err, &refused):
			r.trace.refused(refused)
		case err != nil:
			return nil, err
		default:
			r.trace.recipient(to)
			if token == nil {
				token = to.token
			}
		}
	}
	return token, nil
}

// references looks up what the mail answers, among the messages that were
// there when it came.
func (r *retelling) references() error {
	m := r.message
	if mail.IsForwardSubject(m.Subject) {
		r.trace.add(StepForward, "subject", m.Subject)
		return nil
	}
	list := slices.Concat(m.References, m.InReplyTo)
	slices.Reverse(list)
	r.trace.references(list)
	for _, id := range list[:min(len(list), maxReferences)] {
		known, err := r.referred(id)
		if err != nil {
			return err
		}
		switch {
		case known == nil || known.ID == m.ID || known.At.After(m.At):
			r.trace.add(StepReferenceUnknown, "id", id)
		case known.State == MessageRefused || known.State == MessageHeld:
			r.trace.add(StepReferenceIgnored, "id", id, "ticket", formatNumber(known.Ticket), "state", string(known.State))
		default:
			r.trace.add(StepReferenceFound, "id", id, "ticket", formatNumber(known.Ticket), "message", known.ID)
			return nil
		}
	}
	return nil
}

// referred is the message of an id that decided where the mail belongs, or else
// the first to bear it; nil for none.
func (r *retelling) referred(id string) (first *Message, err error) {
	for known, err := range namesakes(r, id) {
		if err != nil || known.ID == r.message.Via {
			return known, err
		}
		if first == nil {
			first = known
		}
	}
	return first, nil
}

// admission says whether the sender was let in, by the reason that the first
// event kept: the message's own changes when somebody decides.
func (r *retelling) admission() {
	m := r.message
	for _, e := range r.events {
		reason := Reason(e.Data["reason"])
		switch {
		case reason == "":
			continue
		case m.Kind == KindBounce || m.Kind == KindReport:
			r.trace.add(StepNoParticipant, "kind", string(m.Kind))
			return
		}
		switch reason {
		case ReasonToken, ReasonReference:
			r.trace.add(StepParticipant, "address", m.From.Email, "ticket", formatNumber(e.Ticket))
		case ReasonStrangerToken, ReasonStrangerRef:
			r.trace.add(StepStranger, "address", m.From.Email, "ticket", formatNumber(e.Ticket))
		case ReasonFailedAuth:
			r.trace.add(StepParticipant, "address", m.From.Email, "ticket", formatNumber(e.Ticket))
			r.trace.add(StepFailedAuth, "address", m.From.Email)
		}
		return
	}
}

// deliveries tells the fate of the message's own deliveries, or of those of the
// message that a bounce is about.
func (r *retelling) deliveries() error {
	id := r.message.ID
	if r.message.Kind == KindBounce && r.message.Via != "" {
		id = r.message.Via
	}
	list, err := deliveriesOf(r, id)
	if err != nil {
		return err
	}
	for _, d := range list {
		said := ""
		if n := len(d.Attempts); n > 0 {
			said = d.Attempts[n-1].Text
		}
		r.trace.add(StepDelivery, "recipient", d.Recipient, "delivery", string(d.State), "attempts", strconv.Itoa(len(d.Attempts)),
			"next", stamp(d.NextAt), "note", said)
	}
	return nil
}

// timers names the work under an id that is still to be done.
func (r *retelling) timers(id string, kinds ...TimerKind) error {
	for _, kind := range kinds {
		timer, err := timers.Get(r, key(string(kind), id))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		r.trace.timer(kind, timer.Due)
	}
	return nil
}

// eventsOf returns all events that name m, oldest first, and the merging of a
// ticket that m was on. A message that was moved has some on the tickets it
// came from, which those on its present one name.
func eventsOf(r store.Reader, m *Message) (list []*Event, err error) {
	visited := map[uint64]bool{}
	was := map[uint64]bool{} // tickets with an event of the message
	var merges []*Event
	for queue := []uint64{m.Ticket}; len(queue) > 0; queue = queue[1:] {
		number := queue[0]
		if visited[number] {
			continue
		}
		visited[number] = true
		for e, err := range events.ScanIndex(r, "ticket", store.Prefix(key(number))) {
			if err != nil {
				return nil, err
			}
			from, moved := parseNumber(e.Data["ticket"])
			to, forwards := parseNumber(e.Data["to_ticket"])
			switch {
			case e.Message == m.ID:
				list = append(list, e)
				was[number] = true
			case e.Message != "" || !moved || !forwards:
				continue // of another message, or of no merging
			case from == number:
				merges = append(merges, e)
			}
			if moved {
				queue = append(queue, from)
			}
			if forwards {
				queue = append(queue, to)
			}
		}
	}
	for _, e := range merges {
		if was[e.Ticket] {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return list, nil
}
