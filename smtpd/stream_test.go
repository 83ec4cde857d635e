package smtpd_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd"
)

const smuggled = "MAIL FROM:<smuggled@example.net>\r\nRCPT TO:<support+smuggled@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"

// TestBareLineEnds: go-smtp passes on bare CR and LF, and loses the CR of
// CRLF "." CR; after ".\r\r\n" it does not see the end of the mail.
func TestBareLineEnds(t *testing.T) {
	f := serve(t, smtpd.Config{MaxRefused: 100, TLS: selfSigned(t)}, &desk{}, nil)
	for name, text := range map[string]string{
		"LF":           "one\ntwo",
		"CR":           "one\rtwo",
		"LF.LF":        "x\n.\n" + smuggled,
		"LF.CRLF":      "x\n.\r\n" + smuggled,
		"CRLF.LF":      "x\r\n.\n" + smuggled,
		"CR.CR":        "x\r.\r" + smuggled,
		"CR.CRLF":      "x\r.\r\n" + smuggled,
		"CRLF.CR":      "x\r\n.\r" + smuggled,
		"CRLF.CR X":    "x\r\n.\rX",
		"CRLF.CRCRLF":  "x\r\n.\r\r\n" + smuggled,
		"CRCRLF":       "x\r\r\n",
		"LFCR.LFCR":    "x\n\r.\n\r" + smuggled,
		"NUL LF":       "x\x00\n.\n" + smuggled,
		"LF at start":  "\nx",
		"CR at end":    "x\r\r",
		"dot then LF":  ".\nx",
		"dotted":       "..\r.\r\n" + smuggled,
		"many":         strings.Repeat("x\n.\n", 20000),
		"across reads": strings.Repeat("x", 16<<10-1) + "\r" + strings.Repeat("y", 16<<10),
	} {
		for _, secured := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", name, secured), func(t *testing.T) {
				c := f.greeted(t)
				if secured {
					c.do("STARTTLS", "220 ")
					c = c.secure()
					c.do("EHLO client.example.net", "250")
				}
				c.begin()
				// What hides behind a false end is part of the refused text, up to the
				// first true end: its own.
				if strings.HasSuffix(text, smuggled) {
					c.send(text)
				} else {
					c.send(text + "\r\n.\r\n")
				}
				c.expect("554 5.6.0 line ")
				c.do("NOOP", "250 ")
				c.begin()
				c.send("Subject: after\r\n\r\nfine\r\n.\r\n")
				c.expect("250 ")
			})
		}
	}
	for _, m := range f.desk.delivered() {
		if string(m.Raw) != "Subject: after\r\n\r\nfine\r\n" || m.MailFrom != "customer@example.net" {
			t.Errorf("delivered %q from %s", m.Raw, m.MailFrom)
		}
	}
	if slices.Contains(f.desk.askedFor(), "support+smuggled@example.org") {
		t.Error("a smuggled command was executed")
	}
}

func TestLongLines(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	c := f.inData(t)
	long := "Subject: x\r\n\r\n" + strings.Repeat("x", 128<<10) + "\r\n"
	c.send(long + ".\r\n")
	c.expect("250 ")
	if got := f.desk.delivered()[0].Raw; string(got) != long {
		t.Errorf("%d bytes delivered, %d sent", len(got), len(long))
	}
	c.begin()
	c.send("Subject: x\r\n\r\n" + strings.Repeat("x", 128<<10+1) + "\r\n.\r\n")
	c.expect("554 5.6.0 line 3 of the message has more than 131072 bytes")
	c.do("NOOP", "250 ")
}

func TestLongCommands(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	c := f.greeted(t)
	c.do("NOOP "+strings.Repeat("x", 2000-len("NOOP \r\n")), "250 ")
	c.do("NOOP "+strings.Repeat("x", 2001-len("NOOP \r\n")), "500 5.5.2 line too long, the limit is 2000 bytes")
	c.do("NOOP", "250 ")
	c.send(strings.Repeat("x", 1<<20))
	c.expect("500 5.5.2 line too long")
	c.expectClosed()
}

// TestChunking: go-smtp takes a last chunk that is cut short for a whole mail,
// and reads a chunk after a command that it refuses as commands.
func TestChunking(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	c := f.greeted(t)
	c.do("MAIL FROM:<customer@example.net>", "250 ")
	c.do("RCPT TO:<support@example.org>", "250 ")
	chunk := "NOOP\r\nQUIT\r\n" + strings.Repeat("x", 30000)
	c.send(fmt.Sprintf("BDAT %d LAST\r\n%sNOOP\r\n", len(chunk), chunk))
	c.expect("502 5.5.1 BDAT is not offered")
	c.expect("250 ")
	c.do("DATA", "354 ")
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.expect("250 ")
	for _, argument := range []string{"", "x", "-1", "6 LAST x", "99999999999999999999", "9999999999"} {
		c := f.greeted(t)
		c.send("BDAT " + argument + "\r\nQUIT\r\n")
		c.expect("502 5.5.1")
		if argument != "6 LAST x" {
			c.expectClosed()
			continue
		}
		c.do("NOOP", "250 ")
	}
}

// TestChunkCutShort ends the connection in the middle of a chunk.
func TestChunkCutShort(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	c := f.greeted(t)
	c.do("MAIL FROM:<customer@example.net>", "250 ")
	c.do("RCPT TO:<support@example.org>", "250 ")
	c.send("BDAT 1000 LAST\r\nSubject: half")
	c.Conn.(interface{ CloseWrite() error }).CloseWrite()
	c.expect("502 ")
	c.expectClosed()
	if n := len(f.desk.delivered()); n != 0 {
		t.Errorf("%d mails delivered", n)
	}
}

