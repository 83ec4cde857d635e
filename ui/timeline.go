package ui

import (
	"context"
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// timelineItem is one entry of a conversation: exactly one field is set, or
// New alone for the line above what the reader has not seen yet.
type timelineItem struct {
	Message *messageView
	Note    *noteView
	Event   *eventView
	New     bool
	Older   *olderView
}

type noteView struct {
	ID     string
	Author avatar
	Name   string
	Text   template.HTML
	Time   moment
}

// reader makes the views of one ticket for one person.
type reader struct {
	*visit
	server   *Server
	people   map[string]helpdesk.User
	analysis AnalysisStatus
	movings  []helpdesk.Moving
	path     string   // where the ticket is shown
	number   uint64   // of the ticket
	teams    []string // their names, which notes mention
	forwards bool     // the reader may pass messages on
	movable  bool     // messages can be moved away from the ticket
}

// entry is something that happened on a ticket, before it is shown.
type entry struct {
	at     time.Time
	letter string // the id of the element with its message or note, "" for an event
	event  string // the id of the element with its event, "" for a message or note
	// message is nil for all but messages; its text is read before it is shown.
	message *helpdesk.MessageView
	fresh   bool // a customer's message that the reader has not seen
	// show makes what is shown of it.
	show func() timelineItem
}

// Messages and notes are named by the elements that show them, as links do.
func messageElement(id string) string { return "message-" + id }
func noteElement(id string) string    { return "note-" + id }

// entries are what happened, in order of time, in which fresh says which
// messages the reader has not seen.
func (r reader) entries(t *helpdesk.TicketView, fresh map[string]bool) []entry {
	entries := make([]entry, 0, len(t.Messages)+len(t.Notes)+len(t.Events))
	for i := range t.Messages {
		m := &t.Messages[i]
		entries = append(entries, entry{at: m.Message.At, letter: messageElement(m.Message.ID), message: m, fresh: fresh[m.Message.ID], show: func() timelineItem {
			view := r.message(*m)
			return timelineItem{Message: &view}
		}})
	}
	for _, n := range t.Notes {
		entries = append(entries, entry{at: n.Note.At, letter: noteElement(n.Note.ID), show: func() timelineItem { return timelineItem{Note: r.note(n)} }})
	}
	for _, e := range t.Events {
		if !shownEvent(e) {
			continue
		}
		entries = append(entries, entry{at: e.At, event: eventPrefix + strconv.FormatUint(e.Seq, 10), show: func() timelineItem {
			view := r.event(e)
			return timelineItem{Event: &view}
		}})
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return a.at.Compare(b.at) })
	return entries
}

// timeline is what happened, in order of time, with what f folds away left out.
// The line "new from here" stands before the first customer's message after the
// event seen.
func (r reader) timeline(ctx context.Context, t *helpdesk.TicketView, seen uint64, f folding) ([]timelineItem, error) {
	var fresh map[string]bool
	if seen > 0 { // else the reader comes for the first time: nothing of it is news
		fresh = unseen(t.Events, seen)
	}
	found, err := r.matches(ctx, t, f.find)
	if err != nil {
		return nil, err
	}
	entries := r.entries(t, fresh)
	runs := f.runs(entries, found)
	runs = append(runs, f.eventRuns(entries, runs)...)
	items, err := r.unfold(ctx, t, entries, runs, 0, len(entries))
	r.found(items, f.find, len(found))
	return items, err
}

// unfold shows the entries from one position to before another, with a line in
// place of each run that is folded. It reads the texts of those messages, and of the
// strip's, into the outline t.
func (r reader) unfold(ctx context.Context, t *helpdesk.TicketView, entries []entry, runs []foldedRun, from, to int) ([]timelineItem, error) {
	shown := map[*helpdesk.MessageView]bool{}
	for i := from; i < to; i++ {
		if !slices.ContainsFunc(runs, func(run foldedRun) bool { return run.from <= i && i < run.to }) {
			shown[entries[i].message] = true
		}
	}
	wanted := func(m *helpdesk.MessageView) bool { return shown[m] || m.Message.State == helpdesk.MessageHeld }
	if err := r.server.desk.ReadBodies(ctx, r.actor(), t, wanted); err != nil {
		return nil, err
	}
	marked := false // no line "new from here" is wanted any more
	items := make([]timelineItem, 0, 64)
	for i := from; i < to; i++ {
		if n := slices.IndexFunc(runs, func(run foldedRun) bool { return run.from == i }); n >= 0 {
			items = append(items, timelineItem{Older: r.older(entries, runs, n)})
			i = runs[n].to - 1
			continue
		}
		if entries[i].fresh && !marked {
			marked = true
			items = append(items, timelineItem{New: true})
		}
		items = append(items, entries[i].show())
	}
	return items, nil
}

