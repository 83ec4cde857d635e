package helpdesk_test

import (
	"bytes"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// writeToMany begins and saves a reply to many tickets.
func (h *house) writeToMany(a helpdesk.Actor, text string, numbers ...uint64) *helpdesk.BulkReply {
	h.t.Helper()
	b, err := h.BeginBulkReply(h.t.Context(), a, numbers)
	if err != nil {
		h.t.Fatal(err)
	}
	if b, err = h.SaveBulkReply(h.t.Context(), a, b.ID, helpdesk.BulkReplyDraft{Words: helpdesk.Localized{Text: text}, Close: true}); err != nil {
		h.t.Fatal(err)
	}
	return b
}

// settleMany works until nothing is left to do.
func (h *house) settleMany(id string) (*helpdesk.BulkReply, []helpdesk.BulkReplyItem) {
	h.t.Helper()
	if err := h.FinishBulkReply(h.t.Context(), id); err != nil {
		h.t.Fatal(err)
	}
	b, troubled, err := h.BulkReply(h.t.Context(), h.admin, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return b, troubled
}

// header reads a field of a reply's source.
func (h *house) header(message, field string) string {
	h.t.Helper()
	raw, err := h.Source(h.t.Context(), h.admin, message)
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		h.t.Fatal(err)
	}
	return m.Header.Get(field)
}

// One text goes to the customers of many tickets, each in their own words; who
// cannot get it is named, and all of it can be taken back before it leaves.
func TestOneTextForManyCustomers(t *testing.T) {
	h := newHouse(t)
	var numbers []uint64
	for n := range 25 {
		numbers = append(numbers, h.post("support@example.jp", fmt.Sprintf("From: Customer %d <c%d@customer.example>", n%20, n%20), "Subject: x", "", fmt.Sprint("Words ", n)).Ticket)
	}
	if _, err := h.Merge(t.Context(), h.admin, 7, 8); err != nil {
		t.Fatal(err)
	}
	if _, err := h.MarkSpam(t.Context(), h.admin, 9, ""); err != nil {
		t.Fatal(err)
	}
	b := h.writeToMany(h.admin, "Hello {{customer.name}},\nticket {{ticket.number}}: it works again. {{customer.company}}", numbers...)
	p, check, err := h.PreviewBulkReply(t.Context(), h.admin, b.ID, 2)
	if err != nil {
		t.Fatal(err)
	}
	if check.Reach != 23 || len(check.Troubled) != 2 || check.Troubled[0].Ticket != 7 || check.Again != 5 || check.Approval || !check.Unsubscribe || check.Unfilled["customer.company"] != 23 {
		t.Errorf("check: %+v", check)
	}
	if p.Ticket != 3 || !strings.Contains(p.Text, "Hello Customer 2,\nticket 3: it works again. \n") && !strings.Contains(p.Text, "Hello Customer 2,\nticket 3: it works again.") || p.To[0].Email != "c2@customer.example" {
		t.Errorf("preview: %+v", p)
	}
	if b, err = h.SendBulkReply(t.Context(), h.admin, b.ID); err != nil || b.State != helpdesk.BulkReplyPosting {
		t.Fatalf("send: %+v, %v", b, err)
	}
	_, err = h.SaveBulkReply(t.Context(), h.admin, b.ID, helpdesk.BulkReplyDraft{Words: helpdesk.Localized{Text: "other"}})
	wantCode(t, err, helpdesk.CodeConflict, "was sent")
	b, troubled := h.settleMany(b.ID)
	if b.State != helpdesk.BulkReplyPosted || b.Posted != 23 || b.Refused != 2 || len(troubled) != 2 || troubled[0].Problem != "error.ticket_merged" || troubled[1].Problem != "error.bulk_reply_spam" {
		t.Fatalf("%+v, %+v", b, troubled)
	}
	view := h.ticket(3)
	reply := view.Messages[len(view.Messages)-1].Message
	if view.Row.Ticket.Open || view.Row.Ticket.AssigneeID != "" || !view.Row.Ticket.WaitingSince.IsZero() || reply.BulkReply != b.ID || reply.AuthorID != h.user.ID {
		t.Errorf("ticket 3: %+v, reply %+v", view.Row.Ticket, reply)
	}
	if link := h.header(reply.ID, "List-Unsubscribe"); !strings.HasPrefix(link, "<https://desk.example.jp/unsubscribe/"+reply.ID+".") || h.header(reply.ID, "List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Errorf("List-Unsubscribe: %s", link)
	}
	if single := h.reply(1, "only for you"); h.header(single.ID, "List-Unsubscribe") != "" {
		t.Error("an answer to one customer offers to unsubscribe")
	}

	// All leave together, and come back together.
	if due := view.Messages[len(view.Messages)-1].Deliveries[0].NextAt; !due.Equal(h.now.Add(time.Minute)) {
		t.Errorf("it leaves at %v, now is %v", due, h.now)
	}
	h.now = h.now.Add(30 * time.Second)
	if _, err := h.UndoBulkReply(t.Context(), h.admin, b.ID); err != nil {
		t.Fatal(err)
	}
	if b, _ = h.settleMany(b.ID); b.State != helpdesk.BulkReplyUndone || b.TakenBack != 23 || b.Left != 0 {
		t.Errorf("undone: %+v", b)
	}
	if row := h.ticket(3).Row.Ticket; !row.Open || row.WaitingSince.IsZero() {
		t.Errorf("ticket 3 has not what it had: %+v", row)
	}
	_, err = h.UndoBulkReply(t.Context(), h.admin, b.ID)
	wantCode(t, err, helpdesk.CodeConflict, "undone already")
}

// Who asked for no more of it gets no mail that goes to many, and answers as
// before.
func TestOneClickEndsMailToMany(t *testing.T) {
	h := newHouse(t)
	first := h.post("support@example.jp", "From: c@customer.example", "Subject: x", "", "Words").Ticket
	second := h.post("support@example.jp", "From: d@customer.example", "Subject: x", "", "Other words").Ticket
	b := h.writeToMany(h.admin, "Hello", first, second)
	if _, err := h.SendBulkReply(t.Context(), h.admin, b.ID); err != nil {
		t.Fatal(err)
	}
	h.settleMany(b.ID)
	view := h.ticket(first)
	link := h.header(view.Messages[len(view.Messages)-1].Message.ID, "List-Unsubscribe")
	token := regexp.MustCompile(`/unsubscribe/([^>]+)>`).FindStringSubmatch(link)[1]
	address, from, done, err := h.OptOutOf(t.Context(), token)
	if err != nil || address != "c@customer.example" || from == "" || done {
		t.Fatalf("%s, %s, %t, %v", address, from, done, err)
	}
	for range 2 { // a second click is none
		if err := h.OptOut(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	forged := token[:len(token)-1] + "x"
	if strings.HasSuffix(token, "x") {
		forged = token[:len(token)-1] + "y"
	}
	for _, wrong := range []string{forged, "", ".", strings.Split(token, ".")[0], "01JAAAAAAAAAAAAAAAAAAAAAAA.x"} {
		wantCode(t, h.OptOut(t.Context(), wrong), helpdesk.CodeNotFound, "link")
	}
	if list, err := h.OptOuts(t.Context(), h.admin); err != nil || len(list) != 1 || list[0].Address != "c@customer.example" || list[0].Ticket != first {
		t.Errorf("opted out: %+v, %v", list, err)
	}
	again := h.writeToMany(h.admin, "Again", first, second)
	if _, err := h.SendBulkReply(t.Context(), h.admin, again.ID); err != nil {
		t.Fatal(err)
	}
	if b, troubled := h.settleMany(again.ID); b.Posted != 1 || len(troubled) != 1 || troubled[0].Problem != "error.opted_out" {
		t.Errorf("%+v, %+v", b, troubled)
	}
	h.reply(first, "this is your answer")
	if err := h.LiftOptOut(t.Context(), h.admin, "C@customer.example"); err != nil {
		t.Fatal(err)
	}
	if _, check, err := h.PreviewBulkReply(t.Context(), h.admin, h.writeToMany(h.admin, "Once more", first).ID, 0); err != nil || check.Reach != 1 {
		t.Errorf("after lifting: %+v, %v", check, err)
	}
	if b, err := h.BeginBulkReply(t.Context(), h.admin, nil); b != nil {
		t.Errorf("to nobody: %v", err)
	}
}

// Where an alias asks for a second person, so does a reply to many.
func TestReplyToManyIsApproved(t *testing.T) {
	h := newHouse(t)
	h.approving()
	agent := h.colleague("agent", helpdesk.RoleAgent)
	ticket := h.post("support@example.jp", "From: c@customer.example", "Subject: x", "", "Words").Ticket
	b := h.writeToMany(agent, "Hello", ticket)
	b, err := h.SendBulkReply(t.Context(), agent, b.ID)
	if err != nil || b.State != helpdesk.BulkReplyReview {
		t.Fatalf("%+v, %v", b, err)
	}
	asked, _, err := h.Notices(t.Context(), h.admin, 10)
	if err != nil || len(asked) != 1 || asked[0].Notice.Kind != helpdesk.NoticeApproval || asked[0].Notice.BulkReply != b.ID {
		t.Errorf("the one who may approve is told: %+v", asked)
	}
	if _, err := h.ReturnBulkReply(t.Context(), h.admin, b.ID, "friendlier"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SaveBulkReply(t.Context(), agent, b.ID, helpdesk.BulkReplyDraft{Words: helpdesk.Localized{Text: "Dear customer"}}); err != nil {
		t.Fatal(err)
	}
	if b, err = h.SendBulkReply(t.Context(), agent, b.ID); err != nil {
		t.Fatal(err)
	}
	if b, err = h.ApproveBulkReply(t.Context(), h.admin, b.ID); err != nil || b.State != helpdesk.BulkReplyPosting {
		t.Fatalf("%+v, %v", b, err)
	}
	if b, _ = h.settleMany(b.ID); b.Posted != 1 {
		t.Errorf("%+v", b)
	}
	_, err = h.ApproveBulkReply(t.Context(), h.admin, b.ID)
	wantCode(t, err, helpdesk.CodeConflict, "approval")
}

// A bulk reply is posted by what its author may do at that moment: a role of the
// house's own counts, and who was locked out meanwhile writes to nobody.
func TestWhoIsLockedOutWritesToNobody(t *testing.T) {
	h := newHouse(t)
	_, author := h.roleAndUser("広報", "kouhou@example.jp", helpdesk.PermitRead, helpdesk.PermitReply, helpdesk.PermitBulk, helpdesk.PermitEdit)
	var numbers []uint64
	for n := range 4 {
		numbers = append(numbers, h.post("support@example.jp", fmt.Sprintf("From: c%d@customer.example", n), "Subject: Question", "", "Question").Ticket)
	}
	send := func(text string, numbers ...uint64) *helpdesk.BulkReply {
		t.Helper()
		b := h.writeToMany(author, text, numbers...)
		b, err := h.SendBulkReply(t.Context(), author, b.ID)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := send("お知らせです。", numbers[:2]...)
	if b, troubled := h.settleMany(first.ID); b.Posted != 2 {
		t.Fatalf("%+v, %+v", b, troubled)
	}
	second, off := send("大事なお知らせです。", numbers[2:]...), true
	if _, err := h.ChangeUser(t.Context(), h.admin, author.UserID, helpdesk.UserChange{Disabled: &off}); err != nil {
		t.Fatal(err)
	}
	b, troubled := h.settleMany(second.ID)
	if b.Posted != 0 || b.Refused != 2 || len(troubled) != 2 || troubled[0].Problem != "error.bulk_reply_author" {
		t.Errorf("%+v, %+v", b, troubled)
	}
	if _, err := h.UndoBulkReply(t.Context(), h.admin, first.ID); err != nil {
		t.Fatal(err)
	}
	if b, _ := h.settleMany(first.ID); b.TakenBack != 2 {
		t.Errorf("what was on its way is taken back: %+v", b)
	}
}

// Every customer gets the files, and what is discarded leaves none behind.
func TestFilesForManyCustomers(t *testing.T) {
	h := newHouse(t)
	one := h.post("support@example.jp", "From: a@customer.example", "Subject: x", "", "A").Ticket
	two := h.post("support@example.jp", "From: b@customer.example", "Subject: y", "", "B").Ticket
	b := h.writeToMany(h.admin, "The new prices are attached.", one, two)
	add := func(id, name string, size int) error {
		_, err := h.AddBulkReplyFile(t.Context(), h.admin, id, helpdesk.Upload{Filename: name, ContentType: "application/pdf", Data: bytes.Repeat([]byte("p"), size)})
		return err
	}
	for _, name := range []string{"prices.pdf", "old.pdf"} {
		if err := add(b.ID, name, 1000); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, add(b.ID, "film.mp4", 5_000_000), helpdesk.CodeInvalid, "the limit is 5000000")
	b, _, err := h.BulkReply(t.Context(), h.admin, b.ID)
	if err != nil || len(b.Files) != 2 {
		t.Fatalf("%+v, %v", b, err)
	}
	if _, err := h.RemoveBulkReplyFile(t.Context(), h.admin, b.ID, b.Files[1].ID); err != nil {
		t.Fatal(err)
	}
	h.verify()
	if _, err := h.SendBulkReply(t.Context(), h.admin, b.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, add(b.ID, "late.pdf", 1), helpdesk.CodeConflict, "was sent")
	h.settleMany(b.ID)
	for _, number := range []uint64{one, two} {
		sent := h.ticket(number).Messages[1].Message
		if len(sent.Attachments) != 1 || sent.Attachments[0].Filename != "prices.pdf" || sent.Attachments[0].Size != 1000 {
			t.Errorf("ticket %d got %+v", number, sent.Attachments)
		}
	}
	other := h.writeToMany(h.admin, "x", one)
	if err := add(other.ID, "a.pdf", 10); err != nil {
		t.Fatal(err)
	}
	if err := h.DiscardBulkReply(t.Context(), h.admin, other.ID); err != nil {
		t.Fatal(err)
	}
	h.verify() // which finds files that are of no bulk reply
}
