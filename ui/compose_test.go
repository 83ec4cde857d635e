package ui_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

// composer reads the hidden fields of the composer on a page.
func composer(p *page) map[string]string {
	p.t.Helper()
	fields := map[string]string{}
	for _, name := range []string{"key", "seen", "back"} {
		found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(p.body[strings.Index(p.body, "data-composer"):])
		if found == nil {
			p.t.Fatalf("the composer has no field %s", name)
		}
		fields[name] = found[1]
	}
	return fields
}

// compose sends the composer's form as browsers do.
func (b *browser) compose(path string, fields map[string]string, files ...file) *page {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		form.WriteField(name, value)
	}
	for _, f := range files {
		w, err := form.CreateFormFile("files", f.name)
		if err != nil {
			b.t.Fatal(err)
		}
		io.WriteString(w, f.data)
	}
	form.Close()
	return b.do(http.MethodPost, path, &body, form.FormDataContentType())
}

func TestReplyIsSentOnceAndCanBeTakenBack(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "記録が欠けます", text: "お願いします。\n"})
	b := h.as(h.admin)
	fields := composer(b.get("/inbox/mine/1").want(http.StatusOK).shows(`name="to" value="田村 美咲 &lt;tamura@kyaku.example&gt;"`))
	fields["mode"], fields["text"], fields["to"], fields["cc"], fields["quote"] = "reply", "田村様\r\nご連絡ありがとうございます。", "田村 美咲 <tamura@kyaku.example>、kojima@kyaku.example", "", "1"

	fields["to"] = "not an address"
	b.compose("/tickets/1/compose", fields).want(http.StatusUnprocessableEntity).shows("宛先「not an address」を読み取れません", "田村様", `value="`+fields["key"]+`"`)
	fields["to"] = "田村 美咲 <tamura@kyaku.example>、kojima@kyaku.example"
	warned := b.compose("/tickets/1/compose", fields, file{name: "手順書.pdf", data: "%PDF"}).want(http.StatusUnprocessableEntity).
		shows("kojima@kyaku.example とは", "このまま送信", "まだ送信していません", "田村様", `value="`+fields["key"]+`"`).hides("tamura@kyaku.example とは")
	fields["warned"] = regexp.MustCompile(`name="warned" value="([^"]*)"`).FindStringSubmatch(warned.body)[1]
	sent := b.compose("/tickets/1/compose", fields, file{name: "手順書.pdf", data: "%PDF"}).want(http.StatusSeeOther)
	if !strings.HasPrefix(sent.Header.Get("Location"), "/inbox/mine/1?sent=") {
		t.Fatalf("leads to %q", sent.Header.Get("Location"))
	}
	again := b.compose("/tickets/1/compose", fields, file{name: "手順書.pdf", data: "%PDF"}).want(http.StatusSeeOther)
	if again.Header.Get("Location") != sent.Header.Get("Location") {
		t.Error("the same composer sent twice")
	}
	shown := b.get(sent.Header.Get("Location")).want(http.StatusOK).shows("返信を送信します", "元に戻す", "ご連絡ありがとうございます。", "手順書.pdf", "まもなく送信します")
	ticket, err := h.Ticket(h.ctx(), h.admin.Actor(), 1)
	if err != nil || len(ticket.Messages) != 2 {
		t.Fatalf("%d messages, %v", len(ticket.Messages), err)
	}
	reply := ticket.Messages[1].Message
	if len(reply.To) != 2 || reply.To[0].Name != "田村 美咲" || ticket.Messages[1].Body.Text != "田村様\nご連絡ありがとうございます。" {
		t.Errorf("sent %+v %q", reply.To, ticket.Messages[1].Body.Text)
	}

	undo := regexp.MustCompile(`action="(/messages/[^"]+/undo)"`).FindStringSubmatch(shown.body)
	back := b.post(undo[1], "back", "/inbox/mine/1").want(http.StatusOK).
		shows("ご連絡ありがとうございます。</textarea>", `name="upload" value="`, "data-restored", `name="quote" value="1" checked`)
	fields = composer(back)
	fields["mode"], fields["text"], fields["to"], fields["upload"] = "reply", "書き直しました。", "tamura@kyaku.example", regexp.MustCompile(`name="upload" value="([^"]*)" checked`).FindStringSubmatch(back.body)[1]
	fields["then"] = "close"
	b.compose("/tickets/1/compose", fields).want(http.StatusSeeOther)
	ticket, _ = h.Ticket(h.ctx(), h.admin.Actor(), 1)
	last := ticket.Messages[len(ticket.Messages)-1].Message
	if len(last.Attachments) != 1 || last.Attachments[0].Filename != "手順書.pdf" || ticket.Row.Ticket.Open {
		t.Errorf("sent again with %+v, open %v; want the file kept and the ticket closed", last.Attachments, ticket.Row.Ticket.Open)
	}
	_, data, err := h.AttachmentData(h.ctx(), h.admin.Actor(), last.ID, 0)
	if err != nil || string(data) != "%PDF" {
		t.Errorf("the file is %q, %v", data, err)
	}
}

