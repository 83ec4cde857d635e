package helpdesk_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// wantsMentions is a colleague who is told of mentions by mail.
func (h *house) wantsMentions(role helpdesk.Role) *helpdesk.User {
	h.t.Helper()
	u := h.newUser(role)
	h.must(h.ChooseNotices(h.t.Context(), u.Actor(), helpdesk.NoticeChoice{Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{
		helpdesk.NoticeMention: {helpdesk.ChannelWeb, helpdesk.ChannelMail}}}))
	return u
}

// mailMentions has notices mailed with the words of the notes that they are about.
func (h *house) mailMentions() {
	h.t.Helper()
	h.pass(5 * time.Minute)
	h.work(helpdesk.TimerNotice, func(ctx context.Context, id string) error {
		return h.MailNotice(ctx, id, func(_ string, n helpdesk.NoticeView) (string, string) { return "Mentioned", n.Note.Text })
	})
}

func TestAMentionIsMailedWithTheWordsOfTheNote(t *testing.T) {
	h := newHouse(t)
	h.first()
	reader := h.wantsMentions(helpdesk.RoleAgent)
	_, err := h.AddNote(t.Context(), h.admin, 1, "@agent2 an older one")
	h.must(err)
	_, err = h.AddNote(t.Context(), h.admin, 1, "@agent2 may we refund 12,000?")
	h.must(err)
	h.mailMentions()
	if sent := h.deliver(taken); len(sent) != 1 || !strings.Contains(sent[reader.Email], "may we refund 12,000?") {
		t.Errorf("mailed: %v", sent)
	}
}

// What is on a ticket is mailed to nobody whose role does not let them read it any more.
func TestWhoMayNotReadTicketsIsNotMailedANote(t *testing.T) {
	h := newHouse(t)
	h.first()
	reader := h.wantsMentions(helpdesk.RoleAgent)
	roles, err := h.SaveRoles(t.Context(), h.admin, helpdesk.CustomRole{Name: "Templates", Permissions: []helpdesk.Permission{helpdesk.PermitTemplates}})
	h.must(err)
	_, err = h.AddNote(t.Context(), h.admin, 1, "@agent2 the password is in the safe")
	h.must(err)
	role := helpdesk.Role(roles[0].ID)
	_, err = h.ChangeUser(t.Context(), h.admin, reader.ID, helpdesk.UserChange{Role: &role})
	h.must(err)
	h.mailMentions()
	if sent := h.deliver(taken); len(sent) != 0 {
		t.Errorf("mailed: %v", sent)
	}
}

// A notice's mail hangs on the first mail of its ticket. Where that was moved to a ticket that stays, the words of a note on
// the erased one go all the same.
func TestErasingATicketTakesTheMailsThatToldOfItsNotes(t *testing.T) {
	h := newHouse(t)
	first := h.ofTamura("support@example.jp", "the invoice")
	reply := h.reply(first.Ticket, "Here it is")
	h.pass(time.Minute)
	h.deliver(taken)
	h.ofTamura(reply.ReplyAddress, "the invoice again")
	others := h.post("support@example.jp", "From: Kojima <kojima@other.example>", "Subject: mine", "", "of Kojima").Ticket
	h.wantsMentions(helpdesk.RoleAgent)
	_, err := h.AddNote(t.Context(), h.admin, first.Ticket, "@agent2 she lives in Karuizawa")
	h.must(err)
	h.mailMentions()
	_, err = h.Move(t.Context(), h.admin, first.MessageID, others)
	h.must(err)
	e, err := h.EraseContact(t.Context(), h.admin, h.ticket(first.Ticket).Row.Ticket.ContactID, "tamura@private.example")
	h.must(err)
	h.erase(e.ID)
	for recipient, raw := range h.deliver(taken) {
		if strings.Contains(raw, "Karuizawa") {
			t.Errorf("sent to %s after the erasure: %s", recipient, raw)
		}
	}
	if left := h.Traces(t.Context(), "karuizawa"); len(left) > 0 {
		t.Errorf("left behind: %.300s", left)
	}
}
