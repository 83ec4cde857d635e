package helpdesk

import (
	"context"
	"fmt"

	"github.com/madoguchi/madoguchi/store"
)

// verifyDrafts follows each draft to its ticket, author, files and timer, finds
// files that no draft has, and computes anew what tickets say of their drafts.
func verifyDrafts(ctx context.Context, r store.Reader) (problems []string, err error) {
	files := map[string]bool{}
	for d, err := range readable(r, drafts.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if d.Ticket != 0 {
			t, err := optional(tickets.Get(r, key(d.Ticket)))
			if err != nil || t == nil || t.MergedInto != 0 {
				problems = append(problems, fmt.Sprintf("draft %s is on ticket %d, which is merged or does not exist (%v)", d.ID, d.Ticket, err))
			}
		}
		if has, err := users.Has(r, key(d.UserID)); err != nil || !has {
			problems = append(problems, fmt.Sprintf("draft %s is of user %s, who does not exist (%v)", d.ID, d.UserID, err))
		}
		if has, err := timers.Has(r, key(string(TimerSend), d.ID)); err != nil || has != (d.State == DraftScheduled) {
			problems = append(problems, fmt.Sprintf("draft %s is %s; has a timer to send it: %t (%v)", d.ID, d.State, has, err))
		}
		for _, f := range d.Files {
			files[string(d.fileKey(f.ID))] = true
			if _, err := draftFiles.Get(r, d.fileKey(f.ID)); err != nil {
				problems = append(problems, fmt.Sprintf("file %s of draft %s cannot be read: %v", f.ID, d.ID, err))
			}
		}
	}
	for id, err := range draftFiles.IDs(r) {
		if err != nil {
			return problems, err
		}
		if !files[string(id)] {
			problems = append(problems, fmt.Sprintf("an uploaded file %q is of no draft", id))
		}
	}
	found, err := verifyDraftTallies(ctx, r)
	return append(problems, found...), err
}

func verifyDraftTallies(ctx context.Context, r store.Reader) (problems []string, err error) {
	for t, err := range readable(r, tickets.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		found, err := draftTallyOf(r, t.Number)
		if err != nil {
			return problems, err
		}
		if !found.agrees(t) {
			problems = append(problems, fmt.Sprintf("ticket %d says drafts of %v, %d scheduled, %d to review; by its drafts it is %v, %d, %d",
				t.Number, t.Drafters, t.Scheduled, t.Reviews, found.drafters, found.scheduled, found.reviews))
		}
	}
	return problems, nil
}
