package ui

import (
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type eventView struct {
	Seq  uint64
	Icon string
	Text template.HTML
	Time moment
	// Undo is the moving that can be taken back, "" for none, and UndoKind which
	// sort it is.
	Undo, UndoKind string
}

// shownEvent tells whether the timeline shows an event.
func shownEvent(e helpdesk.Event) bool {
	_, shown := eventIcons[e.Kind]
	return shown && (e.Kind != helpdesk.EventTicketFollowed || e.Data["rule"] != "") // whoever chose to follow knows
}

// event is an event as the timeline shows it.
func (r reader) event(e helpdesk.Event) eventView {
	key, args := r.sentence(e)
	view := eventView{Seq: e.Seq, Icon: eventIcons[e.Kind], Text: withTickets(r.T(key, args...)), Time: longMoment(r.Printer, e.At)}
	// A merged ticket offers it where its composer was.
	if m := standing(r.movings, e.Data["moving"]); m != nil && m.Seq <= e.Seq && (m.Kind == helpdesk.MovingMessage || e.Ticket == m.Into) {
		if r.may(helpdesk.PermitMerge) {
			view.Undo, view.UndoKind = m.ID, string(m.Kind)
		}
	}
	return view
}

// eventParts lists, for the events whose sentence always has the same parts, the data that
// it names after who did it.
var eventParts = map[helpdesk.EventKind][]string{
	helpdesk.EventTicketStage:       {"from", "to"},
	helpdesk.EventSenderBlocked:     {"sender"},
	helpdesk.EventTicketImported:    {"source", "id"},
	helpdesk.EventTicketContact:     {"from", "to"},
	helpdesk.EventTicketReopened:    {"to"},
	helpdesk.EventMessageJoined:     {"from"},
	helpdesk.EventMessageRefused:    {"from"},
	helpdesk.EventRuleApplied:       {"rule"},
	helpdesk.EventAddressSuppressed: {"recipient"},
	helpdesk.EventAddressOptedOut:   {"recipient"},
	helpdesk.EventCopySent:          {"recipient"},
}

// sentence chooses the words for an event: a key of the catalogue and what it names, who
// did it first.
func (r reader) sentence(e helpdesk.Event) (key string, args []any) {
	key = "event." + strings.ReplaceAll(string(e.Kind), ".", "_")
	args = []any{strong(r.actorName(e.Actor))}
	for _, part := range eventParts[e.Kind] {
		args = append(args, strong(e.Data[part]))
	}
	switch e.Kind {
	case helpdesk.EventTicketPriority, helpdesk.EventTicketSnoozed, helpdesk.EventTicketWoken, helpdesk.EventTicketSpam, helpdesk.EventTicketAssigned,
		helpdesk.EventTicketTeam, helpdesk.EventTicketField, helpdesk.EventTicketTags, helpdesk.EventTicketFollowed, helpdesk.EventTicketOverdue:
		return r.ticketSentence(e, key, args)
	case helpdesk.EventMailReleased, helpdesk.EventMessageSplit, helpdesk.EventMessageMoved, helpdesk.EventMessageReturned, helpdesk.EventTicketMerged,
		helpdesk.EventTicketUnmerged, helpdesk.EventTicketDistinct, helpdesk.EventMessageElsewhere, helpdesk.EventMessageDecoded:
		return messageSentence(e, key, args)
	case helpdesk.EventReplyScheduled, helpdesk.EventReplyStopped, helpdesk.EventApprovalRefused, helpdesk.EventReplyApproved:
		return r.replySentence(e, key, args)
	case helpdesk.EventServiceMatched, helpdesk.EventServiceUnmatched, helpdesk.EventServiceRejected, helpdesk.EventServiceStopped, helpdesk.EventServiceSent:
		return r.autoReplyEvent(e, key, args)
	case helpdesk.EventCopyFailed:
		why := unmarked(whyUndelivered(r.Printer, helpdesk.Attempt{Enhanced: e.Data["status"], Text: e.Data["text"], Failure: e.Data["failure"]}))
		if e.Data["recipient"] == "" { // as versions before said it of an alias that is gone
			return key + "_nobody", append(args, why)
		}
		args = append(args, strong(e.Data["recipient"]), why)
	case helpdesk.EventAnalysisCorrected:
		f := helpdesk.Finding(e.Data["finding"])
		args = append(args, strong(r.findingLabel(f)), strong(r.correctedTo(f, e.Data["from"])), strong(r.correctedTo(f, e.Data["to"])))
	case helpdesk.EventActionTicked:
		if args = append(args, strong(e.Data["text"])); e.Data["state"] == "open" {
			key += "_open"
		}
	case helpdesk.EventRuleNobody:
		args = append(args, strong(e.Data["rule"]), skippedWords(r.Printer, e.Data["skipped"]))
	}
	return key, args
}

// ticketSentence is the sentence for a change of what a ticket says of itself.
func (r reader) ticketSentence(e helpdesk.Event, key string, args []any) (string, []any) {
	switch e.Kind {
	case helpdesk.EventTicketPriority:
		args = append(args, strong(r.T("priority."+e.Data["from"])), strong(r.T("priority."+e.Data["to"])))
	case helpdesk.EventTicketSnoozed:
		until, err := time.Parse(time.RFC3339, e.Data["until"])
		if err != nil {
			return key + "_reply", args
		}
		args = append(args, strong(r.Long(until)))
	case helpdesk.EventTicketWoken:
		if key += "_" + e.Data["why"]; e.Data["why"] != string(helpdesk.WokenByHand) {
			return key, nil
		}
	case helpdesk.EventTicketSpam:
		if pattern := e.Data["pattern"]; pattern != "" {
			return key + "_blocked", []any{strong(pattern)}
		}
		if filter := e.Data["filter"]; filter != "" {
			return key + "_filtered", []any{strong(filter)}
		}
	case helpdesk.EventTicketAssigned:
		return r.assigned(e, key, args)
	case helpdesk.EventTicketTeam:
		if e.Data["to"] == "" {
			return key + "_none", append(args, strong(e.Data["from"]))
		}
		args = append(args, strong(e.Data["to"]))
	case helpdesk.EventTicketField:
		if args = append(args, strong(e.Data["field"])); e.Data["to"] == "" {
			return key + "_none", args
		}
		args = append(args, strong(e.Data["to"]))
	case helpdesk.EventTicketTags:
		if args = append(args, strong(strings.ReplaceAll(e.Data["tags"], ", ", " · "))); e.Data["tags"] == "" {
			key += "_none"
		}
	case helpdesk.EventTicketFollowed:
		return key + "_rule", []any{strong(e.Data["rule"]), strong(e.Data["followers"])}
	case helpdesk.EventTicketOverdue:
		due, _ := time.Parse(time.RFC3339, e.Data["due"])
		args = append(args, r.T("due.what."+e.Data["what"], r.Long(due)))
	}
	return key, args
}

// messageSentence is the sentence for a message that came, went elsewhere or was read
// anew, and for tickets whose messages moved.
func messageSentence(e helpdesk.Event, key string, args []any) (string, []any) {
	switch e.Kind {
	case helpdesk.EventMailReleased:
		if e.Data["why"] == "again" {
			return key + "_again", nil
		}
	case helpdesk.EventMessageSplit:
		args = append(args, strong(e.Data["from"]))
		if to := e.Data["to_ticket"]; to != "" {
			return key + "_to", append(args, ticketLink(to))
		}
		args = append(args, ticketLink(e.Data["ticket"]))
	case helpdesk.EventMessageMoved, helpdesk.EventMessageReturned, helpdesk.EventTicketMerged, helpdesk.EventTicketUnmerged:
		if to := e.Data["to_ticket"]; to != strconv.FormatUint(e.Ticket, 10) {
			return key + "_to", append(args, ticketLink(to))
		}
		args = append(args, ticketLink(e.Data["ticket"]))
	case helpdesk.EventTicketDistinct:
		args = append(args, ticketLink(e.Data["to_ticket"]))
	case helpdesk.EventMessageElsewhere:
		from := strong(e.Data["from"])
		if also := e.Data["also_ticket"]; also != "" {
			return key + "_also", []any{from, ticketLink(also)}
		}
		return key, []any{from, ticketLink(e.Data["to_ticket"])}
	case helpdesk.EventMessageDecoded:
		if args = append(args, strong(e.Data["charset"])); e.Data["charset"] == "automatic" {
			key += "_automatic"
		}
	}
	return key, args
}

// replySentence is the sentence for a reply that did not leave at once.
func (r reader) replySentence(e helpdesk.Event, key string, args []any) (string, []any) {
	switch e.Kind {
	case helpdesk.EventReplyScheduled:
		at, _ := time.Parse(time.RFC3339, e.Data["at"])
		args = append(args, strong(r.Long(at)))
	case helpdesk.EventReplyStopped:
		switch e.Data["why"] {
		case helpdesk.ReturnedFailed:
			return key + "_failed", append(args, explain(r.Printer, helpdesk.KeptError(e.Data["failure"], e.Data["text"])))
		case helpdesk.ReturnedSpam:
			key += "_spam"
		}
	case helpdesk.EventApprovalRefused:
		args = append(args, e.Data["comment"])
	case helpdesk.EventReplyApproved:
		if e.Data["edited"] != "" {
			key += "_edited"
		}
	}
	return key, args
}

// assigned chooses the sentence for an assignment: to oneself, to somebody, to
// nobody.
func (r reader) assigned(e helpdesk.Event, key string, args []any) (string, []any) {
	by := e.Actor.UserID
	to := strong(r.T("event.person", e.Data["to"]))
	switch why := e.Data["why"]; {
	case why == "rule" && e.Data["to"] == "":
		return key + "_rule_nobody", append(args, strong(e.Data["rule"]))
	case why == "rule":
		return key + "_rule", append(args, strong(e.Data["rule"]), to)
	case why == "away" && e.Data["to"] == "":
		return key + "_away_nobody", args
	case why == "away":
		return key + "_away", append(args, to)
	case why == "disabled":
		return key + "_disabled", args
	case e.Data["to"] == "" && by != "" && by == e.Data["from_id"]:
		return key + "_left", args
	case e.Data["to"] == "":
		return key + "_nobody", args
	case by != "" && by == e.Data["to_id"]:
		return key + "_self", args
	}
	return key, append(args, to)
}

func (r reader) actorName(a helpdesk.Actor) string {
	if u, ok := r.people[a.UserID]; ok {
		return r.T("event.person", u.Name)
	}
	switch a.Kind {
	case helpdesk.ActorCustomer:
		return r.T("event.customer")
	case helpdesk.ActorFile:
		return r.T("event.file")
	}
	return r.T("event.system")
}

// strong marks a part of a sentence before the sentence is put together, and
// withTickets makes elements of the marks once all of it is escaped.
func strong(s string) string { return "\x01" + unmarked(s) + "\x02" }

// ticketLink stands for a ticket's number in a sentence, which withTickets makes a
// link of.
func ticketLink(number string) string { return "\x03#" + unmarked(number) + "\x04" }

func linkTo(number uint64) string { return ticketLink(strconv.FormatUint(number, 10)) }

// unmarked takes out of a name what would be taken for a mark.
func unmarked(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, s)
}

func withTickets(sentence string) template.HTML {
	escaped := template.HTMLEscapeString(sentence)
	escaped = strings.NewReplacer("\x01", "<b>", "\x02", "</b>").Replace(escaped)
	return template.HTML(ticketNumberMark.ReplaceAllString(escaped, `<a class="link" href="/tickets/$1">#$1</a>`))
}
