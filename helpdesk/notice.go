package helpdesk

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// NoticeKind says what a user is told of.
type NoticeKind string

// The notice kinds.
const (
	NoticeAssigned NoticeKind = "assigned" // a ticket was given to the user
	NoticeMention  NoticeKind = "mention"  // a note names the user
	NoticeCustomer NoticeKind = "customer" // the customer of a ticket that the user has or follows wrote
	NoticeOverdue  NoticeKind = "overdue"  // the user's ticket is late
	NoticeWoken    NoticeKind = "woken"    // the user's ticket came back from its rest
	NoticeFailed   NoticeKind = "failed"   // the user's reply did not arrive
	NoticeDelayed  NoticeKind = "delayed"  // the user's reply is still being tried after hours
	NoticeHeld     NoticeKind = "held"     // a mail on the user's ticket waits to be confirmed
	NoticeMatched  NoticeKind = "matched"  // a service is about to answer a ticket
	NoticeApproval NoticeKind = "approval" // a colleague's reply waits for somebody who may approve
	NoticeApproved NoticeKind = "approved" // the user's reply was approved
	NoticeReturned NoticeKind = "returned" // the user's reply was sent back, or did not leave at its time
	NoticeAlarm    NoticeKind = "alarm"    // something of the server needs an admin
	NoticeToken    NoticeKind = "token"    // an API token of the user's ends soon, or has ended
	NoticeLogin    NoticeKind = "login"    // the user's account was logged in to from a browser that was never seen with it
)

// NoticeKinds are all kinds, the most pressing first.
var NoticeKinds = []NoticeKind{NoticeAlarm, NoticeOverdue, NoticeApproval, NoticeReturned, NoticeCustomer, NoticeMention, NoticeAssigned, NoticeApproved, NoticeFailed, NoticeDelayed, NoticeHeld, NoticeMatched, NoticeWoken, NoticeToken, NoticeLogin}

// NoticeChannel is a way in which a notice reaches a user.
type NoticeChannel string

// The channels. In the web is where every notice is kept.
const (
	ChannelWeb  NoticeChannel = "web"
	ChannelPush NoticeChannel = "push"
	ChannelMail NoticeChannel = "mail"
)

// NoticeChannels are all channels.
var NoticeChannels = []NoticeChannel{ChannelWeb, ChannelPush, ChannelMail}

// Notice tells one user of something that somebody else, or time, did. What
// happens again before it was read is added to the same notice.
type Notice struct {
	ID     string // ULID
	UserID string
	Kind   NoticeKind
	Ticket uint64
	// Message is the newest message that it is about, or "".
	Message string
	// Subject is that of a new mail that is not sent, of an alarm, or the browser
	// of a login: such a notice has no Ticket.
	Subject string `cbor:",omitempty"`
	// BulkReply is the reply to many that it is about, or "".
	BulkReply string    `cbor:",omitempty"`
	Alarm     AlarmKind `cbor:",omitempty"` // the newest
	Seq       uint64    // the newest event
	Count     int
	By        Actor
	At        time.Time // of the newest
	ReadAt    time.Time // zero while it is unread
}

// NoticeView is a notice with the names that are shown with it.
type NoticeView struct {
	Notice  Notice
	Subject string      // the ticket's
	Contact string      // name or address of the ticket's customer
	Snippet string      // what was newest on the ticket when it was read, or what an alarm that stands found, in English
	Found   AlarmDetail // the same of an alarm, for the reader's language
	Note    *Note       // the newest that a mention is about, nil where there is none or it is gone
}

// NoticeChoice is in which ways a user wants to be told of what. Without one, all
// is told in the web and by the browsers that asked for it, and by mail only what
// whoever reads the screen may not be the right one to see, or sees too late.
type NoticeChoice struct {
	UserID   string
	Channels map[NoticeKind][]NoticeChannel
	// WorkingHours has what goes by push and mail wait until the user works again.
	// Alarms do not wait.
	WorkingHours bool `cbor:",omitempty"`
}

// Wants reports whether notices of a kind go a way.
func (c *NoticeChoice) Wants(kind NoticeKind, channel NoticeChannel) bool {
	list, chosen := c.Channels[kind]
	if !chosen {
		return channel != ChannelMail || kind == NoticeAlarm || kind == NoticeLogin
	}
	return slices.Contains(list, channel)
}

const (
	noticeLifetime = 30 * 24 * time.Hour
	// mailDelay gives whoever sits before the screen time to read a notice there.
	mailDelay = 3 * time.Minute
	// forgetAtOnce bounds the old notices that one command forgets.
	forgetAtOnce = 20
)

// pendingNotice is one that a command causes, until its end.
type pendingNotice struct {
	user  string
	kind  NoticeKind
	event Event
}

