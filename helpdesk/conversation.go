package helpdesk

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// Outlook groups mails by Thread-Index, the base64 of a conversation index
// (MS-OXOMSG, section 2.2.1.3): a header with the time of the first mail and an
// id, and five bytes for each answer; and by Thread-Topic.
const (
	indexHeader   = 22
	indexResponse = 5
	// maxIndexResponses bounds what a long thread adds to each header.
	maxIndexResponses = 50
	maxTopic          = 200 // characters
)

// filetimeToUnix is how many 100 ns pass between 1601 and 1970.
const filetimeToUnix = 116444736000000000

func filetime(t time.Time) uint64 {
	return uint64(t.Unix()*10_000_000 + int64(t.Nanosecond()/100) + filetimeToUnix)
}

// threadFields are the fields that let Outlook show an answer beneath parent,
// the message it answers, or beneath its ticket where that came without an
// index.
func threadFields(t *Ticket, parent *Message, now time.Time) []mail.Field {
	index := t.conversation()
	if parent != nil {
		if known := readIndex(parent.ThreadIndex); known != nil {
			index = known
		}
	}
	fields := []mail.Field{{Name: "Thread-Index", Value: base64.StdEncoding.EncodeToString(answerIndex(index, now))}}
	if topic := threadTopic(t.Subject); topic != "" {
		fields = append(fields, mail.Field{Name: "Thread-Topic", Value: topic})
	}
	return fields
}

// conversation is the header of a ticket's own index: the same at every call.
func (t *Ticket) conversation() []byte {
	index := make([]byte, 8, indexHeader)
	binary.BigEndian.PutUint64(index, filetime(t.CreatedAt))
	index = index[:6] // the rest of the time is below its resolution here
	index[0] = 1
	id := sha256.Sum256(fmt.Appendf(nil, "conversation %d of %s, %s", t.Number, t.ContactID, t.CreatedAt.UTC().Format(time.RFC3339Nano)))
	return append(index, id[:16]...)
}

// readIndex returns nil for what is no conversation index.
func readIndex(value string) []byte {
	index, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
	if err != nil || len(index) < indexHeader || (len(index)-indexHeader)%indexResponse != 0 || index[0] != 1 {
		return nil
	}
	return index
}

// answerIndex adds the level of one answer: a bit for the unit, 31 bits of time
// since the header's, and a byte that tells answers at the same time apart.
func answerIndex(index []byte, now time.Time) []byte {
	if len(index) >= indexHeader+maxIndexResponses*indexResponse {
		return index
	}
	var first [8]byte
	copy(first[:], index[:6])
	since := max(int64(filetime(now))-int64(binary.BigEndian.Uint64(first[:])), 0)
	delta := uint32(since>>18) & 0x7fffffff
	if since >= 1<<49 { // about 1.8 years: count in longer units
		delta = uint32(since>>23)&0x7fffffff | 0x80000000
	}
	level := binary.BigEndian.AppendUint32(nil, delta)
	return append(append(index[:len(index):len(index)], level...), byte(now.Nanosecond()>>8)&0xf0)
}

// threadTopic is the subject without prefixes, as one header line can hold it.
func threadTopic(subject string) string {
	topic := strings.Join(strings.FieldsFunc(mail.PlainSubject(subject), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if strings.Contains(topic, "=?") { // would be read as an encoded word
		return ""
	}
	if runes := []rune(topic); len(runes) > maxTopic {
		topic = string(runes[:maxTopic])
	}
	return topic
}

// threadIndex reads the field that a mail came with; "" where it has none that
// can be read.
func threadIndex(m *mail.Message) string {
	for _, field := range m.Header {
		if strings.EqualFold(field.Name, "Thread-Index") && len(field.Value) < 1024 && readIndex(field.Value) != nil {
			return strings.Join(strings.Fields(field.Value), "")
		}
	}
	return ""
}
