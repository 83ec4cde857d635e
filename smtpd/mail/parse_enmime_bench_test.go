package mail_test

import (
	"bytes"
	"testing"

	"github.com/jhillyerd/enmime/v2"
)

// BenchmarkEnmime reads the mails of BenchmarkParse with enmime, which does the
// nearest to the same work: lenient parsing, decoded texts and attachments.
func BenchmarkEnmime(b *testing.B) {
	for _, sample := range []struct {
		name string
		raw  []byte
	}{{"text 10 KiB", textMail(b)}, {"attachments 2 MB", attachmentMail()}} {
		b.Run(sample.name, func(b *testing.B) {
			b.SetBytes(int64(len(sample.raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := enmime.ReadEnvelope(bytes.NewReader(sample.raw)); err != nil {
					b.Fatal(err)
				}
			}
			reportMails(b)
		})
	}
}
