package helpdesk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// colleague is another agent of the house.
func (h *house) colleague(name string, role helpdesk.Role) helpdesk.Actor {
	h.t.Helper()
	u, err := h.CreateUser(h.t.Context(), h.admin, helpdesk.NewUser{Email: strings.ToLower(name) + "@example.jp", Name: name, Role: role, Password: "correct horse battery"})
	if err != nil {
		h.t.Fatal(err)
	}
	return u.Actor()
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// draft saves a reply's draft as its composer does.
func (h *house) draft(a helpdesk.Actor, ticket uint64, id, text string) *helpdesk.Draft {
	h.t.Helper()
	d, err := h.SaveDraft(h.t.Context(), a, helpdesk.Draft{ID: id, Kind: helpdesk.DraftReply, Ticket: ticket, Text: text, Seen: h.ticket(ticket).LastSeq})
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

const draftID, otherID = "AAAAAAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBBBBBB"

func keyOf(err error) string {
	var e *helpdesk.Error
	errors.As(err, &e)
	if e == nil {
		return ""
	}
	return strings.TrimPrefix(e.Key, "error.")
}

func TestDraftIsVisibleAndGoesWithTheReply(t *testing.T) {
	h := newHouse(t)
	h.first()
	ito := h.colleague("Ito", helpdesk.RoleAgent)
	before := len(h.ticket(1).Events)
	h.draft(h.admin, 1, draftID, "Dear")
	h.draft(h.admin, 1, draftID, "Dear Ms Tamura,")
	seen, err := h.Ticket(t.Context(), ito, 1)
	h.must(err)
	if len(seen.Drafts) != 1 || seen.Drafts[0].Text != "Dear Ms Tamura," || seen.Drafts[0].AuthorName != "佐藤 遥" || !slices.Equal(seen.Row.Ticket.Drafters, []string{h.admin.UserID}) {
		t.Fatalf("a colleague sees %+v, drafters %v", seen.Drafts, seen.Row.Ticket.Drafters)
	}
	if len(seen.Events) != before {
		t.Errorf("saving a draft wrote events: %s", kinds(seen.Events[before:]))
	}
	_, err = h.SaveDraft(t.Context(), ito, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1, Text: "mine"})
	wantCode(t, err, helpdesk.CodeConflict, "佐藤 遥")

	file, err := h.AddDraftFile(t.Context(), h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1}, helpdesk.Upload{Filename: `C:\x\invoice.pdf`, ContentType: "application/pdf", Data: []byte("%PDF")}, false)
	h.must(err)
	unwanted, err := h.AddDraftFile(t.Context(), h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1}, helpdesk.Upload{Filename: "b.txt", ContentType: "text/plain", Data: []byte("b")}, false)
	h.must(err)
	picture, err := h.AddDraftFile(t.Context(), h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1}, helpdesk.Upload{Filename: "p.png", ContentType: "image/png", Data: []byte("\x89PNG")}, true)
	h.must(err)
	got, data, err := h.DraftFileData(t.Context(), ito, draftID, file.ID)
	if err != nil || string(data) != "%PDF" || got.Filename != "invoice.pdf" {
		t.Errorf("a colleague reads %+v, %q, %v", got, data, err)
	}
	h.must(h.RemoveDraftFile(t.Context(), h.admin, draftID, unwanted.ID))
	_, err = h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Dear Ms Tamura", IdempotencyKey: draftID, Draft: draftID, Uploads: []string{file.ID, unwanted.ID}})
	if keyOf(err) != "draft_gone" {
		t.Errorf("sent with a file that was removed on another page: %v", err)
	}

	m, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, HTML: `<p>Dear Ms Tamura</p><img src="cid:` + picture.ContentID + `">`,
		IdempotencyKey: draftID, Draft: draftID, Uploads: []string{file.ID}})
	h.must(err)
	raw, err := h.Source(t.Context(), h.admin, m.ID)
	h.must(err)
	sent := mail.Parse(raw)
	if len(sent.Attachments) != 2 || len(m.Attachments) != 2 || m.Attachments[0].ContentID != picture.ContentID || !strings.Contains(sent.HTML, "cid:"+picture.ContentID) {
		t.Errorf("sent %+v with %+v", m.Attachments, sent.HTML)
	}
	if v := h.ticket(1); len(v.Drafts) != 0 || len(v.Row.Ticket.Drafters) != 0 {
		t.Errorf("after sending there are drafts %+v of %v", v.Drafts, v.Row.Ticket.Drafters)
	}
	// A save that was under way while the reply was sent brings nothing back.
	_, err = h.SaveDraft(t.Context(), h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1, Text: "Dear"})
	if keyOf(err) != "draft_sent" {
		t.Errorf("a late save: %v", err)
	}

	// Taken back, it is a draft again, with its files.
	_, err = h.Undo(t.Context(), h.admin, m.ID)
	h.must(err)
	again := h.ticket(1).Drafts
	if len(again) != 1 || !strings.Contains(again[0].HTML, "Dear Ms Tamura") || len(again[0].Files) != 2 || again[0].To == "" {
		t.Fatalf("taken back: %+v", again)
	}
	m, err = h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, HTML: again[0].HTML, IdempotencyKey: again[0].ID, Draft: again[0].ID})
	h.must(err)
	if len(m.Attachments) != 2 {
		t.Errorf("sent again with %+v", m.Attachments)
	}
}

