package helpdesk_test

import (
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// One person writes a draft on two pages: whichever is behind is told, and overwrites nothing.
func TestADraftOnTwoPagesLosesNoWords(t *testing.T) {
	h := newHouse(t)
	h.first()
	ctx := t.Context()
	save := func(page, stamp, text string) (*helpdesk.Draft, error) {
		return h.SaveDraftFrom(ctx, h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1, Text: text}, helpdesk.DraftCopy{Page: page, Stamp: stamp})
	}
	began, err := save("first", "", "Dear")
	h.must(err)
	_, err = save("second", began.Stamp(), "Dear Ms Tamura")
	h.must(err)
	for _, stamp := range []string{began.Stamp(), ""} {
		if _, err := save("first", stamp, "Dear all"); keyOf(err) != "draft_elsewhere" {
			t.Errorf("a save from the page that is behind: %v", err)
		}
	}
	if _, err := save("second", began.Stamp(), "Dear Ms Tamura,"); err != nil {
		t.Errorf("a save whose answer did not arrive, again: %v", err)
	}
	if _, err := save("first", began.Stamp(), "Dear Ms Tamura,"); err != nil {
		t.Errorf("the same words from both pages: %v", err)
	}
	if got := h.ticket(1).Drafts; len(got) != 1 || got[0].Text != "Dear Ms Tamura," {
		t.Errorf("the drafts are %+v", got)
	}

	reply := helpdesk.Reply{Ticket: 1, Text: "Dear all", IdempotencyKey: draftID, Draft: draftID, Digest: "all", Copy: helpdesk.DraftCopy{Page: "second", Stamp: began.Stamp()}}
	if _, err := h.Reply(ctx, h.admin, reply); keyOf(err) != "draft_overtaken" {
		t.Errorf("sent from the page that is behind: %v", err)
	}
	if _, err := h.Send(ctx, h.admin, reply, helpdesk.Sending{At: h.now.Add(time.Hour)}); keyOf(err) != "draft_overtaken" {
		t.Errorf("scheduled from the page that is behind: %v", err)
	}
	if v := h.ticket(1); len(v.Messages) != 1 || len(v.Drafts) != 1 {
		t.Errorf("%d messages, drafts %+v", len(v.Messages), v.Drafts)
	}
	reply.Text, reply.Digest, reply.Copy.Page = "Dear Ms Tamura,", "tamura", "first"
	sent, err := h.Reply(ctx, h.admin, reply)
	h.must(err)
	if again, err := h.Reply(ctx, h.admin, reply); err != nil || again.ID != sent.ID {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	reply.Text, reply.Digest = "Dear all", "all"
	if _, err := h.Reply(ctx, h.admin, reply); keyOf(err) != "draft_sent" {
		t.Errorf("other words of what was sent: %v", err)
	}

	// Taken back, it is written and sent anew.
	_, err = h.Undo(ctx, h.admin, sent.ID)
	h.must(err)
	reply.Copy.Stamp = h.ticket(1).Drafts[0].Stamp()
	_, err = h.Reply(ctx, h.admin, reply)
	h.must(err)
}

// What waits to leave is not what another page sends under its key; a note likewise.
func TestOtherWordsOfWhatWasSentAreNotLost(t *testing.T) {
	h := newHouse(t)
	h.first()
	reply := helpdesk.Reply{Ticket: 1, Text: "Dear", IdempotencyKey: draftID, Draft: draftID, Digest: "one"}
	later := helpdesk.Sending{At: h.now.Add(time.Hour)}
	held, err := h.Send(t.Context(), h.admin, reply, later)
	h.must(err)
	if again, err := h.Send(t.Context(), h.admin, reply, later); err != nil || again.Draft.ID != held.Draft.ID {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	reply.Text, reply.Digest = "Dear all", "two"
	if _, err := h.Send(t.Context(), h.admin, reply, later); keyOf(err) != "draft_scheduled" {
		t.Errorf("other words of what is scheduled: %v", err)
	}

	_, err = h.AddDraftedNote(t.Context(), h.admin, 1, "check", otherID, helpdesk.DraftCopy{})
	h.must(err)
	if _, err := h.AddDraftedNote(t.Context(), h.admin, 1, "check again", otherID, helpdesk.DraftCopy{}); keyOf(err) != "draft_noted" {
		t.Errorf("other words of what became a note: %v", err)
	}
}
