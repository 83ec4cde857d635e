package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// benchmarkMessage has the size and shape of a stored mail.
type benchmarkMessage struct {
	ID, Ticket                    uint64
	From, FromName, Subject, Text string
	To, Cc, References            []string
	MessageID, InReplyTo, Reason  string
	Received, Date                time.Time
	Size                          int64
	AutoReply, List, Bounce       bool
	SPF, DKIM, DMARC, ARC         string
	Attachments                   []struct{ Name, Type, SHA256 string }
	Language, Alias, Direction    string
}

func benchmarkMessages() *store.Table[benchmarkMessage] {
	return store.NewTable(store.Spec[benchmarkMessage]{
		Name:    "message",
		Version: 1,
		Key:     func(m *benchmarkMessage) []byte { return store.Key{}.Uint64(m.ID) },
		Indexes: []store.Index[benchmarkMessage]{
			{Name: "ticket", Keys: func(m *benchmarkMessage) [][]byte {
				return [][]byte{store.Key{}.Uint64(m.Ticket).Time(m.Received)}
			}},
			{Name: "message-id", Unique: true, Keys: func(m *benchmarkMessage) [][]byte {
				return [][]byte{store.Key{}.BoundedText(m.MessageID)}
			}},
		},
	})
}

func sampleMessage(n uint64) *benchmarkMessage {
	at := time.Unix(int64(n), 0)
	return &benchmarkMessage{
		ID: n, Ticket: n / 4, From: "hanako@example.jp", FromName: "花子", Subject: "注文について",
		Text: strings.Repeat("商品がまだ届きません。", 60), To: []string{"support@example.com"},
		MessageID: string(store.Key{}.Uint64(n)), Received: at, Date: at, Size: 4000, SPF: "pass", DKIM: "pass", DMARC: "pass",
	}
}

// BenchmarkTablePut is the cost of a record with two indexes without the commit.
func BenchmarkTablePut(b *testing.B) {
	messages, e := benchmarkMessages(), openBolt(b)
	b.ReportAllocs()
	err := e.Update(context.Background(), func(tx store.Tx) error {
		for n := uint64(0); b.Loop(); n++ {
			if err := messages.Put(tx, sampleMessage(n%1000)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTableGet is the cost of reading one record.
func BenchmarkTableGet(b *testing.B) {
	messages, e := benchmarkMessages(), openBolt(b)
	const records = 1000
	err := e.Update(context.Background(), func(tx store.Tx) error {
		for n := range uint64(records) {
			if err := messages.Put(tx, sampleMessage(n)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	err = e.View(context.Background(), func(r store.Reader) error {
		for n := uint64(0); b.Loop(); n++ {
			if _, err := messages.Get(r, store.Key{}.Uint64(n%records)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
