package search

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// field is a part of a piece that can be searched by itself. The numbers are
// stored.
type field byte

const (
	fieldSubject field = iota
	fieldBody          // new words
	fieldRest          // quotes and signature
	fieldFrom          // name and addresses of who wrote to us
	fieldTo            // all recipients
	fieldParty         // recipients of what we wrote
	fieldAttachment
	fieldNote
	fieldTag
	fieldFact // what filters ask for, whole
	fieldCount
)

// anywhere are the fields that words without a filter are looked for in.
var anywhere = []field{fieldSubject, fieldBody, fieldRest, fieldFrom, fieldParty, fieldAttachment, fieldNote, fieldTag}

// maxFieldText bounds the text of one field of one piece, in bytes.
const maxFieldText = 64 << 10

// A piece is what is indexed as one: its first byte says what it is, the rest is
// the number or id.
const (
	pieceHead    = 't'
	pieceMessage = 'm'
	pieceNote    = 'n'
)

func headPiece(number uint64) string { return string(rune(pieceHead)) + strconv.FormatUint(number, 10) }
func messagePiece(id string) string  { return string(rune(pieceMessage)) + id }
func notePiece(id string) string     { return string(rune(pieceNote)) + id }

// document is what is to be indexed of a piece.
type document struct {
	piece  string
	ticket uint64
	at     time.Time
	texts  []fieldText
	facts  []string
	gone   bool // there is no such piece any more
}

type fieldText struct {
	field field
	text  string
}

func (d *document) add(f field, texts ...string) {
	for _, text := range texts {
		if text != "" {
			d.texts = append(d.texts, fieldText{f, bound(text, maxFieldText)})
		}
	}
}

func (d *document) size() (n int) {
	for _, t := range d.texts {
		n += len(t.text)
	}
	return n + 256
}

// digest tells whether two documents of a piece are the same.
func (d *document) digest() uint64 {
	const basis, prime = 14695981039346656037, 1099511628211 // of FNV-1a; hash/fnv wants a copy of every text
	sum := uint64(basis)
	part := func(s string) {
		length := uint64(len(s))
		for ; length >= 0x80; length >>= 7 {
			sum = (sum ^ (length&0x7f | 0x80)) * prime
		}
		sum = (sum ^ length) * prime
		for i := range len(s) {
			sum = (sum ^ uint64(s[i])) * prime
		}
	}
	part(strconv.FormatUint(d.ticket, 10))
	part(strconv.FormatInt(d.at.Unix(), 10))
	for _, t := range d.texts {
		part(string(rune(t.field)))
		part(t.text)
	}
	for _, fact := range d.facts {
		part(fact)
	}
	return sum
}

// source reads pieces from the helpdesk, each ticket once.
type source struct {
	desk    *helpdesk.Desk
	tickets map[uint64]*helpdesk.TicketRow
	threads map[uint64]*helpdesk.TicketView
}

var indexer = helpdesk.System("search")

func newSource(desk *helpdesk.Desk) *source {
	return &source{desk: desk, tickets: map[uint64]*helpdesk.TicketRow{}, threads: map[uint64]*helpdesk.TicketView{}}
}

func (s *source) ticket(ctx context.Context, number uint64) (*helpdesk.TicketRow, error) {
	if row, ok := s.tickets[number]; ok {
		return row, nil
	}
	row, err := s.desk.TicketRow(ctx, indexer, number)
	if err != nil && helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
		return nil, err
	}
	if err != nil {
		row = nil
	}
	s.tickets[number] = row
	return row, nil
}

func (s *source) thread(ctx context.Context, number uint64) (*helpdesk.TicketView, error) {
	if view, ok := s.threads[number]; ok {
		return view, nil
	}
	view, err := s.desk.TicketOutline(ctx, indexer, number)
	if err != nil && helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
		return nil, err
	}
	if err != nil {
		view = &helpdesk.TicketView{}
	}
	s.threads[number] = view
	return view, nil
}

// head describes a ticket. Its facts are the current ones, so filters need no
// look at the ticket.
func (s *source) head(ctx context.Context, number uint64) (*document, error) {
	d := &document{piece: headPiece(number), ticket: number}
	row, err := s.ticket(ctx, number)
	if err != nil || row == nil {
		d.gone = true
		return d, err
	}
	t := row.Ticket
	if t.MergedInto != 0 || t.Withdrawn { // its messages are found where they are now
		d.gone = true
		return d, nil
	}
	d.at = t.UpdatedAt
	d.add(fieldSubject, t.Subject)
	d.add(fieldTag, t.Tags...)
	fact := func(holds bool, facts ...string) {
		if holds {
			d.facts = append(d.facts, facts...)
		}
	}
	spam := t.Spam != nil // then it is in none of the other lists
	fact(spam, factSpam)
	fact(!spam && t.Open, factOpen)
	fact(!spam && !t.Open, factClosed)
	fact(t.AssigneeID == "", factUnassigned)
	fact(!spam && t.Open && t.Snooze == nil, factAwake)
	fact(!spam && t.Snooze != nil, factSnoozed)
	for _, id := range t.Followers {
		fact(true, factFollower(id))
	}
	fact(!spam && t.Open && t.Snooze == nil && !t.WaitingSince.IsZero(), factWaiting)
	fact(!spam && t.Held > 0, factHeld)
	fact(!spam && t.DeliveryFailed, factFailed)
	fact(true, factPriority(t.Priority))
	fact(t.TeamID != "", factTeam(t.TeamID))
	fact(t.Language != "", factLanguage(t.Language))
	fact(t.ReplyType != "", factReplyType(t.ReplyType))
	fact(t.AssigneeID != "", factAssignee(t.AssigneeID))
	fact(true, factPipeline(t.PipelineID), factStage(t.PipelineID, t.StageID), factContact(t.ContactID))
	for _, id := range t.Mentioned {
		fact(true, factMentioned(id))
	}
	for _, tag := range t.Tags {
		fact(true, factTag(tag))
	}
	for id, values := range t.Fields {
		fact(len(values) > 0, factField(id))
		for _, value := range values {
			fact(true, factFieldValue(id, value))
		}
	}
	for _, address := range t.Aliases {
		local, _, _ := strings.Cut(address, "@")
		fact(true, factAlias(address), factAlias(local))
	}
	slices.Sort(d.facts)
	d.facts = slices.Compact(d.facts)
	return d, nil
}

