package ui

import (
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// messageMark is a quiet word about a mail, below its sender.
type messageMark struct{ Icon, Text string }

// invitationView is a calendar's event as a card. It only tells: answers go by
// a reply.
type invitationView struct {
	Title     string
	What      string // what the mail wants
	Cancelled bool
	Asks      bool // an answer is expected
	When      string
	ISO       string
	Note      string // about the time
	Where     string
	Repeats   string
	Rule      string // the repetition as written
	Organizer string
	Attendees []attendeeView
	More      []attendeeView // folded away
}

type attendeeView struct {
	Name   string
	Answer badge // empty while none was given
}

// maxAttendeesShown is how many people of an invitation stand in the open.
const maxAttendeesShown = 5

// special fills what a mail claims of itself, how it came and what it invites to.
func (r reader) special(view *messageView, m helpdesk.Message) {
	view.Marks = r.protection(m.Signed, m.Encrypted)
	if text := r.paths(m); text != "" {
		view.Marks = append(view.Marks, messageMark{"route", text})
	}
	if m.Invitation != nil {
		view.Invitation = r.invitation(m.Invitation)
	}
}

// protection says that a mail is signed or encrypted, and what that is worth.
func (v *visit) protection(signed, encrypted string) (marks []messageMark) {
	if encrypted != "" {
		marks = append(marks, messageMark{"lock", v.T("mark.encrypted", encrypted)})
	}
	if signed != "" {
		marks = append(marks, messageMark{"key", v.T("mark.signed", signed)})
	}
	return marks
}

// paths says by which of our addresses a mail came, where its header does not
// show that: through several, or through one it does not name.
func (r reader) paths(m helpdesk.Message) string {
	var all, unnamed []string
	for _, path := range m.Paths {
		if strings.HasPrefix(path, "reply+") || strings.HasPrefix(path, "bounce+") {
			continue // an address of one conversation says nothing about the way
		}
		all = append(all, path)
		if !names(m.To, path) && !names(m.Cc, path) {
			unnamed = append(unnamed, path)
		}
	}
	switch {
	case len(all) > 1 && len(unnamed) > 0 && len(unnamed) < len(all):
		return r.T("mark.paths_unnamed", r.and(all), r.and(unnamed))
	case len(unnamed) > 0:
		return r.T("mark.unnamed", r.and(unnamed))
	case len(all) > 1:
		return r.T("mark.paths", r.and(all))
	}
	return ""
}

func names(list []helpdesk.Address, address string) bool {
	return slices.ContainsFunc(list, func(a helpdesk.Address) bool { return strings.EqualFold(a.Email, address) })
}

// and joins names as a sentence does.
func (v *visit) and(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return strings.Join(list[:last], v.T("list.comma")) + v.T("list.and") + list[last]
}

func (r reader) invitation(i *helpdesk.Invitation) *invitationView {
	view := &invitationView{Title: i.Summary, What: wordOf(r.Printer, "invitation.method."+strings.ToLower(i.Method), r.T("invitation.method.publish")),
		Cancelled: i.Cancelled(), Where: i.Location, ISO: isoTime(i.Start), Rule: i.Recurrence, Organizer: personName(i.Organizer)}
	if view.Title == "" {
		view.Title = r.T("invitation.untitled")
	}
	view.Asks = i.Method == "REQUEST" && !view.Cancelled
	view.When = r.when(i)
	switch {
	case i.AllDay || i.Start.IsZero():
	case i.Floating:
		view.Note = r.T("invitation.floating")
	default:
		view.Note = i.Start.In(r.Zone).Format("MST")
	}
	if i.Recurrence != "" {
		view.Repeats = r.repeats(i.Recurrence)
	}
	for _, a := range i.Attendees {
		view.Attendees = append(view.Attendees, r.attendee(a))
	}
	if len(view.Attendees) > maxAttendeesShown+1 {
		view.Attendees, view.More = view.Attendees[:maxAttendeesShown], view.Attendees[maxAttendeesShown:]
	}
	return view
}

// when says an event's time as the reader's clock shows it. Whole days and
// times without a zone are the same everywhere.
func (r reader) when(i *helpdesk.Invitation) string {
	if i.Start.IsZero() {
		return ""
	}
	p := r.Printer
	if i.AllDay || i.Floating {
		p.Zone = time.UTC
	}
	day := func(t time.Time) string { return p.T("invitation.day", p.Date(t), p.Weekday(t)) }
	start, end := i.Start, i.End
	if i.AllDay {
		end = end.AddDate(0, 0, -1) // it names the day after
		if !end.After(start) {
			return day(start) + " " + p.T("invitation.all_day")
		}
		return day(start) + "–" + day(end) + " " + p.T("invitation.all_day")
	}
	switch text := day(start) + " " + p.Clock(start); {
	case !end.After(start):
		return text
	case p.Date(start) == p.Date(end):
		return text + "–" + p.Clock(end)
	default:
		return text + " – " + day(end) + " " + p.Clock(end)
	}
}

// repeats says a rule of RFC 5545 section 3.3.10 in a word where it is one.
func (r reader) repeats(rule string) string {
	frequency := ""
	for part := range strings.SplitSeq(strings.ToLower(rule), ";") {
		if name, value, _ := strings.Cut(part, "="); name == "freq" {
			frequency = value
		} else if name == "interval" && value != "1" {
			return r.T("invitation.repeats.other")
		}
	}
	return wordOf(r.Printer, "invitation.repeats."+frequency, r.T("invitation.repeats.other"))
}

// attendeeTones colours the answers that decide something.
var attendeeTones = map[string]string{"accepted": "good", "declined": "bad", "tentative": "warn"}

func (r reader) attendee(a helpdesk.Attendee) attendeeView {
	view := attendeeView{Name: personName(a.Address)}
	answer := strings.ReplaceAll(strings.ToLower(a.Participation), "-", "_")
	if answer != "needs_action" {
		view.Answer = badge{attendeeTones[answer], wordOf(r.Printer, "invitation.participation."+answer, "")}
	}
	if view.Answer.Text == "" && a.Optional {
		view.Answer.Text = r.T("invitation.optional")
	}
	return view
}

// personName shows the address beside the name: anybody can write a name.
func personName(a helpdesk.Address) string {
	switch {
	case a.Name == "":
		return a.Email
	case a.Email == "":
		return a.Name
	}
	return a.Name + " <" + a.Email + ">"
}

// risk warns of a file that can do harm when it is opened.
func (v *visit) risk(f *fileView, a helpdesk.Attachment) {
	if a.Risk == "" {
		return
	}
	f.Icon = "warn"
	f.Risk = wordOf(v.Printer, "file.risk."+a.Risk, a.Risk)
	f.Warning = wordOf(v.Printer, "file.warning."+a.Risk, v.T("file.warning.executable"))
}

// isMail says that an attachment is a mail of its own.
func isMail(a helpdesk.Attachment) bool {
	return a.ContentType == "message/rfc822" || a.ContentType == "message/global"
}
