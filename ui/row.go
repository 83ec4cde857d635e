package ui

import (
	"bytes"
	"html/template"
	"strings"

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
	found    bool // with foundPlace for what a search found
}

// foundPlace stands in a kept row where what a search found goes, which differs from one
// search to the next.
const foundPlace = "\ue000"

func newRows(t templates) (*rows, error) {
	kept, err := lru.New[keptRow, template.HTML](keptRows)
	return &rows{t, kept}, err
}

// html is a row as the template "row" writes it.
func (r *rows) html(l locale.Language, row rowView) (template.HTML, error) {
	if len(row.Here) > 0 {
		return r.write(l, "row", row)
	}
	key := keptRow{language: l, face: row.rowFace}
	// Without the rest, so that nothing is kept that the key does not say.
	plain := rowView{rowFace: row.rowFace}
	if len(row.Found) > 0 {
		key.found, plain.Found = true, []search.Run{{Text: foundPlace}}
	}
	written, ok := r.kept.Get(key)
	if !ok {
		var err error
		if written, err = r.write(l, "row", plain); err != nil {
			return "", err
		}
		r.kept.Add(key, written)
	}
	if !key.found {
		return written, nil
	}
	before, after, _ := strings.Cut(string(written), foundPlace)
	if strings.Contains(after, foundPlace) { // a text of the row has that character, as a house's own
		return r.write(l, "row", row)
	}
	found, err := r.write(l, "row-found", row.Found)
	return template.HTML(before) + found + template.HTML(after), err
}

func (r *rows) write(l locale.Language, name string, data any) (template.HTML, error) {
	var written bytes.Buffer
	err := r.templates[l].ExecuteTemplate(&written, name, data)
	return template.HTML(written.String()), err
}
