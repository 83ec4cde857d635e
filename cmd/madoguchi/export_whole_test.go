package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// TestAnExportIsWhole takes a house out and into an empty one. What is taken out of that one then is the same:
// tickets, messages and the bytes of their mails, notes, contacts, companies, tags, fields and times.
func TestAnExportIsWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out whole exports")
	}
	t.Parallel()
	first, second := newDesk(t), newDesk(t)
	clock := time.Date(2024, 5, 1, 9, 0, 0, 0, time.UTC)
	serviceDesk(t, first, clock, func(desk *helpdesk.Desk, admin helpdesk.Actor) { settleWhole(t, desk, admin, true) })
	serviceDesk(t, second, clock, func(desk *helpdesk.Desk, admin helpdesk.Actor) { settleWhole(t, desk, admin, false) })
	out, again := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "again")
	succeed(t, "", "export", out, "--data", first)

	report := filepath.Join(t.TempDir(), "report.txt")
	take := func(more ...string) string {
		return succeed(t, "", append([]string{"import", "madoguchi", out, "--data", second, "--report", report}, more...)...)
	}
	dry := take("--dry-run")
	if done := take(); strings.Replace(done, "imported", "would import", 1) != dry || !strings.Contains(done, "imported 5 tickets with 9 messages and 1 notes") {
		t.Errorf("rehearsed:\n%s\ndone:\n%s", dry, done)
	}
	if left, err := os.ReadFile(report); err != nil || string(left) != "ticket 5 \"石鹸のこと\": it is part of ticket 4\n" {
		t.Errorf("left out: %q, %v", left, err)
	}
	if more := take(); !strings.Contains(more, "imported 0 tickets with 0 messages and 0 notes") {
		t.Errorf("a second run:\n%s", more)
	}
	succeed(t, "", "verify", "--data", second)
	succeed(t, "", "export", again, "--data", second)
	for _, part := range []string{"tickets", "messages", "notes", "contacts", "companies"} {
		before, after := exportedRecords(t, out, part), exportedRecords(t, again, part)
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%s were\n%s\nand are\n%s", part, strings.Join(before, "\n"), strings.Join(after, "\n"))
		}
	}

	file := filepath.Join(out, "tickets.jsonl")
	lines, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, bytes.Replace(lines, []byte("high"), []byte("none"), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	refuse(t, []string{"import", "madoguchi", out, "--data", second}, "tickets.jsonl", "SHA-256")
	if err := os.Remove(filepath.Join(out, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	refuse(t, []string{"import", "madoguchi", out, "--data", second}, "broken off")
}

// exportedRecords are the records of an export without what another house has to say in its own way.
func exportedRecords(t *testing.T, directory, part string) (records []string) {
	t.Helper()
	lines, err := os.ReadFile(filepath.Join(directory, part+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(lines) {
		var record map[string]any
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatal(err)
		}
		if record["merged_into"] != nil { // it is empty
			continue
		}
		for _, name := range []string{"id", "seq", "number", "ticket", "reason", "envelope_from"} {
			delete(record, name)
		}
		if text, ok := record["text"].(string); ok { // of a mail of the house, without the end of its last line
			record["text"] = strings.TrimRight(text, "\n")
		}
		if mbox, ok := record["mbox"].(map[string]any); ok { // its place; the sum of the mail stays
			delete(mbox, "file")
			delete(mbox, "offset")
			delete(mbox, "bytes")
		}
		if people, ok := record["participants"].([]any); ok {
			slices.SortFunc(people, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		}
		shown, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, string(shown))
	}
	slices.Sort(records)
	return records
}

// settleWhole makes what every house has to have for such an import, and in the first what is taken out of it.
func settleWhole(t *testing.T, desk *helpdesk.Desk, admin helpdesk.Actor, full bool) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, clock := t.Context(), desk.Now()
	mori, err := desk.CreateUser(ctx, admin, helpdesk.NewUser{Email: "mori@agents.test", Name: "森 翔", Password: adminPassword, Role: helpdesk.RoleAgent})
	must(err)
	_, err = desk.SaveTeam(ctx, admin, helpdesk.Team{Name: "配送", Members: []string{mori.ID}})
	must(err)
	for _, f := range []helpdesk.Field{
		{Owner: helpdesk.FieldOfTicket, Name: "商品", Kind: helpdesk.FieldChoices, Choices: []helpdesk.FieldOption{{Name: "タオル"}, {Name: "石鹸"}}},
		{Owner: helpdesk.FieldOfContact, Name: "会員番号", Kind: helpdesk.FieldNumber}} {
		_, err := desk.SaveField(ctx, admin, f)
		must(err)
	}
	if !full {
		return
	}
	_, err = desk.SaveCompany(ctx, admin, helpdesk.Company{Name: "田中商店", Domains: []string{"tanaka.test"}, Notes: "お得意様"})
	must(err)
	receive := func(from, subject, text string) uint64 {
		t.Helper()
		clock = clock.Add(time.Minute)
		desk.Now = func() time.Time { return clock }
		raw := fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%d@customer.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s",
			from, deskAddress, subject, clock.Format(time.RFC1123Z), clock.Unix(), text)
		receipt, err := desk.Receive(ctx, helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), ReceivedAt: clock,
			Envelope: helpdesk.Envelope{MailFrom: "bounces@customer.test", Recipients: []string{deskAddress}}})
		must(err)
		return receipt.Ticket
	}
	towel := receive("Tanaka <hanako@tanaka.test>", "タオルのこと", "届きません。\r\nFrom here on\r\n>From the start\r\nno end of line")
	workOn(t, desk, admin, towel, func() { clock = clock.Add(time.Minute) })
	receive("soap@customer.test", "待っています", "まだですか。\r\n")
	spam := receive("spam@spam.test", "当選しました", "おめでとうございます。\r\n\r\n\r\n")
	_, err = desk.MarkSpam(ctx, admin, spam, helpdesk.BlockNobody)
	must(err)
	soap := receive("soap@customer.test", "石鹸", "一つ目\r\n")
	twin := receive("soap@customer.test", "石鹸のこと", "二つ目\r\n")
	_, err = desk.Merge(ctx, admin, twin, soap)
	must(err)
	_, err = desk.ImportTicket(ctx, admin, helpdesk.ImportedTicket{Source: "mbox", ID: "1", CreatedAt: clock.Add(-time.Hour), Entries: []helpdesk.ImportedEntry{{ID: "1",
		Raw: []byte("From: old@customer.test\nTo: " + deskAddress + "\nMessage-ID: <old@customer.test>\nDate: Wed, 01 May 2024 08:00:00 +0000\nSubject: old\n\nlines that end in LF\n")}}}, helpdesk.ImportOptions{})
	must(err)
	keepContacts(t, desk, admin)
}