func TestUndoTooLateSaysSo(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "返信"})
	if err != nil {
		t.Fatal(err)
	}
	view, _ := h.Message(h.ctx(), h.admin.Actor(), reply.ID)
	if _, _, err := h.StartDelivery(h.ctx(), view.Deliveries[0].ID); err != nil {
		t.Fatal(err)
	}
	h.as(h.admin).post("/messages/" + reply.ID + "/undo").want(http.StatusConflict).shows("すでに送信されました")
}

func TestReplyStopsWhenTheCustomerWroteMeanwhile(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "一通目です。"})
	first, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "返信"})
	if err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	fields := composer(b.get("/inbox/open/1"))
	h.receive(letter{to: first.ReplyAddress, subject: "Re: 件名", text: "待ってください、訂正です。", authentication: proven})
	fields["mode"], fields["text"], fields["to"] = "reply", "書きかけの返信", "tamura@kyaku.example"
	b.header.Set("HX-Request", "true")
	b.header.Set("HX-Target", "div#ticket")
	stopped := b.compose("/tickets/1/compose", fields).want(http.StatusConflict).
		shows("書いている間にお客様から新しいメールが届いたため", "待ってください、訂正です。", "書きかけの返信</textarea>").hides("<html")
	b.header.Del("HX-Request")
	ticket, _ := h.Ticket(h.ctx(), h.admin.Actor(), 1)
	if n := len(ticket.Messages); n != 3 {
		t.Fatalf("%d messages: the reply was sent all the same", n)
	}
	fields["seen"] = composer(stopped)["seen"]
	b.compose("/tickets/1/compose", fields).want(http.StatusSeeOther) // now they have read it
}

func TestNotesTagsStageAndAssignee(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	b := h.as(h.admin)
	fields := composer(b.get("/inbox/open/1"))
	fields["mode"], fields["note"] = "note", "社内だけの話です。"
	b.compose("/tickets/1/compose", fields).want(http.StatusSeeOther).leads("/inbox/open/1")
	fields["note"] = " "
	b.compose("/tickets/1/compose", fields).want(http.StatusUnprocessableEntity).shows("本文を入力してください", `value="note" checked`)
	b.post("/tickets/1/change", "tag", "返品、 至急,返品", "back", "/inbox/open/1?tag=x").want(http.StatusSeeOther).leads("/inbox/open/1?tag=x")
	b.post("/tickets/1/change", "untag", "返品", "back", "https://evil.example/inbox/").want(http.StatusSeeOther).leads("/tickets/1")
	b.post("/tickets/1/change", "assignee", agent.ID).want(http.StatusSeeOther)
	b.post("/tickets/1/change", "stage", "完了").want(http.StatusSeeOther)
	b.post("/tickets/1/change", "stage", "なし").want(http.StatusUnprocessableEntity)
	row, err := h.TicketRow(h.ctx(), h.admin.Actor(), 1)
	if err != nil || row.Ticket.Open || row.Ticket.AssigneeID != agent.ID || strings.Join(row.Ticket.Tags, "|") != "至急" {
		t.Errorf("ticket %+v, %v", row.Ticket, err)
	}
	b.get("/inbox/closed/1").shows("社内だけの話です。", "再オープン", "林 大地")
	b.post("/tickets/999/change", "stage", "完了").want(http.StatusNotFound)
}

