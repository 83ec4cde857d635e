package mail

import (
	"bytes"
	"strings"
	"time"
)

// Invitation is the first event of a calendar part (RFC 5545, RFC 5546): what
// someone reads who is invited, told of a change, or answered.
type Invitation struct {
	// Method is what the mail wants, in upper case: REQUEST, REPLY, CANCEL, …
	Method string
	// UID names the event in all mails about it; Sequence counts its revisions.
	UID      string
	Sequence int

	Summary     string
	Description string
	Location    string
	// Status is TENTATIVE, CONFIRMED or CANCELLED, or empty.
	Status string

	// Start and End are in the zone of the event; End is zero where none is
	// given. An event of whole days has midnights in UTC, End the day after the
	// last.
	Start, End time.Time
	AllDay     bool
	// Zone is the name of the zone as the sender wrote it; empty for UTC and for
	// times that name none, which are the same everywhere (RFC 5545 section
	// 3.3.5, form 1) and are given in UTC with Floating set.
	Zone     string
	Floating bool
	// Recurrence is the rule of an event that repeats, as written (RFC 5545
	// section 3.3.10).
	Recurrence string

	Organizer Address
	Attendees []Attendee
}

// Attendee is a person invited.
type Attendee struct {
	Address
	// Participation is NEEDS-ACTION, ACCEPTED, DECLINED, TENTATIVE or DELEGATED.
	Participation string
	// Optional says that the person need not come.
	Optional bool
}

const (
	maxCalendarLines = 20000
	maxAttendees     = 500
)

// isCalendar says that a part is an iCalendar object.
func isCalendar(e *entity) bool {
	return e.contentType == "text/calendar" || e.contentType == "application/ics" ||
		strings.HasSuffix(strings.ToLower(e.filename), ".ics")
}

// takeInvitation reads a calendar part into the message; the first that holds
// an event is taken.
func (p *parsing) takeInvitation(e *entity, data []byte) {
	if p.message.Calendar != nil {
		return
	}
	for _, fold := range []string{"\r\n ", "\r\n\t", "\n ", "\n\t"} {
		data = bytes.ReplaceAll(data, []byte(fold), nil) // lines are folded inside characters too
	}
	invitation := readInvitation(cleanText(p.text(data, e.parameters["charset"], "calendar")))
	if invitation == nil {
		return // a task list, free times, or nothing: an attachment like any other
	}
	if invitation.Method == "" {
		invitation.Method = strings.ToUpper(oneLine(e.parameters["method"]))
	}
	p.message.Calendar = invitation
}

// readInvitation reads the first VEVENT of an iCalendar text; nil without one
// that has a beginning or a title.
func readInvitation(text string) *Invitation {
	lines := splitCalendar(text)
	zones := readCalendarZones(lines)
	var invitation Invitation
	var duration time.Duration
	component := "" // VEVENT once inside; components in it are passed over
	inner := 0
	for _, l := range lines {
		switch {
		case l.name == "BEGIN" && component == "VEVENT":
			inner++
		case l.name == "BEGIN" && strings.EqualFold(l.value, "VEVENT"):
			component = "VEVENT"
		case l.name == "END" && inner > 0:
			inner--
		case l.name == "END" && component == "VEVENT":
			return invitation.finish(duration)
		case component == "" && l.name == "METHOD":
			invitation.Method = strings.ToUpper(oneLine(l.value))
		case component == "VEVENT" && inner == 0:
			if l.name == "DURATION" {
				duration = parseCalendarDuration(l.value)
				continue
			}
			invitation.take(l, zones)
		}
	}
	if component == "" {
		return nil
	}
	return invitation.finish(duration) // the text is cut short
}

func (i *Invitation) finish(duration time.Duration) *Invitation {
	if i.Start.IsZero() && i.Summary == "" {
		return nil
	}
	if i.End.IsZero() && !i.Start.IsZero() {
		switch {
		case duration > 0:
			i.End = i.Start.Add(duration)
		case i.AllDay:
			i.End = i.Start.AddDate(0, 0, 1)
		}
	}
	return i
}

// take reads one property of the event.
func (i *Invitation) take(l calendarLine, zones calendarZones) {
	switch l.name {
	case "UID":
		i.UID = oneLine(l.value)
	case "SEQUENCE":
		i.Sequence = max(0, calendarNumber(l.value))
	case "SUMMARY":
		i.Summary = cleanName(unescapeCalendar(l.value))
	case "DESCRIPTION":
		i.Description = strings.TrimSpace(unescapeCalendar(l.value))
	case "LOCATION":
		i.Location = cleanName(unescapeCalendar(l.value))
	case "STATUS":
		i.Status = strings.ToUpper(oneLine(l.value))
	case "RRULE":
		i.Recurrence = oneLine(l.value)
	case "DTSTART":
		if t := zones.time(l); !t.time.IsZero() {
			i.Start, i.AllDay, i.Zone, i.Floating = t.time, t.allDay, t.zone, t.floating
		}
	case "DTEND":
		i.End = zones.time(l).time
	case "ORGANIZER":
		i.Organizer = calendarAddress(l)
	case "ATTENDEE":
		if a := calendarAddress(l); a != (Address{}) && len(i.Attendees) < maxAttendees {
			i.Attendees = append(i.Attendees, Attendee{
				Address: a, Participation: strings.ToUpper(oneLine(l.parameters["PARTSTAT"])),
				Optional: strings.EqualFold(l.parameters["ROLE"], "OPT-PARTICIPANT") || strings.EqualFold(l.parameters["ROLE"], "NON-PARTICIPANT"),
			})
		}
	}
}

// calendarAddress reads a person: a mailto: value with the name as a parameter.
func calendarAddress(l calendarLine) Address {
	a := Address{Name: cleanName(l.parameters["CN"])}
	address := oneLine(l.value)
	if rest, ok := cutPrefixFold(address, "mailto:"); ok || strings.Contains(address, "@") {
		a.Address = cleanAddress(rest)
	} else if email := l.parameters["EMAIL"]; email != "" {
		a.Address = cleanAddress(email)
	}
	if a.Name == a.Address {
		a.Name = ""
	}
	return a
}
