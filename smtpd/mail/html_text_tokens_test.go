package mail_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// allocated is all that work ever allocated, in bytes, of which the peak is a part.
func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A tokenizer would hold each of these whole, in a buffer that doubles.
func TestWhatNobodyReadsOfHTMLIsNotHeld(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out HTML of many megabytes")
	}
	const size = 16 << 20
	for name, c := range map[string]struct{ source, want string }{
		"comment":         {"<p>one</p><!-- " + repeated("a > b -- c <p>\n", size) + "-->two", "one\n\ntwo"},
		"endless comment": {"<p>one</p><!-- " + repeated("a > b -- c <p>\n", size), "one"},
		"attribute":       {`<p>one</p><img alt="a" src="data:image/png;base64,` + repeated("iVBORw0K/>'", size) + `">two`, "one\n\ntwo"},
		"endless tag":     {`<p>one</p><p title="` + repeated("x > y ", size), "one"},
		"script":          {"<p>one</p><script>" + repeated("if (a<b) c('<p>')\n", size) + "</script><p>two</p>", "one\n\ntwo"},
		"endless style":   {"<p>one</p><style>" + repeated("p { color: red }\n", size), "one"},
		"declaration":     {"<p>one</p><!" + repeated("x ", size) + "><p>two</p>", "one\n\ntwo"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if took := allocated(func() { got = mail.TextFromHTML(c.source) }); took > 24<<20 {
				t.Errorf("%d bytes of HTML took %d bytes", len(c.source), took)
			}
			if got != c.want {
				t.Errorf("the text is %.80q, want %q", got, c.want)
			}
		})
	}
}

func TestALongTextOfHTMLIsReadWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out HTML of many megabytes")
	}
	const size = 5 << 20
	// Each unit has another length, so that pieces end within characters, entities and signs.
	for _, unit := range []string{"窓口です。", "a&amp;b &lt;c&gt; ", "1 < 2 <3 << ", "<b>é</b>ü", "x &NotEqualTilde; y\n"} {
		source := repeated(unit, size)
		once := mail.TextFromHTML("<p>" + unit + unit + "</p>")
		half := mail.TextFromHTML("<p>" + unit + "</p>")
		seam := strings.TrimSuffix(strings.TrimPrefix(once, half), half)
		want := strings.Repeat(half+seam, len(source)/len(unit)-1) + half
		if got := mail.TextFromHTML("<p>" + source + "</p>"); got != want {
			t.Errorf("%q: %d bytes, want %d", unit, len(got), len(want))
		}
	}
	quoted := mail.TextFromHTML("<blockquote><p>" + repeated("a ", size) + "</p><p>b</p></blockquote>c")
	if !strings.HasPrefix(quoted, "> a a") || !strings.HasSuffix(quoted, "a a\n>\n> b\n\nc") || strings.Count(quoted, ">") != 3 {
		t.Errorf("a long quotation begins %q and ends %q", quoted[:20], quoted[len(quoted)-20:])
	}
}

// One byte may become three, and a buffer that grows stands beside the larger one.
func TestTextOfAnotherCharacterSetTakesNoMoreThanItsSize(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out texts of many megabytes")
	}
	const size = 16 << 20
	for charset, unit := range map[string]string{
		"iso-8859-1": strings.Repeat("\xe9\xe8\xfc\xdf", 18) + "\r\n",
		"shift_jis":  strings.Repeat("\xb1\xb2\xb3\xb4", 18) + "\r\n",
		"euc-jp":     strings.Repeat("\xc1\xeb\xb8\xfd", 18) + "\r\n",
	} {
		raw := []byte("From: a@customer.example\r\nContent-Type: text/plain; charset=" + charset + "\r\n\r\n" + strings.Repeat(unit, size/len(unit)))
		var m *mail.Message
		took := allocated(func() { m = mail.Parse(raw) })
		if bound := uint64(size/2 + 2*len(m.Text) + 1<<20); took > bound {
			t.Errorf("%s: a text of %d bytes took %d bytes, more than %d", charset, len(m.Text), took, bound)
		}
		if strings.ContainsRune(m.Text, '\uFFFD') || len(m.CharsetNotes) > 0 {
			t.Errorf("%s: %q", charset, m.CharsetNotes)
		}
	}
}

// The marks of mail programs would be looked for in a copy of the whole.
func TestNoMarksAreLookedForInHTMLOfManyMegabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out HTML of many megabytes")
	}
	const size = 16 << 20
	m := mail.Parse([]byte("From: a@customer.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Thanks</p><div class=gmail_quote>" +
		repeated("words of before\r\n", size) + "</div>"))
	var r mail.Reply
	if took := allocated(func() { r = mail.SplitReply(m) }); took > size {
		t.Errorf("the new words of %d bytes of HTML took %d bytes", len(m.HTML), took)
	}
	if !strings.HasPrefix(r.New, "Thanks") {
		t.Errorf("the new words are %.80q", r.New)
	}
}
