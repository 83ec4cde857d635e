package report_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/report"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const row = `<record><row><source_ip>%s</source_ip><count>%d</count><policy_evaluated><disposition>none</disposition><dkim>%s</dkim><spf>%s</spf></policy_evaluated></row>
<identifiers><header_from>Example.JP</header_from></identifiers><auth_results><dkim><domain>bad.example</domain><result>fail</result></dkim><dkim><domain>example.jp</domain><result>pass</result></dkim>
<spf><domain>bounce.example.jp</domain><result>pass</result></spf></auth_results></record>`

func document(attributes, rows string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<feedback%s><version>1.0</version><report_metadata><org_name>receiver.example</org_name><email>noreply@receiver.example</email><report_id> 4711 </report_id>
<date_range><begin>%d</begin><end>%d</end></date_range></report_metadata>
<policy_published><domain>example.jp.</domain><adkim>r</adkim><p>none</p><pct>100</pct></policy_published>%s</feedback>`,
		attributes, now.Add(-33*time.Hour).Unix(), now.Add(-9*time.Hour).Unix(), rows)
}

func gz(t *testing.T, text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, files ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, text := range files {
		w, err := z.Create(fmt.Sprintf("%d.xml", i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadsReportsInEveryWrapping(t *testing.T) {
	rows := fmt.Sprintf(row, "192.0.2.7", 12, "pass", "fail") + fmt.Sprintf(row, "2001:db8::1", 3, "fail", "fail") + fmt.Sprintf(row, "nowhere", 3, "fail", "fail") + fmt.Sprintf(row, "192.0.2.9", -3, "fail", "fail")
	plain, spaced := document("", rows), document(` xmlns="urn:ietf:params:xml:ns:dmarc-2.0"`, rows)
	for name, data := range map[string][]byte{"xml": []byte(plain), "namespace": []byte(spaced), "gzip": gz(t, plain), "zip": zipped(t, plain)} {
		found, err := report.Read(data, now)
		if err != nil || found.DMARC == nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a := found.DMARC
		if a.Organisation != "receiver.example" || a.ID != "4711" || a.Domain != "example.jp" || a.Policy != "none" || len(a.Rows) != 2 {
			t.Errorf("%s: %+v", name, a)
			continue
		}
		if r := a.Rows[0]; r.Address.String() != "192.0.2.7" || r.Count != 12 || !r.DKIM || r.SPF || r.From != "example.jp" || r.SignedBy != "example.jp" || r.Envelope != "bounce.example.jp" {
			t.Errorf("%s: its first row %+v", name, r)
		}
	}
}

func TestRefusesWhatIsNoReport(t *testing.T) {
	good := document("", "")
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "html": []byte("<html><body>hi</body></html>"), "half": []byte(good[:len(good)-40]),
		"entities": []byte(strings.Replace(good, "<feedback>", `<!DOCTYPE feedback [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><feedback>`, 1)),
		"file":     []byte(strings.Replace(good, "<feedback>", `<!DOCTYPE feedback SYSTEM "file:///etc/passwd"><feedback>`, 1)),
		"bomb":     gz(t, good[:len(good)-len("</feedback>")]+strings.Repeat(" ", 40<<20)+"</feedback>"),
		"zip bomb": zipped(t, strings.Repeat("<a>", 8<<20)),
		"files":    zipped(t, "1", "2", "3", "4", good),
		"deep":     []byte("<feedback>" + strings.Repeat("<x>", 100)),
		"no id":    []byte(strings.Replace(good, " 4711 ", "", 1)),
		"period":   []byte(strings.Replace(good, "<begin>", "<begin>-9", 1)),
		"broken":   {0x1f, 0x8b, 8, 0, 1, 2, 3},
	} {
		if a, err := report.Read(data, now); !errors.Is(err, report.ErrNoReport) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestRowsAreBounded(t *testing.T) {
	a, err := report.Read([]byte(document("", strings.Repeat(fmt.Sprintf(row, "192.0.2.7", 1, "pass", "pass"), 5001))), now)
	if err != nil || len(a.DMARC.Rows) != 5000 || a.DMARC.Left != 1 {
		t.Errorf("%v: %+v", err, a)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(document("", fmt.Sprintf(row, "192.0.2.7", 1, "pass", "pass"))))
	f.Add([]byte(encryption))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := report.Read(data, now)
		switch {
		case err != nil && !errors.Is(err, report.ErrNoReport):
			t.Errorf("an error of another kind: %v", err)
		case err == nil && (found.DMARC == nil) == (found.TLS == nil):
			t.Errorf("not exactly one report: %+v", found)
		case found.DMARC != nil && (found.DMARC.Domain == "" || found.DMARC.ID == ""):
			t.Errorf("a report without a domain or an id: %+v", found.DMARC)
		case found.TLS != nil && (len(found.TLS.Policies) == 0 || found.TLS.ID == ""):
			t.Errorf("a report without a policy or an id: %+v", found.TLS)
		}
	})
}

// TestReadMakesNoLongDirectory: a zip of many files is refused before its directory is
// read, whatever number of files it claims.
func TestReadMakesNoLongDirectory(t *testing.T) {
	const files = 1<<17 + 1
	entry := make([]byte, 47) // APPNOTE.TXT, section 4.3.12
	copy(entry, "PK\x01\x02")
	entry[28], entry[46] = 1, 'x'
	data := append([]byte("PK\x03\x04"), bytes.Repeat(entry, files)...)
	end := append([]byte("PK\x05\x06"), make([]byte, 18)...) // section 4.3.16
	binary.LittleEndian.PutUint16(end[8:], files%(1<<16))
	binary.LittleEndian.PutUint16(end[10:], files%(1<<16))
	binary.LittleEndian.PutUint32(end[12:], files*47)
	binary.LittleEndian.PutUint32(end[16:], 4)
	data = append(data, end...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := report.Read(data, time.Now())
	runtime.ReadMemStats(&after)
	if !errors.Is(err, report.ErrNoReport) || !strings.Contains(err.Error(), "131073 files") {
		t.Errorf("%v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("a zip of %d bytes took %d bytes of memory", len(data), took)
	}
}
