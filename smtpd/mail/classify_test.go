package mail

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// wantClass is what a NAME.want.json in testdata/dsn says of NAME.eml.
type wantClass struct {
	Kind     []string // bounce, auto, report, list
	Suppress bool
	Bounces  []struct{ Recipient, Status, Action string }
	Original string // Message-ID of the returned mail
}

func TestClassify(t *testing.T) {
	files, _ := filepath.Glob("testdata/dsn/*.eml")
	if len(files) == 0 {
		t.Fatal("no mails in testdata/dsn")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".eml"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			expected, err := os.ReadFile(strings.TrimSuffix(file, ".eml") + ".want.json")
			if err != nil {
				t.Fatal(err)
			}
			var want wantClass
			if err := json.Unmarshal(expected, &want); err != nil {
				t.Fatal(err)
			}
			m := Parse(raw)
			got := Classify(m, false)
			if k := kindsOf(got); !slices.Equal(k, want.Kind) {
				t.Errorf("kind %q because of %q, want %q", k, got.Reason, want.Kind)
			}
			if got.SuppressAutoReply != want.Suppress {
				t.Errorf("suppress is %t because of %q, want %t", got.SuppressAutoReply, got.Reason, want.Suppress)
			}
			if got.SuppressAutoReply == (got.Reason == "") {
				t.Errorf("suppress is %t with the reason %q", got.SuppressAutoReply, got.Reason)
			}
			if len(got.Bounces) != len(want.Bounces) {
				t.Fatalf("bounces %+v, want %+v", got.Bounces, want.Bounces)
			}
			for i, b := range got.Bounces {
				if w := want.Bounces[i]; b.Recipient != w.Recipient || b.Status != w.Status || b.Action != w.Action {
					t.Errorf("bounce %+v, want %+v", b, w)
				}
			}
			if want.Original != "" {
				if id, ok := BounceOriginal(m); !ok || id != want.Original {
					t.Errorf("returned mail %q %t, want %q", id, ok, want.Original)
				}
			}
		})
	}
}

func kindsOf(c Classification) []string {
	kinds := []string{}
	for kind, is := range map[string]bool{"bounce": c.Bounce, "auto": c.AutoReply, "report": c.Report, "list": c.List} {
		if is {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func TestStatusOf(t *testing.T) {
	for words, want := range map[string]string{
		"550 5.1.1 no such user":                      "5.1.1",
		"(#5.1.1 - chkusr)":                           "5.1.1",
		"550-5.7.26 unauthenticated":                  "5.7.26",
		"552 Mailbox full":                            "5.2.2",
		"452 Mailbox full":                            "4.2.2",
		"connect to 5.1.2.3 failed, version 4.5.6.7":  "",
		"waited 4500 seconds on port 5550":            "",
		"554 no reason given":                         "5.0.0",
		"550 5.0.0 user unknown":                      "5.1.1",
		"メールボックスの容量を超えています":                           "5.2.2",
		"421 4.7.0 [TS01] deferred, see 5.1.1 in FAQ": "4.7.0",
		"": "",
	} {
		if got := statusOf(words); got != want {
			t.Errorf("status of %q is %q, want %q", words, got, want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	files, _ := filepath.Glob("testdata/dsn/*.eml")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Parse(raw)
		c := Classify(m, false)
		BounceOriginal(m)
		if c.Bounce != (len(c.Bounces) > 0) || c.Bounce && (c.Report || c.AutoReply) {
			t.Errorf("contradiction: %+v", c)
		}
		if (c.Bounce || c.Report || c.AutoReply || c.List) && !c.SuppressAutoReply {
			t.Errorf("%+v may be answered automatically", c)
		}
		for _, b := range c.Bounces {
			if s := findStatus(b.Status); s != b.Status || s == "" || b.Action != actionFailed && b.Action != actionDelayed {
				t.Errorf("bounce without status or action: %+v", b)
			}
			if len(b.Reason) > maxReason || !utf8.ValidString(b.Reason) || !utf8.ValidString(b.Recipient) || strings.ContainsAny(b.Recipient+b.Reason, "\r\n") {
				t.Errorf("reason or recipient is no line of text: %q %q", b.Recipient, b.Reason)
			}
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	for _, c := range []struct{ name, head, line string }{
		{"person", "From: a@b.example\r\n\r\n", "An ordinary line, お世話になっております。\r\n"},
		{"daemon addresses", "From: mailer-daemon@b.example\r\n\r\n", "x failed@b.example yz@c.example: user\r\n"},
		{"daemon codes", "From: mailer-daemon@b.example\r\n\r\n", "4.4 5.5 550x 5.1.1.1 user\r\n"},
		{"report fields", "From: mailer-daemon@b.example\r\n\r\n", "Final-Recipient: rfc822; a@b.example\r\nStatus: 5.1.1\r\n"},
	} {
		m := Parse([]byte(c.head + strings.Repeat(c.line, 20000)))
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(m.Text)))
			for b.Loop() {
				Classify(m, false)
			}
		})
	}
}
