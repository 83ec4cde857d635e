package store_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// letter is a record with fields of the names that the helpdesk's have.
type letter struct {
	MessageID, Subject, Text string
	Ticket                   uint64
}

func letters() *store.Table[letter] {
	return store.NewTable(store.Spec[letter]{Name: "letter", Version: 1, Key: func(l *letter) []byte { return store.Key{}.Uint64(l.Ticket) }})
}

// storedLetter puts a record and returns its bytes as the engine has them.
func storedLetter(t *testing.T, e store.Engine, l letter) (key, value []byte) {
	t.Helper()
	err := e.Update(t.Context(), func(tx store.Tx) error { return letters().Put(tx, &l) })
	if err != nil {
		t.Fatal(err)
	}
	err = e.View(t.Context(), func(r store.Reader) error {
		for entry, err := range r.Scan(store.Prefix([]byte("t/letter/"))) {
			if err != nil {
				return err
			}
			key, value = bytes.Clone(entry.Key), bytes.Clone(entry.Value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return key, value
}

func readLetter(t *testing.T, e store.Engine) (got letter, err error) {
	t.Helper()
	err = e.View(t.Context(), func(r store.Reader) error {
		found, err := letters().Get(r, store.Key{}.Uint64(7))
		if err == nil {
			got = *found
		}
		return err
	})
	return got, err
}

func TestRecordsArePacked(t *testing.T) {
	for _, text := range []string{"", "あ", "注文した商品が届きません。", strings.Repeat("配送先の変更をお願いします。", 100_000), string([]byte{0, 1, 2, 0xff})} {
		e := openBolt(t)
		want := letter{MessageID: "01M6XBSW5RFCY75R20D250FHQG", Subject: "配送について", Text: text, Ticket: 7}
		_, value := storedLetter(t, e, want)
		if plain := len(want.MessageID) + len(want.Subject) + len(text); len(text) > 1000 && len(value) > plain/10 {
			t.Errorf("a text of %d bytes that repeats takes %d", plain, len(value))
		}
		if got, err := readLetter(t, e); err != nil || got != want {
			t.Errorf("%.40q reads as %.200v, %v", text, got, err)
		}
	}
}

// Every flipped bit of a packed record is found, and none is a panic.
func TestPackedRecordTellsDamage(t *testing.T) {
	for name, text := range map[string]string{"short": "注文した商品が届きません。", "long": strings.Repeat("配送先の変更をお願いします。", 200)} {
		t.Run(name, func(t *testing.T) {
			packedRecordTellsDamage(t, letter{MessageID: "01M6XBSW5RFCY75R20D250FHQG", Subject: "配送について", Text: text, Ticket: 7})
		})
	}
}

func packedRecordTellsDamage(t *testing.T, l letter) {
	e := openBolt(t)
	key, value := storedLetter(t, e, l)
	if value[0]&0x80 == 0 {
		t.Fatalf("the record is not packed: % x", value)
	}
	damaged := func(stored []byte) error {
		if err := e.Update(t.Context(), func(tx store.Tx) error { return tx.Put(key, stored) }); err != nil {
			t.Fatal(err)
		}
		_, err := readLetter(t, e)
		return err
	}
	step := 1
	if testing.Short() {
		step = 7
	}
	for bit := 0; bit < len(value)*8; bit += step {
		flipped := bytes.Clone(value)
		flipped[bit/8] ^= 1 << (bit % 8)
		if err := damaged(flipped); !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, store.ErrNewer) {
			t.Fatalf("bit %d flipped: %v", bit, err)
		}
	}
	for length := range len(value) {
		if err := damaged(value[:length]); !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, store.ErrNewer) {
			t.Fatalf("cut to %d bytes: %v", length, err)
		}
	}
}

// A store of the time before packing is read as it is.
func TestPlainRecordIsRead(t *testing.T) {
	e := openBolt(t)
	key, _ := storedLetter(t, e, letter{Ticket: 7})
	plain := "\x01\xa2gSubjectehellofTicket\x07"
	if err := e.Update(t.Context(), func(tx store.Tx) error { return tx.Put(key, []byte(plain)) }); err != nil {
		t.Fatal(err)
	}
	if got, err := readLetter(t, e); err != nil || got != (letter{Subject: "hello", Ticket: 7}) {
		t.Errorf("a plain record reads as %v, %v", got, err)
	}
}

// What was written with the dictionary can be read with nothing else: these bytes
// were stored by the first program that packed.
func TestDictionaryNeverChanges(t *testing.T) {
	const stored = "\x81\x01:EҦx\x1c\xa4dTextx'F\b\x13\bが*\x89\f\f\x9bん&z+\x00\aQ\xc5\x00rF\xae\x02=\x80\x0eF,\x15\x00\b\x18250FHQG"
	e := openBolt(t)
	want := letter{MessageID: "01M6XBSW5RFCY75R20D250FHQG", Subject: "配送について", Text: "注文した商品が届きません。", Ticket: 7}
	key, value := storedLetter(t, e, want)
	if err := e.Update(t.Context(), func(tx store.Tx) error { return tx.Put(key, []byte(stored)) }); err != nil {
		t.Fatal(err)
	}
	if got, err := readLetter(t, e); err != nil || got != want {
		t.Errorf("reads as %v, %v; a record written now is %q", got, err, value)
	}
}
