package smtpd_test

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/smtpd/auth"
)

// verifierFunc stands for the DNS-bound verifier.
type verifierFunc func(auth.Request) auth.Verdict

func (f verifierFunc) Verify(_ context.Context, r auth.Request) auth.Verdict { return f(r) }

func TestMailReachesTheHandlerAsSent(t *testing.T) {
	var asked auth.Request
	verifier := verifierFunc(func(r auth.Request) auth.Verdict {
		asked = r
		return auth.Verdict{SPF: auth.SPF{Result: auth.Pass}}
	})
	now := time.Date(2026, 7, 30, 9, 30, 0, 0, time.FixedZone("JST", 9*3600))
	f := serve(t, smtpd.Config{Now: func() time.Time { return now }}, &desk{}, verifier)
	c := f.inData(t)
	c.send("Subject: Hello\r\n\r\n..dot\r\n...\r\nNUL \x00, 8 bit \x83\x65\r\n.\r\n")
	reply := c.expect("250 2.0.0 queued as ")

	mails := f.desk.delivered()
	if len(mails) != 1 {
		t.Fatalf("%d mails delivered", len(mails))
	}
	m := mails[0]
	if want := "Subject: Hello\r\n\r\n.dot\r\n..\r\nNUL \x00, 8 bit \x83\x65\r\n"; string(m.Raw) != want {
		t.Errorf("raw %q, want %q", m.Raw, want)
	}
	if m.Message == nil || m.Verdict.SPF.Result != auth.Pass {
		t.Errorf("message %v, verdict %+v", m.Message, m.Verdict)
	}
	if asked.HELO != "client.example.net" || asked.MailFrom != "customer@example.net" || string(asked.Raw) != string(m.Raw) || asked.RemoteIP != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("verifier was asked %+v", asked)
	}
	if id := strings.TrimPrefix(reply, "250 2.0.0 queued as "); id != m.ID || len(id) != 26 {
		t.Errorf("answer names %q, the envelope %q", id, m.ID)
	}
	want := "Received: from client.example.net ([127.0.0.1])\r\n\tby mx.example.org with ESMTP id " + m.ID +
		"\r\n\tfor <support@example.org>;\r\n\tThu, 30 Jul 2026 09:30:00 +0900\r\n"
	if m.Received != want {
		t.Errorf("trace field %q, want %q", m.Received, want)
	}
	if !m.ReceivedAt.Equal(now) || m.Protocol != "ESMTP" || m.TLS != "" || m.LMTP || m.SMTPUTF8 {
		t.Errorf("envelope %+v", m.Envelope)
	}
	logged := regexp.MustCompile(`level=INFO msg="mail accepted" ip=127\.0\.0\.1 id=` + m.ID + ` from=customer@example\.net recipients=1 size=\d+ `)
	if !logged.MatchString(f.log.String()) {
		t.Errorf("log has no line of the mail:\n%s", f.log)
	}
}

func TestExtensions(t *testing.T) {
	f := serve(t, smtpd.Config{MaxMessageBytes: 1234, MaxRecipients: 7, TLS: selfSigned(t)}, &desk{}, nil)
	c := f.dial(t)
	c.expect("220 mx.example.org ESMTP")
	got := c.do("EHLO client.example.net", "250")
	want := "250-mx.example.org\n250-PIPELINING\n250-SIZE 1234\n250-STARTTLS\n250-ENHANCEDSTATUSCODES\n250-8BITMIME\n250-SMTPUTF8\n250 LIMITS RCPTMAX=7"
	if got != want {
		t.Errorf("EHLO answered\n%s\nwant\n%s", got, want)
	}
	if got := c.do("HELO client.example.net", "250"); got != "250 mx.example.org" {
		t.Errorf("HELO answered %q", got)
	}
}

