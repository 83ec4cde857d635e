package ui

import (
	"slices"
	"strconv"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// fileView is an attachment that can be downloaded.
type fileView struct {
	URL  string
	Name string
	Size string
	Icon string
	Mail string // where it can be read, of an attached mail
	Hint string // its name, and the one the sender wrote where that was another

	Thumbnail string // address of a small picture of it; "" for what is no picture

	Risk    string // what makes it dangerous, in a word; "" for nothing known
	Warning string
}

// fileList are files that are listed together: many of them leave room for the
// conversation, and show when asked for.
type fileList []fileView

const (
	maxListedFiles = 8 // are all shown
	firstFiles     = 6 // of more
)

// Shown are the files that are always listed.
func (l fileList) Shown() fileList {
	if len(l) > maxListedFiles {
		return l[:firstFiles]
	}
	return l
}

// Folded are the others.
func (l fileList) Folded() fileList { return l[len(l.Shown()):] }

// files sorts what a message carries: pictures are seen at a glance, and what the
// HTML shows amid its words would be missed by whoever reads the plain text.
func (r reader) files(view *messageView, msg helpdesk.Message) {
	for i, a := range msg.Attachments {
		file := r.file(msg.ID, i, a)
		switch {
		case a.Inline && a.ContentID != "" && view.HasHTML:
			if a.Size < leastPicture {
				file.Thumbnail = "" // a logo or a line: its name is enough
			}
			view.Within = append(view.Within, file)
		case file.Thumbnail != "":
			view.Pictures = append(view.Pictures, file)
		default:
			view.Files = append(view.Files, file)
		}
	}
}

// leastPicture is the size, in bytes, from which what stands amid the words of
// a mail is taken for a picture of something.
const leastPicture = 20 << 10

// file is an attachment as it is listed, the one at index of a message.
func (r reader) file(messageID string, index int, a helpdesk.Attachment) fileView {
	f := fileView{URL: "/messages/" + messageID + "/attachments/" + strconv.Itoa(index), Name: fileName(r.Printer, a, index), Size: r.Size(a.Size), Icon: fileIcon(a)}
	if isMail(a) {
		f.Mail = f.URL + "/mail"
	}
	f.Hint = r.nameHint(f.Name, a)
	if slices.Contains(thumbnailTypes, strings.ToLower(a.ContentType)) && a.Size <= maxThumbnailSource {
		f.Thumbnail = f.URL + "/thumbnail"
	}
	r.risk(&f, a)
	return f
}
