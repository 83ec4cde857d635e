package store_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// inLines is data in base64, in lines of a width.
func inLines(data []byte, width int, end string) string {
	var b strings.Builder
	for encoded := base64.StdEncoding.EncodeToString(data); encoded != ""; {
		n := min(len(encoded), width)
		b.WriteString(encoded[:n] + end)
		encoded = encoded[n:]
	}
	return b.String()
}

// keepBlobs gives keep, which puts a mail into a store and demands it back.
func keepBlobs(t *testing.T, fn func(keep func(raw string) (stored int64))) {
	t.Helper()
	blobs := store.Blobs{Name: "raw"}
	err := openBolt(t).Update(t.Context(), func(tx store.Tx) error {
		fn(func(raw string) int64 {
			t.Helper()
			blob := store.Compress([]byte(raw))
			err := blobs.Put(tx, []byte("mail"), blob)
			var got []byte
			if err == nil {
				got, err = blobs.Get(tx, []byte("mail"))
			}
			if err != nil || string(got) != raw {
				t.Fatalf("%.200q came back as %.200q, %v", raw, got, err)
			}
			return blob.Info().StoredSize
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever a mail does with base64, it comes back byte for byte.
func TestFoldedMailsComeBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 9000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	line := strings.Repeat("QUJD", 19)
	pieces := []string{line, line[:40], "QQ==", "\r\n", "\n", "x=", "--b\r\n", strings.Repeat(line+"\r\n", 3), "あ"}
	keepBlobs(t, func(keep func(string) int64) {
		for length := range 200 {
			keep("head\r\n\r\n" + inLines(noise[:300+length], 76, "\r\n") + "--end--\r\n")
		}
		for _, width := range []int{4, 60, 64, 72, 76, 996, 1000, 1004, 12000} {
			for _, end := range []string{"\r\n", "\n", "\r\n\r\n", " \r\n"} {
				keep("a: b\r\n\r\n" + inLines(noise, width, end) + "--end--\r\n" + inLines(noise[:500], width, end))
				keep(strings.TrimSuffix(inLines(noise, width, end), end))
			}
		}
		five := strings.Repeat(line+"\r\n", 5)
		for _, text := range []string{"", "=", "====", strings.Repeat("=", 400), five + "QR==", five + "QQ==\r\nQQ==", five + line + "QUJD\r\n" + line,
			line + "\r\n" + line[:72] + "QQ==\r\n" + line, line + "\r\n" + line + "\r", line + line[:3]} {
			keep(text)
		}
		for range 3000 {
			var b strings.Builder
			for range random.IntN(12) {
				b.WriteString(pieces[random.IntN(len(pieces))])
				if random.IntN(2) == 0 {
					b.WriteString("\r\n")
				}
			}
			keep(b.String())
		}
	})
}

// A Japanese letter in base64, as plain text and as HTML, takes hardly more than
// once its words.
func TestBase64TextIsCompressed(t *testing.T) {
	var words strings.Builder
	for n := range 60 {
		fmt.Fprintf(&words, "注文番号%dの商品についてお尋ねします。\r\n", n*7919)
	}
	raw := "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + inLines([]byte(words.String()), 76, "\r\n") +
		"--b\r\nContent-Type: text/html\r\n\r\n" + inLines([]byte("<html><body>"+words.String()), 76, "\r\n") + "--b--\r\n"
	keepBlobs(t, func(keep func(string) int64) {
		if stored := keep(raw); stored > int64(words.Len())/3 {
			t.Errorf("a mail of %d bytes with %d of text takes %d", len(raw), words.Len(), stored)
		}
	})
}

// What was compressed with the dictionary, or before there was one, can be read.
func TestStoredMailsStayReadable(t *testing.T) {
	const raw = "Content-Type: text/plain; charset=utf-8\r\nHello, hello, hello, hello, hello, hello, hello, hello, hello, hello, hello.\r\n"
	sum := sha256.Sum256([]byte(raw))
	for _, stored := range []string{
		"(\xb5/\xfd\x03\x00\x01\x00am\xbd\x00\x00 h.\r\n\x05\x00\xa0\x82\xa4rЅS8\n\x06\x043\x98\xc0\t ", // with the dictionary
		"(\xb5/\xfd\x00\x00\xed\x01\x00D\x03Content-Type: text/plain; charset=utf-8\r\nHello, h.\r\n\x01T\x18\x03(\x01\n",
	} {
		const form = 2
		header := append([]byte{form}, binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(len(raw))), uint64(len(stored)))...)
		err := openBolt(t).Update(t.Context(), func(tx store.Tx) error {
			id := store.Key{}.Bytes([]byte("mail"))
			if err := tx.Put([]byte("b/raw/h/mail"), append(header, sum[:]...)); err != nil {
				return err
			}
			if err := tx.Put(append([]byte("b/raw/c/"), append(id, 0, 0, 0, 0)...), []byte(stored)); err != nil {
				return err
			}
			got, err := store.Blobs{Name: "raw"}.Get(tx, []byte("mail"))
			if string(got) != raw {
				t.Errorf("form %d reads as %q", form, got)
			}
			return err
		})
		if err != nil {
			t.Errorf("form %d: %v", form, err)
		}
	}
}
