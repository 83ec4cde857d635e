package helpdesk_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// told lists what a user has been told and has not read, the newest first.
func (h *house) told(u *helpdesk.User) (list []string) {
	h.t.Helper()
	views, unread, err := h.Notices(h.t.Context(), u.Actor(), 50)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, v := range views {
		if v.Notice.ReadAt.IsZero() {
			list = append(list, fmt.Sprintf("%s %d×%d", v.Notice.Kind, v.Notice.Ticket, v.Notice.Count))
		}
	}
	if unread != len(list) {
		h.t.Errorf("%d unread, lists %v", unread, list)
	}
	return list
}

func (h *house) wantTold(u *helpdesk.User, want ...string) {
	h.t.Helper()
	if got := h.told(u); !slices.Equal(got, want) {
		h.t.Errorf("%s was told %q, want %q", u.Email, got, want)
	}
}

func TestPeopleAreToldWhatOthersDid(t *testing.T) {
	h := newHouse(t)
	h.first()
	mori, ono := h.newUser(helpdesk.RoleAgent), h.newUser(helpdesk.RoleSupervisor)
	h.change(1, helpdesk.Change{Assignee: &mori.ID})
	h.wantTold(mori, "assigned 1×1")
	h.wantTold(h.user)
	if _, err := h.AddNote(t.Context(), h.admin, 1, "@"+ono.Name+" 在庫をご確認ください。"); err != nil {
		t.Fatal(err)
	}
	h.wantTold(ono, "mention 1×1")

	reply, err := h.Reply(t.Context(), mori.Actor(), helpdesk.Reply{Ticket: 1, Text: "確認いたします。"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h.pass(time.Minute)
		h.post(reply.ReplyAddress, "From: 田村 美咲 <tamura@customer.example>", "Subject: Re: x", "", fmt.Sprintf("まだでしょうか。%s", h.now))
	}
	h.wantTold(mori, "customer 1×2", "assigned 1×1")
	h.wantTold(ono, "customer 1×2", "mention 1×1")     // who is mentioned follows
	h.wantTold(h.user, "customer 1×2")                 // who wrote a note follows
	h.change(1, helpdesk.Change{Assignee: &h.user.ID}) // by oneself: nothing to tell oneself
	h.wantTold(h.user, "customer 1×2")

	if err := h.MarkSeen(t.Context(), ono.Actor(), 1, h.ticket(1).LastSeq); err != nil {
		t.Fatal(err)
	}
	h.wantTold(ono)
	if err := h.ReadNotices(t.Context(), mori.Actor(), 0); err != nil {
		t.Fatal(err)
	}
	h.wantTold(mori)

	if err := h.ChooseNotices(t.Context(), mori.Actor(), helpdesk.NoticeChoice{Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{helpdesk.NoticeAssigned: {}}}); err != nil {
		t.Fatal(err)
	}
	h.change(1, helpdesk.Change{Assignee: &mori.ID})
	h.wantTold(mori)
	if err := h.ChooseNotices(t.Context(), mori.Actor(), helpdesk.NoticeChoice{Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{"weather": nil}}); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
		t.Errorf("an unknown kind: %v", err)
	}

	h.snooze(1, h.now.Add(time.Hour), "")
	h.pass(2 * time.Hour)
	h.wakeDue()
	h.wantTold(mori, "woken 1×1")
	h.pass(31 * 24 * time.Hour) // and the next one told forgets what is old
	if _, err := h.AddNote(t.Context(), h.admin, 1, "@"+ono.Name+" その後いかがですか。"); err != nil {
		t.Fatal(err)
	}
	h.wantTold(mori)
}

func TestNoticesGoByMailUnlessRead(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.post("support@example.jp", "From: 小島 <kojima@other.example>", "Subject: other", "", "別の件です。")
	mori := h.newUser(helpdesk.RoleAgent)
	err := h.ChooseNotices(t.Context(), mori.Actor(), helpdesk.NoticeChoice{Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{helpdesk.NoticeAssigned: {helpdesk.ChannelWeb, helpdesk.ChannelMail}}})
	if err != nil {
		t.Fatal(err)
	}
	h.change(1, helpdesk.Change{Assignee: &mori.ID})
	h.change(2, helpdesk.Change{Assignee: &mori.ID})
	if err := h.ReadNotices(t.Context(), mori.Actor(), 2); err != nil {
		t.Fatal(err)
	}
	words := func(_ string, n helpdesk.NoticeView) (string, string) {
		return fmt.Sprintf("Ticket %d is yours", n.Notice.Ticket), "Subject: " + n.Subject
	}
	if claimed, _, err := h.ClaimDue(t.Context(), helpdesk.TimerNotice, 10, time.Minute); err != nil || len(claimed) > 0 {
		t.Fatalf("%v due at once, %v", claimed, err)
	}
	h.pass(4 * time.Minute)
	claimed, _, err := h.ClaimDue(t.Context(), helpdesk.TimerNotice, 10, time.Minute)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%d due, want the unread one: %v", len(claimed), err)
	}
	for range 2 { // worked on twice, it is sent once
		if err := h.MailNotice(t.Context(), claimed[0].ID, words); err != nil {
			t.Fatal(err)
		}
	}
	sent := h.deliver(func(string) (helpdesk.Attempt, bool) { return helpdesk.Attempt{OK: true, Code: 250}, false })
	raw := sent[mori.Email]
	if len(sent) != 1 || !strings.Contains(raw, "Subject: Ticket 1 is yours") || !strings.Contains(raw, " +0900\r\n") || !strings.Contains(raw, "Auto-Submitted: auto-generated") || !strings.Contains(raw, "Reply-To: no-reply@example.jp") {
		t.Errorf("sent %d: %s", len(sent), raw)
	}
	if got := kinds(h.ticket(1).Events); strings.Contains(got, "copy") {
		t.Errorf("the ticket tells of it: %s", got)
	}
}