// message describes a message that is in its ticket's thread or strip.
func (s *source) message(ctx context.Context, id string) (*document, error) {
	d := &document{piece: messagePiece(id)}
	v, err := s.desk.Message(ctx, indexer, id)
	if helpdesk.CodeOf(err) == helpdesk.CodeNotFound {
		d.gone = true
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	return d, s.fill(ctx, d, v)
}

func (s *source) fill(ctx context.Context, d *document, v *helpdesk.MessageView) error {
	m := &v.Message
	d.ticket, d.at = m.Ticket, m.At
	d.gone = m.State != helpdesk.MessagePosted && m.State != helpdesk.MessageHeld
	if d.gone {
		return nil
	}
	row, err := s.ticket(ctx, m.Ticket)
	if err != nil {
		return err
	}
	if row == nil || !strings.HasSuffix(m.Subject, row.Ticket.Subject) { // "Re: …" says nothing new
		d.add(fieldSubject, m.Subject)
	}
	body, rest := bodyTexts(&v.Body)
	d.add(fieldBody, body)
	d.add(fieldRest, rest)
	if m.Direction == helpdesk.Inbound {
		d.add(fieldFrom, m.From.Name, m.From.Email)
		if m.ReplyTo != m.From.Email {
			d.add(fieldFrom, m.ReplyTo)
		}
	}
	for _, to := range slices.Concat(m.To, m.Cc, m.Bcc) {
		d.add(fieldTo, to.Name, to.Email)
		if m.Direction == helpdesk.Outbound {
			d.add(fieldParty, to.Name, to.Email)
		}
	}
	for _, a := range m.Attachments {
		d.add(fieldAttachment, a.Filename)
		if !a.Inline {
			d.facts = []string{factAttachment}
		}
	}
	return nil
}

// bodyTexts parts a text into the new words and what is around them.
func bodyTexts(b *helpdesk.Body) (body, rest string) {
	body = b.ReplyText
	if strings.TrimSpace(body) == "" {
		return b.Text, ""
	}
	before, after, found := strings.Cut(b.Text, body)
	if !found {
		return body, b.Text
	}
	return body, strings.TrimSpace(before + "\n\n" + after)
}

func (s *source) note(n *helpdesk.Note) *document {
	d := &document{piece: notePiece(n.ID), ticket: n.Ticket, at: n.At}
	d.add(fieldNote, n.Text)
	return d
}

// The facts. Filters and lists ask for them as they are written here.
const (
	factOpen       = "is:open"
	factClosed     = "is:closed"
	factUnassigned = "is:unassigned"
	factWaiting    = "is:waiting"
	factHeld       = "is:held"
	factFailed     = "is:failed"
	factSpam       = "is:spam"
	factSnoozed    = "is:snoozed"
	factAwake      = "is:awake"
	factAttachment = "has:attachment"
)

func factField(id string) string          { return "field:" + id }
func factTag(tag string) string           { return "tag:" + foldText(tag) }
func factAlias(address string) string     { return "alias:" + foldText(address) }
func factAssignee(userID string) string   { return "assignee:" + userID }
func factMentioned(userID string) string  { return "mentioned:" + userID }
func factPipeline(id string) string       { return "pipeline:" + id }
func factStage(pipeline, s string) string { return "stage:" + pipeline + "/" + s }
func factFollower(userID string) string   { return "follower:" + userID }
func factTeam(id string) string           { return "team:" + id }
func factLanguage(code string) string     { return "language:" + code }
func factReplyType(t string) string       { return "replytype:" + t }
func factPriority(p helpdesk.Priority) string {
	return "priority:" + p.Name()
}
func factContact(id string) string { return "contact:" + id }

// maxFactValue bounds the value of a custom field that can be asked for, in
// characters: long texts are no filter.
const maxFactValue = 100

func factFieldValue(id, value string) string {
	value = strings.Join(strings.Fields(foldText(value)), " ")
	if runes := []rune(value); len(runes) > maxFactValue {
		value = string(runes[:maxFactValue])
	}
	return factField(id) + "=" + value
}
