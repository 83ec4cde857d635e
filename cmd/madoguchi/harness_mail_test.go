package main_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-smtp"
	"golang.org/x/text/encoding/japanese"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// dkimKey is one key for all domains of a test run: generating takes longer
// than most tests.
var dkimKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// writing is a mail as its author thinks of it.
type writing struct {
	from, to   string // mailboxes, with names
	subject    string
	text       string
	messageID  string
	inReplyTo  string
	references []string
}

// iso2022jp writes a mail as Japanese mail programs have done for decades
// (RFC 1468): seven bits, escape sequences, each encoded word whole in itself.
func (w writing) iso2022jp(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	field := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	field("From", mailbox2022(t, w.from))
	field("To", mailbox2022(t, w.to))
	field("Subject", words2022(t, w.subject))
	field("Date", time.Now().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	field("Message-ID", "<"+w.messageID+">")
	if w.inReplyTo != "" {
		field("In-Reply-To", "<"+w.inReplyTo+">")
		field("References", "<"+strings.Join(w.references, ">\r\n <")+">")
	}
	field("MIME-Version", "1.0")
	field("Content-Type", "text/plain; charset=ISO-2022-JP")
	field("Content-Transfer-Encoding", "7bit")
	b.WriteString("\r\n")
	b.WriteString(encode2022(t, strings.ReplaceAll(w.text, "\n", "\r\n")))
	return b.Bytes()
}

func encode2022(t testing.TB, s string) string {
	t.Helper()
	encoded, err := japanese.ISO2022JP.NewEncoder().String(s)
	if err != nil {
		t.Fatalf("%q in ISO-2022-JP: %v", s, err)
	}
	return encoded
}

// words2022 encodes a field's text in words of at most 75 characters (RFC 2047,
// section 2).
func words2022(t testing.TB, s string) string {
	t.Helper()
	var words []string
	for runes := []rune(s); len(runes) > 0; {
		n := min(len(runes), 12)
		words = append(words, "=?ISO-2022-JP?B?"+base64.StdEncoding.EncodeToString([]byte(encode2022(t, string(runes[:n]))))+"?=")
		runes = runes[n:]
	}
	return strings.Join(words, "\r\n ")
}

// mailbox2022 encodes the name of "name <address>".
func mailbox2022(t testing.TB, mailbox string) string {
	t.Helper()
	name, address, found := strings.Cut(mailbox, " <")
	if !found {
		return mailbox
	}
	return words2022(t, name) + " <" + address
}

// signed puts a DKIM signature on a mail, by a library of its own right rather
// than the program's code.
func signed(t testing.TB, domain string, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	err := dkim.Sign(&b, bytes.NewReader(raw), &dkim.SignOptions{Domain: domain, Selector: "s1", Signer: dkimKey(),
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// verifySigned checks the signature of a letter with what the domain publishes.
func verifySigned(t testing.TB, z *dnstest.Zone, l letter, domain string) {
	t.Helper()
	verifications, err := dkim.VerifyWithOptions(bytes.NewReader(l.raw), &dkim.VerifyOptions{LookupTXT: z.LookupTXT})
	if err != nil {
		t.Fatalf("verify DKIM: %v", err)
	}
	for _, v := range verifications {
		if v.Err == nil && v.Domain == domain {
			return
		}
		t.Errorf("DKIM of %s: %v", v.Domain, v.Err)
	}
	t.Fatalf("no valid DKIM signature of %s on:\n%s", domain, l.raw)
}

// dial opens a session as a careful mail server does: with STARTTLS, and with
// a bound on every answer.
func dial(address string) (*smtp.Client, error) {
	client, err := smtp.DialStartTLS(address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	client.CommandTimeout, client.SubmissionTimeout = time.Minute, time.Minute
	return client, nil
}

// submit sends one mail in an open session and returns the answer to its end.
func submit(client *smtp.Client, from, to string, raw []byte) (string, error) {
	if err := client.Mail(from, nil); err != nil {
		return "", fmt.Errorf("MAIL: %w", err)
	}
	if err := client.Rcpt(to, nil); err != nil {
		return "", fmt.Errorf("RCPT: %w", err)
	}
	data, err := client.Data()
	if err != nil {
		return "", fmt.Errorf("DATA: %w", err)
	}
	if _, err := data.Write(raw); err != nil {
		return "", fmt.Errorf("send the mail: %w", err)
	}
	response, err := data.CloseWithResponse()
	if err != nil {
		return "", fmt.Errorf("end of the mail: %w", err)
	}
	return response.StatusText, nil
}

// send delivers one mail in a session of its own. It returns when 250 came,
// with the time of that.
func send(t testing.TB, address, from, to string, raw []byte) time.Time {
	t.Helper()
	client, err := dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := submit(client, from, to, raw); err != nil {
		t.Fatalf("send a mail from %s to %s: %v", from, to, err)
	}
	accepted := time.Now()
	client.Quit()
	return accepted
}

// smtpCode returns the code with which the server refused, or 0.
func smtpCode(err error) int {
	if refused, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return refused.Code
	}
	return 0
}
