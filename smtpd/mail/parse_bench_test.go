package mail_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // so that the library decodes as much as we do
	"golang.org/x/text/encoding/japanese"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// BenchmarkParse reads a text mail of 10 KiB and a mail of 2 MB with three
// attachments, beside go-message reading every part of the same bytes.
func BenchmarkParse(b *testing.B) {
	for _, sample := range []struct {
		name string
		raw  []byte
	}{{"text 10 KiB", textMail(b)}, {"attachments 2 MB", attachmentMail()}} {
		b.Run(sample.name+"/madoguchi", func(b *testing.B) {
			b.SetBytes(int64(len(sample.raw)))
			b.ReportAllocs()
			for b.Loop() {
				if m := mail.Parse(sample.raw); m.Text == "" {
					b.Fatal("no text")
				}
			}
			reportMails(b)
		})
		b.Run(sample.name+"/go-message", func(b *testing.B) {
			b.SetBytes(int64(len(sample.raw)))
			b.ReportAllocs()
			for b.Loop() {
				readWithLibrary(b, sample.raw)
			}
			reportMails(b)
		})
	}
}

func reportMails(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

func readWithLibrary(b *testing.B, raw []byte) {
	entity, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		b.Fatal(err)
	}
	err = entity.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil || e.MultipartReader() != nil {
			return err
		}
		_, err = io.ReadAll(e.Body)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// textMail is Japanese in ISO-2022-JP, as a support desk gets it.
func textMail(b *testing.B) []byte {
	const paragraph = "お世話になっております。先週注文した加湿器（型番 KX-20）が届きましたが、電源が入りません。\r\n"
	body, err := japanese.ISO2022JP.NewEncoder().String(strings.Repeat(paragraph, 94))
	if err != nil {
		b.Fatal(err)
	}
	return []byte("From: =?ISO-2022-JP?B?GyRCQERMWhsoQiAbJEIyVhsoQg==?= <hana@kaede.example>\r\nTo: support@madoguchi.example\r\n" +
		"Subject: =?UTF-8?B?5Yqg5rm/5Zmo44Gu5Lu2?=\r\nDate: Sat, 21 Nov 2026 10:15:00 +0900\r\nMessage-ID: <1@kaede.example>\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\r\n" + body)
}

func attachmentMail() []byte {
	var b bytes.Buffer
	b.WriteString("From: hana@kaede.example\r\nSubject: photos\r\nContent-Type: multipart/mixed; boundary=sep\r\n\r\n--sep\r\n\r\nThree photos.\r\n")
	random := rand.NewChaCha8([32]byte{})
	for range 3 {
		content := make([]byte, 500_000)
		random.Read(content)
		b.WriteString("--sep\r\nContent-Type: image/jpeg; name=photo.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		encoded := base64.StdEncoding.EncodeToString(content)
		for len(encoded) > 76 {
			b.WriteString(encoded[:76] + "\r\n")
			encoded = encoded[76:]
		}
		b.WriteString(encoded + "\r\n")
	}
	b.WriteString("--sep--\r\n")
	return b.Bytes()
}