func TestMailCutShort(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	for _, text := range []string{"Subject: half", "Subject: half\r\n", "x\r\n.", "x\r\n.\r"} {
		c := f.inData(t)
		c.send(text)
		c.Conn.(interface{ CloseWrite() error }).CloseWrite()
		c.expect("421 4.4.2 connection lost")
		c.expectClosed()
	}
	if n := len(f.desk.delivered()); n != 0 {
		t.Errorf("%d mails delivered", n)
	}
}

// TestHello: go-smtp accepts control characters in EHLO and sends them back.
func TestHello(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	c := f.dial(t)
	c.expect("220 ")
	for _, name := range []string{"foo\rReceived: x", "foo\x01bar", "foo\x7f", "a\x00"} {
		if reply := c.do("EHLO "+name, "500 5.5.2 control character"); strings.ContainsAny(reply, "\r\x00\x01\x7f") {
			t.Errorf("reply %q", reply)
		}
	}
	for name, want := range map[string]string{
		"パソコン":                    "????",
		"\xff\xfe(x)":             "??x?", // ToValidUTF8 makes one of the two bytes
		"a\tb":                    "a?b",
		"[192.0.2.1]":             "[192.0.2.1]",
		"my_pc":                   "my_pc",
		strings.Repeat("x", 1000): strings.Repeat("x", 255),
		"<script>;\"by\"":         "?script???by?",
	} {
		c.do("EHLO "+name, "250")
		c.begin()
		c.send("Subject: x\r\n\r\nx\r\n.\r\n")
		c.expect("250 ")
		mails := f.desk.delivered()
		m := mails[len(mails)-1]
		if !strings.HasPrefix(m.Received, "Received: from "+want+" ([127.0.0.1])\r\n\tby ") && name != "\xff\xfe(x)" {
			t.Errorf("EHLO %q gives %q", name, m.Received)
		}
		if bytes.ContainsFunc([]byte(m.Received), func(r rune) bool { return r > '~' }) || strings.ContainsAny(m.HELO, "\t\x00\r\n") {
			t.Errorf("EHLO %q gives %q, %q", name, m.HELO, m.Received)
		}
	}
}

// TestAddresses: go-smtp removes quotes, and takes UTF-8 and control characters
// without SMTPUTF8.
func TestAddresses(t *testing.T) {
	d := &desk{recipient: func(string) error { return nil }}
	f := serve(t, smtpd.Config{MaxRefused: 100}, d, nil)
	c := f.greeted(t)
	for _, test := range []struct {
		path, reply, asked string
	}{
		{`<support@example.org>`, "250 ", "support@example.org"},
		{`<"a@b"@example.org>`, "250 ", `"a@b"@example.org`},
		{`<a@b@example.org>`, "250 ", `"a@b"@example.org`},
		{`<"with space"@example.org>`, "250 ", `"with space"@example.org`},
		{`<"q\"u\\o"@example.org>`, "250 ", `"q\"u\\o"@example.org`},
		{`<"plain"@example.org>`, "250 ", `plain@example.org`},
		{`<foo..bar.@docomo.example>`, "250 ", `foo..bar.@docomo.example`},
		{`<user%example.net@example.org>`, "250 ", `user%example.net@example.org`},
		{`<@relay.example.net:user@example.org>`, "250 ", `user@example.org`},
		{`<user@[192.0.2.1]>`, "250 ", `user@[192.0.2.1]`},
		{`<user@[IPv6:2001:db8::1]>`, "250 ", `user@[IPv6:2001:db8::1]`},
		{`<PostMaster>`, "250 ", `postmaster@mx.example.org`},
		{`<山田@example.org>`, "553 5.6.7", ""},
		{`<user@例え.jp>`, "553 5.6.7", ""},
		{"<u\xff@example.org>", "553 5.1.3", ""},
		{"<u\x01@example.org>", "500 5.5.2", ""},
		{"<\"u\\\x7f\"@example.org>", "500 5.5.2", ""},
		{`<user@exa mple.org>`, "501 ", ""},
		{`<user@.example.org>`, "553 5.1.3", ""},
		{`<user@example..org>`, "553 5.1.3", ""},
		{`<user@example.org,other@x>`, "250 ", `"user@example.org,other"@x`},
		{`<user@[192.0.2.1>`, "553 5.1.3", ""},
		{`<user@ex%ample.org>`, "553 5.1.3", ""},
		{`<user>`, "501 ", ""},
		{`<>`, "501 ", ""},
		{`<"">`, "501 ", ""},
		{`<` + strings.Repeat("a", 64) + "@" + strings.Repeat("b", 256) + `>`, "553 5.1.3", ""},
	} {
		c.do("RSET", "250 ")
		c.do("MAIL FROM:<customer@example.net>", "250 ")
		before := len(d.askedFor())
		c.do("RCPT TO:"+test.path, test.reply)
		asked := d.askedFor()[before:]
		if test.asked == "" && len(asked) > 0 || test.asked != "" && !slices.Equal(asked, []string{test.asked}) {
			t.Errorf("RCPT TO:%s asks the handler for %q, want %q", test.path, asked, test.asked)
		}
	}
	c.do("RSET", "250 ")
	c.do("MAIL FROM:<山田@example.net>", "553 5.6.7")
	c.do("MAIL FROM:<a@.b>", "553 5.1.7")
	c.do("MAIL FROM:<\xff@example.net> SMTPUTF8", "553 5.1.7")
	c.do("MAIL FROM:<山田@example.net> SMTPUTF8", "250 ")
	c.do("RCPT TO:<\xc2\x85@example.org>", "553 5.1.3")
	c.do("RCPT TO:<山田@例え.jp>", "250 ")
}
