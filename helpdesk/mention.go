package helpdesk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/madoguchi/madoguchi/store"
)

// maxNote is in bytes.
const maxNote = 1 << 20

// AddNote writes an internal comment. An @ before a user's name, address, or
// the local part of their address mentions them: they find the ticket in their
// view of mentions.
func (d *Desk) AddNote(ctx context.Context, a Actor, number uint64, text string) (*Note, error) {
	return d.addNote(ctx, a, number, text, Once{}, "", DraftCopy{})
}

// AddNoteOnce is AddNote for a request that may come again: it is answered with the
// note of the first time then.
func (d *Desk) AddNoteOnce(ctx context.Context, a Actor, number uint64, text string, once Once) (*Note, error) {
	return d.addNote(ctx, a, number, text, once, "", DraftCopy{})
}

// AddDraftedNote is AddNote for a note with a draft, "" for none, which is then
// gone. The same draft again is the same note; with other words it is a conflict, and so
// are words that another page saved since the copy.
func (d *Desk) AddDraftedNote(ctx context.Context, a Actor, number uint64, text, draft string, of DraftCopy) (*Note, error) {
	sum := sha256.Sum256([]byte(strings.TrimSpace(text)))
	return d.addNote(ctx, a, number, text, Once{Key: draft, Digest: hex.EncodeToString(sum[:])}, draft, of)
}

func (d *Desk) addNote(ctx context.Context, a Actor, number uint64, text string, once Once, draft string, of DraftCopy) (*Note, error) {
	if err := a.may("add a note", PermitNote); err != nil {
		return nil, err
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, invalid("text", "text_empty", "the note is empty; write a text")
	}
	if len(text) > maxNote {
		return nil, invalid("text", "note_too_long", "the note has %d bytes; the limit is %d", Bytes(len(text)), Bytes(maxNote))
	}
	var note *Note
	err := d.update(ctx, a, func(c *command) (err error) {
		if note, err = c.notedBefore(once, draft); note != nil || err != nil {
			return err
		}
		t, err := workable(c, number)
		if err != nil {
			return err
		}
		note = &Note{ID: d.newID(), Ticket: number, AuthorID: a.UserID, Text: text, At: c.now}
		if note.Mentions, err = mentions(c, text); err != nil {
			return err
		}
		note.Unread = without(slices.Clone(note.Mentions), []string{a.UserID})
		note.Seq, err = c.record(Event{Kind: EventNoteAdded, Ticket: number,
			Data: map[string]string{"note": note.ID, "mentions": strings.Join(note.Mentions, ",")}})
		if err != nil {
			return err
		}
		if err := notes.Put(c, note); err != nil {
			return err
		}
		t.UpdatedAt = c.now
		t.followed(a.UserID)
		t.followed(note.Mentions...)
		t.addMentions(note)
		if err := c.remember(once, note.ID); err != nil {
			return err
		}
		if draft != "" {
			if err := c.endDraft(t, a.UserID, draft, nil, of); err != nil {
				return err
			}
		}
		return tickets.Put(c, t)
	})
	return note, err
}

// mentions are the users whom a text names behind an @: at each the one with
// the longest name or address that stands there. The name of a team names its
// members.
func mentions(r store.Reader, text string) (ids []string, err error) {
	text = strings.ToLower(norm.NFKC.String(text))
	if !strings.Contains(text, "@") {
		return nil, nil
	}
	called := map[string][]string{} // ids by what one is called
	for u, err := range users.Scan(r, store.Range{}) {
		if err != nil {
			return nil, err
		}
		if u.Disabled {
			continue
		}
		local, _, _ := strings.Cut(u.Email, "@")
		for _, name := range []string{u.Name, oneLine(strings.ReplaceAll(u.Name, "　", " ")), u.Email, local} {
			name = strings.ToLower(norm.NFKC.String(name))
			called[name] = appendNew(called[name], u.ID)
		}
	}
	for t, err := range teams.Scan(r, store.Range{}) {
		if err != nil {
			return nil, err
		}
		name := strings.ToLower(norm.NFKC.String(t.Name))
		called[name] = appendNew(called[name], t.Members...)
	}
	before := ' '
	for i, r := range text {
		if r == '@' && !isAddressRune(before) { // else it is within an address
			ids = appendNew(ids, called[longestName(text[i+1:], called)]...)
		}
		before = r
	}
	return ids, nil
}

