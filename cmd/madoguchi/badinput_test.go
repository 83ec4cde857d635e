package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// besieged is a server that strangers send anything to.
type besieged struct {
	*running
	api     api
	browser *http.Client
	tickets int // expected so far
	good    int
}

// besiege starts a server with more aliases than one mail may have recipients.
func besiege(t *testing.T) *besieged {
	t.Helper()
	var config strings.Builder
	for i := range 150 {
		fmt.Fprintf(&config, "[[alias]]\naddress = \"desk%d@desk.test\"\n", i)
	}
	zone := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	b := &besieged{running: start(t, newDesk(t), "--config", writeConfig(t, config.String()), "--resolver", zone.Address)}
	b.api, b.browser = b.apiOf(t), b.login(t)
	return b
}

// holds fails unless everything taken so far is there, nothing else is, and the
// server goes on to take mail as before.
func (b *besieged) holds(t *testing.T) {
	t.Helper()
	b.good++
	b.tickets++
	send(t, b.smtp, customerAddress, deskAddress, post(uint64(b.good), customerAddress, deskAddress, fmt.Sprintf("good.%d@customer.test", b.good)))
	if !b.alive() {
		t.Fatalf("the server is gone:\n%s", tail(b.log.String(), 8000))
	}
	if got := len(b.api.tickets(t)); got != b.tickets {
		t.Fatalf("%d tickets, want %d", got, b.tickets)
	}
}

