package helpdesk

import (
	"context"
	"encoding/hex"
	"errors"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// AddDraftFile keeps an uploaded file with a draft of the actor, which it
// begins if need be: draft names it as SaveDraft does, and only its ID, Kind,
// Ticket and Seen are used. An inline file gets a Content-ID by which the HTML
// can show it.
func (d *Desk) AddDraftFile(ctx context.Context, a Actor, draft Draft, file Upload, inline bool) (*DraftFile, error) {
	if err := a.mayDraft(draft.Kind); err != nil {
		return nil, err
	}
	if err := draft.check(); err != nil {
		return nil, err
	}
	blob := store.Compress(file.Data)
	info := blob.Info()
	var added *DraftFile
	err := d.update(ctx, a, func(c *command) error {
		current, err := c.writableDraft(&draft)
		if err != nil {
			return err
		}
		if err := current.fits(info.Size); err != nil {
			return err
		}
		added = &DraftFile{ID: d.newID(), Filename: fileName(file.Filename), ContentType: file.ContentType, Size: info.Size, SHA256: hex.EncodeToString(info.SHA256[:]), At: c.now}
		if inline {
			added.ContentID = strings.ToLower(added.ID) + "@inline"
		}
		current.Files, current.UpdatedAt = append(current.Files, *added), c.now
		if err := draftFiles.Put(c, current.fileKey(added.ID), blob); err != nil {
			return err
		}
		if err := c.setTimer(TimerDraft, current.ID, c.now.Add(draftRest)); err != nil {
			return err
		}
		return c.putDraft(current)
	})
	return added, err
}

func (d *Draft) fits(size int64) error {
	if len(d.Files) >= maxDraftFiles {
		return invalid("file", "too_many_files", "the draft has %d files already, the limit", len(d.Files))
	}
	for _, f := range d.Files {
		size += f.Size
	}
	if size > maxReplyFiles {
		return invalid("file", "files_too_large", "the files have %d bytes together; the limit is %d", Bytes(size), Bytes(maxReplyFiles))
	}
	return nil
}

func (d *Draft) fileKey(id string) []byte { return key(d.ID, id) }

const (
	maxFileName  = 255 // bytes; most file systems take no longer one
	maxExtension = 20  // bytes, with the dot; what is longer is a part of the name
)

// fileName keeps the last part of what a browser calls a file, cut before its
// extension where it is too long: the beginning says which it is, the end what.
func fileName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == utf8.RuneError {
			return -1
		}
		return r
	}, name))
	if len(name) > maxFileName {
		extension := path.Ext(name)
		if len(extension) > maxExtension {
			extension = ""
		}
		name = strings.ToValidUTF8(name[:maxFileName-len(extension)], "") + extension
	}
	if name == "" {
		return "file"
	}
	return name
}

// RemoveDraftFile takes a file off a draft of the actor. One that is not there
// is no error: the wish is fulfilled.
func (d *Desk) RemoveDraftFile(ctx context.Context, a Actor, draftID, fileID string) error {
	if err := a.mayDraft(DraftReply); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		draft, err := optional(drafts.Get(c, key(draftID)))
		if err != nil || draft == nil {
			return err
		}
		if _, err := c.writableDraft(draft); err != nil {
			return err
		}
		draft.Files = slices.DeleteFunc(draft.Files, func(f DraftFile) bool { return f.ID == fileID })
		if err := draftFiles.Delete(c, draft.fileKey(fileID)); err != nil {
			return err
		}
		draft.UpdatedAt = c.now
		if draft.empty() && draft.Returned == nil {
			return c.dropDraft(draft)
		}
		return c.putDraft(draft)
	})
}

// DraftFileData returns a file of a draft with its bytes. Whoever may read
// tickets may read it.
func (d *Desk) DraftFileData(ctx context.Context, a Actor, draftID, fileID string) (file DraftFile, data []byte, err error) {
	if err := a.mayRead("a draft"); err != nil {
		return file, nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		draft, err := drafts.Get(r, key(draftID))
		if draft, err = found(draft, err, "draft", draftID); err != nil {
			return err
		}
		i := slices.IndexFunc(draft.Files, func(f DraftFile) bool { return f.ID == fileID })
		if i < 0 {
			return notFound("file of this draft", fileID)
		}
		file = draft.Files[i]
		data, err = draftFiles.Get(r, draft.fileKey(fileID))
		return err
	})
	return file, data, err
}

// attach adds the files of the reply's draft to what is attached: those that
// Uploads names, or all where it is nil; of the images in the text only those
// that the HTML shows. It is a conflict ("draft_gone") where one that is named is no
// longer there: another page may have taken it away.
func (r *Reply) attach(s store.Reader) error {
	if r.Draft == "" {
		return nil
	}
	draft, err := optional(drafts.Get(s, key(r.Draft)))
	if err != nil {
		return err
	}
	var files []DraftFile
	if draft != nil {
		files = draft.Files
	}
	for _, id := range r.Uploads {
		if !slices.ContainsFunc(files, func(f DraftFile) bool { return f.ID == id }) {
			return conflict("draft_gone", "an uploaded file is no longer there; upload it again")
		}
	}
	for _, f := range files {
		shown := f.ContentID != "" && strings.Contains(r.HTML, "cid:"+f.ContentID)
		wanted := f.ContentID == "" && (r.Uploads == nil || slices.Contains(r.Uploads, f.ID))
		if !shown && !wanted {
			continue
		}
		data, err := draftFiles.Get(s, draft.fileKey(f.ID))
		if err != nil {
			return err
		}
		r.Attachments = append(r.Attachments, Upload{Filename: f.Filename, ContentType: f.ContentType, ContentID: f.ContentID, Data: data})
	}
	return nil
}

// RestDraft works on a TimerDraft: a draft that holds nothing but files, and
// that nobody touched for a week, is deleted. One with words is kept, and is
// asked about again.
func (d *Desk) RestDraft(ctx context.Context, id string) error {
	return d.update(ctx, System("drafts"), func(c *command) error {
		draft, err := drafts.Get(c, key(id))
		if errors.Is(err, store.ErrNotFound) {
			return c.clearTimer(TimerDraft, id)
		}
		if err != nil {
			return err
		}
		due := draft.UpdatedAt.Add(draftRest)
		if draft.State == DraftWriting && !draft.written() && draft.Returned == nil && !due.After(c.now) {
			return c.dropDraft(draft)
		}
		if !due.After(c.now) {
			due = c.now.Add(draftRest)
		}
		return c.setTimer(TimerDraft, id, due)
	})
}
