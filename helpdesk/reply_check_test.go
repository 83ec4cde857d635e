package helpdesk_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

var pixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89")

func TestFormattedReplyWithImageAndHiddenCopy(t *testing.T) {
	h := newHouse(t)
	h.first()
	html := `<div onclick="x()">ご確認ください。<b>3台</b></div><ul><li>見積書</li></ul><img alt="図" src="data:image/png;base64,` +
		base64.StdEncoding.EncodeToString(pixel) + `"><img src="cid:logo@example.jp"><script>alert(1)</script>`
	reply := helpdesk.Reply{Ticket: 1, HTML: html, To: []helpdesk.Address{{Email: "tamura@customer.example"}}, Bcc: []helpdesk.Address{{Name: "控え", Email: "audit@partner.example"}},
		Attachments: []helpdesk.Upload{{Filename: "表.csv", ContentType: "text/csv", Data: []byte("a,b")},
			{Filename: "logo.png", ContentType: "image/png", ContentID: "logo@example.jp", Data: append(pixel, 1)},
			{Filename: "unused.png", ContentType: "image/png", ContentID: "unused@example.jp", Data: pixel}}}
	m, err := h.Reply(t.Context(), h.admin, reply)
	if err != nil {
		t.Fatal(err)
	}
	h.pass(10 * time.Second)
	sent := h.deliver(taken)
	if len(sent) != 2 {
		t.Fatalf("sent to %d, want the customer and the hidden copy", len(sent))
	}
	for to, raw := range sent {
		if strings.Contains(raw, "audit@partner") || strings.Contains(raw, "Bcc") {
			t.Errorf("the mail to %s names the hidden recipient:\n%s", to, raw)
		}
		got := mail.Parse([]byte(raw))
		if got.Text = strings.TrimSpace(got.Text); got.Text != "ご確認ください。3台\n\n- 見積書\n\n[図]" {
			t.Errorf("text %q", got.Text)
		}
		if strings.Contains(got.HTML, "script") || strings.Contains(got.HTML, "onclick") || !strings.Contains(got.HTML, "<b>3台</b>") || strings.Count(got.HTML, `src="cid:`) != 2 {
			t.Errorf("html %s", got.HTML)
		}
		if n := len(got.Attachments); n != 3 || !bytes.Equal(got.Attachments[1].Data, pixel) && !bytes.Equal(got.Attachments[0].Data, pixel) {
			t.Errorf("%d parts", n)
		}
	}
	for i, a := range m.Attachments { // the numbers of the record are those of the mail
		found, _, err := h.AttachmentData(t.Context(), h.admin, m.ID, i)
		if err != nil || found.Filename != a.Filename || found.ContentID != a.ContentID {
			t.Errorf("file %d is %q in the record and %q in the mail: %v", i, a.Filename, found.Filename, err)
		}
	}
	if _, data, err := h.InlineImage(t.Context(), h.admin, m.ID, "logo@example.jp"); err != nil || len(data) != len(pixel)+1 {
		t.Errorf("the image is %d bytes, %v", len(data), err)
	}
	// Who got a hidden copy may answer it.
	answer := h.post(m.ReplyAddress, "From: audit@partner.example", "Subject: Re: Invoice 2291", "", "届きました。")
	if answer.Ticket != 1 || answer.State == helpdesk.MessageHeld {
		t.Errorf("the answer of the hidden copy is %+v", answer)
	}
}

func TestReplyRefusesImagesItCannotSend(t *testing.T) {
	h := newHouse(t)
	h.first()
	for _, c := range []struct{ html, says string }{
		{`<b>x</b><img src="data:image/svg+xml;base64,PHN2Zz4=">`, "cannot be sent"},
		{`<b>x</b><img src="cid:gone@example.jp">`, "gone@example.jp"},
		{`<div><br></div>`, "empty"},
		{`<b>` + strings.Repeat("x", 1<<20) + `</b>`, "limit"},
	} {
		_, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, HTML: c.html})
		wantCode(t, err, helpdesk.CodeInvalid, c.says)
	}
}

func TestPlainTextOfTheEditorNeedsNoHTML(t *testing.T) {
	h := newHouse(t)
	h.first()
	m, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, HTML: "<div>田村様</div><div><br></div><div>承知しました。</div>"})
	if err != nil {
		t.Fatal(err)
	}
	v, err := h.Message(t.Context(), h.admin, m.ID)
	if err != nil || v.Body.HTML != "" || v.Body.Text != "田村様\n\n承知しました。" {
		t.Errorf("body %+v, %v", v.Body, err)
	}
}

