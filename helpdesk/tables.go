package helpdesk

import (
	"encoding/hex"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// The tables. They hold no state: a table is only the way its records and
// index keys are written.
var (
	events = store.NewTable(store.Spec[Event]{Name: "event", Version: 1,
		Key: func(e *Event) []byte { return key(e.Seq) },
		Indexes: []store.Index[Event]{
			{Name: "ticket", Keys: func(e *Event) [][]byte {
				if e.Ticket == 0 {
					return nil
				}
				return one(key(e.Ticket, e.Seq))
			}},
			{Name: "audit", Keys: func(e *Event) [][]byte { return when(e.audited(), key(e.Seq)) }},
		}})
	layouts = store.NewTable(store.Spec[layout]{Name: "layout", Version: 1,
		Key: func(l *layout) []byte { return key(l.Table) }})
	cursors = store.NewTable(store.Spec[cursor]{Name: "cursor", Version: 1,
		Key: func(c *cursor) []byte { return key(c.Name) }})
	timers = store.NewTable(store.Spec[Timer]{Name: "timer", Version: 1,
		Key: func(t *Timer) []byte { return key(string(t.Kind), t.ID) },
		Indexes: []store.Index[Timer]{
			{Name: "due", Keys: func(t *Timer) [][]byte {
				if t.Parked {
					return nil
				}
				return one(key(string(t.Kind), t.Due))
			}},
			{Name: "claimed", Keys: func(t *Timer) [][]byte { return when(!t.Claimed.IsZero(), key(t.Claimed)) }},
			{Name: "parked", Keys: func(t *Timer) [][]byte { return one(key(!t.Parked, t.Due)) }},
		}})

	settings = store.NewTable(store.Spec[Settings]{Name: "settings", Version: 1,
		Key: func(*Settings) []byte { return key("house") }})
	users = store.NewTable(store.Spec[User]{Name: "user", Version: 1,
		Key: func(u *User) []byte { return key(u.ID) },
		Indexes: []store.Index[User]{
			{Name: "email", Unique: true, Keys: func(u *User) [][]byte { return one(key(u.Email)) }},
		}})
	apiTokens = store.NewTable(store.Spec[APIToken]{Name: "apitoken", Version: 1,
		Key: func(t *APIToken) []byte { return key(t.Hash) },
		Indexes: []store.Index[APIToken]{
			{Name: "user", Keys: func(t *APIToken) [][]byte { return one(key(t.UserID)) }},
		}})
	aliases = store.NewTable(store.Spec[Alias]{Name: "alias", Version: 1,
		Key: func(a *Alias) []byte { return key(a.ID) }, Clone: (*Alias).clone,
		Indexes: []store.Index[Alias]{
			{Name: "address", Unique: true, Keys: func(a *Alias) [][]byte { return one(key(a.Address)) }},
			{Name: "domain", Keys: func(a *Alias) [][]byte { return one(key(domainOf(a.Address))) }},
		}})
	pipelines = store.NewTable(store.Spec[Pipeline]{Name: "pipeline", Version: 1,
		Key: func(p *Pipeline) []byte { return key(p.ID) }, Clone: (*Pipeline).clone,
		Indexes: []store.Index[Pipeline]{
			{Name: "name", Unique: true, Keys: func(p *Pipeline) [][]byte { return one(key(strings.ToLower(p.Name))) }},
			{Name: "position", Keys: func(p *Pipeline) [][]byte { return one(key(uint64(max(p.Position, 0)), p.ID)) }},
		}})

	notes = store.NewTable(store.Spec[Note]{Name: "note", Version: 1,
		Key: func(n *Note) []byte { return key(n.ID) },
		Indexes: []store.Index[Note]{
			{Name: "ticket", Keys: func(n *Note) [][]byte { return one(key(n.Ticket, n.ID)) }},
		}})
	notices = store.NewTable(store.Spec[Notice]{Name: "notice", Version: 1,
		Key: func(n *Notice) []byte { return key(n.ID) },
		Indexes: []store.Index[Notice]{
			{Name: "user", Keys: func(n *Notice) [][]byte { return one(key(n.UserID, descending(n.At), n.ID)) }},
			{Name: "unread", Keys: func(n *Notice) [][]byte { return when(n.ReadAt.IsZero(), key(n.UserID, n.Ticket, string(n.Kind))) }},
			{Name: "age", Keys: func(n *Notice) [][]byte { return one(key(n.At)) }},
		}})
	noticeChoices = store.NewTable(store.Spec[NoticeChoice]{Name: "noticechoice", Version: 1,
		Key: func(c *NoticeChoice) []byte { return key(c.UserID) }})
	pushSubscriptions = store.NewTable(store.Spec[PushSubscription]{Name: "pushsubscription", Version: 1,
		Key: func(s *PushSubscription) []byte { return key(s.ID) },
		Indexes: []store.Index[PushSubscription]{
			{Name: "user", Keys: func(s *PushSubscription) [][]byte { return one(key(s.UserID, s.CreatedAt)) }},
		}})
	pushKeys = store.NewTable(store.Spec[PushKeys]{Name: "pushkeys", Version: 1,
		Key: func(*PushKeys) []byte { return key("house") }})
	suppressions = store.NewTable(store.Spec[Suppression]{Name: "suppression", Version: 1,
		Key: func(s *Suppression) []byte { return key(s.Address) }})
	acknowledgements = store.NewTable(store.Spec[acknowledged]{Name: "acknowledgement", Version: 1,
		Key: func(a *acknowledged) []byte { return key(a.To) },
		Indexes: []store.Index[acknowledged]{
			{Name: "until", Keys: func(a *acknowledged) [][]byte { return one(key(a.Until)) }},
		}})
	movings = store.NewTable(store.Spec[Moving]{Name: "moving", Version: 1,
		Key: func(m *Moving) []byte { return key(m.ID) },
		Indexes: []store.Index[Moving]{
			{Name: "ticket", Keys: func(m *Moving) [][]byte { return [][]byte{key(m.From, m.ID), key(m.Into, m.ID)} }},
		}})
	blockedSenders = store.NewTable(store.Spec[Blocked]{Name: "blocked", Version: 1,
		Key: func(b *Blocked) []byte { return key(b.Pattern) }})
	savedViews = store.NewTable(store.Spec[SavedView]{Name: "view", Version: 1,
		Key: func(v *SavedView) []byte { return key(v.ID) }})
	preferences = store.NewTable(store.Spec[Preference]{Name: "preference", Version: 1,
		Key: func(p *Preference) []byte { return key(p.UserID) }})
	bulks = store.NewTable(store.Spec[Bulk]{Name: "bulk", Version: 1,
		Key: func(b *Bulk) []byte { return key(b.ID) }})
	bulkItems = store.NewTable(store.Spec[BulkItem]{Name: "bulkitem", Version: 1,
		Key: func(i *BulkItem) []byte { return key(i.Bulk, i.Index) }})
	tokens = store.NewTable(store.Spec[Token]{Name: "token", Version: 1,
		Key: func(t *Token) []byte { return key(t.Value) }})
	deliveries = store.NewTable(store.Spec[Delivery]{Name: "delivery", Version: 1,
		Key: func(d *Delivery) []byte { return key(d.ID) },
		Indexes: append([]store.Index[Delivery]{
			{Name: "message", Keys: func(d *Delivery) [][]byte { return one(key(d.Message, d.ID)) }},
			{Name: "state", Keys: func(d *Delivery) [][]byte { return one(key(string(d.State), d.CreatedAt)) }},
			{Name: "deferred", Keys: func(d *Delivery) [][]byte {
				return when(d.State == DeliveryDeferred, key(strings.ToLower(d.Recipient)))
			}},
		}, queueIndexes...)})
	analyses = store.NewTable(store.Spec[Analysis]{Name: "analysis", Version: 1,
		Key: func(a *Analysis) []byte { return key(a.MessageID) },
		Indexes: []store.Index[Analysis]{
			{Name: "failed", Keys: func(a *Analysis) [][]byte {
				if a.Error == "" {
					return nil
				}
				return one(key(a.At))
			}},
			{Name: "corrected", Keys: func(a *Analysis) [][]byte { return when(len(a.Corrections) > 0, key(a.MessageID)) }},
			{Name: "uncounted", Keys: func(a *Analysis) [][]byte { return when(a.Counted == nil, key(a.MessageID)) }},
			{Name: "day", Keys: func(a *Analysis) [][]byte { return a.onDay("") }},
			{Name: "pipeline+day", Keys: func(a *Analysis) [][]byte { return a.onDay("pipeline") }},
			{Name: "alias+day", Keys: func(a *Analysis) [][]byte { return a.onDay("alias") }},
			{Name: "actions+day", Keys: func(a *Analysis) [][]byte {
				if len(a.OpenActions()) == 0 {
					return nil
				}
				return a.onDay("")
			}},
		}})
	templates = store.NewTable(store.Spec[Template]{Name: "template", Version: 1,
		Key: func(t *Template) []byte { return key(t.ID) },
		Indexes: []store.Index[Template]{
			{Name: "name", Unique: true, Keys: func(t *Template) [][]byte {
				return one(key(t.OwnerID, strings.ToLower(t.Folder), strings.ToLower(t.Name)))
			}},
			{Name: "shortcut", Unique: true, Keys: func(t *Template) [][]byte {
				return when(t.Shortcut != "", key(t.OwnerID, strings.ToLower(t.Shortcut)))
			}},
		}})
	seens = store.NewTable(store.Spec[seen]{Name: "seen", Version: 1,
		Key: func(s *seen) []byte { return key(s.UserID, s.Ticket) }})
	idempotencies = store.NewTable(store.Spec[idempotency]{Name: "idempotency", Version: 1,
		Key: func(i *idempotency) []byte { return key(i.Actor, i.Key) }})

	rules = store.NewTable(store.Spec[AssignmentRule]{Name: "rule", Version: 1,
		Key: func(r *AssignmentRule) []byte { return key(r.ID) }})
	rotations = store.NewTable(store.Spec[rotation]{Name: "rotation", Version: 1,
		Key: func(r *rotation) []byte { return key(r.RuleID) }})
	activities = store.NewTable(store.Spec[activity]{Name: "activity", Version: 1,
		Key: func(a *activity) []byte { return key(a.UserID) }})
	calendars = store.NewTable(store.Spec[Calendar]{Name: "calendar", Version: 1,
		Key: func(c *Calendar) []byte { return key(c.ID) }})
	duePolicies = store.NewTable(store.Spec[DuePolicy]{Name: "duepolicy", Version: 1,
		Key: func(p *DuePolicy) []byte { return key(p.Scope) }})
	dueProgresses = store.NewTable(store.Spec[dueProgress]{Name: "dueprogress", Version: 1,
		Key: func(*dueProgress) []byte { return key("tickets") }})

	bodies = store.NewTable(store.Spec[Body]{Name: "body", Version: 1,
		Key: func(b *Body) []byte { return key(b.MessageID) }})
	// raws holds every mail exactly as received or composed.
	raws = store.Blobs{Name: "raw"}
	// templateFiles holds the files of templates.
	templateFiles = store.Blobs{Name: "templatefile"}
)

var messages = store.NewTable(store.Spec[Message]{Name: "message", Version: 1,
	Key: func(m *Message) []byte { return key(m.ID) },
	Indexes: []store.Index[Message]{
		{Name: "ticket", Keys: func(m *Message) [][]byte { return one(key(m.Ticket, m.At, m.ID)) }},
		{Name: "messageid", Keys: func(m *Message) [][]byte {
			if m.MessageID == "" {
				return nil
			}
			return one(key(m.MessageID))
		}},
		{Name: "identity", Version: 1, Keys: func(m *Message) [][]byte { return when(m.Identity != "", identityKey(m.Identity)) }},
		{Name: "mail", Keys: func(m *Message) [][]byte { // what came by SMTP, for the ledger
			return when(m.Direction == Inbound && m.Reason != ReasonLogged && m.Reason != ReasonImported, key(string(m.State), m.At))
		}},
	}})

// identityKey is a mail's identity in an index: the bytes that its hexadecimal digits say,
// which take half.
func identityKey(identity string) []byte {
	digest, err := hex.DecodeString(identity)
	if err != nil {
		return key(identity)
	}
	return digest
}

// Every list of tickets is an index that ends in the time of the last change,
// newest first, and the number: its position (query_scan.go). Those by state
// begin with what they list, then the ticket's state. A merged ticket is in
// none of them. An index whose keys change takes a new name or version: then Open
// makes the entries of an older store anew.
var tickets = ticketTable{store.NewTable(store.Spec[Ticket]{Name: "ticket", Version: 1,
	Key: func(t *Ticket) []byte { return key(t.Number) },
	Indexes: []store.Index[Ticket]{
		{Name: "state", Keys: func(t *Ticket) [][]byte { return t.listed(true, key(string(t.State()))) }},
		{Name: "assignee+state", Keys: func(t *Ticket) [][]byte { return t.inState(t.AssigneeID) }},
		{Name: "team+state", Version: 1, Keys: func(t *Ticket) [][]byte { return t.inStateOf(t.TeamID) }},
		{Name: "pipeline+state", Keys: func(t *Ticket) [][]byte { return t.inState(t.PipelineID) }},
		{Name: "stage+state", Keys: func(t *Ticket) [][]byte {
			return t.listed(true, key(t.PipelineID, t.StageID, string(t.State())))
		}},
		{Name: "tag+state", Keys: func(t *Ticket) [][]byte { return t.inState(t.Tags...) }},
		{Name: "alias+state", Keys: func(t *Ticket) [][]byte { return t.inState(t.Aliases...) }},
		{Name: "language+state", Version: 1, Keys: func(t *Ticket) [][]byte { return t.inStateOf(t.Language) }},
		{Name: "replytype+state", Version: 1, Keys: func(t *Ticket) [][]byte { return t.inStateOf(t.ReplyType) }},
		{Name: "priority+state", Keys: func(t *Ticket) [][]byte { return t.inState(string(t.Priority)) }},
		{Name: "waiting+state", Keys: func(t *Ticket) [][]byte { return t.listed(!t.WaitingSince.IsZero(), key(string(t.State()))) }},
		{Name: "held+state", Keys: func(t *Ticket) [][]byte { return t.listed(t.Held > 0, key(string(t.State()))) }},
		{Name: "failed+state", Keys: func(t *Ticket) [][]byte { return t.listed(t.DeliveryFailed, key(string(t.State()))) }},
		{Name: "follower+state", Keys: func(t *Ticket) [][]byte { return t.inState(t.Followers...) }},
		{Name: "contact", Keys: func(t *Ticket) [][]byte { return t.listed(true, key(t.ContactID)) }},
		{Name: "load", Version: 1, Keys: func(t *Ticket) [][]byte {
			return t.listed(t.AssigneeID != "" && t.State() == StateOpen && !t.WaitingSince.IsZero(), key(t.AssigneeID))
		}},
		{Name: "mentioned+state", Keys: func(t *Ticket) [][]byte { return t.inState(t.Mentioned...) }},
		{Name: "unreadmention+state", Keys: func(t *Ticket) [][]byte { return t.inState(t.UnreadMentions...) }},
		{Name: "overdue+state", Keys: func(t *Ticket) [][]byte { return t.listed(t.Overdue, key(string(t.State()))) }},
		{Name: "due", Keys: func(t *Ticket) [][]byte { return when(!t.DueAt.IsZero(), key(t.DueAt, t.Number)) }},
		{Name: "drafter+state", Keys: func(t *Ticket) [][]byte { return t.inState(t.Drafters...) }},
		{Name: "review+state", Keys: func(t *Ticket) [][]byte { return t.listed(t.Reviews > 0, key(string(t.State()))) }},
		{Name: "autoreply+state", Keys: func(t *Ticket) [][]byte {
			return t.listed(t.AutoReply.live(), key(string(t.autoReplyState()), string(t.State())))
		}},
		{Name: "waitingsince", Keys: func(t *Ticket) [][]byte { // who has waited longest comes first
			return when(t.State() != "" && !t.WaitingSince.IsZero(), key(t.WaitingSince, t.Number))
		}},
	}})}

func recent(t *Ticket, prefix []byte) []byte {
	return append(prefix, key(descending(t.UpdatedAt), t.Number)...)
}

// listed is the ticket's entry in a list that it belongs to.
func (t *Ticket) listed(belongs bool, prefix []byte) [][]byte {
	return when(belongs && t.MergedInto == 0 && !t.Withdrawn, recent(t, prefix))
}

// inState are the ticket's entries in the lists of values, by its state.
func (t *Ticket) inState(values ...string) (keys [][]byte) {
	for _, value := range values {
		keys = append(keys, t.listed(true, key(value, string(t.State())))...)
	}
	return keys
}

// inStateOf is inState for a value that most tickets have none of, and that nobody
// lists the lack of: a plan asks no list for that.
func (t *Ticket) inStateOf(value string) [][]byte {
	if value == "" {
		return nil
	}
	return t.inState(value)
}

// onDay is the analysis's entry in the lists of a day that is counted.
func (a *Analysis) onDay(by string) [][]byte {
	at := a.Counted
	switch {
	case at == nil || at.Out:
		return nil
	case by == "pipeline":
		return one(key(at.PipelineID, at.Day, a.MessageID))
	case by == "alias":
		return one(key(at.AliasID, at.Day, a.MessageID))
	}
	return one(key(at.Day, a.MessageID))
}

func one(k []byte) [][]byte { return [][]byte{k} }

func when(condition bool, k []byte) [][]byte {
	if !condition {
		return nil
	}
	return one(k)
}

// seen is the newest event of a ticket that a user has looked at.
type seen struct {
	UserID string
	Ticket uint64
	Seq    uint64
}

// idempotency remembers what a command with a key made, so that a repeated
// request makes nothing new.
type idempotency struct {
	Actor   string
	Key     string
	Digest  string `cbor:",omitempty"` // of what was asked for; "" where none was given
	Message string // or note; "" where it made nothing: a draft that was discarded
}

func domainOf(address string) string {
	return address[strings.LastIndexByte(address, '@')+1:]
}
