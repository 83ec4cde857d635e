package helpdesk

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// maxBulkReplyFiles is in bytes, all files together: every customer gets a mail
// with them, and every mail is kept.
const maxBulkReplyFiles = 5_000_000

// bulkReplyFiles holds the bytes of the files of bulk replies.
var bulkReplyFiles = store.Blobs{Name: "bulkreply"}

func (b *BulkReply) fileKey(id string) []byte { return key(b.ID, id) }

// AddBulkReplyFile attaches a file to what every customer gets. Only its author
// may, before it is sent.
func (d *Desk) AddBulkReplyFile(ctx context.Context, a Actor, id string, file Upload) (b *BulkReply, err error) {
	if err := a.may("reply to many tickets", PermitBulk); err != nil {
		return nil, err
	}
	blob := store.Compress(file.Data)
	info := blob.Info()
	err = d.update(ctx, a, func(c *command) error {
		if b, err = c.writtenBulkReply(id); err != nil {
			return err
		}
		size := info.Size
		for _, f := range b.Files {
			size += f.Size
		}
		if size > maxBulkReplyFiles {
			return invalid("attachments", "files_too_large", "the files have %d bytes together; the limit is %d", Bytes(size), Bytes(maxBulkReplyFiles))
		}
		added := DraftFile{ID: d.newID(), Filename: fileName(file.Filename), ContentType: file.ContentType, Size: info.Size, SHA256: hex.EncodeToString(info.SHA256[:]), At: c.now}
		b.Files, b.ChangedAt = append(b.Files, added), c.now
		if err := bulkReplyFiles.Put(c, b.fileKey(added.ID), blob); err != nil {
			return err
		}
		return bulkReplies.Put(c, b)
	})
	return b, err
}

// RemoveBulkReplyFile takes a file off again. One that is not there is no error:
// the wish is fulfilled.
func (d *Desk) RemoveBulkReplyFile(ctx context.Context, a Actor, id, fileID string) (b *BulkReply, err error) {
	if err := a.may("reply to many tickets", PermitBulk); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		if b, err = c.writtenBulkReply(id); err != nil {
			return err
		}
		b.Files = slices.DeleteFunc(b.Files, func(f DraftFile) bool { return f.ID == fileID })
		b.ChangedAt = c.now
		if err := bulkReplyFiles.Delete(c, b.fileKey(fileID)); err != nil {
			return err
		}
		return bulkReplies.Put(c, b)
	})
	return b, err
}

// attachments reads the files that each of the replies gets.
func (b *BulkReply) attachments(r store.Reader) (list []Upload, err error) {
	for _, f := range b.Files {
		data, err := bulkReplyFiles.Get(r, b.fileKey(f.ID))
		if err != nil {
			return nil, fmt.Errorf("read file %s of bulk reply %s: %w", f.ID, b.ID, err)
		}
		list = append(list, Upload{Filename: f.Filename, ContentType: f.ContentType, Data: data})
	}
	return list, nil
}

// verifyBulkReplyFiles looks for files that cannot be read, and for those of no
// bulk reply.
func verifyBulkReplyFiles(_ context.Context, r store.Reader) (problems []string, err error) {
	known := map[string]bool{}
	for b, err := range readable(r, bulkReplies.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		for _, f := range b.Files {
			known[string(b.fileKey(f.ID))] = true
		}
		if _, err := b.attachments(r); err != nil {
			problems = append(problems, strings.TrimSpace(err.Error()))
		}
	}
	for id, err := range bulkReplyFiles.IDs(r) {
		if err != nil {
			return problems, err
		}
		if !known[string(id)] {
			problems = append(problems, fmt.Sprintf("a file %q is of no bulk reply", id))
		}
	}
	return problems, nil
}
