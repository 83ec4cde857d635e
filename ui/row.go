package ui

import (
	"bytes"
	"html/template"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// rowView is one ticket in the list.
type rowView struct {
	rowFace
	Found   []search.Run  // in place of Snippet, what a search found
	Here    []presentView // who else is there now
	Heading string        // above the first row of a part of a sorted list
}

// rowFace is what of a row can be compared: two that are equal look the same. What is not
// there has no text.
type rowFace struct {
	Number     uint64
	URL        string
	Name       string
	Subject    string
	Snippet    string
	Ours       string // says that Snippet is of our reply, "" where it is not
	Trust      helpdesk.Trust
	TrustTitle string
	Badge      badge
	Tag        string
	Time       moment
	Priority   string // "urgent", "high", "low", "" for a normal one
	Held       string // until when it rests, in words, "" where it does not
	Due        dueView
	Auto       autoReplyMark // empty where nothing leaves by itself
	Assignee   avatar
	Away       string // "away until …" of the assignee, "" while they are there
	Unread     bool
	Selected   bool
	Brand      string // through which it came, where that is not the same for all
	First      bool   // takes the focus when the list gets it
	Mine       bool
	Close      string // the stage that closing it leads to, "" where it is closed
}

func newRow(p locale.Printer, r helpdesk.TicketRow, at place) rowFace {
	t := r.Ticket
	row := rowFace{Number: t.Number, URL: at.address(t.Number), Name: contactName(r.Contact), Subject: subjectOf(p, t.Subject),
		Snippet: t.Snippet, Trust: t.Trust, Time: shortMoment(p, t.UpdatedAt), Unread: r.Unread, Selected: t.Number == at.number}
	if t.Trust != "" {
		row.TrustTitle = p.T("trust." + string(t.Trust))
	}
	if due := newDue(p, t); due != nil && due.Soon { // further away, when it came says more
		row.Due = *due
	}
	if t.Open && t.Answered && t.WaitingSince.IsZero() {
		row.Ours = p.T("list.ours")
	}
	if auto := newAutoReplyMark(p, t); auto != nil {
		row.Auto = *auto
	}
	if badge := rowBadge(p, r); badge != nil {
		row.Badge = *badge
	}
	row.Priority = string(t.Priority)
	if t.Snooze != nil {
		row.Held = newHold(p, t.Snooze).Text
	}
	if len(t.Tags) > 0 {
		row.Tag = t.Tags[0]
	}
	if t.AssigneeID != "" {
		row.Assignee = newAvatar(t.AssigneeID, r.AssigneeName)
		if r.AssigneeAway.At(p.Now) {
			row.Away = awayWords(p, r.AssigneeAway)
		}
	}
	return row
}

// keptRows is of how many rows the HTML is kept, some 3 KiB each.
const keptRows = 4096

// rows keeps the HTML of rows: of a list that is asked for again, because one ticket changed,
// all others are as they were, and to write them takes half of the time that a page takes.
type rows struct {
	templates templates
	kept      *lru.Cache[keptRow, template.HTML]
}

type keptRow struct {
	language locale.Language
	face     rowFace
}

func newRows(t templates) (*rows, error) {
	kept, err := lru.New[keptRow, template.HTML](keptRows)
	return &rows{t, kept}, err
}

// html is a row as the template "row" writes it.
func (r *rows) html(l locale.Language, row rowView) (template.HTML, error) {
	if len(row.Found) > 0 || len(row.Here) > 0 {
		return r.write(l, row)
	}
	key := keptRow{l, row.rowFace}
	if written, ok := r.kept.Get(key); ok {
		return written, nil
	}
	// Without the rest, so that nothing is kept that the key does not say.
	written, err := r.write(l, rowView{rowFace: row.rowFace})
	if err == nil {
		r.kept.Add(key, written)
	}
	return written, err
}

func (r *rows) write(l locale.Language, row rowView) (template.HTML, error) {
	var written bytes.Buffer
	err := r.templates[l].ExecuteTemplate(&written, "row", row)
	return template.HTML(written.String()), err
}