func TestDraftIsTakenOverAndThenSentByNobodyElse(t *testing.T) {
	h := newHouse(t)
	h.first()
	ito := h.colleague("Ito", helpdesk.RoleAgent)
	h.draft(h.admin, 1, draftID, "begun by Sato")
	taken, err := h.TakeDraft(t.Context(), ito, draftID)
	if err != nil || taken.UserID != ito.UserID || taken.Text != "begun by Sato" {
		t.Fatalf("taken %+v, %v", taken, err)
	}
	_, err = h.SaveDraft(t.Context(), h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1, Text: "still writing"})
	if keyOf(err) != "draft_taken" {
		t.Errorf("the first author's save: %v", err)
	}
	_, err = h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "still writing", IdempotencyKey: draftID, Draft: draftID})
	if keyOf(err) != "draft_taken" {
		t.Errorf("the first author's reply: %v", err)
	}
	if err := h.DiscardDraft(t.Context(), h.admin, draftID); keyOf(err) != "draft_taken" {
		t.Errorf("the first author's deletion: %v", err)
	}
	h.must(h.DiscardDraft(t.Context(), ito, draftID))
	if v := h.ticket(1); len(v.Drafts) != 0 || !strings.HasSuffix(kinds(v.Events), "draft.taken") {
		t.Errorf("drafts %+v, events %s", v.Drafts, kinds(v.Events))
	}
}

func TestNoteOfADraftIsWrittenOnce(t *testing.T) {
	h := newHouse(t)
	h.first()
	_, err := h.SaveDraft(t.Context(), h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftNote, Ticket: 1, Text: "check"})
	h.must(err)
	first, err := h.AddDraftedNote(t.Context(), h.admin, 1, "check this", draftID, helpdesk.DraftCopy{})
	h.must(err)
	second, err := h.AddDraftedNote(t.Context(), h.admin, 1, "check this", draftID, helpdesk.DraftCopy{})
	if err != nil || second.ID != first.ID {
		t.Errorf("the second note is %+v, %v", second, err)
	}
	if v := h.ticket(1); len(v.Notes) != 1 || len(v.Drafts) != 0 {
		t.Errorf("%d notes, drafts %+v", len(v.Notes), v.Drafts)
	}
}

// What one begins to write becomes a reply or a note; the other is not there, and is not
// an error that nobody can read.
func TestADraftBecomesOneThing(t *testing.T) {
	h := newHouse(t)
	h.first()
	_, err := h.SaveDraft(t.Context(), h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftNote, Ticket: 1, Text: "check"})
	h.must(err)
	_, err = h.AddDraftedNote(t.Context(), h.admin, 1, "check this", draftID, helpdesk.DraftCopy{})
	h.must(err)
	noted := helpdesk.Reply{Ticket: 1, Text: "check this", IdempotencyKey: draftID, Draft: draftID}
	if _, err := h.Reply(t.Context(), h.admin, noted); helpdesk.CodeOf(err) != helpdesk.CodeConflict || keyOf(err) != "draft_noted" {
		t.Errorf("a reply of what became a note: %v", err)
	}
	if _, err := h.CheckReply(t.Context(), h.admin, noted); keyOf(err) != "draft_noted" {
		t.Errorf("a check of what became a note: %v", err)
	}
	if _, err := h.Send(t.Context(), h.admin, noted, helpdesk.Sending{}); keyOf(err) != "draft_noted" {
		t.Errorf("sending what became a note: %v", err)
	}

	h.draft(h.admin, 1, otherID, "hello")
	_, err = h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "hello", IdempotencyKey: otherID, Draft: otherID})
	h.must(err)
	if _, err := h.AddDraftedNote(t.Context(), h.admin, 1, "hello", otherID, helpdesk.DraftCopy{}); helpdesk.CodeOf(err) != helpdesk.CodeConflict || keyOf(err) != "draft_sent" {
		t.Errorf("a note of what became a reply: %v", err)
	}
	v := h.ticket(1)
	if len(v.Notes) != 1 || len(v.Messages) != 2 {
		t.Errorf("%d notes, %d messages", len(v.Notes), len(v.Messages))
	}

	e, err := h.EraseContact(t.Context(), h.admin, v.Row.Contact.ID, v.Row.Contact.Email)
	h.must(err)
	h.erase(e.ID)
	if _, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "hello", IdempotencyKey: otherID}); helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
		t.Errorf("a repeated reply that was erased: %v", err)
	}
	if _, err := h.AddDraftedNote(t.Context(), h.admin, 1, "check this", draftID, helpdesk.DraftCopy{}); helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
		t.Errorf("a repeated note that was erased: %v", err)
	}
}

