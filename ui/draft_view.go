package ui

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// draftFileView is a file that was uploaded for what is being written.
type draftFileView struct {
	ID, Name, Size, URL string
	ContentID           string // of an image within the text
}

func draftFileViews(v *visit, d *helpdesk.Draft) (list []draftFileView) {
	for _, f := range d.Files {
		list = append(list, draftFileView{f.ID, f.Filename, v.Size(f.Size), draftFileURL(d.ID, f.ID), f.ContentID})
	}
	return list
}

// resume puts the reader's own drafts into their composer: the wanted one, else
// the newest of each kind.
func (w *composerView) resume(s *Server, v *visit, t *helpdesk.TicketView, wanted string) {
	if reply := ownDraft(v, t, helpdesk.DraftReply, wanted); reply != nil {
		w.Key, w.Stamp, w.Seen = reply.ID, reply.Stamp(), reply.Seen
		w.Text, w.HTML, w.Quote, w.Files = reply.Text, reply.HTML, reply.Quote, draftFileViews(v, reply)
		if reply.To != "" {
			w.To, w.Cc, w.Bcc = reply.To, reply.Cc, reply.Bcc
		}
		w.Returned = returned(v, reply.Returned)
		w.signed(reply)
		w.forwarding(v, t, reply)
	}
	for i := range t.Drafts {
		if d := &t.Drafts[i].Draft; d.ID == wanted && mayApprove(v, d) {
			w.Approving, w.Key, w.Seen, w.Mode, w.Returned = d.ID, d.ID, t.LastSeq, "reply", ""
			w.Text, w.HTML, w.Quote, w.To, w.Cc, w.Bcc, w.Files = d.Text, d.HTML, d.Quote, d.To, d.Cc, d.Bcc, draftFileViews(v, d)
			w.signed(d)
			w.forwarding(v, t, d)
			return
		}
	}
	if note := ownDraft(v, t, helpdesk.DraftNote, wanted); note != nil {
		w.NoteKey, w.NoteStamp, w.NoteTo = note.ID, note.Stamp(), note.Text
		if note.ID == wanted || w.Stamp == "" {
			w.Mode = "note"
		}
	}
}

// signed takes over the signature and the templates of a draft.
func (w *composerView) signed(d *helpdesk.Draft) {
	w.Templates, w.Signed = d.Templates, d.Signature != nil
	if d.Signature != nil {
		w.Signature = d.Signature.Written()
	}
}

// mayApprove reports whether the reader may decide on a colleague's reply.
func mayApprove(v *visit, d *helpdesk.Draft) bool {
	return d.State == helpdesk.DraftReview && d.UserID != v.User.ID && v.actor().May(helpdesk.PermitApprove)
}

// ownDraft is what the reader goes on writing.
func ownDraft(v *visit, t *helpdesk.TicketView, kind helpdesk.DraftKind, wanted string) (found *helpdesk.Draft) {
	for i := range t.Drafts {
		d := &t.Drafts[i].Draft
		if d.UserID != v.User.ID || d.Kind != kind || d.State != helpdesk.DraftWriting {
			continue
		}
		if d.ID == wanted {
			return d
		}
		if found == nil || d.UpdatedAt.After(found.UpdatedAt) {
			found = d
		}
	}
	return found
}

// returned says why a draft came back to its author, "" where it never left.
func returned(v *visit, r *helpdesk.Returned) string {
	if r == nil {
		return ""
	}
	text := r.Text
	if r.Failure != "" {
		text = explain(v.Printer, helpdesk.KeptError(r.Failure, r.Text))
	}
	return v.T("draft.returned."+r.Why, text)
}

// draftsView is what is being written at a ticket, or waits to leave, besides
// what is in the reader's own composer.
type draftsView struct {
	Ticket uint64 // 0 for those of new mails
	// Base is where they are found, and Target the id of the element that what is
	// done with them replaces.
	Base, Target, Back string
	Seen               uint64 // the newest event that the reader has before their eyes
	Cards              []draftCard
}

// draftCard is one such draft.
type draftCard struct {
	ID      string
	Ticket  uint64
	Title   string
	Author  avatar
	Time    moment
	Kind    helpdesk.DraftKind
	State   helpdesk.DraftState
	Mine    bool
	To      string
	Subject string
	Text    string
	Files   []draftFileView
	// Leaves says when it leaves, or what it waits for; "" for one being written.
	Leaves   string
	URL      string // where it is edited
	Approver bool   // the reader may approve it
}

func (s *Server) draftsView(v *visit, t *helpdesk.TicketView, w composerView, back string) draftsView {
	view := draftsView{Ticket: t.Row.Ticket.Number, Base: w.Base, Target: "ticket", Back: back, Seen: t.LastSeq}
	for _, d := range t.Drafts {
		if d.ID == w.Key || d.ID == w.NoteKey {
			continue
		}
		view.Cards = append(view.Cards, newDraftCard(v, d))
	}
	slices.SortStableFunc(view.Cards, func(a, b draftCard) int {
		return cmp.Or(strings.Compare(string(a.State), string(b.State)), strings.Compare(b.Time.ISO, a.Time.ISO)) // the newest first
	})
	return view
}

func newDraftCard(v *visit, d helpdesk.DraftView) draftCard {
	card := draftCard{ID: d.ID, Ticket: d.Ticket, Author: newAvatar(d.UserID, d.AuthorName), Time: longMoment(v.Printer, d.UpdatedAt), Kind: d.Kind, State: d.State,
		Mine: d.UserID == v.User.ID, To: d.To, Subject: d.Subject, Text: strings.TrimSpace(d.Text), Files: draftFileViews(v, &d.Draft)}
	card.Approver = mayApprove(v, &d.Draft)
	card.URL = "/tickets/" + strconv.FormatUint(d.Ticket, 10) + "?draft=" + d.ID
	if d.Kind == helpdesk.DraftMail {
		card.URL = openingPath + "?draft=" + d.ID
	}
	switch {
	case d.State == helpdesk.DraftScheduled:
		card.Leaves = v.T("draft.leaves", v.Long(d.SendAt))
	case d.State == helpdesk.DraftReview && !d.SendAt.IsZero():
		card.Leaves = v.T("draft.review_at", v.Long(d.SendAt))
	case d.State == helpdesk.DraftReview:
		card.Leaves = v.T("draft.review")
	}
	whose := "theirs"
	if card.Mine {
		whose = "mine"
	}
	card.Title = v.T("draft."+string(d.Kind)+"."+whose, d.AuthorName)
	return card
}

// draftsFragment answers with what others write at a ticket, anew.
func (s *Server) draftsFragment(c echo.Context) error {
	v := visitOf(c)
	p := placeOfPath(c.QueryParam("back"), ticketNumber(c))
	t, err := s.desk.TicketOutline(c.Request().Context(), v.actor(), p.number)
	if err != nil {
		return err
	}
	shown := composerView{Base: "/tickets/" + strconv.FormatUint(p.number, 10), Key: c.QueryParam("key"), NoteKey: c.QueryParam("note_key")}
	return s.render(c, 200, "drafts", s.draftsView(v, t, shown, p.address(p.number)))
}

// written notes that the reader has sent what they wrote.
func (s *Server) written(c echo.Context, ticket uint64) {
	s.presence.stopped(ticket, visitOf(c).User.ID)
	s.presence.draftChanged(ticket)
}
