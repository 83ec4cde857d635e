package ui_test

import (
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestAPISpecialParts(t *testing.T) {
	h := newAPIHouse(t)
	h.post("support@example.jp", helpdesk.Authentication{}, "From: hana@kaede.example", "Subject: 打合せ", "MIME-Version: 1.0",
		`Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=s`, "",
		"--s", "Content-Type: multipart/mixed; boundary=m", "",
		"--m", "Content-Type: text/plain; charset=utf-8", "", "ご参加ください。",
		"--m", "Content-Type: text/calendar; charset=utf-8; method=REQUEST", "", "BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:42@kaede.example",
		"SUMMARY:定例会", "LOCATION:第2会議室", "DTSTART;TZID=Asia/Tokyo:20261201T100000", "DTEND;TZID=Asia/Tokyo:20261201T103000",
		"ORGANIZER;CN=青木 花:mailto:Hana@kaede.example", "ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:support@example.jp",
		"END:VEVENT", "END:VCALENDAR",
		"--m", "Content-Type: application/octet-stream", `Content-Disposition: attachment; filename="agenda.pdf.exe"`, "", "MZ",
		"--m", "Content-Type: application/octet-stream", `Content-Disposition: attachment; filename="cost.xlsm"`, "", "PK", "--m--",
		"--s", "Content-Type: application/pkcs7-signature; name=smime.p7s", "", "signature", "--s--")
	h.post("support@example.jp", helpdesk.Authentication{}, "From: hana@kaede.example", "Subject: secret", "MIME-Version: 1.0",
		`Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=e`, "",
		"--e", "Content-Type: application/pgp-encrypted", "", "Version: 1", "--e", "Content-Type: application/octet-stream", "",
		"-----BEGIN PGP MESSAGE-----", "", "wcFM", "-----END PGP MESSAGE-----", "--e--")
	message := h.ticket(1).at("messages", 0)
	message.want(t, object{"signed": "S/MIME", "encrypted": ""})
	invitation := message.at("invitation")
	invitation.want(t, object{"method": "REQUEST", "uid": "42@kaede.example", "summary": "定例会", "location": "第2会議室", "zone": "Asia/Tokyo",
		"start": "2026-12-01T01:00:00Z", "end": "2026-12-01T01:30:00Z", "all_day": false, "floating": false, "recurrence": "", "sequence": 0, "status": ""})
	invitation.at("organizer").want(t, object{"name": "青木 花", "email": "hana@kaede.example"})
	invitation.at("attendees", 0).want(t, object{"name": "", "email": "support@example.jp", "participation": "ACCEPTED", "optional": true})
	risks := map[string]string{}
	for i := range message.list("attachments") {
		a := message.at("attachments", i)
		risks[a["filename"].(string)] = a["risk"].(string)
	}
	if risks["agenda.pdf.exe"] != "executable" || risks["cost.xlsm"] != "macro" || risks["smime.p7s"] != "" {
		t.Errorf("risks %v", risks)
	}
	h.ticket(2).at("messages", 0).want(t, object{"signed": "", "encrypted": "OpenPGP", "invitation": nil})
}
