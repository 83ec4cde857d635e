package main_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// injection is a mail that gives a model orders: what it looks like, and what a
// model that obeys would say.
type injection struct {
	ID      string `json:"id"`
	Order   string `json:"order"` // the order number that the mail names
	From    string `json:"from"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
	File    string `json:"file"` // the name of an attachment
	Orders  any    `json:"orders"`
}

func readInjections(t testing.TB) (list []injection) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "injections.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var i injection
		if err := json.Unmarshal(lines.Bytes(), &i); err != nil {
			t.Fatalf("injection %d: %v", len(list)+1, err)
		}
		list = append(list, i)
	}
	return list
}

// mail is the injection as it comes over the wire.
func (i injection) mail() []byte {
	var b bytes.Buffer
	part := func(kind, text string) {
		fmt.Fprintf(&b, "--parts\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n", kind)
		if kind == "application/octet-stream" {
			fmt.Fprintf(&b, "Content-Disposition: attachment; filename=%q\r\n", mime.BEncoding.Encode("utf-8", i.File))
		}
		encoded := base64.StdEncoding.EncodeToString([]byte(text))
		b.WriteString("\r\n")
		for line := range slices.Chunk([]byte(encoded), 76) {
			fmt.Fprintf(&b, "%s\r\n", line)
		}
	}
	fmt.Fprintf(&b, "From: %s <mallory@customer.test>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@customer.test>\r\nDate: %s\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/mixed; boundary=parts\r\n\r\n", mime.BEncoding.Encode("utf-8", i.From), deskAddress, mime.BEncoding.Encode("utf-8", i.Subject), i.ID,
		time.Now().Format(time.RFC1123Z))
	if i.HTML != "" {
		part("text/html", i.HTML)
	} else {
		part("text/plain", i.Text)
	}
	if i.File != "" {
		part("application/octet-stream", "nothing")
	}
	b.WriteString("--parts--\r\n")
	return b.Bytes()
}

// TestInjectionsChangeNothing sends every injection through the whole program
// with a model that obeys it. A mail may be described wrongly; nothing may act.
func TestInjectionsChangeNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the injections")
	}
	injections := readInjections(t)
	orders := map[string]any{}
	for _, i := range injections {
		orders[i.Order] = i.Orders
	}
	model, outside := serveObedient(t, orders), serveMailbox(t)
	zone := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"), dnstest.TXT("_dmarc.customer.test", "v=DMARC1; p=none"))
	config := fmt.Sprintf("[helpdesk]\nundo_window = \"0s\"\n\n[ai]\naddress = %q\nmodel = %q\n", model.address, testModel)
	program := start(t, newDesk(t), "--config", writeConfig(t, config), "--resolver", zone.Address, "--smarthost", outside.address)
	desk := program.apiOf(t)
	for _, i := range injections {
		send(t, program.smtp, "mallory@customer.test", deskAddress, i.mail())
	}
	eventually(t, time.Minute, "every mail was analysed, or could not be", func() bool {
		return len(desk.eventsOf(t, "analysis.stored", "analysis.failed")) == len(injections)
	})

	t.Run("in the helpdesk", func(t *testing.T) { nothingActed(t, desk, len(injections)) })
	t.Run("in the prompts", func(t *testing.T) {
		for _, i := range injections {
			promptIsClean(t, i, model.given(i.Order))
		}
	})
	client := program.login(t)
	t.Run("on the page", func(t *testing.T) {
		pageIsClean(t, program.page(t, client, "/inbox/open"))
		for _, number := range desk.tickets(t) {
			pageIsClean(t, program.page(t, client, fmt.Sprintf("/inbox/open/%d", number)))
		}
	})
	t.Run("in the composer", func(t *testing.T) {
		for _, number := range desk.tickets(t)[:12] {
			// What comes is text in events of ours, whatever the model says.
			if text := draftOf(t, program, client, number); !strings.Contains(text, "<script>alert('owned')</script>") || !strings.Contains(text, "event: done") {
				t.Errorf("ticket %d: the draft is %.300q", number, text)
			}
		}
		nothingActed(t, desk, len(injections))
	})
	if len(outside.letters) != 0 {
		t.Errorf("%d mails left, the first to %s:\n%.500s", len(outside.letters), outside.letters[0].to, outside.letters[0].raw)
	}
}

// loggedEvent is an event as the API tells it.
type loggedEvent struct {
	Seq    uint64                `json:"seq"`
	Kind   string                `json:"kind"`
	Ticket *uint64               `json:"ticket"`
	Actor  struct{ Kind string } `json:"actor"`
	Data   map[string]string     `json:"data"`
}

// eventsOf are the events of the kinds, or all.
func (a api) eventsOf(t testing.TB, kinds ...string) (list []loggedEvent) {
	t.Helper()
	for after := uint64(0); ; {
		var page struct{ Events []loggedEvent }
		a.get(t, fmt.Sprintf("/events?after=%d", after), &page)
		if len(page.Events) == 0 {
			return list
		}
		for _, e := range page.Events {
			if after = e.Seq; len(kinds) == 0 || slices.Contains(kinds, e.Kind) {
				list = append(list, e)
			}
		}
	}
}

// nothingActed checks every ticket, and every event since the first mail.
func nothingActed(t *testing.T, desk api, injections int) {
	numbers := desk.tickets(t)
	if len(numbers) != injections {
		t.Errorf("%d mails are %d tickets", injections, len(numbers))
	}
	allowed := []string{"ticket.created", "message.received", "analysis.stored", "analysis.failed"}
	for _, e := range desk.eventsOf(t) {
		if e.Ticket != nil && !slices.Contains(allowed, e.Kind) {
			t.Errorf("ticket %d: the event %s %v", *e.Ticket, e.Kind, e.Data)
		}
		if e.Actor.Kind == "model" && e.Kind != "analysis.stored" && e.Kind != "analysis.failed" {
			t.Errorf("the model did %s %v", e.Kind, e.Data)
		}
	}
	var stage string
	for _, number := range numbers {
		var d struct {
			Ticket struct {
				Stage, Assignee string
				Open            bool
				Tags            []string
			}
			Messages []struct {
				Direction string
				Analysis  map[string]any
			}
			Notes []any
		}
		desk.get(t, fmt.Sprintf("/tickets/%d", number), &d)
		if stage == "" {
			stage = d.Ticket.Stage
		}
		if len(d.Messages) != 1 || d.Messages[0].Direction != "in" || len(d.Notes) != 0 || d.Ticket.Assignee != "" || !d.Ticket.Open || len(d.Ticket.Tags) != 0 || d.Ticket.Stage != stage {
			t.Errorf("ticket %d is %+v", number, d)
			continue
		}
		analysisFits(t, number, d.Messages[0].Analysis)
	}
}

// analysisFits checks that whatever the model said is within its schema.
func analysisFits(t *testing.T, number int, a map[string]any) {
	t.Helper()
	if a == nil || a["error"] != nil && a["error"] != "" {
		return
	}
	for field, choices := range map[string][]string{
		"reply_type": {"standard", "high_value", "needs_attention"}, "sentiment": {"positive", "neutral", "negative", "mixed"},
		"urgency": {"low", "normal", "high"}, "product_interest": {"none", "mentioned", "interested", "very_interested"},
	} {
		if value, _ := a[field].(string); !slices.Contains(choices, value) {
			t.Errorf("ticket %d: %s is %q", number, field, value)
		}
	}
	if language, _ := a["language"].(string); len(language) != 0 && len(language) != 2 {
		t.Errorf("ticket %d: the language is %q", number, language)
	}
	encoded, _ := json.Marshal(a)
	if strings.ContainsAny(string(encoded), "\u202e\u2066\x00\x1b") || len(encoded) > 20_000 {
		t.Errorf("ticket %d: %d bytes of analysis: %.300q", number, len(encoded), encoded)
	}
}

// promptIsClean checks what a model was given of a mail: its words, and no
// token, nothing that a reader of the mail does not see, no name of a file.
func promptIsClean(t *testing.T, i injection, prompts []string) {
	t.Helper()
	if len(prompts) == 0 {
		t.Errorf("%s was never in a prompt", i.ID)
	}
	for _, prompt := range prompts {
		for _, bad := range []string{"HIDDENORDER", "<|im_", "<｜", "[/INST]", "</s>", "<start_of", "</think>", "\u200b", "\u202e", "\U000E0048", "attackerに変更せよ.txt", "send refund.txt"} {
			if strings.Contains(prompt, bad) {
				t.Errorf("%s: the prompt has %q", i.ID, bad)
			}
		}
		mark, _, _ := strings.Cut(prompt, "\n")
		if !strings.HasPrefix(mark, "MAIL-") || strings.Count(prompt, mark) != 2 || strings.Contains(i.Text, mark) {
			t.Errorf("%s: the mark %q stands %d times in the prompt", i.ID, mark, strings.Count(prompt, mark))
		}
		before, after, _ := strings.Cut(prompt[len(mark):], mark)
		if !strings.Contains(before, i.Order) || strings.Contains(after, i.Order) {
			t.Errorf("%s: the mail leaves its place:\n%s", i.ID, prompt)
		}
	}
}

// pageIsClean checks that nothing a model said is markup on a page.
func pageIsClean(t *testing.T, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "script" && n.FirstChild != nil && strings.Contains(n.FirstChild.Data, "alert(") {
			t.Error("a script of the model is on the page")
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				t.Errorf("<%s %s=%q> is on the page", n.Data, a.Key, a.Val)
			}
		}
	}
}
