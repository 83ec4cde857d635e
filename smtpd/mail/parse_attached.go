package mail

import "bytes"

func isAttachedMail(e *entity) bool {
	return e.contentType == "message/rfc822" || e.contentType == "message/global"
}

// attachedMail gives a mail within a mail the form that mail has on the wire, so
// that the same mail is the same file however it came: its lines end in CRLF (RFC
// 5322 section 2.1), and the empty lines between its end and the delimiter, which
// gateways add and take away and no signature covers (RFC 6376 section 3.4.3),
// are no part of it. One that was encoded as a file stays one, to the byte; and
// the source keeps everything.
func attachedMail(data []byte, e *entity) []byte {
	if len(data) == 0 || len(e.body) != len(data) || &e.body[0] != &data[0] {
		return data // it was decoded
	}
	data = bytes.TrimRight(data, "\r\n")
	if bytes.Count(data, []byte("\n")) == bytes.Count(data, []byte("\r\n")) {
		return data
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
}