// longestName is the longest of the names that a text begins with.
func longestName(text string, called map[string][]string) (longest string) {
	for name := range called {
		if len(name) <= len(longest) || !strings.HasPrefix(text, name) {
			continue
		}
		last, _ := utf8.DecodeLastRuneInString(name)
		next, _ := utf8.DecodeRuneInString(text[len(name):])
		if isAddressRune(last) && isAddressRune(next) && next != '.' { // a longer word than the name
			continue
		}
		longest = name
	}
	return longest
}

// isAddressRune tells the letters of words that have spaces between them.
func isAddressRune(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._%+-", r))
}

func (t *Ticket) addMentions(n *Note) {
	t.Mentioned = appendNew(slices.Clone(t.Mentioned), n.Mentions...)
	t.UnreadMentions = appendNew(slices.Clone(t.UnreadMentions), n.Unread...)
}

// readMentions notes that the actor has seen a ticket up to an event.
func (c *command) readMentions(number, seq uint64) error {
	t, err := optional(tickets.Get(c, key(number)))
	if err != nil || t == nil || !slices.Contains(t.UnreadMentions, c.actor.UserID) {
		return err
	}
	list, err := notesOf(c, number)
	if err != nil {
		return err
	}
	for _, n := range list {
		if n.Seq > seq || !slices.Contains(n.Unread, c.actor.UserID) {
			continue
		}
		n.Unread = without(n.Unread, []string{c.actor.UserID})
		if err := notes.Put(c, n); err != nil {
			return err
		}
	}
	if err := c.recountMentions(t); err != nil {
		return err
	}
	if err := tickets.Put(c, t); err != nil {
		return err
	}
	_, err = c.record(Event{Kind: EventMentionSeen, Ticket: number})
	return err
}

// recountMentions computes anew what a ticket says of its notes.
func (c *command) recountMentions(t *Ticket) (err error) {
	t.Mentioned, t.UnreadMentions, err = mentionsOf(c, t.Number)
	return err
}

// mentionsOf are the users whom the notes of a ticket mention, and those who
// have not looked. Notes from before mentions were counted have no Seq.
func mentionsOf(r store.Reader, number uint64) (mentioned, unread []string, err error) {
	list, err := notesOf(r, number)
	if err != nil {
		return nil, nil, err
	}
	counted := &Ticket{}
	for _, n := range list {
		if n.Seq > 0 {
			counted.addMentions(n)
		}
	}
	return counted.Mentioned, counted.UnreadMentions, nil
}

func notesOf(r store.Reader, number uint64) (list []*Note, err error) {
	for n, err := range notes.ScanIndex(r, "ticket", store.Prefix(key(number))) {
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// verifyMentions compares what tickets say of their notes with the notes.
func verifyMentions(_ context.Context, r store.Reader) (problems []string, err error) {
	for t, err := range readable(r, tickets.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		mentioned, unread, err := mentionsOf(r, t.Number)
		if err != nil {
			return problems, err
		}
		if !sameMembers(t.Mentioned, mentioned) || !sameMembers(t.UnreadMentions, unread) {
			problems = append(problems, fmt.Sprintf("ticket %d says that %v are mentioned, %v unread; by its notes it is %v and %v",
				t.Number, t.Mentioned, t.UnreadMentions, mentioned, unread))
		}
	}
	return problems, nil
}

func sameMembers(a, b []string) bool {
	return len(missing(a, b)) == 0 && len(missing(b, a)) == 0
}
