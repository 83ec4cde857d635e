package ui_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

const (
	draftPath = "/drafts/AAAAAAAAAAAAAAAAAAAAAAAAAA"
	mailPath  = "/drafts/BBBBBBBBBBBBBBBBBBBBBBBBBB"
)

// told is what an endpoint for scripts answers.
type told struct {
	Stamp, Error, Code, Key string
	ID, Name, Type          string
	Size                    int64
	ContentID               string `json:"content_id"`
	URL                     string
}

func (p *page) told(t *testing.T) (answer told) {
	t.Helper()
	if err := json.Unmarshal([]byte(p.body), &answer); err != nil {
		t.Fatalf("%v: %s", err, p.body)
	}
	return answer
}

// upload sends a file to a draft as the composer's script does. Fields come in pairs.
func (b *browser) upload(path, name, contentType, data string, pairs ...string) *page {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(pairs); i += 2 {
		form.WriteField(pairs[i], pairs[i+1])
	}
	part, err := form.CreatePart(map[string][]string{"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`}, "Content-Type": {contentType}})
	if err != nil {
		b.t.Fatal(err)
	}
	part.Write([]byte(data))
	form.Close()
	return b.do("POST", path+"/files", &body, form.FormDataContentType())
}

func TestDraftEndpoints(t *testing.T) {
	h := newReadyHouse(t, func(o *ui.Options) { o.MaxUpload = 100_000 })
	h.receive(letter{subject: "件名", text: "本文"})
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	mine, theirs := h.as(h.admin), h.as(agent)
	reply := []string{"kind", "reply", "ticket", "1"}

	t.Run("save and resume", func(t *testing.T) {
		first := mine.post(draftPath, append(reply, "text", "書きかけ", "to", "tamura@kyaku.example")...).want(http.StatusOK).told(t)
		if again := mine.post(draftPath, append(reply, "text", "書きかけです")...).want(http.StatusOK).told(t); first.Stamp == "" {
			t.Errorf("stamps %q and %q", first.Stamp, again.Stamp)
		}
		mine.get("/inbox/open/1").shows("書きかけです</textarea>", `name="key" value="AAAAAAAAAAAAAAAAAAAAAAAAAA"`)
		theirs.get("/inbox/open/1").shows("書きかけです", "佐藤 遥さんの下書き").hides(`value="AAAAAAAAAAAAAAAAAAAAAAAAAA"`)
		mine.post(mailPath, "kind", "mail", "subject", "新しい件", "text", "こんにちは").want(http.StatusOK)
		mine.get("/compose?draft=BBBBBBBBBBBBBBBBBBBBBBBBBB").shows(`value="新しい件"`, "こんにちは</textarea>")
		theirs.get("/compose?draft=BBBBBBBBBBBBBBBBBBBBBBBBBB").hides("新しい件")
	})
	t.Run("what cannot be", func(t *testing.T) {
		for name, pairs := range map[string][]string{"draft_kind": {"kind", "poem", "ticket", "1"}, "reply_too_long": append(reply, "text", strings.Repeat("x", 1<<20+1))} {
			if got := mine.post("/drafts/CCCCCCCCCCCCCCCCCCCCCCCCCC", pairs...).want(http.StatusUnprocessableEntity).told(t); got.Key != name || got.Error == "" {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if got := mine.post("/drafts/CCCCCCCCCCCCCCCCCCCCCCCCCC", append(reply, "text", strings.Repeat("x", 2<<20))...).told(t); !strings.Contains(got.Error, "2.1 MB") || !strings.Contains(got.Error, "1.0 MB") {
			t.Errorf("too long: %+v", got) // in units that people read
		}
		mine.post("/drafts/short", reply...).want(http.StatusUnprocessableEntity)
		mine.post("/drafts/CCCCCCCCCCCCCCCCCCCCCCCCCC", "kind", "reply", "ticket", "99").want(http.StatusNotFound)
		mine.post(draftPath, "kind", "reply", "ticket", "x").want(http.StatusUnprocessableEntity)
	})
	var file told
	t.Run("upload", func(t *testing.T) {
		file = mine.upload(draftPath, "見積.pdf", "application/pdf", "%PDF-1.7", reply...).want(http.StatusCreated).told(t)
		if file.Name != "見積.pdf" || file.Size != 8 || file.ContentID != "" {
			t.Errorf("uploaded %+v", file)
		}
		got := theirs.get(file.URL) // whoever works on the ticket may read it, as a download
		if got.body != "%PDF-1.7" || !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("read %q, %v", got.body, got.Header)
		}
		image := mine.upload(draftPath, "a.png", "image/png", "\x89PNG", append(reply, "inline", "1")...).want(http.StatusCreated).told(t)
		if policy := mine.get(image.URL).Header.Get("Content-Security-Policy"); image.ContentID == "" || !strings.Contains(policy, "sandbox") {
			t.Errorf("an image %+v under %q", image, policy)
		}
		if got := mine.upload(draftPath, "a.svg", "image/svg+xml", "<svg/>", append(reply, "inline", "1")...).want(http.StatusUnprocessableEntity).told(t); got.Key != "image_kind" {
			t.Errorf("SVG in the text: %+v", got)
		}
		if got := mine.upload(draftPath, "large.bin", "application/octet-stream", strings.Repeat("x", 100_001), reply...).want(http.StatusUnprocessableEntity).told(t); got.Key != "upload_too_large" || !strings.Contains(got.Error, "100") {
			t.Errorf("too large: %+v", got)
		}
		if got := mine.post(draftPath+"/files", reply...).want(http.StatusUnprocessableEntity).told(t); got.Error == "" {
			t.Errorf("no file: %+v", got)
		}
	})
	t.Run("from elsewhere", func(t *testing.T) {
		if got := theirs.post(draftPath, append(reply, "text", "横取り")...).want(http.StatusConflict).told(t); got.Key != "draft_taken" || !strings.Contains(got.Error, "佐藤 遥") {
			t.Errorf("a colleague's save: %+v", got)
		}
		theirs.upload(draftPath, "b.txt", "text/plain", "b", reply...).want(http.StatusConflict)
		theirs.post(draftPath + "/files/" + file.ID + "/delete").want(http.StatusConflict)
		theirs.post(draftPath + "/delete").want(http.StatusConflict)
		stranger := h.browser() // or who was logged out meanwhile: not led to a page that looks like success
		stranger.header.Set("Accept", "application/json")
		stranger.post(draftPath, append(reply, "text", "x")...).want(http.StatusUnauthorized)
		stranger.upload(draftPath, "b.txt", "text/plain", "b", reply...).want(http.StatusUnauthorized)
		if p := stranger.get(file.URL); p.body == "%PDF-1.7" {
			t.Error("a stranger reads an upload")
		}
		mine.header.Set("Sec-Fetch-Site", "cross-site")
		mine.post(draftPath, append(reply, "text", "forged")...).want(http.StatusForbidden)
		mine.upload(draftPath, "c.txt", "text/plain", "c", reply...).want(http.StatusForbidden)
		mine.header.Del("Sec-Fetch-Site")
		mine.get("/inbox/open/1").shows("書きかけです").hides("forged")
	})
	t.Run("after sending", func(t *testing.T) {
		fields := composer(mine.get("/inbox/open/1"))
		fields["mode"], fields["text"], fields["to"], fields["upload"] = "reply", "送ります。", "tamura@kyaku.example", file.ID
		mine.compose("/tickets/1/compose", fields).want(http.StatusSeeOther)
		if got := mine.post(draftPath, append(reply, "text", "遅れた保存")...).want(http.StatusConflict).told(t); got.Key != "draft_sent" {
			t.Errorf("a late save: %+v", got)
		}
		mine.upload(draftPath, "late.txt", "text/plain", "x", reply...).want(http.StatusConflict)
		mine.get(file.URL).want(http.StatusNotFound)
		v, err := h.Ticket(h.ctx(), h.admin.Actor(), 1)
		if err != nil || len(v.Drafts) != 0 || len(v.Messages) != 2 || len(v.Messages[1].Message.Attachments) != 1 {
			t.Errorf("%d drafts, %d messages, %v", len(v.Drafts), len(v.Messages), err)
		}
	})
}

// Of several drafts the newest stands first: on a phone only the first are in sight.
func TestDraftsStandNewestFirst(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	began := h.Desk.Now()
	for i, text := range []string{"一つ目の下書き", "二つ目の下書き", "三つ目の下書き", "四つ目の下書き"} {
		h.Desk.Now = func() time.Time { return began.Add(time.Duration(i) * time.Minute) }
		if _, err := h.SaveDraft(h.ctx(), h.admin.Actor(), helpdesk.Draft{ID: ulid.Make().String(), Kind: helpdesk.DraftReply, Ticket: 1, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	cards := partOf(h.as(h.admin).get("/inbox/open/1").want(http.StatusOK).body, `id="drafts"`, `<form class="composer"`)
	last := -1
	for _, text := range []string{"三つ目の下書き", "二つ目の下書き", "一つ目の下書き"} {
		at := strings.Index(cards, text)
		if at <= last {
			t.Errorf("%s stands at %d, behind %d", text, at, last)
		}
		last = at
	}
}
