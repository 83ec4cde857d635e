package ui

import (
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
)

// apiTicket is a ticket as lists have it. Users are named by address, stages
// and pipelines by name; null is nobody, none or never.
type apiTicket struct {
	Number         uint64     `json:"number"`
	Subject        string     `json:"subject"`
	Pipeline       string     `json:"pipeline"`
	Stage          string     `json:"stage"`
	Open           bool       `json:"open"`
	Assignee       *string    `json:"assignee"`
	Team           *string    `json:"team"` // its name
	Tags           []string   `json:"tags"`
	Priority       string     `json:"priority"`
	Spam           bool       `json:"spam"`
	Snoozed        bool       `json:"snoozed"`
	SnoozedUntil   *time.Time `json:"snoozed_until"`
	Contact        apiContact `json:"contact"`
	Aliases        []string   `json:"aliases"`
	Snippet        string     `json:"snippet"`
	Messages       int        `json:"message_count"`
	Held           int        `json:"held_count"`
	Unread         bool       `json:"unread"`
	DeliveryFailed bool       `json:"delivery_failed"`
	Trust          string     `json:"trust"`
	ReplyType      string     `json:"reply_type"`
	Previous       *uint64    `json:"previous"`
	CreatedAt      *time.Time `json:"created_at"`
	UpdatedAt      *time.Time `json:"updated_at"`
	WaitingSince   *time.Time `json:"waiting_since"`
	DueAt          *time.Time `json:"due_at"`
	Due            *string    `json:"due"`
	Overdue        bool       `json:"overdue"`
	// Service is where it stands with a smart service, null where none is at work.
	Service *apiAutoReply `json:"service"`
}

func (r roster) ticket(row helpdesk.TicketRow) apiTicket {
	t := row.Ticket
	var rest helpdesk.Snooze
	if t.Snooze != nil {
		rest = *t.Snooze
	}
	return apiTicket{Priority: t.Priority.Name(), Spam: t.Spam != nil, Snoozed: t.Snooze != nil, SnoozedUntil: timeOrNull(rest.Until), Number: t.Number, Subject: t.Subject, Pipeline: row.PipelineName, Stage: row.StageName, Open: t.Open,
		Assignee: r.email(t.AssigneeID), Team: orNull(row.TeamName), Tags: orEmpty(t.Tags), Contact: contactJSON(row.Contact), Aliases: orEmpty(t.Aliases),
		Snippet: t.Snippet, Messages: t.Messages, Held: t.Held, Unread: row.Unread, DeliveryFailed: t.DeliveryFailed,
		Trust: string(t.Trust), ReplyType: t.ReplyType, Previous: orNull(t.Previous),
		CreatedAt: timeOrNull(t.CreatedAt), UpdatedAt: timeOrNull(t.UpdatedAt), WaitingSince: timeOrNull(t.WaitingSince),
		DueAt: timeOrNull(t.DueAt), Due: orNull(string(t.DueKind)), Overdue: t.Overdue, Service: autoReplyJSON(t.AutoReply)}
}

// apiFound is a ticket of a list: what a search found has the words that fit
// best, in pieces.
type apiFound struct {
	apiTicket
	Highlights []apiHighlight `json:"highlights,omitempty"`
}

type apiHighlight struct {
	Text  string `json:"text"`
	Match bool   `json:"match"` // it was searched for
}

func highlights(runs []search.Run) (list []apiHighlight) {
	for _, run := range runs {
		list = append(list, apiHighlight{run.Text, run.Match})
	}
	return list
}

// apiHistory is a ticket with everything that belongs to it.
type apiHistory struct {
	Ticket   apiTicketDetail `json:"ticket"`
	Messages []apiMessage    `json:"messages"` // the thread
	// Next is where the messages before these begin, nil where there are none.
	Next   *string      `json:"messages_next"`
	Held   []apiMessage `json:"held"` // the confirmation strip
	Notes  []apiNote    `json:"notes"`
	Events []apiEvent   `json:"events"`
}

type apiTicketDetail struct {
	apiTicket
	Alias        *string  `json:"alias"` // the address that answers leave from
	Participants []string `json:"participants"`
	Others       []uint64 `json:"contact_tickets"`
	// LastEvent is what a reply gives back as seen.
	LastEvent     uint64         `json:"last_event"`
	Fields        map[string]any `json:"fields"`
	ContactFields map[string]any `json:"contact_fields"`
}

func (r roster) history(v *helpdesk.TicketView, fields []helpdesk.Field) apiHistory {
	h := apiHistory{Ticket: apiTicketDetail{apiTicket: r.ticket(v.Row), Alias: orNull(v.Alias.Address),
		Participants: orEmpty(v.Row.Ticket.Participants), Others: []uint64{}, LastEvent: v.LastSeq,
		Fields:        fieldsJSON(fields, helpdesk.FieldOfTicket, v.Row.Ticket.Fields),
		ContactFields: fieldsJSON(fields, helpdesk.FieldOfContact, v.Row.Contact.Fields)},
		Messages: []apiMessage{}, Held: []apiMessage{}, Notes: []apiNote{}, Events: []apiEvent{}}
	for _, other := range v.ContactTickets {
		h.Ticket.Others = append(h.Ticket.Others, other.Ticket.Number)
	}
	for _, m := range v.Messages {
		h.Messages = append(h.Messages, r.message(m))
	}
	for _, m := range v.Held {
		h.Held = append(h.Held, r.message(m))
	}
	for _, n := range v.Notes {
		h.Notes = append(h.Notes, r.note(n))
	}
	for _, e := range v.Events {
		h.Events = append(h.Events, r.event(e))
	}
	return h
}

type apiNote struct {
	ID         string     `json:"id"`
	Author     *string    `json:"author"`
	AuthorName string     `json:"author_name"`
	Text       string     `json:"text"`
	Mentions   []string   `json:"mentions"`
	At         *time.Time `json:"at"`
}

func (r roster) note(v helpdesk.NoteView) apiNote {
	note := apiNote{ID: v.Note.ID, Author: r.email(v.Note.AuthorID), AuthorName: v.AuthorName, Text: v.Note.Text,
		Mentions: []string{}, At: timeOrNull(v.Note.At)}
	for _, id := range v.Note.Mentions {
		if email := r.email(id); email != nil {
			note.Mentions = append(note.Mentions, *email)
		}
	}
	return note
}

type apiEvent struct {
	Seq     uint64            `json:"seq"`
	At      *time.Time        `json:"at"`
	Kind    string            `json:"kind"`
	Actor   apiActor          `json:"actor"`
	Ticket  *uint64           `json:"ticket"`
	Message *string           `json:"message"` // its id
	Data    map[string]string `json:"data"`
}

type apiActor struct {
	Kind string  `json:"kind"`
	Name string  `json:"name"`
	User *string `json:"user"`
}

func (r roster) event(e helpdesk.Event) apiEvent {
	event := apiEvent{Seq: e.Seq, At: timeOrNull(e.At), Kind: string(e.Kind), Ticket: orNull(e.Ticket), Message: orNull(e.Message),
		Actor: apiActor{Kind: string(e.Actor.Kind), Name: e.Actor.Name, User: r.email(e.Actor.UserID)}, Data: e.Data}
	if event.Data == nil {
		event.Data = map[string]string{}
	}
	return event
}

// timeOrNull is a time in UTC, null for none.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// orNull is null for the zero value.
func orNull[T comparable](value T) *T {
	if value == *new(T) {
		return nil
	}
	return &value
}

// orEmpty makes a list that JSON writes as [] where there is nothing.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