// Where mail of a ticket can leave no more, colleagues are told of it from another
// address of the house.
func TestNoticesGoByMailWithoutTheTicketsAlias(t *testing.T) {
	h := newHouse(t)
	h.first()
	mori := h.newUser(helpdesk.RoleAgent)
	h.must(h.ChooseNotices(t.Context(), mori.Actor(), helpdesk.NoticeChoice{Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{helpdesk.NoticeAssigned: {helpdesk.ChannelMail}}}))
	_, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "desk@example.jp"})
	h.must(err)
	h.must(h.DeleteAlias(t.Context(), h.admin, h.alias.ID)) // it has a ticket: it is disabled
	h.change(1, helpdesk.Change{Assignee: &mori.ID})
	h.pass(4 * time.Minute)
	claimed, _, err := h.ClaimDue(t.Context(), helpdesk.TimerNotice, 10, time.Minute)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%d due: %v", len(claimed), err)
	}
	h.must(h.MailNotice(t.Context(), claimed[0].ID, func(_ string, n helpdesk.NoticeView) (string, string) { return "Yours", n.Subject }))
	if raw := h.deliver(taken)[mori.Email]; !strings.Contains(raw, "desk@example.jp") {
		t.Errorf("sent %q", raw)
	}
	h.verify()
}

// Who wants to be left alone outside of working hours is told by mail when they
// begin; what is wrong with the server waits for nobody.
func TestNoticesWaitForWorkingHours(t *testing.T) {
	h := newHouse(t)
	h.first()
	ctx := t.Context()
	choice := helpdesk.NoticeChoice{WorkingHours: true, Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{}}
	for _, kind := range []helpdesk.NoticeKind{helpdesk.NoticeAssigned, helpdesk.NoticeAlarm} {
		choice.Channels[kind] = []helpdesk.NoticeChannel{helpdesk.ChannelWeb, helpdesk.ChannelPush}
	}
	admin := h.newUser(helpdesk.RoleAdmin)
	h.must(h.ChooseNotices(ctx, admin.Actor(), choice))
	browser := helpdesk.PushSubscription{Endpoint: "https://push.example.com/1", P256DH: base64.RawURLEncoding.EncodeToString(make([]byte, 65)), Auth: base64.RawURLEncoding.EncodeToString(make([]byte, 16))}
	if _, err := h.SubscribePush(ctx, admin.Actor(), browser); err != nil {
		t.Fatal(err)
	}
	office, err := h.Schedule(ctx, h.admin, "")
	if err != nil {
		t.Fatal(err)
	}
	h.now = time.Date(2026, time.April, 10, 22, 0, 0, 0, office.Zone()) // a Friday night
	opens := office.Next(h.now)
	due := func() int {
		t.Helper()
		claimed, _, err := h.ClaimDue(ctx, helpdesk.TimerPush, 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, timer := range claimed {
			h.must(h.EndPush(ctx, timer.ID))
		}
		return len(claimed)
	}
	h.change(1, helpdesk.Change{Assignee: &admin.ID})
	h.wantTold(admin, "assigned 1×1")
	if n := due(); n != 0 {
		t.Errorf("%d pushed on a Friday night", n)
	}
	h.must(h.RaiseAlarm(ctx, helpdesk.System("backup"), helpdesk.AlarmBackup, "/srv/backup", helpdesk.AlarmDetail{Text: "no space"}))
	if n := due(); n != 1 {
		t.Errorf("%d alarms pushed at once, want 1", n)
	}
	h.now = opens.Add(-time.Minute)
	if n := due(); n != 0 {
		t.Errorf("%d pushed before work begins", n)
	}
	h.now = opens
	if n := due(); n != 1 {
		t.Errorf("%d pushed when work begins at %s, want 1", n, opens)
	}
}
