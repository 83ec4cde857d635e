package helpdesk

import (
	"cmp"
	"context"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// NoticeChoice returns how the actor wants to be told.
func (d *Desk) NoticeChoice(ctx context.Context, a Actor) (choice *NoticeChoice, err error) {
	if err := a.may("read their notices", PermitRead); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		choice, err = choiceOf(r, a.UserID)
		return err
	})
	return choice, err
}

// ChooseNotices sets how the actor wants to be told. The choice's UserID does not
// count.
func (d *Desk) ChooseNotices(ctx context.Context, a Actor, wanted NoticeChoice) error {
	if err := a.may("choose their notices", PermitRead); err != nil {
		return err
	}
	choice := &NoticeChoice{UserID: a.UserID, Channels: map[NoticeKind][]NoticeChannel{}, WorkingHours: wanted.WorkingHours}
	for kind, list := range wanted.Channels {
		if !slices.Contains(NoticeKinds, kind) {
			return invalid("kind", "notice_unknown", "there is no notice %q", kind)
		}
		for _, channel := range list {
			if !slices.Contains(NoticeChannels, channel) {
				return invalid("channel", "notice_unknown", "there is no way %q to be told", channel)
			}
		}
		choice.Channels[kind] = append([]NoticeChannel{}, list...)
	}
	return d.update(ctx, a, func(c *command) error { return noticeChoices.Put(c, choice) })
}

// MaxUnread is how far unread notices are counted.
const MaxUnread = 100

// Notices returns up to limit notices of the actor, the newest first, and how
// many are unread, counted up to MaxUnread.
func (d *Desk) Notices(ctx context.Context, a Actor, limit int) (list []NoticeView, unread int, err error) {
	if err := a.may("read their notices", PermitRead); err != nil {
		return nil, 0, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list, unread = nil, 0
		if limit > 0 {
			for n, err := range notices.ScanIndex(r, "user", store.Prefix(key(a.UserID))) {
				if err != nil {
					return err
				}
				view, err := noticeView(r, n)
				if err != nil {
					return err
				}
				if list = append(list, *view); len(list) == limit {
					break
				}
			}
		}
		for _, err := range notices.ScanIndexKeys(r, "unread", store.Prefix(key(a.UserID))) {
			if err != nil {
				return err
			}
			if unread++; unread == MaxUnread {
				break
			}
		}
		return nil
	})
	return list, unread, err
}

// mentionIn is the newest note that a notice is about; nil where the notice is about none, or the note is gone.
func mentionIn(r store.Reader, n *Notice) (*Note, error) {
	if n.Kind != NoticeMention {
		return nil, nil
	}
	event, err := optional(events.Get(r, key(n.Seq)))
	if err != nil || event == nil || event.Data["note"] == "" {
		return nil, err
	}
	return optional(notes.Get(r, key(event.Data["note"])))
}

func noticeView(r store.Reader, n *Notice) (*NoticeView, error) {
	view := &NoticeView{Notice: *n, Subject: n.Subject}
	if n.Ticket == 0 {
		alarm, err := optional(alarms.Get(r, key(string(n.Alarm), n.Subject)))
		if err == nil && alarm != nil {
			view.Snippet, view.Found = alarm.Detail, alarm.Found()
		}
		return view, err
	}
	t, err := tickets.Get(r, key(n.Ticket))
	if err != nil {
		return nil, err
	}
	contact, err := contacts.Get(r, key(t.ContactID))
	if err != nil {
		return nil, err
	}
	view.Subject, view.Snippet, view.Contact = t.Subject, t.Snippet, contact.Name
	if view.Contact == "" {
		view.Contact = contact.Email
	}
	if view.Note, err = mentionIn(r, n); err != nil {
		return nil, err
	}
	if n.Kind == NoticeCustomer && n.Message != "" {
		m, err := optional(messages.Get(r, key(n.Message)))
		if err != nil {
			return nil, err
		}
		if m != nil && m.ThirdParty {
			view.Contact = cmp.Or(m.From.Name, m.From.Email)
		}
	}
	return view, nil
}

// ReadNotices marks the actor's notices as read: those of one ticket, or all
// where ticket is 0.
func (d *Desk) ReadNotices(ctx context.Context, a Actor, ticket uint64) error {
	if err := a.may("read their notices", PermitRead); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		_, err := c.readNotices(a.UserID, ticket)
		return err
	})
}

func (c *command) readNotices(user string, ticket uint64) (read int, err error) {
	prefix := key(user)
	if ticket != 0 {
		prefix = key(user, ticket)
	}
	var list []*Notice
	for n, err := range notices.ScanIndex(c, "unread", store.Prefix(prefix)) {
		if err != nil {
			return 0, err
		}
		list = append(list, n)
	}
	for _, n := range list {
		n.ReadAt = c.now
		if err := c.clearTimer(TimerNotice, n.ID); err != nil {
			return 0, err
		}
		if err := notices.Put(c, n); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}