// tellOf makes the notices that the command's events cause: after all else is
// written, so that the tickets say who has them.
func (c *command) tellOf(list []Event) error {
	var pending []pendingNotice
	read := c.newest // neighbouring events are mostly of one ticket, and of the one just put
	ticket := func(number uint64) (*Ticket, error) {
		if read != nil && read.Number == number {
			return read, nil
		}
		t, err := tickets.Get(c, key(number))
		if errors.Is(err, store.ErrNotFound) {
			return &Ticket{}, nil
		}
		read = t
		return t, err
	}
	for _, e := range list {
		told, err := c.causes(e, ticket)
		if err != nil {
			return err
		}
		for _, p := range told {
			again := slices.ContainsFunc(pending, func(o pendingNotice) bool { return o.user == p.user && o.event.Ticket == p.event.Ticket })
			if p.user != "" && (p.user != e.Actor.UserID || p.kind == NoticeLogin) && (!again || p.kind == NoticeReturned) {
				pending = append(pending, p)
			}
		}
	}
	for _, p := range pending {
		if err := c.tell(p); err != nil {
			return err
		}
	}
	if len(pending) > 0 {
		return c.forgetNotices()
	}
	return nil
}

// tell makes a notice, or adds to the one of its kind that is still unread, and
// sets the timers of the ways in which the user wants it.
func (c *command) tell(p pendingNotice) error {
	user, err := users.Get(c, key(p.user))
	if errors.Is(err, store.ErrNotFound) || (err == nil && user.Disabled) {
		return nil
	}
	if err != nil {
		return err
	}
	choice, err := choiceOf(c, p.user)
	if err != nil {
		return err
	}
	if !choice.Wants(p.kind, ChannelWeb) && !choice.Wants(p.kind, ChannelPush) && !choice.Wants(p.kind, ChannelMail) {
		return nil
	}
	n, err := notices.First(c, "unread", key(p.user, p.event.Ticket, string(p.kind)))
	if errors.Is(err, store.ErrNotFound) {
		n, err = &Notice{ID: c.desk.newID(), UserID: p.user, Kind: p.kind, Ticket: p.event.Ticket}, nil
	}
	if err != nil {
		return err
	}
	n.Count++
	n.Seq, n.Message, n.By, n.At = p.event.Seq, p.event.Message, p.event.Actor, c.now
	if n.Ticket == 0 {
		n.Subject = cmp.Or(p.event.Data["subject"], p.event.Data["browser"])
		n.BulkReply = p.event.Data["bulk_reply"]
	}
	if p.kind == NoticeAlarm {
		n.Alarm = AlarmKind(p.event.Data["kind"])
	}
	if !choice.Wants(p.kind, ChannelWeb) {
		n.ReadAt = c.now // it is kept for what tells of it elsewhere, and not shown as new
	}
	if err := notices.Put(c, n); err != nil {
		return err
	}
	at, err := c.reachable(user, choice, p.kind)
	if err != nil || at.IsZero() {
		return err
	}
	if choice.Wants(p.kind, ChannelPush) {
		if err := c.pushLater(n, at); err != nil {
			return err
		}
	}
	if choice.Wants(p.kind, ChannelMail) && n.Count == 1 {
		return c.quietTimer(TimerNotice, n.ID, at.Add(mailDelay))
	}
	return nil
}

// reachable is from when on a user wants to be reached away from the screen;
// zero where nobody knows when they are back.
func (c *command) reachable(u *User, choice *NoticeChoice, kind NoticeKind) (time.Time, error) {
	if !choice.WorkingHours || kind == NoticeAlarm || kind == NoticeLogin {
		return c.now, nil
	}
	at := c.now
	if u.AwayAt(at) {
		if at = u.Away.Until; at.IsZero() {
			return at, nil
		}
	}
	schedule, err := c.clock().schedule(u.CalendarID)
	if err != nil {
		return time.Time{}, err
	}
	return schedule.Next(at), nil
}

// quietTimer sets a timer that no rehearsal tells of: it is about colleagues,
// not about the mail.
func (c *command) quietTimer(kind TimerKind, id string, due time.Time) error {
	c.timers = true
	return timers.Put(c, &Timer{Kind: kind, ID: id, Due: due, Set: c.now})
}

func (c *command) forgetNotices() error {
	var old []string
	for n, err := range notices.ScanIndex(c, "age", store.Range{End: key(c.now.Add(-noticeLifetime))}) {
		if err != nil {
			return err
		}
		if old = append(old, n.ID); len(old) == forgetAtOnce {
			break
		}
	}
	for _, id := range old {
		if err := notices.Delete(c, key(id)); err != nil {
			return err
		}
	}
	return nil
}

func choiceOf(r store.Reader, user string) (*NoticeChoice, error) {
	choice, err := noticeChoices.Get(r, key(user))
	if errors.Is(err, store.ErrNotFound) {
		return &NoticeChoice{UserID: user}, nil
	}
	return choice, err
}
