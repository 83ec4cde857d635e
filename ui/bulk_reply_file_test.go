package ui_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Files are attached and taken off in the form, which keeps what is written.
func TestFilesOfABulkReplyAreChosenInItsForm(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "価格表", text: "送ってください。"})
	bulk, err := h.BeginBulkReply(h.ctx(), h.admin.Actor(), []uint64{1})
	if err != nil {
		t.Fatal(err)
	}
	b, at := h.as(h.admin), "/bulk-replies/"+bulk.ID
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("text", "価格表をお送りします。")
	file, err := form.CreateFormFile("files", "価格表.pdf")
	if err != nil {
		t.Fatal(err)
	}
	file.Write([]byte("%PDF"))
	form.Close()
	b.do(http.MethodPost, at+"/files", &body, form.FormDataContentType()).want(http.StatusSeeOther).leads(at)
	p := b.get(at).shows("価格表.pdf", "価格表をお送りします。")
	off := at + "/files/" + partOf(p.body, `formaction="`+at+`/files/`, `"`)
	b.post(off, "text", "価格表は改めてお送りします。").want(http.StatusSeeOther).leads(at)
	b.get(at).shows("改めてお送りします。").hides("価格表.pdf")

	// What is chosen and not attached yet leaves with the text all the same.
	body.Reset()
	form = multipart.NewWriter(&body)
	form.WriteField("text", "こちらです。")
	form.WriteField("action", "send")
	if file, err = form.CreateFormFile("files", "価格表2.pdf"); err != nil {
		t.Fatal(err)
	}
	file.Write([]byte("%PDF"))
	form.Close()
	b.do(http.MethodPost, at, &body, form.FormDataContentType()).want(http.StatusSeeOther).leads(at)
	b.get(at).shows("価格表2.pdf")
}

func TestAPIAttachesFilesToABulkReply(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	many := object{"tickets": []int{1}, "text": "See the prices.", "attachments": []object{{"filename": "prices.txt", "data": "QQ=="}}}
	bulk := h.call("POST", "/bulk-replies", many, "Idempotency-Key", "prices").ok(202).at("bulk_reply")
	if err := h.FinishBulkReply(h.ctx(), bulk["id"].(string)); err != nil {
		t.Fatal(err)
	}
	h.get("/tickets/1").at("messages", 1).at("attachments", 0).want(t, object{"filename": "prices.txt", "size": 1})
	many["attachments"] = []object{{"filename": "prices.txt", "data": "Qg=="}}
	h.call("POST", "/bulk-replies", many, "Idempotency-Key", "prices").refused(409, helpdesk.CodeConflict, "Idempotency-Key", "something else")
	many["attachments"] = []object{{"filename": "prices.txt", "data": "?"}}
	h.call("POST", "/bulk-replies", many).refused(400, "invalid", "attachments[0].data", "base64")
}

// A program that takes the key of one list of customers for another would believe
// that these were written to.
func TestAPIBulkReplyComparesWhatItsKeyStandsFor(t *testing.T) {
	h := newAPIHouse(t)
	for range 3 {
		h.create("/tickets", object{"alias": "support@example.jp", "to": []string{"tamura@customer.example"}, "subject": "x", "text": "x"})
	}
	send := func(tickets []int, text string) answer {
		return h.call("POST", "/bulk-replies", object{"tickets": tickets, "text": text}, "Idempotency-Key", "notice")
	}
	first := send([]int{1, 2}, "お知らせです。").ok(202).at("bulk_reply")
	if again := send([]int{2, 1}, "お知らせです。").ok(200).at("bulk_reply"); again["id"] != first["id"] {
		t.Errorf("the same request is answered with %v", again)
	}
	send([]int{1, 3}, "お知らせです。").refused(409, helpdesk.CodeConflict, "Idempotency-Key", "a reply to 2 tickets")
	send([]int{1, 2}, "訂正です。").refused(409, helpdesk.CodeConflict, "Idempotency-Key", "a reply to 2 tickets")
}
