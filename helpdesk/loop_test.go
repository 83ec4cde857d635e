package helpdesk_test

import (
	"context"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// mailNotices works on the timers of notices, and returns what is sent.
func (h *house) mailNotices() map[string]string {
	h.t.Helper()
	h.pass(5 * time.Minute)
	h.work(helpdesk.TimerNotice, func(ctx context.Context, id string) error {
		return h.MailNotice(ctx, id, func(string, helpdesk.NoticeView) (string, string) { return "A ticket for you", h.now.String() })
	})
	return h.deliver(taken)
}

func TestANoticeMakesNoNotice(t *testing.T) {
	for name, own := range map[string]string{"an own address": "second@example.jp", "a mailbox that forwards to us": "mori@home.example"} {
		h := newHouse(t)
		mori := h.hire(own, "森 健太")
		if _, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "second@example.jp", Name: "Second", OwnerID: mori.ID}); err != nil {
			t.Fatal(err)
		}
		by := []helpdesk.NoticeChannel{helpdesk.ChannelMail}
		h.must(h.ChooseNotices(t.Context(), mori.Actor(), helpdesk.NoticeChoice{Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{
			helpdesk.NoticeAssigned: by, helpdesk.NoticeCustomer: by}}))
		h.post("second@example.jp", "From: a@customer.example", "Subject: Help", "", "Help")
		mailed := 0
		for range 4 {
			for _, raw := range h.mailNotices() {
				mailed++
				if _, err := h.Receive(t.Context(), incoming("second@example.jp", raw, h.now)); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := 1
		if own == "second@example.jp" {
			want = 0
		}
		if mailed != want {
			t.Errorf("%s: %d notices were mailed of one mail, want %d", name, mailed, want)
		}
	}
}

func TestAFormThatTakesNoRepliesGetsNone(t *testing.T) {
	h := newHouse(t).withAcknowledgement()
	h.from("Contact form <no-reply@shop.example>", "Reply-To: customer@elsewhere.example")
	if sent := h.acknowledge(); len(sent) != 0 {
		t.Errorf("acknowledged: %v", sent)
	}
}
