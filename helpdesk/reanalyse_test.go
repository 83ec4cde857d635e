package helpdesk_test

import (
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

var today = helpdesk.Reading{Model: "m2", Digest: "sha256:2", PromptVersion: "reply-2"}

// readAll does the steps of a reanalysis as the model would, and returns what was read.
func (h *house) readAll(run *helpdesk.Reanalysis, by helpdesk.Reading, steps int) (read []string) {
	h.t.Helper()
	for range steps {
		step, err := h.ReanalysisStep(h.t.Context(), run.ID, 1, by)
		if err != nil {
			h.t.Fatal(err)
		}
		if step == nil {
			return read
		}
		if step.Busy {
			h.t.Fatal("a new mail waits")
		}
		for _, id := range step.Messages {
			read = append(read, id)
			if err := h.StoreAnalysis(h.t.Context(), helpdesk.Analysis{MessageID: id, Model: by.Model, Digest: by.Digest, PromptVersion: by.PromptVersion, ReplyType: "high_value"}); err != nil {
				h.t.Fatal(err)
			}
		}
		if err := h.FinishReanalysisStep(h.t.Context(), run.ID, step); err != nil {
			h.t.Fatal(err)
		}
	}
	return read
}

// Mails of some days are read again once, those that the model of today has read
// only where all are asked for; corrections stay.
func TestReanalysisOfSomeDays(t *testing.T) {
	h := newHouse(t)
	before := h.read("old@one.example", helpdesk.Analysis{ReplyType: "standard"})
	h.pass(48 * time.Hour)
	var mails []string
	for _, from := range []string{"a@one.example", "b@one.example", "c@one.example"} {
		mails = append(mails, h.read(from, helpdesk.Analysis{ReplyType: "standard"}).MessageID)
		h.pass(time.Minute)
	}
	h.post("support@example.jp", "From: machine@one.example", "Auto-Submitted: auto-replied", "Subject: Away", "", "Away")
	h.correct(mails[1], map[helpdesk.Finding][]string{helpdesk.FindingReplyType: {"needs_attention"}})
	if err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: mails[2], Model: today.Model, Digest: today.Digest, PromptVersion: today.PromptVersion, ReplyType: "standard"}); err != nil {
		t.Fatal(err)
	}
	start := func(from, to string, all bool) (*helpdesk.Reanalysis, error) {
		h.pass(time.Minute)
		return h.StartReanalysis(t.Context(), h.admin, from, to, all)
	}
	run, err := start("2026-11-23", "2026-11-23", false)
	if err != nil || run.Total != 4 {
		t.Fatalf("%+v, %v", run, err)
	}
	_, err = start("2026-11-23", "", false)
	wantCode(t, err, helpdesk.CodeConflict, "stop that first")
	if read := h.readAll(run, today, 100); !slices.Equal(read, mails[:2]) {
		t.Errorf("read again %q, want %q", read, mails[:2])
	}
	last, err := h.LastReanalysis(t.Context(), h.admin)
	if err != nil || last.State != helpdesk.ReanalysisDone || last.Done != 4 || last.Read != 2 {
		t.Errorf("at the end %+v, %v", last, err)
	}
	if a := h.ticket(3).Messages[0].Analysis; a.ReplyType != "high_value" || a.Effective().ReplyType != "needs_attention" {
		t.Errorf("the corrected one is %+v", a)
	}
	// The program ends after a mail was read and before the step was: the mail is not
	// read twice.
	if run, err = start("2026-11-20", "", true); err != nil {
		t.Fatal(err)
	}
	if err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: before.MessageID, Model: today.Model, Digest: today.Digest, PromptVersion: today.PromptVersion, ReplyType: "standard"}); err != nil {
		t.Fatal(err)
	}
	if read := h.readAll(run, today, 1); !slices.Equal(read, mails[:1]) {
		t.Errorf("after the interruption read %q, want %q", read, mails[:1])
	}
	if _, err := h.StopReanalysis(t.Context(), h.admin); err != nil {
		t.Fatal(err)
	}
	if read := h.readAll(run, today, 100); read != nil {
		t.Errorf("stopped, and read %q", read)
	}
	_, err = h.StopReanalysis(t.Context(), h.admin)
	wantCode(t, err, helpdesk.CodeConflict, "no mails are being read")
	_, err = start("soon", "", false)
	wantCode(t, err, helpdesk.CodeInvalid, "no day")
}

// A new mail goes before mails that are read again, and the ticket that somebody
// opens before other new mail.
func TestWhoIsReadFirst(t *testing.T) {
	h := newHouse(t)
	h.read("old@one.example", helpdesk.Analysis{ReplyType: "standard"})
	run, err := h.StartReanalysis(t.Context(), h.admin, "2026-11-01", "", true)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h.post("support@example.jp", "From: new@one.example", "Subject: New", "", "Words")
		h.pass(time.Second)
	}
	events, err := h.Events(t.Context(), h.admin, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.EnqueueAnalyses(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	if step, err := h.ReanalysisStep(t.Context(), run.ID, 1, today); err != nil || !step.Busy {
		t.Errorf("while mails wait: %+v, %v", step, err)
	}
	h.pass(time.Minute)
	if err := h.HurryAnalysis(t.Context(), h.admin, 3); err != nil {
		t.Fatal(err)
	}
	claimed, _, err := h.ClaimDue(t.Context(), helpdesk.TimerAnalyse, 1, time.Minute)
	if err != nil || len(claimed) != 1 || claimed[0].ID != h.ticket(3).Messages[0].Message.ID {
		t.Errorf("read first is %+v, %v", claimed, err)
	}
	if err := h.HurryAnalysis(t.Context(), h.admin, 3); err != nil {
		t.Errorf("a mail that is being read: %v", err)
	}
	if _, err := h.StopReanalysis(t.Context(), h.admin); err != nil {
		t.Fatal(err)
	}
}