func TestCommandsThatAreRefusedOrPolite(t *testing.T) {
	f := serve(t, smtpd.Config{MaxRefused: 100}, &desk{}, nil)
	c := f.dial(t)
	c.expect("220 ")
	c.do("MAIL FROM:<customer@example.net>", "503 5.5.1")
	c.do("EHLO client.example.net", "250")
	for command, reply := range map[string]string{
		"VRFY support":                     "252 ",
		"EXPN staff":                       "502 ",
		"HELP":                             "502 ",
		"NOOP":                             "250 ",
		"RSET":                             "250 ",
		"AUTH PLAIN AGEAYg==":              "502 5.5.1",
		"STARTTLS":                         "502 5.5.1",
		"RCPT TO:<support@x.org>":          "502 5.5.1",
		"DATA":                             "502 5.5.1",
		"FROB":                             "500 5.5.2",
		"":                                 "500 5.5.2",
		"MAIL FROM customer":               "501 ",
		"MAIL FROM:<a@x> SIZE=999999999":   "552 5.3.4",
		"MAIL FROM:<a@x> SIZE=99999999999": "552 5.3.4",
		"MAIL FROM:<\"a SIZE=9\"@x> BODY=8BITMIME size=99999999999999999999": "552 5.3.4",
		"MAIL FROM:<a@x> SIZE=-1":         "501 ",
		"MAIL FROM:<a@x> SIZE=9x":         "501 ",
		"MAIL FROM:<a@x> BODY=BINARYMIME": "504 ",
	} {
		if got := c.do(command, reply); strings.Contains(got, "\n") {
			t.Errorf("%s answered %q", command, got)
		}
	}
	c.do("QUIT", "221 ")
	c.expectClosed()
}

func TestPipelinedSessionIsAnsweredInOrder(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	c := f.dial(t)
	c.send("EHLO client.example.net\r\nMAIL FROM:<>\r\nRCPT TO:<support@example.org>\r\nRCPT TO:<nobody@example.org>\r\nDATA\r\n" +
		"Subject: one\r\n\r\n1\r\n.\r\nMAIL FROM:<customer@example.net> SIZE=20\r\nRCPT TO:<support+two@example.org>\r\nDATA\r\nSubject: two\r\n\r\n2\r\n.\r\nQUIT\r\n")
	for _, reply := range []string{"220 ", "250-", "250 2", "250 2", "550 5.1.1", "354 ", "250 2.0.0 queued", "250 2", "250 2", "354 ", "250 2.0.0 queued", "221 "} {
		c.expect(reply)
	}
	c.expectClosed()
	mails := f.desk.delivered()
	if len(mails) != 2 || mails[0].MailFrom != "" || mails[1].Recipients[0] != "support+two@example.org" {
		t.Errorf("delivered %+v", mails)
	}
}

// TestFailuresOfTheHandler: go-smtp makes any plain error of Data a permanent 554 and sends its text.
func TestFailuresOfTheHandler(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		panic bool
		want  string
	}{
		"plain error":       {err: errors.New("disk on fire"), want: "451 4.3.0 temporary failure"},
		"refusal":           {err: &smtpd.Refusal{Code: 550, Enhanced: [3]int{5, 7, 1}, Message: "not\r\n250 today"}, want: "550 5.7.1 not??250 today"},
		"wrapped refusal":   {err: errors.Join(errors.New("why"), &smtpd.Refusal{Code: 450, Message: "later"}), want: "450 4.0.0 later"},
		"refusal with 250":  {err: &smtpd.Refusal{Code: 250, Enhanced: [3]int{2, 0, 0}, Message: "fine"}, want: "451 4.3.0 fine"},
		"refusal of nobody": {err: &smtpd.Refusal{}, want: "451 4.3.0"},
		"panic":             {panic: true, want: "451 4.3.0 temporary failure"},
	} {
		t.Run(name, func(t *testing.T) {
			fail := func() error {
				if test.panic {
					panic("disk on fire")
				}
				return test.err
			}
			d := &desk{deliver: func(context.Context, *smtpd.Mail) error { return fail() }}
			f := serve(t, smtpd.Config{}, d, nil)
			c := f.inData(t)
			c.send("Subject: x\r\n\r\nx\r\n.\r\n")
			if reply := c.expect(test.want); strings.Contains(reply, "fire") {
				t.Errorf("reply %q tells what only the log may", reply)
			}
			if logged := strings.Count(f.log.String(), "disk on fire"); (name == "panic" || name == "plain error") && logged != 1 {
				t.Errorf("the failure is logged %d times:\n%s", logged, f.log)
			}

			d.recipient = func(string) error { return fail() }
			c.do("MAIL FROM:<customer@example.net>", "250 ")
			c.do("RCPT TO:<support@example.org>", test.want)
			c.do("DATA", "502 ")
			d.recipient, d.deliver = nil, nil
			c.do("RCPT TO:<support@example.org>", "250 ")
			c.do("DATA", "354 ")
			c.send("Subject: x\r\n\r\nx\r\n.\r\n")
			c.expect("250 ")
		})
	}
}

