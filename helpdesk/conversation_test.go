package helpdesk_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
	"time"
)

// threadIndexOf returns the conversation index and topic of a sent mail.
func threadIndexOf(t *testing.T, raw string) (index []byte, topic string) {
	t.Helper()
	for _, field := range parse(raw).Header {
		switch field.Name {
		case "Thread-Index":
			decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(field.Value))
			if err != nil {
				t.Fatal(err)
			}
			index = decoded
		case "Thread-Topic":
			topic = field.Value
		}
	}
	return index, topic
}

func (h *house) sendReply(number uint64) string {
	h.t.Helper()
	h.reply(number, "Hello")
	h.pass(10 * time.Second)
	for _, raw := range h.deliver(taken) {
		return raw
	}
	h.t.Fatal("nothing was sent")
	return ""
}

func TestAnswersCarryAStableConversationIndex(t *testing.T) {
	h := newHouse(t)
	h.first()
	one, topic := threadIndexOf(t, h.sendReply(1))
	h.pass(3 * time.Hour)
	two, _ := threadIndexOf(t, h.sendReply(1))
	if len(one) != 27 || len(two) != 27 || !bytes.Equal(one[:22], two[:22]) || bytes.Equal(one, two) || topic != "Invoice 2291" {
		t.Errorf("indexes %x and %x, topic %q", one, two, topic)
	}
	ticks := binary.BigEndian.Uint64(append(bytes.Clone(one[:6]), 0, 0))
	created := h.ticket(1).Row.Ticket.CreatedAt
	if seconds := int64(ticks/10_000_000) - 11644473600; seconds > created.Unix() || created.Unix()-seconds > 1 {
		t.Errorf("the index begins at %v, the ticket at %v", time.Unix(seconds, 0).UTC(), created)
	}
	later := int64(binary.BigEndian.Uint32(two[22:26])-binary.BigEndian.Uint32(one[22:26])) << 18 / 10_000_000
	if later < 3*3600-1 || later > 3*3600+11 {
		t.Errorf("the second answer is %d s later", later)
	}
	h.second()
	if other, _ := threadIndexOf(t, h.sendReply(2)); bytes.Equal(other[6:22], one[6:22]) {
		t.Error("two tickets are one conversation")
	}
}

func TestAnswersContinueTheCustomersConversation(t *testing.T) {
	h := newHouse(t)
	own := append([]byte{1, 0xdc, 1, 2, 3, 4}, bytes.Repeat([]byte{7}, 16)...)
	h.post("support@example.jp", "From: tamura@customer.example", "Subject: =?utf-8?B?6KuL5rGC5pu4?=", "Thread-Index: "+base64.StdEncoding.EncodeToString(own), "", "Please")
	index, topic := threadIndexOf(t, h.sendReply(1))
	if len(index) != 27 || !bytes.Equal(index[:22], own) || !strings.Contains(topic, "請求書") && !strings.Contains(topic, "=?utf-8?") {
		t.Errorf("index %x, topic %q", index, topic)
	}
	for _, bad := range []string{"junk", "AQ==", strings.Repeat("A", 5000), base64.StdEncoding.EncodeToString(own[:21])} {
		receipt := h.post("support@example.jp", "From: x@customer.example", "Subject: \x01odd =?x\ttopic", "Thread-Index: "+bad, "", bad)
		if index, _ := threadIndexOf(t, h.sendReply(receipt.Ticket)); len(index) != 27 {
			t.Errorf("after Thread-Index %.20q: %x", bad, index)
		}
	}
	long := append(bytes.Clone(own), make([]byte, 5*50)...)
	receipt := h.post("support@example.jp", "From: y@customer.example", "Subject: long", "Thread-Index: "+base64.StdEncoding.EncodeToString(long), "", "long")
	if index, _ := threadIndexOf(t, h.sendReply(receipt.Ticket)); len(index) != len(long) {
		t.Errorf("the index of a long thread grows to %d bytes", len(index))
	}
}