// unseen are the customers' messages that came after the event seen.
func unseen(events []helpdesk.Event, seen uint64) map[string]bool {
	fresh := map[string]bool{}
	for _, e := range events {
		if e.Seq <= seen {
			continue
		}
		switch e.Kind {
		case helpdesk.EventMessageReceived, helpdesk.EventMessageJoined, helpdesk.EventMessageSplit, helpdesk.EventReplyLogged:
			fresh[e.Message] = true
		}
	}
	return fresh
}

func (r reader) note(n helpdesk.NoteView) *noteView {
	return &noteView{ID: n.Note.ID, Author: newAvatar(n.Note.AuthorID, n.AuthorName), Name: n.AuthorName,
		Text: r.noteText(n.Note), Time: longMoment(r.Printer, n.Note.At)}
}

// noteText is a note with its links, and its mentions set off.
func (r reader) noteText(n helpdesk.Note) template.HTML {
	names := []string{}
	for _, id := range n.Mentions {
		if name := r.people[id].Name; name != "" {
			names = append(names, "@"+name, "＠"+name)
		}
	}
	for _, team := range r.teams {
		names = append(names, "@"+team, "＠"+team)
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) }) // 佐藤 遥 before 佐藤
	var b strings.Builder
	from := 0
	for i := 0; i < len(n.Text); i++ {
		for _, name := range names {
			if !strings.HasPrefix(n.Text[i:], name) {
				continue
			}
			b.WriteString(string(linked(n.Text[from:i])) + `<span class="mention">` + template.HTMLEscapeString(name) + `</span>`)
			from = i + len(name)
			i = from - 1
			break
		}
	}
	return template.HTML(b.String()) + linked(n.Text[from:])
}

// eventIcons are the events that a conversation shows, with their icons. The
// others are seen in what they did: a message, a badge, a delivery's fate.
var eventIcons = map[helpdesk.EventKind]string{
	helpdesk.EventTicketStage:       "arrow",
	helpdesk.EventTicketSpam:        "spam",
	helpdesk.EventTicketNotSpam:     "undo",
	helpdesk.EventSenderBlocked:     "refuse",
	helpdesk.EventMailReleased:      "check",
	helpdesk.EventTicketPriority:    "priority-high",
	helpdesk.EventTicketSnoozed:     "pause",
	helpdesk.EventTicketWoken:       "clock",
	helpdesk.EventTicketReopened:    "reopen",
	helpdesk.EventTicketAssigned:    "person",
	helpdesk.EventTicketTags:        "tag",
	helpdesk.EventTicketTeam:        "person",
	helpdesk.EventTicketField:       "rows",
	helpdesk.EventTicketOverdue:     "clock",
	helpdesk.EventTicketFollowed:    "eye",
	helpdesk.EventRuleApplied:       "route",
	helpdesk.EventRuleNobody:        "route",
	helpdesk.EventMessageJoined:     "merge",
	helpdesk.EventMessageSplit:      "split",
	helpdesk.EventMessageRefused:    "refuse",
	helpdesk.EventMessageDuplicate:  "copy",
	helpdesk.EventMessageElsewhere:  "route",
	helpdesk.EventMessageDecoded:    "retry",
	helpdesk.EventMessageMoved:      "arrow",
	helpdesk.EventMessageReturned:   "undo",
	helpdesk.EventTicketMerged:      "merge",
	helpdesk.EventTicketUnmerged:    "undo",
	helpdesk.EventTicketDistinct:    "split",
	helpdesk.EventReplyUndone:       "undo",
	helpdesk.EventTicketWithdrawn:   "undo",
	helpdesk.EventTicketErased:      "lock",
	helpdesk.EventTicketKept:        "lock",
	helpdesk.EventTicketImported:    "download",
	helpdesk.EventTicketRecovered:   "retry",
	helpdesk.EventTicketRestored:    "retry",
	helpdesk.EventDraftTaken:        "person",
	helpdesk.EventDraftWithdrawn:    "undo",
	helpdesk.EventReplyScheduled:    "clock",
	helpdesk.EventReplyStopped:      "warn",
	helpdesk.EventApprovalRequested: "hand",
	helpdesk.EventApprovalRefused:   "undo",
	helpdesk.EventReplyApproved:     "check",
	helpdesk.EventServiceMatched:    "sparkle",
	helpdesk.EventServiceUnmatched:  "sparkle",
	helpdesk.EventServiceRejected:   "refuse",
	helpdesk.EventServiceForbidden:  "refuse",
	helpdesk.EventServiceAgain:      "retry",
	helpdesk.EventServiceStopped:    "undo",
	helpdesk.EventServiceSent:       "sparkle",
	helpdesk.EventTicketContact:     "person",
	helpdesk.EventAddressSuppressed: "refuse",
	helpdesk.EventAddressOptedOut:   "refuse",
	helpdesk.EventCopySent:          "forward",
	helpdesk.EventAnalysisCorrected: "sparkle",
	helpdesk.EventActionTicked:      "check",
	helpdesk.EventCopyFailed:        "undelivered",
}

var ticketNumberMark = regexp.MustCompile("\x03#([0-9]+)\x04")
