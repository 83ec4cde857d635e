package migrate

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// ticket is a ticket with what is on it. Its number says nothing in another house; with the moment it was
// made it is told from those of other houses, too.
func (o *own) ticket(from helpdesk.ExportedTicket) (helpdesk.ImportedTicket, error) {
	what := fmt.Sprintf("ticket %d %q", from.Number, from.Subject)
	switch {
	case from.MergedInto != 0:
		o.leave(what, "it is part of ticket %d", from.MergedInto)
	case from.Withdrawn:
		o.leave(what, "it is empty: the mail that began it was taken back")
	case !from.ErasedAt.IsZero():
		o.leave(what, "it is empty: its customer's data was erased")
	}
	if from.MergedInto != 0 || from.Withdrawn || !from.ErasedAt.IsZero() {
		return helpdesk.ImportedTicket{}, errSkip
	}
	id := fmt.Sprintf("%d of %s", from.Number, from.CreatedAt.UTC().Format(time.RFC3339Nano))
	o.ids[from.Number] = id
	t := helpdesk.ImportedTicket{Source: "madoguchi", ID: id, Subject: from.Subject, Open: from.Open, Tags: from.Tags, Assignee: from.Assignee, Team: from.Team,
		Requester: helpdesk.Address{Email: from.Contact}, Fields: from.Fields, CreatedAt: from.CreatedAt, UpdatedAt: from.UpdatedAt,
		Alias: from.Alias, Aliases: from.Aliases, Pipeline: from.Pipeline, Stage: from.Stage, Language: from.Language, Spam: from.Spam, Previous: o.ids[from.Previous]}
	if priority, ok := helpdesk.ParsePriority(from.Priority); ok {
		t.Priority = priority
	}
	if from.Snoozed {
		o.leave(what, "that it is on hold")
	}
	entries, err := o.entries(from.Number, what)
	for _, e := range entries {
		t.Entries = append(t.Entries, e.ImportedEntry)
	}
	return t, err
}

// ownEntry is an entry with its place in the order of things.
type ownEntry struct {
	helpdesk.ImportedEntry
	seq uint64
}

// entries are the messages and notes of a ticket in the order in which they came there.
func (o *own) entries(number uint64, what string) (list []ownEntry, err error) {
	if err := eachOwn(o, "messages.jsonl", o.messages[number], func(m helpdesk.ExportedMessage) error {
		e, err := o.message(m, what)
		if errors.Is(err, errSkip) {
			return nil
		}
		list = append(list, ownEntry{e, m.Seq})
		return err
	}); err != nil {
		return nil, err
	}
	err = eachOwn(o, "notes.jsonl", o.notes[number], func(n helpdesk.ExportedNote) error {
		list = append(list, ownEntry{helpdesk.ImportedEntry{ID: n.ID, Kind: helpdesk.ImportedNote, At: n.At,
			Author: helpdesk.Address{Name: n.AuthorName, Email: n.Author}, Text: n.Text}, n.Seq})
		return nil
	})
	if slices.ContainsFunc(list, func(e ownEntry) bool { return e.seq == 0 }) { // of an earlier version
		slices.SortFunc(list, func(a, b ownEntry) int { return cmp.Compare(a.ID, b.ID) })
	} else {
		slices.SortFunc(list, func(a, b ownEntry) int { return cmp.Compare(a.seq, b.seq) })
	}
	return list, err
}

// eachOwn reads the records at places of a file.
func eachOwn[T any](o *own, name string, places []span, take func(T) error) error {
	for _, at := range places {
		line, err := o.part(name, at)
		if err != nil {
			return err
		}
		var record T
		if err := json.Unmarshal(line, &record); err != nil {
			return fmt.Errorf("%s, byte %d: %w", name, at.offset, err)
		}
		if err := take(record); err != nil {
			return err
		}
	}
	return nil
}

// part reads a part of a file.
func (o *own) part(name string, at span) ([]byte, error) {
	if at.length < 0 || at.length > maxMail {
		return nil, fmt.Errorf("%s, byte %d: %d bytes; the limit is %d", name, at.offset, at.length, maxMail)
	}
	file, err := o.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := make([]byte, at.length)
	reader, ok := file.(io.ReaderAt)
	if !ok {
		return nil, fmt.Errorf("%s is no file", name)
	}
	if _, err := reader.ReadAt(data, at.offset); err != nil {
		return nil, fmt.Errorf("read %s at byte %d: %w", name, at.offset, err)
	}
	o.done += at.length
	return data, nil
}

// message is an entry of a message that is part of the thread.
func (o *own) message(m helpdesk.ExportedMessage, what string) (helpdesk.ImportedEntry, error) {
	if m.State != helpdesk.MessagePosted {
		o.leave(what, "message %s from %s, which is not part of the conversation (%s)", m.ID, m.From.Email, m.State)
		return helpdesk.ImportedEntry{}, errSkip
	}
	e := helpdesk.ImportedEntry{ID: m.ID, Kind: helpdesk.ImportedIn, At: m.At, Author: helpdesk.Address(m.From), Subject: m.Subject, Text: m.Text,
		Channel: m.Channel, Bcc: addressList(m.Bcc), Answered: m.Answered, ThirdParty: m.ThirdParty, Forwarded: m.Forwarded}
	if m.Direction == helpdesk.Outbound {
		e.Kind, e.Author = helpdesk.ImportedOut, helpdesk.Address{Email: m.Author}
	}
	if m.Reason == helpdesk.ReasonAcknowledged || m.Reason == helpdesk.ReasonService {
		e.Reason = m.Reason
	}
	if m.Mbox == nil {
		e.Kind, e.From, e.Author = helpdesk.ImportedLogged, e.Author, helpdesk.Address{Email: m.Author}
		return e, nil
	}
	var err error
	if e.Raw, err = o.mail(*m.Mbox); err != nil {
		return e, fmt.Errorf("the mail of message %s: %w", m.ID, err)
	}
	if e.Raw == nil {
		o.leave(what, "message %s from %s: its mail in %s at byte %d is not the one that was written there", m.ID, m.From.Email, m.Mbox.File, m.Mbox.Offset)
		return e, errSkip
	}
	return e, nil
}

// mail is the mail at a place of an mbox file as it was received: with its lines ended by CRLF or by LF,
// and an end of its last line or none, whichever has the sum. It is nil where none has.
func (o *own) mail(at helpdesk.MboxPlace) ([]byte, error) {
	data, err := o.part(at.File, span{at.Offset, at.Bytes})
	if err != nil {
		return nil, err
	}
	_, data, _ = bytes.Cut(data, []byte("\n"))
	data = unquoteLines(bytes.TrimSuffix(data, []byte("\n")))
	wire := bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
	if at.SHA256 == "" { // of an earlier version
		return wire, nil
	}
	for _, mail := range [][]byte{wire, bytes.TrimSuffix(wire, []byte("\r\n")), data, bytes.TrimSuffix(data, []byte("\n"))} {
		if sum := sha256.Sum256(mail); hex.EncodeToString(sum[:]) == at.SHA256 {
			return mail, nil
		}
	}
	return nil, nil
}

func addressList(list []helpdesk.ExportedAddress) (out []helpdesk.Address) {
	for _, a := range list {
		out = append(out, helpdesk.Address(a))
	}
	return out
}
