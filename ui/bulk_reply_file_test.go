package ui_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"testing"
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
	many["attachments"] = []object{{"filename": "prices.txt", "data": "?"}}
	h.call("POST", "/bulk-replies", many).refused(400, "invalid", "attachments[0].data", "base64")
}
