package mail

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

type replyCase struct{ name, text, want string }

// replyCases reads a file of cases: "%% name", the mail's text, "%%%", the new words.
func replyCases(t testing.TB, file string) []replyCase {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []replyCase
	for _, c := range strings.Split("\n"+string(content), "\n%% ")[1:] {
		name, rest, _ := strings.Cut(c, "\n")
		text, want, found := strings.Cut("\n"+rest, "\n%%%")
		if !found {
			t.Fatalf("%s: case %q has no line %%%%%%", file, name)
		}
		cases = append(cases, replyCase{name, strings.TrimPrefix(text, "\n"), strings.TrimSpace(want)})
	}
	return cases
}

func TestSplitReply(t *testing.T) {
	files, _ := filepath.Glob("testdata/reply/*.txt")
	if len(files) == 0 {
		t.Fatal("no cases in testdata/reply")
	}
	for _, file := range files {
		for _, c := range replyCases(t, file) {
			t.Run(filepath.Base(file)+"/"+c.name, func(t *testing.T) {
				got := SplitReply(&Message{Text: c.text})
				if got.New != c.want {
					t.Errorf("new words\n%s\nwant\n%s", got.New, c.want)
				}
				all := got.New + "\n" + got.Quote + "\n" + got.Signature + "\n"
				for l := range strings.Lines(c.text) {
					if l := strings.TrimSpace(l); !strings.Contains(all, l) {
						t.Errorf("line lost: %q", l)
					}
				}
			})
		}
	}
}

func TestFoldTextKeepsEveryByte(t *testing.T) {
	for _, text := range []string{
		"", "\n", "a", "a\r\nb\r\n", "> a\r\n\r\nb", "\n\n-- \nx", "On 1/1/2026 10:00, a@b wrote:\n> x\n", "a\n\n\n> b\n>\n\n\nc\n\nSent from my iPhone\n\n",
		"\xff\xfe broken \xe3\x81\n> \x80", "```\n> open fence",
	} {
		if got := join(FoldText(text)); got != text {
			t.Errorf("segments of %q join to %q", text, got)
		}
	}
}

// A listener takes mails of ten million lines, and must not need a gigabyte for one.
func TestFoldTextTakesLittleMemoryForManyLines(t *testing.T) {
	text := "Hello\n" + strings.Repeat("> a\nb\n", 2_000_000) + "bye"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	segments := FoldText(text)
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 100 {
		t.Errorf("%d MiB for a text of %d", took, len(text)>>20)
	}
	if segments[0].Kind != SegmentNew || join(segments) != text {
		t.Errorf("%d segments, the first %s %.20q, do not join to the text", len(segments), segments[0].Kind, segments[0].Text)
	}
}

func TestFoldTextSegments(t *testing.T) {
	text := "直りました。\n\n-- \n高橋\n\n2026年11月21日(土) 10:00 窓口 <a@b.example>:\n> 再起動を\n> お試しください。\n"
	want := []Segment{
		{SegmentNew, "直りました。\n"},
		{SegmentSignature, "\n-- \n高橋\n\n"},
		{SegmentQuote, "2026年11月21日(土) 10:00 窓口 <a@b.example>:\n> 再起動を\n> お試しください。\n"},
	}
	got := FoldText(text)
	if len(got) != len(want) {
		t.Fatalf("got %d segments %q, want %d", len(got), got, len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("segment %d is %s %q, want %s %q", i, got[i].Kind, got[i].Text, want[i].Kind, want[i].Text)
		}
	}
}

func join(segments []Segment) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString(s.Text)
	}
	return b.String()
}

func FuzzFoldText(f *testing.F) {
	for _, file := range []string{"testdata/reply/ja.txt", "testdata/reply/world.txt"} {
		for _, c := range replyCases(f, file) {
			f.Add(c.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		segments := FoldText(text)
		if got := join(segments); got != text {
			t.Errorf("segments join to %q, want %q", got, text)
		}
		for i, s := range segments {
			if s.Text == "" || i > 0 && segments[i-1].Kind == s.Kind {
				t.Errorf("segment %d of %q is empty or of the same kind as the one before", i, segments)
			}
		}
		// The same text as it would come out of HTML must not fail either.
		SplitReply(&Message{Text: text, HTML: text, TextFromHTML: true})
	})
}

// BenchmarkFoldText measures texts built to be expensive beside an ordinary one.
func BenchmarkFoldText(b *testing.B) {
	ordinary := strings.Repeat("ご連絡ありがとうございます。\nThe device works again since this morning.\n\n", 30) + "2026年11月21日(土) 10:00 窓口 <a@b.example>:\n" + strings.Repeat("> quoted line of an earlier mail\n", 100)
	for _, c := range []struct{ name, text string }{
		{"ordinary", ordinary},
		{"fields", strings.Repeat("To: a\n", 20000)},
		{"dates", strings.Repeat("Date: 10:00\n", 20000)},
		{"openers", strings.Repeat("On 3 May <a@b 10:00\n", 20000)},
		{"delimiters", strings.Repeat("--\n", 20000)},
		{"rulers", strings.Repeat("-----\n\n", 20000)},
		{"quotes", strings.Repeat("> a\nb\n", 20000)},
		{"footers", strings.Repeat("Sent from my iPhone\n", 20000)},
		{"blank", strings.Repeat("a@b wrote:\n"+strings.Repeat("\n", 50), 1000)},
		{"one line", strings.Repeat("> On 3 May ", 100000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			for b.Loop() {
				FoldText(c.text)
			}
		})
	}
}