// keeps sends a mail that has to be taken, and to become a ticket that every
// way of reading can show and whose source is what was sent, byte by byte.
func (b *besieged) keeps(t *testing.T, raw []byte) ticketDetail {
	t.Helper()
	client, err := smtp.Dial(b.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := submit(client, customerAddress, deskAddress, raw); err != nil {
		t.Fatalf("the mail was refused: %v", err)
	}
	b.tickets++
	numbers := b.api.tickets(t)
	if len(numbers) != b.tickets {
		t.Fatalf("%d tickets, want %d", len(numbers), b.tickets)
	}
	d := b.api.ticket(t, numbers[0])
	if len(d.Messages) != 1 {
		t.Fatalf("the ticket has %d messages, want 1", len(d.Messages))
	}
	if source := b.api.source(t, d.Messages[0].ID); !bytes.Equal(source, raw) {
		t.Errorf("the source has %d bytes, %d were sent, and they differ", len(source), len(raw))
	}
	b.page(t, b.browser, fmt.Sprintf("/inbox/open/%d", d.Ticket.Number))
	b.page(t, b.browser, "/inbox/open")
	return d
}

// refuses sends a mail that must not be taken, and returns the answer.
func (b *besieged) refuses(t *testing.T, code int, raw []byte) error {
	t.Helper()
	client, err := smtp.Dial(b.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, err = submit(client, customerAddress, deskAddress, raw)
	if smtpCode(err) != code {
		t.Fatalf("the answer is %v, want %d", err, code)
	}
	return err
}

// noise is n bytes of anything at all.
func noise(n int) []byte {
	random := rand.New(rand.NewPCG(uint64(n), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// noisyLines is noise as the body of a mail can hold it: CR and LF stand
// together, and lines end somewhere.
func noisyLines(n int) []byte {
	lines := bytes.FieldsFunc(noise(n), func(r rune) bool { return r == '\r' || r == '\n' })
	return append(bytes.Join(lines, []byte("\r\n")), "\r\n"...)
}

func TestHostileInput(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the flood of hostile input")
	}
	t.Parallel()
	b := besiege(t)
	for _, attack := range []struct {
		name string
		run  func(*testing.T, *besieged)
	}{
		{"garbage instead of SMTP", garbageSession},
		{"garbage instead of HTTP", garbageRequest},
		{"garbage instead of a mail", garbageMail},
		{"50 MB", hugeMail},
		{"10,000 recipients", manyRecipients},
		{"10,000 strangers' addresses", manyStrangers},
		{"1,000 multiparts deep", deepMail},
		{"a header of 1 MB", hugeHeader},
		{"NUL bytes", nulBytes},
		{"bare line feeds", bareLineFeeds},
		{"an end in the middle", brokenOff},
	} {
		t.Run(attack.name, func(t *testing.T) {
			attack.run(t, b)
			b.holds(t)
		})
	}
	succeed(t, "", "verify", "--data", b.data)
	b.stop()
	succeed(t, "", "verify", "--data", b.data)
}

func garbageSession(t *testing.T, b *besieged) {
	connection, err := net.Dial("tcp", b.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(patience))
	go connection.Write(noise(256 << 10)) // the server hangs up in the middle of it
	said, _ := io.ReadAll(connection)
	answers := strings.Split(strings.TrimSpace(string(said)), "\r\n")
	for _, answer := range answers[1:] {
		if !strings.HasPrefix(answer, "5") && !strings.HasPrefix(answer, "421 ") {
			t.Errorf("answer to garbage: %q", answer)
		}
	}
	if last := answers[len(answers)-1]; !strings.HasPrefix(last, "421 ") && !strings.HasPrefix(last, "5") {
		t.Errorf("the last words are %q; want a reason for hanging up", last)
	}
}

func garbageRequest(t *testing.T, b *besieged) {
	for _, request := range [][]byte{noise(64 << 10), []byte("GET /" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\n\r\n"),
		[]byte("POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n"), []byte("GET / HTTP/1.1\r\nHost: \x00\r\n\r\n")} {
		connection, err := net.Dial("tcp", strings.TrimPrefix(b.web, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		connection.SetDeadline(time.Now().Add(patience))
		go connection.Write(request)
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err == nil && (response.StatusCode < 400 || response.StatusCode >= 500) {
			t.Errorf("answer to %.40q: %s", request, response.Status)
		}
		connection.Close()
	}
}

func garbageMail(t *testing.T, b *besieged) {
	b.keeps(t, noisyLines(64<<10))
	b.keeps(t, append([]byte("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n"), noisyLines(64<<10)...))
	b.keeps(t, []byte("\r\n"))
}

// hugeMail is refused before a byte of it is sent by a client that says its
// size, and at its end otherwise.
func hugeMail(t *testing.T, b *besieged) {
	client, err := smtp.Dial(b.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Mail(customerAddress, &smtp.MailOptions{Size: 50 << 20}); smtpCode(err) != 552 {
		t.Errorf("MAIL with SIZE of 50 MB: %v, want 552", err)
	}
	raw := append(post(1, customerAddress, deskAddress, "huge@customer.test"), bytes.Repeat([]byte(strings.Repeat("0123456789abcdef", 4)+"\r\n"), 50<<20/66)...)
	if err := b.refuses(t, 552, raw); !strings.Contains(err.Error(), "36700160") {
		t.Errorf("the refusal does not say how large a mail may be: %v", err)
	}
}

// manyRecipients asks for more recipients than one mail may have: the first
// hundred get it, the client is told to send the others another.
func manyRecipients(t *testing.T, b *besieged) {
	c := talk(t, b.smtp)
	c.do("MAIL FROM:<"+customerAddress+">", "250")
	go func() {
		for i := range 10_000 {
			fmt.Fprintf(c.connection, "RCPT TO:<desk%d@desk.test>\r\n", i%150)
		}
	}()
	taken, putOff := 0, 0
	for range 10_000 {
		switch answer := c.hear(); answer[:3] {
		case "250":
			taken++
		case "452":
			putOff++
		default:
			t.Fatalf("answer to one of 10,000 recipients: %q", answer)
		}
	}
	if taken < 100 || putOff < 100 {
		t.Errorf("%d recipients were taken, %d put off; want 100 different ones taken", taken, putOff)
	}
	c.do("DATA", "354")
	c.connection.Write(post(2, customerAddress, "desk0@desk.test", "many@customer.test"))
	c.say(".")
	c.want("250")
	b.tickets++
}

// manyStrangers looks for addresses that exist: not one does, and after a few
// the conversation is over.
func manyStrangers(t *testing.T, b *besieged) {
	c := talk(t, b.smtp)
	c.do("MAIL FROM:<"+customerAddress+">", "250")
	go func() {
		for i := range 10_000 {
			fmt.Fprintf(c.connection, "RCPT TO:<nobody%d@desk.test>\r\n", i)
		}
	}()
	for i := range 10_000 {
		answer := c.hear()
		if strings.HasPrefix(answer, "421 ") {
			return
		}
		if !strings.HasPrefix(answer, "550 5.1.1") {
			t.Fatalf("answer to stranger %d: %q", i, answer)
		}
	}
	t.Error("10,000 addresses can be tried in one session")
}

func deepMail(t *testing.T, b *besieged) {
	var raw bytes.Buffer
	fmt.Fprintf(&raw, "From: %s\r\nTo: %s\r\nSubject: deep\r\nMessage-ID: <deep@customer.test>\r\nMIME-Version: 1.0\r\n", customerAddress, deskAddress)
	for i := range 1000 {
		fmt.Fprintf(&raw, "Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n", i, i)
	}
	raw.WriteString("Content-Type: text/plain\r\n\r\nat the bottom\r\n")
	for i := range 1000 {
		fmt.Fprintf(&raw, "--b%d--\r\n", 999-i)
	}
	if d := b.keeps(t, raw.Bytes()); d.Ticket.Subject != "deep" {
		t.Errorf("the subject is %q", d.Ticket.Subject)
	}
}

func hugeHeader(t *testing.T, b *besieged) {
	const line = " nothing to see in this line of a header, and in the many after it\r\n"
	folded := "From: " + customerAddress + "\r\nSubject: wide\r\nX-Filler:\r\n" + strings.Repeat(line, 1<<20/len(line)) + "Message-ID: <wide@customer.test>\r\n\r\nafter a long header\r\n"
	if d := b.keeps(t, []byte(folded)); d.Ticket.Subject != "wide" || !strings.Contains(d.Messages[0].Text, "after a long header") {
		t.Errorf("the mail reads %q under %q", d.Messages[0].Text, d.Ticket.Subject)
	}
	many := "From: " + customerAddress + "\r\nSubject: many fields\r\n" + strings.Repeat("X-Filler: x\r\n", 1<<20/13) + "\r\nafter many fields\r\n"
	b.keeps(t, []byte(many))
	unfolded := "From: " + customerAddress + "\r\nX-Filler: " + strings.Repeat("x", 1<<20) + "\r\n\r\nafter one long line\r\n"
	if err := b.refuses(t, 554, []byte(unfolded)); !strings.Contains(err.Error(), "line") {
		t.Errorf("the refusal does not speak of the line: %v", err)
	}
}

func nulBytes(t *testing.T, b *besieged) {
	d := b.keeps(t, []byte("From: \x00"+customerAddress+"\r\nSubject: nothing\x00ness\r\nMessage-ID: <nul\x00@customer.test>\r\n\r\nbefore\x00after\r\n\x00\x00\x00\r\n"))
	if text := d.Messages[0].Text; !strings.Contains(text, "before") || !strings.Contains(text, "after") {
		t.Errorf("the mail reads %q", text)
	}
}

// bareLineFeeds could smuggle a second mail past a server further on.
func bareLineFeeds(t *testing.T, b *besieged) {
	c := talk(t, b.smtp)
	c.begin(customerAddress, deskAddress)
	io.WriteString(c.connection, "Subject: one\r\n\r\none\n.\nMAIL FROM:<smuggler@elsewhere.test>\r\n.\r\n")
	if answer := c.hear(); !strings.HasPrefix(answer, "5") {
		t.Errorf("answer to a bare line feed: %q", answer)
	}
}

// brokenOff is half a mail: no promise was made for it.
func brokenOff(t *testing.T, b *besieged) {
	c := talk(t, b.smtp)
	c.begin(customerAddress, deskAddress)
	c.connection.Write(post(3, customerAddress, deskAddress, "half@customer.test")[:5000])
	c.connection.Close()
}
