package mail

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Limits of one TNEF stream. They are far above what mail programs write; a
// stream beyond them is kept as the file it came as.
const (
	maxTNEFFiles      = 1000
	maxTNEFAttributes = 10000
	maxTNEFProperties = 10000 // of one list
	maxTNEFDepth      = 5     // mails attached within mails
)

// tnefMessage is what a winmail.dat holds (MS-OXTNEF): the mail as Outlook
// wrote it, in the parts that a reader needs.
type tnefMessage struct {
	subject  string
	text     string
	html     []byte
	htmlPage string // character set of html
	rtf      []byte // decompressed
	files    []tnefFile
}

// tnefFile is an attachment of the stream. mail is set for an attached mail,
// which has no bytes of its own.
type tnefFile struct {
	name, displayName, contentType, contentID string

	data []byte
	mail *tnefMessage
}

// isTNEF says whether a part is a TNEF stream by its type or name.
func isTNEF(e *entity) bool {
	switch e.contentType {
	case "application/ms-tnef", "application/vnd.ms-tnef", "application/x-tnef", "application/tnef", "image/tnef":
		return true
	}
	return strings.EqualFold(e.filename, "winmail.dat")
}

const tnefSignature = 0x223E9F78

// The attributes that are read (MS-OXTNEF section 2.1.3.2), without their type.
const (
	tnefSubject        = 0x8004
	tnefBody           = 0x800C
	tnefAttachData     = 0x800F
	tnefAttachTitle    = 0x8010
	tnefAttachRendData = 0x9002
	tnefMessageProps   = 0x9003
	tnefAttachment     = 0x9005
	tnefOEMCodePage    = 0x9007
)

// errTNEFShort says that a stream ends inside a value.
var errTNEFShort = errors.New("the stream ends too early")

// readTNEF reads a stream. With an error, the message holds what came before it.
func readTNEF(data []byte) (*tnefMessage, error) { return readTNEFAt(data, 0) }

func readTNEFAt(data []byte, depth int) (*tnefMessage, error) {
	r := tnefReader{message: &tnefMessage{}, codePage: "windows-1252", depth: depth}
	if depth > maxTNEFDepth {
		return r.message, fmt.Errorf("more than %d mails within each other", maxTNEFDepth)
	}
	if len(data) < 6 || binary.LittleEndian.Uint32(data) != tnefSignature {
		return r.message, errors.New("it does not begin with the signature")
	}
	data = data[6:] // the signature, and a key nobody uses
	for count := 0; len(data) > 0; count++ {
		if count >= maxTNEFAttributes {
			return r.message, fmt.Errorf("more than %d attributes", maxTNEFAttributes)
		}
		// Level, identifier, type, length; then the data and a checksum.
		if len(data) < 9 {
			return r.message, errTNEFShort
		}
		id, length := binary.LittleEndian.Uint16(data[1:]), uint64(binary.LittleEndian.Uint32(data[5:]))
		data = data[9:]
		if uint64(len(data)) < length {
			return r.message, errTNEFShort
		}
		if err := r.attribute(id, data[:length:length]); err != nil {
			return r.message, err
		}
		data = data[length:]
		data = data[min(2, len(data)):]
	}
	return r.message, nil
}

// tnefReader is the state of reading one stream.
type tnefReader struct {
	message  *tnefMessage
	codePage string // of strings that are not Unicode
	depth    int
}

func (r *tnefReader) attribute(id uint16, data []byte) error {
	m := r.message
	switch id {
	case tnefOEMCodePage:
		if len(data) >= 4 {
			r.codePage = codePageName(binary.LittleEndian.Uint32(data))
		}
	case tnefSubject:
		m.subject = r.string8(data)
	case tnefBody:
		m.text = r.string8(data)
	case tnefMessageProps:
		return r.messageProperties(data)
	case tnefAttachRendData:
		if len(m.files) >= maxTNEFFiles {
			return fmt.Errorf("more than %d attachments", maxTNEFFiles)
		}
		m.files = append(m.files, tnefFile{})
	case tnefAttachTitle, tnefAttachData, tnefAttachment:
		if len(m.files) == 0 {
			m.files = append(m.files, tnefFile{}) // the attribute that opens an attachment is missing
		}
		file := &m.files[len(m.files)-1]
		switch id {
		case tnefAttachTitle:
			file.name = r.string8(data)
		case tnefAttachData:
			file.data = data
		default:
			return r.fileProperties(file, data)
		}
	}
	return nil
}

// string8 decodes a string of the stream's code page, without its closing zero.
func (r *tnefReader) string8(data []byte) string {
	return cleanText(decodeCharset(trimZeros(data), r.codePage).text)
}

func trimZeros(data []byte) []byte {
	for len(data) > 0 && data[len(data)-1] == 0 {
		data = data[:len(data)-1]
	}
	return data
}

// codePageName gives the label of a Windows code page.
func codePageName(page uint32) string {
	switch page {
	case 0:
		return "windows-1252"
	case 65001:
		return "utf-8"
	case 20127:
		return "us-ascii"
	case 50220, 50221, 50222:
		return "iso-2022-jp"
	case 51932, 20932:
		return "euc-jp"
	case 54936:
		return "gb18030"
	case 28591:
		return "iso-8859-1"
	}
	return fmt.Sprintf("cp%d", page)
}
