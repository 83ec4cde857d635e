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

func (r reader) event(e helpdesk.Event) (eventView, bool) {
	icon, ok := eventIcons[e.Kind]
	if !ok {
		return eventView{}, false
	}
	key := "event." + strings.ReplaceAll(string(e.Kind), ".", "_")
	args := []any{strong(r.actorName(e.Actor))}
	switch e.Kind {
	case helpdesk.EventTicketStage:
		args = append(args, strong(e.Data["from"]), strong(e.Data["to"]))
	case helpdesk.EventTicketSpam:
		if pattern := e.Data["pattern"]; pattern != "" {
			key, args = key+"_blocked", []any{strong(pattern)}
		} else if filter := e.Data["filter"]; filter != "" {
			key, args = key+"_filtered", []any{strong(filter)}
		}
	case helpdesk.EventSenderBlocked:
		args = append(args, strong(e.Data["sender"]))
	case helpdesk.EventMailReleased:
		if e.Data["why"] == "again" {
			key, args = key+"_again", nil
		}
	case helpdesk.EventTicketImported:
		args = append(args, strong(e.Data["source"]), strong(e.Data["id"]))
	case helpdesk.EventTicketContact:
		args = append(args, strong(e.Data["from"]), strong(e.Data["to"]))
	case helpdesk.EventTicketPriority:
		args = append(args, strong(r.T("priority."+e.Data["from"])), strong(r.T("priority."+e.Data["to"])))
	case helpdesk.EventTicketSnoozed:
		if until, err := time.Parse(time.RFC3339, e.Data["until"]); err == nil {
			args = append(args, strong(r.Long(until)))
		} else {
			key += "_reply"
		}
	case helpdesk.EventTicketWoken:
		if key += "_" + e.Data["why"]; e.Data["why"] != string(helpdesk.WokenByHand) {
			args = nil
		}
	case helpdesk.EventTicketReopened:
		args = append(args, strong(e.Data["to"]))
	case helpdesk.EventMessageJoined, helpdesk.EventMessageRefused:
		args = append(args, strong(e.Data["from"]))
	case helpdesk.EventMessageSplit:
		args = append(args, strong(e.Data["from"]), ticketLink(e.Data["ticket"]))
		if to := e.Data["to_ticket"]; to != "" {
			key, args[2] = key+"_to", ticketLink(to)
		}
	case helpdesk.EventMessageMoved, helpdesk.EventMessageReturned, helpdesk.EventTicketMerged, helpdesk.EventTicketUnmerged:
		args = append(args, ticketLink(e.Data["ticket"]))
		if to := e.Data["to_ticket"]; to != strconv.FormatUint(e.Ticket, 10) {
			key, args[1] = key+"_to", ticketLink(to)
		}
	case helpdesk.EventTicketDistinct:
		args = append(args, ticketLink(e.Data["to_ticket"]))
	case helpdesk.EventTicketAssigned:
		key, args = r.assigned(e, key, args)
	case helpdesk.EventTicketTeam:
		args = append(args, strong(e.Data["to"]))
		if e.Data["to"] == "" {
			key, args[1] = key+"_none", strong(e.Data["from"])
		}
	case helpdesk.EventTicketField:
		args = append(args, strong(e.Data["field"]), strong(e.Data["to"]))
		if e.Data["to"] == "" {
			key, args = key+"_none", args[:2]
		}
	case helpdesk.EventTicketTags:
		args = append(args, strong(strings.ReplaceAll(e.Data["tags"], ", ", " · ")))
		if e.Data["tags"] == "" {
			key += "_none"
		}
	case helpdesk.EventTicketFollowed:
		if e.Data["rule"] == "" { // whoever chose it knows
			return eventView{}, false
		}
		key, args = key+"_rule", []any{strong(e.Data["rule"]), strong(e.Data["followers"])}
	case helpdesk.EventAnalysisCorrected:
		f := helpdesk.Finding(e.Data["finding"])
		args = append(args, strong(r.findingLabel(f)), strong(r.correctedTo(f, e.Data["from"])), strong(r.correctedTo(f, e.Data["to"])))
	case helpdesk.EventActionTicked:
		if args = append(args, strong(e.Data["text"])); e.Data["state"] == "open" {
			key += "_open"
		}
	case helpdesk.EventRuleApplied:
		args = append(args, strong(e.Data["rule"]))
	case helpdesk.EventRuleNobody:
		args = append(args, strong(e.Data["rule"]), skippedWords(r.Printer, e.Data["skipped"]))
	case helpdesk.EventTicketOverdue:
		due, _ := time.Parse(time.RFC3339, e.Data["due"])
		args = append(args, r.T("due.what."+e.Data["what"], r.Long(due)))
	case helpdesk.EventServiceMatched, helpdesk.EventServiceUnmatched, helpdesk.EventServiceRejected, helpdesk.EventServiceStopped, helpdesk.EventServiceSent:
		key, args = r.autoReplyEvent(e, key, args)
	case helpdesk.EventReplyScheduled:
		at, _ := time.Parse(time.RFC3339, e.Data["at"])
		args = append(args, strong(r.Long(at)))
	case helpdesk.EventReplyStopped:
		switch e.Data["why"] {
		case helpdesk.ReturnedFailed:
			key, args = key+"_failed", append(args, explain(r.Printer, helpdesk.KeptError(e.Data["failure"], e.Data["text"])))
		case helpdesk.ReturnedSpam:
			key += "_spam"
		}
	case helpdesk.EventApprovalRefused:
		args = append(args, e.Data["comment"])
	case helpdesk.EventReplyApproved:
		if e.Data["edited"] != "" {
			key += "_edited"
		}
	case helpdesk.EventMessageElsewhere:
		if args = []any{strong(e.Data["from"]), ticketLink(e.Data["to_ticket"])}; e.Data["also_ticket"] != "" {
			key, args[1] = key+"_also", ticketLink(e.Data["also_ticket"])
		}
	case helpdesk.EventMessageDecoded:
		args = append(args, strong(e.Data["charset"]))
		if e.Data["charset"] == "automatic" {
			key += "_automatic"
		}
	case helpdesk.EventAddressSuppressed, helpdesk.EventAddressOptedOut, helpdesk.EventCopySent, helpdesk.EventCopyFailed:
		args = append(args, strong(e.Data["recipient"]))
	}
	view := eventView{Seq: e.Seq, Icon: icon, Text: withTickets(r.T(key, args...)), Time: longMoment(r.Printer, e.At)}
	// A merged ticket offers it where its composer was.
	if m := standing(r.movings, e.Data["moving"]); m != nil && m.Seq <= e.Seq && (m.Kind == helpdesk.MovingMessage || e.Ticket == m.Into) {
		if r.may(helpdesk.PermitMerge) {
			view.Undo, view.UndoKind = m.ID, string(m.Kind)
		}
	}
	return view, true
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
