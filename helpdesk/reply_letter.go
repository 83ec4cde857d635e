package helpdesk

import (
	"slices"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// readLetter reduces the HTML of a reply to what belongs in a mail, and makes
// its text of it where there is none. Images that stand in the HTML become files
// of the reply; an image that somebody took out of the text again is not sent.
func (r *Reply) readLetter() error {
	if r.HTML == "" {
		return nil
	}
	source, images, err := mail.DetachImages(r.HTML)
	if err != nil {
		return invalid("html", "image_unreadable", "the text has an image that cannot be sent (%v); take it out, or attach it as a file", err)
	}
	letter := mail.ReadLetter(source)
	r.HTML = letter.HTML
	if r.Text == "" {
		r.Text = letter.Text
	}
	var files []Upload
	shown := map[string]bool{}
	for _, f := range r.Attachments {
		if f.ContentID == "" || slices.Contains(letter.Images, f.ContentID) {
			files = append(files, f)
			shown[f.ContentID] = true
		}
	}
	for _, image := range images {
		if slices.Contains(letter.Images, image.ContentID) && !shown[image.ContentID] {
			files = append(files, Upload{Filename: image.Filename, ContentType: image.ContentType, ContentID: image.ContentID, Data: image.Data})
			shown[image.ContentID] = true
		}
	}
	for _, id := range letter.Images {
		if !shown[id] {
			return invalid("html", "image_missing", "the text shows an image (cid:%s) that is not among the files; put it in again", id)
		}
	}
	// In the mail, images of the text come before files: so they are numbered.
	slices.SortStableFunc(files, func(a, b Upload) int { return rank(a) - rank(b) })
	r.Attachments = files
	return nil
}

func rank(f Upload) int {
	if f.ContentID != "" {
		return 0
	}
	return 1
}