func TestPanicOfTheVerifier(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, verifierFunc(func(auth.Request) auth.Verdict { panic("resolver") }))
	c := f.inData(t)
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.expect("451 4.3.0")
	c.do("NOOP", "250 ")
	if len(f.desk.delivered()) != 0 || strings.Count(f.log.String(), "stack=") != 1 {
		t.Errorf("delivered %v, log\n%s", f.desk.delivered(), f.log)
	}
}

func TestDeliveryOutlivesTheClient(t *testing.T) {
	gone, ended := make(chan struct{}), make(chan error, 1)
	d := &desk{deliver: func(ctx context.Context, _ *smtpd.Mail) error {
		<-gone
		ended <- ctx.Err()
		return nil
	}}
	f := serve(t, smtpd.Config{}, d, nil)
	c := f.inData(t)
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.Close()
	close(gone)
	if err := <-ended; err != nil {
		t.Errorf("context of the delivery: %v", err)
	}
}

func TestTransactionsDoNotMix(t *testing.T) {
	f := serve(t, smtpd.Config{MaxMailsPerSession: 3}, &desk{}, nil)
	c := f.greeted(t)
	c.do("MAIL FROM:<one@example.net>", "250 ")
	c.do("RCPT TO:<support+one@example.org>", "250 ")
	c.do("MAIL FROM:<two@example.net>", "503 5.5.1")
	c.do("RSET", "250 ")
	c.do("DATA", "502 ")
	c.do("MAIL FROM:<two@example.net>", "250 ")
	c.do("RCPT TO:<support+two@example.org>", "250 ")
	c.do("RCPT TO:<support+two@example.org>", "250 ")
	c.do("DATA", "354 ")
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.expect("250 ")
	m := f.desk.delivered()[0]
	if m.MailFrom != "two@example.net" || len(m.Recipients) != 1 || m.Recipients[0] != "support+two@example.org" {
		t.Errorf("envelope %+v", m.Envelope)
	}
	c.do("MAIL FROM:<three@example.net>", "250 ")
	c.do("EHLO client.example.net", "250")
	c.do("MAIL FROM:<four@example.net>", "421 4.7.0 3 mails")
	c.expectClosed()
}

func TestMailLoop(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	for hops, want := range map[int]string{50: "250 ", 51: "554 5.4.6"} {
		c := f.inData(t)
		c.send(strings.Repeat("RECEIVED: from a\r\n\tby b\r\n", hops) + "\r\nReceived: in the text\r\n.\r\n")
		c.expect(want)
	}
}

func TestLibraryClientSendsInternationalMail(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	c, err := smtp.Dial(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Mail("山田@例え.jp", &smtp.MailOptions{UTF8: true}); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("support@例え.jp", nil); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("Subject: こんにちは\r\n\r\nよろしく\r\n"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m := f.desk.delivered()[0]
	if m.MailFrom != "山田@例え.jp" || m.Protocol != "UTF8SMTP" || !m.SMTPUTF8 {
		t.Errorf("envelope %+v", m.Envelope)
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
}

func TestSecretsStayOutOfTheLog(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	c := f.greeted(t)
	c.do("AUTH PLAIN c2VjcmV0MQ==", "502 ")
	c.do("AUTH LOGIN", "502 ")
	c.do("c2VjcmV0Mg==", "500 ")
	c.do("RCPT TO:<c2VjcmV0Mw@example.org>", "502 ")
	if log := f.log.String(); strings.Contains(log, "c2VjcmV0M") != strings.Contains(log, "c2VjcmV0Mw") || strings.Contains(log, "c2VjcmV0MQ") || strings.Contains(log, "c2VjcmV0Mg") {
		t.Errorf("log holds what a client sent as a password:\n%s", log)
	}
	if !strings.Contains(f.log.String(), "command=AUTH") {
		t.Errorf("log does not tell of AUTH:\n%s", f.log)
	}
}