// workOn does to a ticket what a team does.
func workOn(t *testing.T, desk *helpdesk.Desk, admin helpdesk.Actor, ticket uint64, later func()) {
	t.Helper()
	ctx, priority := context.Background(), helpdesk.PriorityHigh
	stage, assignee, team, tags := "In progress", "mori@agents.test", "配送", []string{"未着", "タオル"}
	_, err := desk.Change(ctx, admin, ticket, helpdesk.Change{Stage: &stage, Assignee: &assignee, Team: &team, Tags: &tags, Priority: &priority,
		Fields: helpdesk.FieldValues{"商品": {"タオル", "石鹸"}}})
	if err == nil {
		later()
		_, err = desk.AddNote(ctx, admin, ticket, "確認中です。")
	}
	if err == nil {
		later()
		_, err = desk.Reply(ctx, admin, helpdesk.Reply{Ticket: ticket, Text: "本日発送しました。", Cc: []helpdesk.Address{{Email: "cc@customer.test"}}, Bcc: []helpdesk.Address{{Email: "bcc@customer.test"}},
			Attachments: []helpdesk.Upload{{Filename: "送り状.txt", ContentType: "text/plain", Data: []byte("No. 1")}}})
	}
	if err == nil {
		later()
		_, err = desk.LogReply(ctx, admin, helpdesk.LoggedReply{Ticket: ticket, Text: "届いた、とのお電話。", Channel: "phone"})
	}
	if err == nil {
		later()
		_, err = desk.Reply(ctx, admin, helpdesk.Reply{Ticket: ticket, Text: "ありがとうございました。"})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// keepContacts writes down what a house knows of its customers, and one who never wrote.
func keepContacts(t *testing.T, desk *helpdesk.Desk, admin helpdesk.Actor) {
	t.Helper()
	csv := "email,name,reading,company,phone,language,time_zone,tags,notes,other_addresses,never_answer,会員番号\n" +
		"hanako@tanaka.test,田中 花子,たなか はなこ,,03-1234-5678,ja,Asia/Tokyo,\"VIP,東京\",\"お電話は午後\n必ず\",hanako@home.test,,12345\n" +
		"soap@customer.test,,,田中商店,,,,,,,yes,\n" +
		"never@wrote.test,上田,,上田工業,,en,,,,,,\n"
	if report, err := desk.ImportContacts(t.Context(), admin, strings.NewReader(csv)); err != nil || report.Left > 0 {
		t.Fatalf("contacts: %+v, %v", report, err)
	}
}
