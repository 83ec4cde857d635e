package ui

import (
	"html/template"
	"regexp"
	"slices"
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
	// Older is a stretch of a long conversation that is folded away, Letters how
	// many messages and notes are in it.
	Older   []timelineItem
	Letters int
}

// A conversation of more than foldFrom messages and notes shows its first one
// and the last keepLast of them; what is between is one click away.
const (
	foldFrom = 14
	keepLast = 6
)

// foldOlder folds the middle of a long conversation, but nothing that is new to
// the reader.
func foldOlder(items []timelineItem) []timelineItem {
	var letters []int // where they are
	for i, item := range items {
		if item.New {
			break
		}
		if item.Message != nil || item.Note != nil {
			letters = append(letters, i)
		}
	}
	if len(letters) <= foldFrom {
		return items
	}
	from, to := letters[0]+1, letters[len(letters)-keepLast]
	older := timelineItem{Older: items[from:to:to], Letters: len(letters) - keepLast - 1}
	return slices.Concat(items[:from], []timelineItem{older}, items[to:])
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
	teams    []string // their names, which notes mention
	movable  bool     // messages can be moved away from the ticket
}

// timeline is everything that happened, in order of time. The line "new from
// here" stands before the first customer's message after the event seen.
func (r reader) timeline(t *helpdesk.TicketView, seen uint64) []timelineItem {
	type entry struct {
		at   time.Time
		item timelineItem
	}
	fresh := unseen(t.Events, seen)
	var entries []entry
	for _, m := range t.Messages {
		view := r.message(m)
		view.Fresh = fresh[m.Message.ID]
		entries = append(entries, entry{m.Message.At, timelineItem{Message: &view}})
	}
	for _, n := range t.Notes {
		entries = append(entries, entry{n.Note.At, timelineItem{Note: r.note(n)}})
	}
	for _, e := range t.Events {
		if view, ok := r.event(e); ok {
			entries = append(entries, entry{e.At, timelineItem{Event: &view}})
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return a.at.Compare(b.at) })
	items := make([]timelineItem, 0, len(entries)+1)
	marked := seen == 0
	for _, e := range entries {
		if m := e.item.Message; !marked && m != nil && m.Fresh {
			marked = true
			items = append(items, timelineItem{New: true})
		}
		items = append(items, e.item)
	}
	return foldOlder(items)
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
	helpdesk.EventMessageDecoded:    "retry",
	helpdesk.EventMessageMoved:      "arrow",
	helpdesk.EventMessageReturned:   "undo",
	helpdesk.EventTicketMerged:      "merge",
	helpdesk.EventTicketUnmerged:    "undo",
	helpdesk.EventTicketDistinct:    "split",
	helpdesk.EventReplyUndone:       "undo",
	helpdesk.EventTicketWithdrawn:   "undo",
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
