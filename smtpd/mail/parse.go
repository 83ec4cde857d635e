package mail

import "bytes"

// Parse decodes a mail as it came over the wire. It never fails.
func Parse(raw []byte) *Message {
	header, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	_ = header
	return &Message{Text: string(bytes.ToValidUTF8(body, []byte("\uFFFD")))}
}
