package helpdesk

import (
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// restored is a file of a reply that is taken back, ready for its draft.
type restored struct {
	file DraftFile
	blob store.Blob
}

// restoredFiles reads the files of a reply from its source.
func (d *Desk) restoredFiles(raw []byte) (list []restored) {
	for _, f := range mail.Parse(raw).Attachments {
		file := DraftFile{ID: d.newID(), Filename: fileName(f.Filename), ContentType: f.ContentType, Size: f.Size, SHA256: f.SHA256, At: d.now()}
		if f.Inline {
			file.ContentID = f.ContentID
		}
		list = append(list, restored{file, store.Compress(f.Data)})
	}
	return list
}

// restoreDraft makes a reply that was taken back the actor's draft again.
func (c *command) restoreDraft(m *Message, files []restored) error {
	body, err := bodies.Get(c, key(m.ID))
	if err != nil {
		return err
	}
	draft := &Draft{ID: c.desk.newID(), Kind: DraftReply, Ticket: m.Ticket, UserID: c.actor.UserID, State: DraftWriting,
		Text: body.ReplyText, HTML: body.HTML, To: typed(m.To), Cc: typed(m.Cc), Bcc: typed(m.Bcc), Quote: m.Before.Quote, Forward: m.Forwarded, Signature: m.Before.Signature, Templates: m.Templates, Seen: c.last, CreatedAt: c.now, UpdatedAt: c.now}
	if opening := m.Before.Opening; opening != nil {
		draft.Kind, draft.Ticket, draft.AliasID, draft.Subject = DraftMail, 0, opening.AliasID, opening.Subject
	}
	for _, f := range files {
		if err := draftFiles.Put(c, draft.fileKey(f.file.ID), f.blob); err != nil {
			return err
		}
		draft.Files = append(draft.Files, f.file)
	}
	return c.putDraft(draft)
}

// typed writes addresses as people type them.
func typed(list []Address) string {
	var parts []string
	for _, a := range list {
		switch {
		case a.Name == "":
			parts = append(parts, a.Email)
		case strings.ContainsAny(a.Name, `,;:<>@"()[]\`):
			parts = append(parts, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name)+`" <`+a.Email+">")
		default:
			parts = append(parts, a.Name+" <"+a.Email+">")
		}
	}
	return strings.Join(parts, ", ")
}