func TestDraftsGoWithAMergeAndBack(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.post("support@example.jp", "From: b@customer.example", "Subject: second", "", "two")
	h.draft(h.admin, 1, draftID, "on one")
	merged, err := h.Merge(t.Context(), h.admin, 1, 2)
	h.must(err)
	if v := h.ticket(2); len(v.Drafts) != 1 || len(v.Row.Ticket.Drafters) != 1 || len(h.ticket(1).Row.Ticket.Drafters) != 0 {
		t.Errorf("after merging %+v", v.Drafts)
	}
	const late = "BBBBBBBBBBBBBBBBBBBBBBBBBB"
	h.draft(h.admin, 1, late, "begun on one after it was merged")
	if v := h.ticket(2); len(v.Drafts) != 2 {
		t.Errorf("begun after merging %+v", v.Drafts)
	}
	h.verify()
	h.must(h.DiscardDraft(t.Context(), h.admin, late))
	_, err = h.UndoMerge(t.Context(), h.admin, merged.ID)
	h.must(err)
	if v := h.ticket(1); len(v.Drafts) != 1 || len(h.ticket(2).Drafts) != 0 {
		t.Errorf("after undoing %+v", v.Drafts)
	}
}

func TestEmptyDraftsAndForgottenUploadsGo(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.draft(h.admin, 1, draftID, "x")
	h.draft(h.admin, 1, draftID, " ")
	if len(h.ticket(1).Drafts) != 0 {
		t.Error("an empty draft is kept")
	}
	upload := helpdesk.Upload{Filename: "a.txt", ContentType: "text/plain", Data: []byte("a")}
	_, err := h.AddDraftFile(t.Context(), h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1}, upload, false)
	h.must(err)
	_, err = h.AddDraftFile(t.Context(), h.admin, helpdesk.Draft{ID: otherID, Kind: helpdesk.DraftReply, Ticket: 1}, upload, false)
	h.must(err)
	h.draft(h.admin, 1, otherID, "with words")
	work := func() (n int) {
		due, _, err := h.ClaimDue(t.Context(), helpdesk.TimerDraft, 10, time.Minute)
		h.must(err)
		for _, timer := range due {
			h.must(h.RestDraft(t.Context(), timer.ID))
		}
		return len(due)
	}
	h.pass(6 * 24 * time.Hour)
	if n := work(); n != 0 || len(h.ticket(1).Drafts) != 2 {
		t.Errorf("after six days %d were due", n)
	}
	h.pass(25 * time.Hour)
	if n := work(); n != 2 || len(h.ticket(1).Drafts) != 1 || h.ticket(1).Drafts[0].ID != otherID {
		t.Errorf("after a week %d were due; left %+v", n, h.ticket(1).Drafts)
	}
	if _, _, err := h.DraftFileData(t.Context(), h.admin, otherID, h.ticket(1).Drafts[0].Files[0].ID); err != nil {
		t.Errorf("the file of the written draft: %v", err)
	}
}

func TestDraftsKnowTheirLimits(t *testing.T) {
	h := newHouse(t)
	h.first()
	big := helpdesk.Upload{Filename: "big.bin", ContentType: "application/octet-stream", Data: make([]byte, 13<<20)}
	named := helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1}
	_, err := h.AddDraftFile(t.Context(), h.admin, named, big, false)
	h.must(err)
	_, err = h.AddDraftFile(t.Context(), h.admin, named, big, false)
	wantCode(t, err, helpdesk.CodeInvalid, "the limit is 26214400")
	for _, bad := range []helpdesk.Draft{
		{ID: "short", Kind: helpdesk.DraftReply, Ticket: 1}, {ID: draftID + "/..", Kind: helpdesk.DraftReply, Ticket: 1}, {ID: otherID, Kind: "poem", Ticket: 1},
		{ID: otherID, Kind: helpdesk.DraftReply}, {ID: otherID, Kind: helpdesk.DraftMail, Ticket: 1}, {ID: otherID, Kind: helpdesk.DraftReply, Ticket: 1, Text: strings.Repeat("x", 1<<20+1)},
	} {
		_, err := h.SaveDraft(t.Context(), h.admin, bad)
		wantCode(t, err, helpdesk.CodeInvalid, "")
	}
	_, err = h.SaveDraft(t.Context(), h.admin, helpdesk.Draft{ID: otherID, Kind: helpdesk.DraftReply, Ticket: 99, Text: "x"})
	wantCode(t, err, helpdesk.CodeNotFound, "99")
}
