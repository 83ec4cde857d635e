package mail_test

import (
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

func TestPlainAddress(t *testing.T) {
	for address, want := range map[string]string{
		"ann@example.com":               "ann@example.com",
		`"ann"@example.com`:             "ann@example.com",
		`"foo..bar."@docomo.ne.jp`:      "foo..bar.@docomo.ne.jp",
		`"a b"@example.com`:             `"a b"@example.com`,
		`"\a\ b"@example.com`:           `"a b"@example.com`,
		`"a\"b\\c"@example.com`:         `"a\"b\\c"@example.com`,
		`"a@b"@example.com`:             `"a@b"@example.com`,
		`"田 中"@example.com`:             `"田 中"@example.com`,
		`""@example.com`:                `""@example.com`, // no mailbox: left as it is
		`"a"> SIZE=1 "b"@example.com`:   `"a"> SIZE=1 "b"@example.com`,
		"\"a\r\nRCPT TO:\"@example.com": "\"a\r\nRCPT TO:\"@example.com",
		"Ann":                           "Ann",
		"":                              "",
		`"unclosed\"@example.com`:       `"unclosed\"@example.com`,
		`"closed"@"twice"@example.com`:  `"closed"@"twice"@example.com`,
	} {
		if got := mail.PlainAddress(address); got != want {
			t.Errorf("%s becomes %s, want %s", address, got, want)
		}
	}
	for local, want := range map[string]bool{`"a b"`: true, `"\""`: true, `""`: false, `"`: false, `"a"> <b"`: false, "\"a\nb\"": false, "ab": false} {
		if got := mail.IsQuotedLocal(local); got != want {
			t.Errorf("%q is taken for a quoted local part: %v", local, got)
		}
	}
}