func TestCheckReply(t *testing.T) {
	h := newHouse(t)
	h.post("support@example.jp", "From: 田村 <tamura@customer.example>", "Cc: kojima@customer.example", "Subject: 一件目", "", "一通目")
	h.post("support@example.jp", "From: 田村 <tamura@customer.example>", "Cc: ono@customer.example", "Subject: 二件目", "", "二通目")
	h.post("support@example.jp", "From: Emily <emily@other.example>", "Subject: Another", "", "Hi")
	address := func(list ...string) (out []helpdesk.Address) {
		for _, email := range list {
			out = append(out, helpdesk.Address{Email: email})
		}
		return out
	}
	file := []helpdesk.Upload{{Filename: "a.pdf", ContentType: "application/pdf", Data: []byte("%PDF")}}
	for _, c := range []struct {
		name  string
		reply helpdesk.Reply
		want  []string
	}{
		{"who takes part", helpdesk.Reply{Text: "x", To: address("Tamura@customer.example", "kojima@customer.example")}, nil},
		{"who took part in another ticket of the contact", helpdesk.Reply{Text: "x", To: address("ono@customer.example")}, nil},
		{"a colleague", helpdesk.Reply{Text: "x", To: address("sato@example.jp")}, nil},
		{"nobody named", helpdesk.Reply{Text: "x"}, nil},
		{"another customer, once", helpdesk.Reply{Text: "x", To: address("emily@other.example"), Bcc: address("Emily@other.example")}, []string{"first_time emily@other.example"}},
		{"everywhere", helpdesk.Reply{Text: "x", To: address("a@x.example"), Cc: address("b@x.example"), Bcc: address("c@x.example")},
			[]string{"first_time a@x.example", "first_time b@x.example", "first_time c@x.example"}},
		{"a missing file", helpdesk.Reply{Text: "資料を添付しましたのでご確認ください。"}, []string{"no_attachment 添付"}},
		{"a missing file in English", helpdesk.Reply{Text: "Please see the attached invoice."}, []string{"no_attachment attached"}},
		{"in HTML", helpdesk.Reply{HTML: "<div><b>同封</b>いたします</div>"}, []string{"no_attachment 同封"}},
		{"a file that is there", helpdesk.Reply{Text: "資料を添付しました。", Attachments: file}, nil},
		{"a quoted word", helpdesk.Reply{Text: "承知しました。\n> 資料を添付しました。"}, nil},
		{"a quoted word in HTML", helpdesk.Reply{HTML: "<b>はい</b><blockquote>資料を添付しました。</blockquote>"}, nil},
		{"thanks for a file", helpdesk.Reply{Text: "資料を添付いただき、ありがとうございます。"}, nil},
		{"asking for a file", helpdesk.Reply{Text: "写真の添付をお願いいたします。ファイルを添付してください。"}, nil},
		{"your attachment", helpdesk.Reply{Text: "Thank you for your attachment. Could you please attach it again?"}, nil},
		{"a file alone", helpdesk.Reply{Attachments: file}, []string{"no_text "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.reply.Ticket = 1
			list, err := h.CheckReply(t.Context(), h.admin, c.reply)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range list {
				got = append(got, fmt.Sprintf("%s %s", w.Kind, w.About))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("warned of %q, want %q", got, c.want)
			}
		})
	}
}

func TestSuggestRecipients(t *testing.T) {
	h := newHouse(t)
	h.post("support@example.jp", "From: 田村 美咲 <tamura@customer.example>", "Cc: kojima@customer.example", "Subject: 一件目", "", "一通目")
	h.post("support@example.jp", "From: Emily Carter <emily@other.example>", "Subject: Another", "", "Hi")
	for q, want := range map[string][]string{
		"":       {"tamura@customer.example", "kojima@customer.example"},
		"美咲":     {"tamura@customer.example"},
		"CARTER": {"emily@other.example"},
		"emil":   {"emily@other.example"},
		"zzz":    nil,
	} {
		found, err := h.SuggestRecipients(t.Context(), h.admin, 1, q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range found {
			got = append(got, r.Email)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q suggests %q, want %q", q, got, want)
		}
	}
}