func TestTwoWhoTagAtOnceKeepEachOthersTags(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	const each = 10
	var group sync.WaitGroup
	for who, b := range map[string]*browser{"佐藤": h.as(h.admin), "林": h.as(agent)} {
		group.Go(func() {
			for n := range each {
				if page := b.post("/tickets/1/change", "tag", fmt.Sprint(who, n)); page.StatusCode != http.StatusSeeOther {
					t.Errorf("tag %d of %s: status %d", n, who, page.StatusCode)
				}
			}
		})
	}
	group.Wait()
	row, err := h.TicketRow(h.ctx(), h.admin.Actor(), 1)
	if err != nil || len(row.Ticket.Tags) != 2*each {
		t.Errorf("%d tags %q, want %d (%v)", len(row.Ticket.Tags), row.Ticket.Tags, 2*each, err)
	}
}

func TestHeldMailIsDecidedInThePage(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "返信"})
	if err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	hold := func(from string) string {
		return h.receive(letter{from: from, name: "代理", to: reply.ReplyAddress, subject: "Re: 件名", text: from + "です"}).MessageID
	}
	id := hold("one@other.example")
	b.get("/inbox/held").shows("確認待ち")
	b.post("/messages/"+id+"/resolve", "resolution", "split", "ticket", "1", "back", "/inbox/held/1").want(http.StatusSeeOther).leads("/inbox/held/2")
	b.post("/messages/"+id+"/resolve", "resolution", "join", "ticket", "1").want(http.StatusConflict).shows("ほかの人が判断しました")
	id = hold("two@other.example")
	b.post("/messages/"+id+"/resolve", "resolution", "join", "ticket", "1", "back", "/inbox/open/1").want(http.StatusSeeOther).leads("/inbox/open/1")
	b.get("/inbox/open/1").shows("two@other.exampleです").hides(`value="join"`)
}

func TestUploadLimitIsNamed(t *testing.T) {
	h := newReadyHouse(t, func(o *ui.Options) { o.MaxUpload = 1_000_000 })
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	fields := composer(b.get("/inbox/open/1").shows("合計 1.0 MB まで"))
	fields["mode"], fields["text"] = "reply", "添付します"
	b.compose("/tickets/1/compose", fields, file{name: "large.bin", data: strings.Repeat("x", 3_000_000)}).
		want(http.StatusUnprocessableEntity).shows("合計 1.0 MB まで")
}

func TestSeenMovesTheLineOfWhatIsNew(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "一通目"})
	b := h.as(h.admin)
	b.get("/inbox/open").shows(`class="row unread"`)
	fields := composer(b.get("/inbox/open/1").hides("ここから新着"))
	b.get("/inbox/open").shows(`class="row unread"`) // looking at an address is not reading
	b.post("/tickets/1/seen", "seq", fields["seen"]).want(http.StatusNoContent)
	b.get("/inbox/open").hides(`class="row unread"`)
	reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "返信"})
	if err != nil {
		t.Fatal(err)
	}
	h.receive(letter{to: reply.ReplyAddress, subject: "Re: 件名", text: "二通目", authentication: proven})
	p := b.get("/inbox/open/1").shows("ここから新着")
	if line := strings.Index(p.body, "ここから新着"); line < strings.LastIndex(p.body, ">一通目<") || line > strings.LastIndex(p.body, ">二通目<") {
		t.Error("the line is not between what was seen and what is new")
	}
	b.post("/tickets/1/seen", "seq", composer(p)["seen"]).want(http.StatusNoContent)
	b.get("/inbox/open/1").hides("ここから新着")
	b.fragment("/tickets/1/updates?seen="+fields["seen"], "flow").shows("ここから新着") // an open page keeps its line
}
