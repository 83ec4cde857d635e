package helpdesk

import "errors"

// causes says who is to be told of an event.
func (c *command) causes(e Event, ticket func(number uint64) (*Ticket, error)) (list []pendingNotice, err error) {
	if e.Kind == EventAlarmRaised {
		admins, err := usersWho(c, PermitSystem)
		for _, id := range admins {
			list = append(list, pendingNotice{id, NoticeAlarm, e})
		}
		return list, err
	}
	if e.Kind == EventTokenEnding || e.Kind == EventTokenEnded {
		return []pendingNotice{{e.Data["owner"], NoticeToken, e}}, nil
	}
	if e.Kind == EventLogin && e.Data["device"] == newDevice {
		return []pendingNotice{{e.Actor.UserID, NoticeLogin, e}}, nil
	}
	if e.Ticket == 0 && e.Data["draft"] == "" && e.Data["bulk_reply"] == "" {
		return nil, nil
	}
	add := func(kind NoticeKind, users ...string) {
		for _, id := range users {
			list = append(list, pendingNotice{id, kind, e})
		}
	}
	switch e.Kind {
	case EventTicketAssigned:
		t, err := ticket(e.Ticket)
		if err != nil || t.Spam != nil {
			return nil, err
		}
		add(NoticeAssigned, e.Data["to_id"])
	case EventNoteAdded:
		note, err := notes.Get(c, key(e.Data["note"]))
		if err != nil {
			return nil, err
		}
		add(NoticeMention, note.Mentions...)
	case EventBulkReplyAsked:
		approvers, err := approversBut(c, e.Data["author"])
		add(NoticeApproval, approvers...)
		return list, err
	case EventBulkReplyReturned:
		add(NoticeReturned, e.Data["author"])
	case EventApprovalRequested, EventReplyApproved, EventApprovalRefused, EventReplyStopped, EventDraftWithdrawn:
		return c.causesOfApproval(e)
	case EventTicketCreated, EventMessageReceived, EventMessageJoined, EventMessageElsewhere, EventReplyLogged, EventMessageHeld, EventTicketOverdue, EventTicketWoken, EventDeliveryFailed, EventDeliveryDelayed, EventServiceMatched:
		t, err := ticket(e.Ticket)
		if err != nil || t.Spam != nil { // nobody is called to look at spam
			return nil, err
		}
		return c.causesOf(e, t)
	}
	return list, nil
}

// causesOfApproval says who is to be told of what becomes of a reply that did
// not leave at once. What is decided calls nobody else.
func (c *command) causesOfApproval(e Event) (list []pendingNotice, err error) {
	author := e.Data["author"]
	approvers, err := approversBut(c, author)
	if err != nil {
		return nil, err
	}
	switch e.Kind {
	case EventApprovalRequested:
		for _, id := range approvers {
			list = append(list, pendingNotice{id, NoticeApproval, e})
		}
		return list, nil
	case EventReplyApproved:
		list = []pendingNotice{{author, NoticeApproved, e}}
	case EventApprovalRefused, EventReplyStopped:
		list = []pendingNotice{{author, NoticeReturned, e}}
	}
	asked := e.Ticket
	if _, newMail := e.Data["subject"]; newMail {
		asked = 0
	}
	if waits, err := c.reviewsLeft(asked); err != nil || waits {
		return list, err
	}
	for _, id := range approvers {
		n, err := optional(notices.First(c, "unread", key(id, asked, string(NoticeApproval))))
		if err != nil {
			return nil, err
		}
		if n == nil {
			continue
		}
		n.ReadAt = c.now
		if err := errors.Join(c.clearTimer(TimerNotice, n.ID), notices.Put(c, n)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// reviewsLeft tells whether something at a ticket, or a new mail where number is
// 0, still waits for approval.
func (c *command) reviewsLeft(number uint64) (bool, error) {
	if number == 0 {
		n, err := countUpTo(drafts, c, "mail", key(string(DraftReview)))
		return n > 0, err
	}
	t, err := tickets.Get(c, key(number))
	return err == nil && t.Reviews > 0, err
}

// isOwnReturned reports whether a message is an automatic mail of our own that came
// back, as a notice does that its user's mailbox forwards to an alias. To tell of it
// would make the next.
func (c *command) isOwnReturned(id string) (bool, error) {
	m, err := optional(messages.Get(c, key(id)))
	if err != nil || m == nil || !m.NeverAnswer || m.Direction != Inbound {
		return false, err
	}
	return isOurs(c, m.From.Email)
}

// causesOf says who is to be told of an event that concerns whoever has the
// ticket.
func (c *command) causesOf(e Event, t *Ticket) (list []pendingNotice, err error) {
	add := func(kind NoticeKind, users ...string) {
		for _, id := range users {
			list = append(list, pendingNotice{id, kind, e})
		}
	}
	switch e.Kind {
	case EventTicketCreated:
		if t.AssigneeID == "" {
			return nil, nil
		}
		if back, err := c.isOwnReturned(e.Message); err != nil || back {
			return nil, err
		}
		add(NoticeAssigned, t.AssigneeID)
	case EventMessageElsewhere:
		m, err := messages.Get(c, key(e.Message))
		if err != nil || m.Ticket == t.Number || m.State != MessagePosted || !m.fromCustomer() {
			return nil, err
		}
		add(NoticeCustomer, t.AssigneeID)
		add(NoticeCustomer, t.Followers...)
	case EventMessageReceived, EventMessageJoined, EventReplyLogged:
		if t.AssigneeID == "" && len(t.Followers) == 0 {
			return nil, nil // as most new mails: spares reading the message
		}
		m, err := messages.Get(c, key(e.Message))
		if err != nil || !m.fromCustomer() {
			return nil, err
		}
		if back, err := c.isOwnReturned(m.ID); err != nil || back {
			return nil, err
		}
		add(NoticeCustomer, t.AssigneeID)
		add(NoticeCustomer, t.Followers...)
	case EventMessageHeld:
		add(NoticeHeld, t.AssigneeID)
	case EventServiceMatched:
		whom, err := whoAnswers(c, t)
		if err != nil {
			return nil, err
		}
		add(NoticeMatched, whom...)
	case EventTicketOverdue:
		add(NoticeOverdue, t.AssigneeID)
	case EventTicketWoken:
		if e.Data["why"] == string(WokenByTime) {
			add(NoticeWoken, t.AssigneeID)
		}
	case EventDeliveryFailed, EventDeliveryDelayed:
		m, err := messages.Get(c, key(e.Message))
		if err != nil {
			return nil, err
		}
		if m.Direction == Outbound {
			kind := NoticeFailed
			if e.Kind == EventDeliveryDelayed {
				kind = NoticeDelayed
			}
			add(kind, m.AuthorID)
			add(kind, t.AssigneeID)
		}
	}
	return list, nil
}
