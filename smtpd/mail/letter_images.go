package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// ErrNotAnImage says that a data: URL of a letter holds no image that mail
// programs show.
var ErrNotAnImage = errors.New("not a PNG, JPEG, GIF or WebP image")

// DetachImages takes the images that stand in HTML as data: URLs (RFC 2397) out
// of it, so that they can be sent as parts of their own, which every mail program
// shows: Gmail and Outlook leave out the others. Their place refers to them by
// Content-ID, which is the same for the same image, and one without words gets the
// name of its file for them. The rest of the source is not touched. The error, which wraps ErrNotAnImage, counts the images from 1.
func DetachImages(source string) (string, []Attachment, error) {
	if !strings.Contains(source, "data:") {
		return source, nil, nil
	}
	var out strings.Builder
	var images []Attachment
	names := map[string]string{} // by Content-ID
	tokenizer := html.NewTokenizer(strings.NewReader(source))
	for count := 0; ; {
		kind := tokenizer.Next()
		if kind == html.ErrorToken {
			return out.String(), images, nil
		}
		raw := string(tokenizer.Raw()) // before Token, which unescapes in place
		token := tokenizer.Token()
		if (kind != html.StartTagToken && kind != html.SelfClosingTagToken) || token.Data != "img" {
			out.WriteString(raw)
			continue
		}
		name := ""
		for i, a := range token.Attr {
			if a.Key != "src" || !strings.HasPrefix(a.Val, "data:") {
				continue
			}
			count++
			image, err := readImage(a.Val)
			if err != nil {
				return "", nil, fmt.Errorf("image %d: %w", count, err)
			}
			token.Attr[i].Val = "cid:" + image.ContentID
			if names[image.ContentID] == "" {
				image.Filename = fmt.Sprintf("image%d.%s", count, strings.TrimPrefix(image.ContentType, "image/"))
				names[image.ContentID] = image.Filename
				images = append(images, image)
			}
			name = names[image.ContentID]
		}
		if name != "" {
			token.Attr = withWords(token.Attr, name)
		}
		out.WriteString(token.String())
	}
}

// withWords gives an image without words those.
func withWords(attributes []html.Attribute, words string) []html.Attribute {
	attributes = slices.DeleteFunc(attributes, func(a html.Attribute) bool { return a.Key == "alt" && strings.TrimSpace(a.Val) == "" })
	if slices.ContainsFunc(attributes, func(a html.Attribute) bool { return a.Key == "alt" }) {
		return attributes
	}
	return append(attributes, html.Attribute{Key: "alt", Val: words})
}

func readImage(address string) (Attachment, error) {
	head, encoded, found := strings.Cut(strings.TrimPrefix(address, "data:"), ",")
	if !found || !strings.HasSuffix(head, ";base64") {
		return Attachment{}, ErrNotAnImage
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return Attachment{}, fmt.Errorf("%w: %v", ErrNotAnImage, err)
	}
	kind := imageType(data)
	if kind == "" {
		return Attachment{}, ErrNotAnImage
	}
	sum := sha256.Sum256(data)
	return Attachment{ContentType: kind, ContentID: fmt.Sprintf("%x@inline", sum[:10]), Inline: true, Size: int64(len(data)), Data: data}, nil
}

// imageType tells an image by its first bytes; "" for what is none of those that
// mail programs show.
func imageType(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return "image/gif"
	case len(data) > 12 && bytes.HasPrefix(data, []byte("RIFF")) && bytes.Equal(data[8:12], []byte("WEBP")):
		return "image/webp"
	}
	return ""
}
