package helpdesk_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestAMailOfAnySizeFillsNoPage(t *testing.T) {
	h := newHouse(t)
	var cc []string
	for i := range 5000 {
		cc = append(cc, fmt.Sprintf("user%d@elsewhere.example", i))
	}
	r := h.post("support@example.jp", "Message-ID: <"+strings.Repeat("i", 100_000)+"@elsewhere.example>", "From: "+strings.Repeat("名", 50_000)+" <a@elsewhere.example>",
		"Reply-To: "+strings.Repeat("r", 100_000)+"@elsewhere.example", "To: "+strings.Repeat("t", 100_000)+"@elsewhere.example", "Cc: "+strings.Join(cc, ",\r\n "),
		"References: <"+strings.Repeat("x", 100_000)+"@elsewhere.example>", "Subject: "+strings.Repeat("件", 1_000_000), "MIME-Version: 1.0",
		`Content-Type: multipart/mixed; boundary="b"`, "", "--b", "", "text", "--b", "Content-Type: application/pdf",
		`Content-Disposition: attachment; filename="invoice-`+strings.Repeat("f", 100_000)+`.pdf"`, "", "%PDF", "--b--")
	v := h.ticket(r.Ticket)
	if size := len(fmt.Sprintf("%+v", v)); size > 100_000 {
		t.Errorf("what a ticket's page is made of has %d bytes", size)
	}
	m := v.Messages[0].Message
	if got := m.Attachments[0].Filename; !strings.HasPrefix(got, "invoice-") || !strings.HasSuffix(got, ".pdf") || len(got) > 255 {
		t.Errorf("the file's name of %d bytes is %q", len(got), got)
	}
	for _, what := range []string{"subject", "sender's name", "Message-ID", "address for answers", "5000 addresses under Cc"} {
		if !strings.Contains(strings.Join(m.Defects, "\n"), what) {
			t.Errorf("nothing says that the %s is not whole: %q", what, m.Defects)
		}
	}
	view, err := h.DecodeAgain(t.Context(), h.admin, m.ID, "utf-8")
	h.must(err)
	if len(view.Message.Subject) > 2000 || len(view.Message.From.Name) > 400 {
		t.Errorf("read again, its subject has %d bytes, the name %d", len(view.Message.Subject), len(view.Message.From.Name))
	}
}
