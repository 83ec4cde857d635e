package mtasts_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mtasts"
)

func TestPolicyIsReadAsItIsWritten(t *testing.T) {
	ours := mtasts.Policy{Mode: mtasts.Testing, MX: []string{"mx.example.jp"}, MaxAge: 24 * time.Hour}
	read, err := mtasts.Parse(ours.String())
	if err != nil || read.Mode != ours.Mode || !slices.Equal(read.MX, ours.MX) || read.MaxAge != ours.MaxAge {
		t.Fatalf("%+v, %v", read, err)
	}
	if id := mtasts.RecordID([]string{"v=spf1 -all", ours.Record()}); id != ours.ID() || id == "" {
		t.Errorf("the id of %q is %q", ours.Record(), id)
	}
	changed := ours
	changed.Mode = mtasts.Enforce
	if changed.ID() == ours.ID() {
		t.Error("another policy has the same id")
	}
}

func TestPoliciesOfOthers(t *testing.T) {
	// RFC 8461, section 3.2, with what servers really send.
	p, err := mtasts.Parse("version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net \nfuture: x\nmax_age: 604800\nmode: none\n")
	if err != nil || p.Mode != mtasts.Enforce {
		t.Fatalf("%+v, %v", p, err)
	}
	for host, want := range map[string]bool{"mail.example.com": true, "MAIL.example.com.": true, "a.example.net": true,
		"example.net": false, "a.b.example.net": false, "mail.example.com.evil.test": false, ".example.net": false} {
		if p.Allows(host) != want {
			t.Errorf("%s is allowed: %v", host, !want)
		}
	}
	if p, err := mtasts.Parse("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 9999999999\n"); err != nil || p.MaxAge != 31557600*time.Second {
		t.Errorf("a policy of three hundred years: %+v, %v", p, err)
	}
	for text, fault := range map[string]string{
		"mode: enforce\nmx: a.example\nmax_age: 1":                             "version",
		"version: STSv1\nmode: strict\nmx: a.example\nmax_age: 1":              "mode",
		"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: a day":         "max_age",
		"version: STSv1\nmode: enforce\nmax_age: 1":                            "no mx",
		"<html>not found</html>":                                               "key: value",
		"version: STSv1\nmode: enforce\n" + strings.Repeat("x", 100_000) + ":": "read",
	} {
		if _, err := mtasts.Parse(text); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%.60q: %v, not %q", text, err, fault)
		}
	}
	for _, records := range [][]string{{"v=STSv1; id=1;", "v=STSv1; id=2;"}, {"v=STSv1; id=a-b"}, {"v=STSv1;"}, {"v=STSv12; id=1"}, nil} {
		if id := mtasts.RecordID(records); id != "" {
			t.Errorf("%q have the id %q", records, id)
		}
	}
}
