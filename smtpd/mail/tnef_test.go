package mail_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// tnefWriter writes a TNEF stream as Outlook does (MS-OXTNEF section 2.1).
type tnefWriter struct{ bytes.Buffer }

func newTNEF() *tnefWriter {
	w := &tnefWriter{}
	w.number(0x223E9F78, 4)
	w.number(1, 2)
	return w
}

func (w *tnefWriter) number(v uint64, size int) {
	w.Write(binary.LittleEndian.AppendUint64(nil, v)[:size])
}

// attribute writes one attribute; level 2 belongs to an attachment.
func (w *tnefWriter) attribute(level byte, id uint32, data []byte) {
	w.WriteByte(level)
	w.number(uint64(id), 4)
	w.number(uint64(len(data)), 4)
	w.Write(data)
	sum := 0
	for _, c := range data {
		sum += int(c)
	}
	w.number(uint64(sum), 2)
}

// file writes an attachment, with its properties where there are any.
func (w *tnefWriter) file(title string, data []byte, properties ...tnefProperty) {
	w.attribute(2, 0x69002, make([]byte, 14))
	w.attribute(2, 0x18010, []byte(title+"\x00"))
	if data != nil {
		w.attribute(2, 0x6800F, data)
	}
	if len(properties) > 0 {
		w.attribute(2, 0x69005, tnefProperties(properties))
	}
}

type tnefProperty struct {
	id, kind uint16
	value    []byte
}

func tnefProperties(properties []tnefProperty) []byte {
	w := &tnefWriter{}
	w.number(uint64(len(properties)), 4)
	for _, p := range properties {
		w.number(uint64(p.kind), 2)
		w.number(uint64(p.id), 2)
		if p.kind == 0x0003 {
			w.Write(p.value)
			continue
		}
		w.number(1, 4)
		w.number(uint64(len(p.value)), 4)
		w.Write(p.value)
		w.Write(make([]byte, -len(p.value)&3))
	}
	return w.Bytes()
}

// unicodeString is a property of the type PtypString.
func unicodeString(id uint16, s string) tnefProperty {
	var value []byte
	for _, unit := range append(utf16.Encode([]rune(s)), 0) {
		value = binary.LittleEndian.AppendUint16(value, unit)
	}
	return tnefProperty{id, 0x001F, value}
}

// winmail is a mail of nothing but a stream.
func winmail(stream []byte) []byte {
	return []byte("From: hana@kaede.example\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(stream))
}

func TestParseOpensTNEF(t *testing.T) {
	content := bytes.Repeat([]byte{0, 1, 2, 0xFF}, 5000)
	w := newTNEF()
	w.file("SHORT~1.BIN", content, unicodeString(0x3707, "長い名前のファイル①.bin"), unicodeString(0x3712, "<fig1@kaede>"))
	w.file("plain.txt", []byte{})
	m := mail.Parse(winmail(w.Bytes()))
	if len(m.Attachments) != 2 || len(m.Defects) > 0 {
		t.Fatalf("attachments %d, defects %v", len(m.Attachments), m.Defects)
	}
	a := m.Attachments[0]
	if a.Filename != "長い名前のファイル①.bin" || !bytes.Equal(a.Data, content) || a.ContentID != "fig1@kaede" {
		t.Errorf("read as %q with %d bytes and identifier %q", a.Filename, len(a.Data), a.ContentID)
	}
	if b := m.Attachments[1]; b.Filename != "plain.txt" || b.Size != 0 {
		t.Errorf("an empty file read as %q with %d bytes", b.Filename, b.Size)
	}
}

// What is cut off anywhere is read up to there, and the file itself is kept.
func TestParseKeepsATNEFThatIsCutShort(t *testing.T) {
	w := newTNEF()
	w.file("first.txt", []byte("first"), unicodeString(0x3707, "first file.txt"))
	w.attribute(1, 0x69003, tnefProperties([]tnefProperty{unicodeString(0x1000, "words")}))
	whole := w.Bytes()
	for length := range len(whole) {
		m := mail.Parse(winmail(whole[:length]))
		checkInvariants(t, m)
		kept := slices.ContainsFunc(m.Attachments, func(a mail.Attachment) bool { return bytes.Equal(a.Data, whole[:length]) })
		if !kept && len(m.Defects) > 0 {
			t.Fatalf("cut at %d: neither opened nor kept: %v", length, m.Defects)
		}
	}
	if m := mail.Parse(winmail(whole)); m.Text != "words" {
		t.Errorf("the whole stream reads %q", m.Text)
	}
}

func TestParseBoundsTNEF(t *testing.T) {
	deep := newTNEF().Bytes()
	for range 50 {
		w := newTNEF()
		object := append(make([]byte, 16), deep...)
		w.file("", nil, tnefProperty{0x3701, 0x000D, object})
		deep = w.Bytes()
	}
	many := newTNEF()
	for i := range 3000 {
		many.file(fmt.Sprintf("%d.txt", i), []byte("x"))
	}
	counts := newTNEF()
	counts.attribute(1, 0x69003, bytes.Repeat([]byte{0xFF}, 64))
	values := newTNEF()
	values.attribute(1, 0x69003, []byte("\x01\x00\x00\x00\x02\x11\x00\x10\xFF\xFF\xFF\xFF"))
	groups := newTNEF()
	rtf := []byte(`{\rtf1 ` + strings.Repeat(`{\'8`, 200_000))
	groups.attribute(1, 0x69003, tnefProperties([]tnefProperty{{0x1009, 0x0102, storedRTF(rtf)}}))
	for name, stream := range map[string][]byte{
		"depth": deep, "files": many.Bytes(), "counts": counts.Bytes(), "values": values.Bytes(), "groups": groups.Bytes(),
	} {
		m := mail.Parse(winmail(stream))
		checkInvariants(t, m)
		if name != "groups" && len(m.Defects) == 0 {
			t.Errorf("%s: no defect names the limit", name)
		}
	}
}

// storedRTF wraps RTF as MS-OXRTFCP does without compressing it.
func storedRTF(rtf []byte) []byte {
	w := &tnefWriter{}
	w.number(uint64(len(rtf)+12), 4)
	w.number(uint64(len(rtf)), 4)
	w.WriteString("MELA")
	w.number(0, 4)
	w.Write(rtf)
	return w.Bytes()
}

// FuzzTNEF reads any bytes as a stream: no panic, the promises of Message kept,
// and the stream itself kept wherever it was not understood.
func FuzzTNEF(f *testing.F) {
	files, err := filepath.Glob("testdata/*tnef*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, encoded, _ := bytes.Cut(raw, []byte("filename=\"winmail.dat\"\r\n\r\n"))
		encoded, _, _ = bytes.Cut(encoded, []byte("\r\n--"))
		stream, err := base64.StdEncoding.DecodeString(string(encoded))
		if err != nil {
			f.Fatalf("%s: %v", file, err)
		}
		f.Add(stream)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		m := mail.Parse(winmail(stream))
		checkInvariants(t, m)
		kept := slices.ContainsFunc(m.Attachments, func(a mail.Attachment) bool { return bytes.Equal(a.Data, stream) })
		if len(m.Defects) > 0 && len(stream) > 0 && !kept {
			t.Errorf("%v, but the stream is not kept", m.Defects)
		}
	})
}
