package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode"

	"github.com/emersion/go-message/textproto"
)

// composedPart is a node of the MIME tree that Compose writes.
type composedPart struct {
	fields   []string // header fields, complete with CR LF
	body     []byte   // of a leaf, encoded
	boundary string   // of a multipart
	children []composedPart
}

func (e composedPart) header() textproto.Header {
	var header textproto.Header
	for i := len(e.fields) - 1; i >= 0; i-- { // the library puts each field before the last
		header.AddRaw([]byte(e.fields[i]))
	}
	return header
}

func (e composedPart) write(w io.Writer) error {
	if err := textproto.WriteHeader(w, e.header()); err != nil {
		return err
	}
	return e.writeBody(w)
}

func (e composedPart) writeBody(w io.Writer) error {
	if len(e.children) == 0 {
		_, err := w.Write(e.body)
		return err
	}
	parts := textproto.NewMultipartWriter(w)
	if err := parts.SetBoundary(e.boundary); err != nil {
		return err
	}
	for _, child := range e.children {
		part, err := parts.CreatePart(child.header())
		if err != nil {
			return err
		}
		if err := child.writeBody(part); err != nil {
			return err
		}
	}
	return parts.Close()
}

func (d Draft) body() (composedPart, error) {
	text, document := d.Text, d.HTML
	if strings.TrimSpace(document) == "" {
		document = HTMLFromText(text)
	} else if strings.TrimSpace(text) == "" {
		text = TextFromHTML(document)
	}
	seed := d.seed(text, document)
	root := multipart("alternative", seed, "", textPart("text/plain", text), textPart("text/html", htmlDocument(document)))
	inline, attached := []composedPart{root}, []composedPart{}
	for i, attachment := range d.Attachments {
		if attachment.ContentID != "" && !IsID(attachment.ContentID) {
			return composedPart{}, fmt.Errorf("Content-ID: %q of %q is not an id such as logo@example.com", attachment.ContentID, attachment.Filename)
		}
		part, err := attachmentPart(attachment, i+1)
		if err != nil {
			return composedPart{}, err
		}
		if attachment.Inline && attachment.ContentID != "" {
			inline = append(inline, part)
		} else {
			attached = append(attached, part)
		}
	}
	if len(inline) > 1 {
		root = multipart("related", seed, `; type="multipart/alternative"`, inline...)
	}
	if len(attached) > 0 {
		root = multipart("mixed", seed, "", append([]composedPart{root}, attached...)...)
	}
	return root, nil
}

// seed identifies the content, so that boundaries are the same for the same draft
// and yet cannot be foreseen by whoever wrote a part of it.
func (d Draft) seed(text, document string) []byte {
	hash := sha256.New()
	for _, part := range []string{d.MessageID, text, document} {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	for _, attachment := range d.Attachments {
		fmt.Fprintf(hash, "%d:", len(attachment.Data))
		hash.Write(attachment.Data)
	}
	return hash.Sum(nil)
}

// multipart writes "=_" into the boundary, which neither base64 nor
// quoted-printable text can contain (RFC 2045, section 6.7).
func multipart(subtype string, seed []byte, parameters string, children ...composedPart) composedPart {
	sum := sha256.Sum256(append([]byte(subtype), seed...))
	boundary := fmt.Sprintf("=_%x", sum[:16])
	field := fmt.Sprintf("Content-Type: multipart/%s%s;\r\n boundary=\"%s\"\r\n", subtype, parameters, boundary)
	return composedPart{fields: []string{field}, boundary: boundary, children: children}
}

func textPart(mediaType, text string) composedPart {
	encoding, body := encodeText(text)
	return composedPart{body: body, fields: []string{
		"Content-Type: " + mediaType + "; charset=utf-8\r\n",
		"Content-Transfer-Encoding: " + encoding + "\r\n",
	}}
}

// encodeText chooses what is shorter: quoted-printable for Latin text, base64 for Japanese.
func encodeText(text string) (encoding string, body []byte) {
	text = strings.TrimRight(normalizeLines(text), "\n") + "\n"
	text = strings.ReplaceAll(text, "\n", "\r\n")
	var quoted bytes.Buffer
	writer := quotedprintable.NewWriter(&quoted)
	// Writing to a bytes.Buffer does not fail.
	_, _ = io.WriteString(writer, text)
	_ = writer.Close()
	if quoted.Len() <= base64.StdEncoding.EncodedLen(len(text))*78/76 {
		return "quoted-printable", quoted.Bytes()
	}
	return "base64", encodeBase64([]byte(text))
}

// normalizeLines ends lines by LF and drops control characters that have no
// meaning in a text.
func normalizeLines(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			return -1
		}
		return c
	}, text)
}

func encodeBase64(data []byte) []byte {
	const width = 76
	encoded := make([]byte, base64.StdEncoding.EncodedLen(len(data)))
	base64.StdEncoding.Encode(encoded, data)
	out := make([]byte, 0, len(encoded)+len(encoded)/width*2+2)
	for len(encoded) > 0 {
		n := min(width, len(encoded))
		out = append(append(out, encoded[:n]...), '\r', '\n')
		encoded = encoded[n:]
	}
	return out
}
