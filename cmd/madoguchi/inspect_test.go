package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// runInspect gives raw to "inspect -" and returns the object it prints.
func runInspect(t *testing.T, raw string) map[string]any {
	t.Helper()
	root := newRootCommand()
	var out bytes.Buffer
	root.SetArgs([]string{"inspect", "-"})
	root.SetIn(strings.NewReader(raw))
	root.SetOut(&out)
	if err := root.Execute(); err != nil {
		t.Fatalf("inspect: %v", err)
	}
	decoder := json.NewDecoder(&out)
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("inspect printed no JSON object: %v", err)
	}
	if decoder.More() {
		t.Fatal("inspect printed more than one object")
	}
	return object
}

// Other programs read these fields, whatever the bytes: they are always there,
// and lists are never null.
func TestInspectKeepsItsContract(t *testing.T) {
	strs := []string{"subject", "from", "from_name", "reply_to", "date", "message_id", "in_reply_to", "text", "html", "safe_html", "reply_text"}
	lists := []string{"to", "cc", "references", "attachments", "bounces", "charset_notes"}
	flags := []string{"is_auto_reply", "is_bounce", "is_report", "suppress_auto_reply", "is_list"}
	for _, raw := range []string{"", "\x00\xff\xfe garbage", "From: a@b.example\r\n\r\nhi\r\n"} {
		object := runInspect(t, raw)
		for _, name := range strs {
			if _, ok := object[name].(string); !ok {
				t.Errorf("%q: %s is %T", raw, name, object[name])
			}
		}
		for _, name := range lists {
			if _, ok := object[name].([]any); !ok {
				t.Errorf("%q: %s is %T", raw, name, object[name])
			}
		}
		for _, name := range flags {
			if _, ok := object[name].(bool); !ok {
				t.Errorf("%q: %s is %T", raw, name, object[name])
			}
		}
	}
}

func TestInspectReadsAReply(t *testing.T) {
	object := runInspect(t, "From: =?UTF-8?B?6Z2S5pyoIOiKsQ==?= <hana@kaede.example>\r\n"+
		"Reply-To: desk@kaede.example\r\nTo: support@madoguchi.example, tom@kaede.example\r\n"+
		"Subject: Re: kettle\r\nDate: Sat, 21 Nov 2026 10:15:00 +0900\r\nMessage-ID: <2@kaede.example>\r\n"+
		"In-Reply-To: <1@madoguchi.example>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"+
		"--b\r\n\r\nIt works now.\r\n\r\n> Did you plug it in?\r\n"+
		"--b\r\nContent-Type: text/csv; name=log.csv\r\n\r\n1,2\r\n--b--\r\n")
	for name, want := range map[string]string{
		"from": "hana@kaede.example", "from_name": "青木 花", "reply_to": "desk@kaede.example",
		"date": "2026-11-21T10:15:00+09:00", "message_id": "2@kaede.example", "in_reply_to": "1@madoguchi.example",
		"reply_text": "It works now.",
	} {
		if object[name] != want {
			t.Errorf("%s is %q, want %q", name, object[name], want)
		}
	}
	if to := object["to"].([]any); !slices.Equal(to, []any{"support@madoguchi.example", "tom@kaede.example"}) {
		t.Errorf("to is %v", to)
	}
	attachment := object["attachments"].([]any)[0].(map[string]any)
	if attachment["filename"] != "log.csv" || attachment["content_type"] != "text/csv" || attachment["size"] != 3.0 ||
		attachment["sha256"] != "17f8af97ad4a7f7639a4c9171d5185cbafb85462877a4746c21bdb0a4f940ca0" {
		t.Errorf("attachment is %v", attachment)
	}
}

func TestInspectNamesAFileItCannotRead(t *testing.T) {
	root := newRootCommand()
	root.SetArgs([]string{"inspect", "no-such-file.eml"})
	root.SetOut(new(bytes.Buffer))
	root.SetErr(new(bytes.Buffer))
	if err := root.Execute(); err == nil || !strings.Contains(err.Error(), "no-such-file.eml") {
		t.Errorf("the error is %v", err)
	}
}
