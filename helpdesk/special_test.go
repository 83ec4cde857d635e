package helpdesk_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// fixture hands in a mail of the parser's collection and returns what is kept.
func (h *house) fixture(name string) helpdesk.Message {
	h.t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "smtpd", "mail", "testdata", name+".eml"))
	if err != nil {
		h.t.Fatal(err)
	}
	receipt, err := h.Receive(h.t.Context(), incoming("support@example.jp", string(raw), h.now))
	if err != nil {
		h.t.Fatal(err)
	}
	return h.message(receipt.MessageID)
}

func (h *house) message(id string) helpdesk.Message {
	h.t.Helper()
	v, err := h.Message(h.t.Context(), h.admin, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return v.Message
}

func TestProtectionIsKept(t *testing.T) {
	h := newHouse(t)
	for name, want := range map[string][2]string{
		"ja-smime-detached": {"S/MIME", ""}, "ja-smime-opaque": {"S/MIME", ""}, "smime-encrypted": {"", "S/MIME"},
		"ja-pgp-detached": {"OpenPGP", ""}, "pgp-encrypted-mime": {"", "OpenPGP"}, "ja-calendar-google": {},
	} {
		if m := h.fixture(name); m.Signed != want[0] || m.Encrypted != want[1] {
			t.Errorf("%s: signed %q, encrypted %q; want %q", name, m.Signed, m.Encrypted, want)
		}
	}
}

func TestRiskIsKept(t *testing.T) {
	h := newHouse(t)
	for name, want := range map[string]string{"risk-programs": "executable", "risk-macros": "macro", "risk-none": ""} {
		m := h.fixture(name)
		if len(m.Attachments) == 0 {
			t.Errorf("%s has no files", name)
		}
		for _, a := range m.Attachments {
			if a.Risk != want {
				t.Errorf("%s: %s is %q, want %q", name, a.Filename, a.Risk, want)
			}
		}
	}
}

func TestInvitationIsKept(t *testing.T) {
	h := newHouse(t)
	m := h.fixture("ja-calendar-google")
	want := &helpdesk.Invitation{Method: "REQUEST", UID: "42@kaede.example", Summary: "定例会", Recurrence: "FREQ=WEEKLY;BYDAY=TU",
		Start: time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC), End: time.Date(2026, 12, 1, 1, 30, 0, 0, time.UTC),
		Organizer: helpdesk.Address{Email: "hana@kaede.example"}}
	if !reflect.DeepEqual(m.Invitation, want) {
		t.Errorf("invitation %+v, want %+v", m.Invitation, want)
	}
	if m.Invitation.Cancelled() {
		t.Error("a request counts as cancelled")
	}
	if cancelled := h.fixture("ja-calendar-cancelled"); cancelled.Invitation == nil || !cancelled.Invitation.Cancelled() {
		t.Errorf("cancelled invitation %+v", cancelled.Invitation)
	}
	if task := h.fixture("calendar-without-event"); task.Invitation != nil {
		t.Errorf("a calendar without an event is the invitation %+v", task.Invitation)
	}
	if _, err := h.DecodeAgain(t.Context(), h.admin, m.ID, "iso-2022-jp"); err != nil {
		t.Fatal(err)
	}
	if again := h.message(m.ID); !reflect.DeepEqual(again.Invitation, want) || len(again.Attachments) != len(m.Attachments) {
		t.Errorf("decoded again, the invitation is %+v", again.Invitation)
	}
}

func TestInvitationIsBounded(t *testing.T) {
	h := newHouse(t)
	receipt := h.post("support@example.jp", "From: a@customer.example", "Content-Type: text/calendar; method=request", "",
		"BEGIN:VCALENDAR", "BEGIN:VEVENT", "SUMMARY:"+strings.Repeat("長", 100_000), "DTSTART:99991231T235959", "DURATION:P9999W",
		"ATTENDEE;CN="+strings.Repeat("x", 100_000)+":mailto:B@customer.example", "END:VEVENT", "END:VCALENDAR")
	i := h.message(receipt.MessageID).Invitation
	if i == nil || len(i.Summary) > 3000 || !strings.HasSuffix(i.Summary, "…") || len(i.Attendees) != 1 || len(i.Attendees[0].Name) > 3000 {
		t.Fatalf("invitation %.300v", i)
	}
	if i.Attendees[0].Email != "b@customer.example" || !i.End.IsZero() {
		t.Errorf("attendee %s, end %v", i.Attendees[0].Email, i.End)
	}
}
