package mail_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// invite is a mail of nothing but a calendar with one event.
func invite(event string) []byte {
	return []byte("From: hana@kaede.example\r\nContent-Type: text/calendar; method=request\r\n\r\n" +
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Meeting\r\n" + event + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
}

func TestParseReadsCalendarTimes(t *testing.T) {
	for written, want := range map[string]string{
		"DTSTART:20261130T050000Z":                                          "2026-11-30T05:00:00Z",
		"DTSTART;TZID=Tokyo Standard Time:20261130T140000":                  "2026-11-30T14:00:00+09:00",
		"DTSTART;TZID=\"Tokyo Standard Time\":20261130T140000":              "2026-11-30T14:00:00+09:00",
		"DTSTART;TZID=Asia/Tokyo:20261130T140000":                           "2026-11-30T14:00:00+09:00",
		"DTSTART;TZID=/mozilla.org/20070129_1/Asia/Tokyo:20261130T140000":   "2026-11-30T14:00:00+09:00",
		"DTSTART;TZID=東京 (標準時):20261130T140000":                             "2026-11-30T14:00:00+09:00",
		"DTSTART;TZID=Eastern Standard Time:20260701T090000":                "2026-07-01T09:00:00-04:00",
		"DTSTART;TZID=Romance Standard Time:20261201T090000":                "2026-12-01T09:00:00+01:00",
		"DTSTART;TZID=\"(UTC-05:00) Eastern Time\":20261201T090000":         "2026-12-01T09:00:00-05:00",
		"DTSTART;TZID=\"(GMT+09.00) Tokyo / Osaka / Seoul\":20261201T09000": "",
		"DTSTART;VALUE=DATE:20261231":                                       "2026-12-31T00:00:00Z",
		"DTSTART:20261231":                                                  "2026-12-31T00:00:00Z",
		"DTSTART:20261131T050000Z":                                          "",
		"DTSTART:tomorrow":                                                  "",
		"DTSTART;TZID=../../etc/passwd:20261130T140000":                     "2026-11-30T14:00:00Z",
	} {
		m := mail.Parse(invite(written))
		checkInvariants(t, m)
		got := ""
		if m.Calendar == nil {
			t.Errorf("%s: no invitation", written)
			continue
		}
		if !m.Calendar.Start.IsZero() {
			got = m.Calendar.Start.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s read as %q, want %q", written, got, want)
		}
	}
}

func TestParseBoundsCalendars(t *testing.T) {
	m := mail.Parse(invite(strings.Repeat("ATTENDEE;CN=x:mailto:a@b.example\r\n", 100_000)))
	checkInvariants(t, m)
	if n := len(m.Calendar.Attendees); n == 0 || n > 1000 {
		t.Errorf("%d attendees", n)
	}
	for _, event := range []string{
		strings.Repeat("BEGIN:VALARM\r\n", 100_000), strings.Repeat(";", 500_000), "X" + strings.Repeat(";A=B", 200_000) + ":x",
		"SUMMARY:" + strings.Repeat("x\r\n y", 200_000), "DURATION:P" + strings.Repeat("9", 500_000) + "W\r\nDTSTART:20260101",
	} {
		checkInvariants(t, mail.Parse(invite(event)))
	}
}

// Structures within structures end at a limit, and what lies beyond is kept.
func TestParseBoundsSignedParts(t *testing.T) {
	content := "Content-Type: text/plain\r\n\r\nThe innermost words.\r\n"
	for range 10 {
		content = "Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\n" + signedData(content)
	}
	m := mail.Parse([]byte("From: hana@kaede.example\r\n" + content))
	checkInvariants(t, m)
	if m.Protection.Signed != mail.SMIME || !slices.ContainsFunc(m.Defects, func(d string) bool { return strings.Contains(d, "within each other") }) {
		t.Errorf("%+v, defects %v", m.Protection, m.Defects)
	}
	for _, der := range []string{
		strings.Repeat("\x30\x80", 100_000), strings.Repeat("\x24\x80", 100_000), "\x30\x84\xFF\xFF\xFF\xFF",
		"\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02\xA0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80\x06\x01\x2A\xA0\x80" + strings.Repeat("\x24\x80\x04\x01a", 50_000),
	} {
		checkInvariants(t, mail.Parse([]byte("From: a@b.example\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n"+der)))
	}
}

// signedData is CMS signed data in BER, its lengths left open, without signers.
func signedData(content string) string {
	const octets = 0x04
	var pieces strings.Builder
	for rest := content; rest != ""; {
		n := min(len(rest), 100)
		pieces.WriteString(string([]byte{octets, byte(n)}) + rest[:n])
		rest = rest[n:]
	}
	return "\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02\xA0\x80\x30\x80\x02\x01\x01\x31\x00" +
		"\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01\xA0\x80\x24\x80" + pieces.String() +
		"\x00\x00\x00\x00\x00\x00\x31\x00\x00\x00\x00\x00\x00\x00"
}

// FuzzSpecialParts reads any bytes as a calendar, as CMS and as armor.
func FuzzSpecialParts(f *testing.F) {
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID=\"x\":20261130T140000\nATTENDEE;CN=a:mailto:b@c\n"))
	f.Add([]byte(signedData("Content-Type: text/plain\r\n\r\nwords")))
	f.Add([]byte("-----BEGIN PGP SIGNED MESSAGE-----\nHash: x\n\n- -- \n-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, contentType := range []string{"text/calendar", "application/pkcs7-mime", "text/plain"} {
			checkInvariants(t, mail.Parse(append([]byte("From: a@b.example\r\nContent-Type: "+contentType+"\r\nContent-Transfer-Encoding: binary\r\n\r\n"), data...)))
		}
	})
}
