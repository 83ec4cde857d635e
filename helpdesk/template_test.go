package helpdesk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// somebody is a user with a role.
func (h *house) somebody(email, name string, role helpdesk.Role) helpdesk.Actor {
	h.t.Helper()
	u, err := h.CreateUser(h.t.Context(), h.admin, helpdesk.NewUser{Email: email, Name: name, Password: "correct horse battery", Role: role})
	if err != nil {
		h.t.Fatal(err)
	}
	return u.Actor()
}

func (h *house) template(a helpdesk.Actor, t helpdesk.Template) *helpdesk.Template {
	h.t.Helper()
	saved, err := h.SaveTemplate(h.t.Context(), a, t)
	if err != nil {
		h.t.Fatal(err)
	}
	return saved
}

func versions(pairs ...string) (list []helpdesk.TemplateVersion) {
	for i := 0; i+1 < len(pairs); i += 2 {
		v := helpdesk.TemplateVersion{Language: pairs[i], Text: pairs[i+1]}
		if strings.HasPrefix(v.Text, "<") {
			v.HTML, v.Text = v.Text, ""
		}
		list = append(list, v)
	}
	return list
}

func (h *house) filled(id string, ticket uint64, language string) *helpdesk.Filled {
	h.t.Helper()
	f, err := h.FillTemplate(h.t.Context(), h.admin, id, helpdesk.Matter{Ticket: ticket}, language, h.now)
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

func TestTemplateIsFilledForTheCustomer(t *testing.T) {
	h := newHouse(t)
	named := h.first().Ticket
	nameless := h.post("support@example.jp", "From: <who@customer.example>", "To: support@example.jp", "Subject: =?utf-8?B?44Oq44Oz44Kv?=", "", "Hello, where is it? I have been waiting for weeks now.").Ticket
	honoured := h.post("support@example.jp", "From: =?utf-8?B?5L2Q6Jek5qeY?= <sato@customer.example>", "To: support@example.jp", "Subject: x", "", "こんにちは。").Ticket
	office := h.post("support@example.jp", "From: =?utf-8?B?44OG44K544OI5ZWG5LqLIOW+oeS4rQ==?= <office@customer.example>", "To: support@example.jp", "Subject: x", "", "こんにちは。").Ticket
	hostile := h.post("support@example.jp", `From: "<b>{{agent.name}}</b> & Co" <x@customer.example>`, "To: support@example.jp", "Subject: <img src=x>", "", "こんにちは。").Ticket

	greeting := h.template(h.admin, helpdesk.Template{Name: "挨拶", Versions: versions(
		"ja", "{{customer.name_sama}}\n{{ customer.name }}様\n{{company}}の{{agent.name}}です。#{{ticket.number}} {{ticket.subject|件名なし}} {{date}} {{alias.address}}",
		"en", "Hello {{customer.name_sama}},\n{{customer.company|your company}}",
		"de", "<p>Guten Tag {{customer.name}} von <b>{{customer.company}}</b> zu {{ticket.subject}}</p>")})

	for _, test := range []struct {
		ticket   uint64
		language string
		text     string
		unfilled string
	}{
		{named, "ja", "田村 美咲様\n田村 美咲様\nサポート窓口の佐藤 遥です。#1 Invoice 2291 2026年11月21日 support@example.jp", ""},
		{honoured, "ja", "佐藤様\n佐藤様\nサポート窓口の佐藤 遥です。#3 x 2026年11月21日 support@example.jp", ""},
		{office, "ja", "テスト商事 御中\nテスト商事 御中\nサポート窓口の佐藤 遥です。#4 x 2026年11月21日 support@example.jp", ""},
		{nameless, "ja", "お客様\nお客様\nサポート窓口の佐藤 遥です。#2 リンク 2026年11月21日 support@example.jp", ""},
		{named, "en", "Hello 田村 美咲,\nyour company", ""},
		{nameless, "en", "Hello there,\nyour company", ""},
		{nameless, "de", "Guten Tag {{customer.name}} von {{customer.company}} zu リンク", "customer.name customer.company"},
		// What a customer is called is not read as a template, and is words in HTML.
		{hostile, "de", "Guten Tag <b>{{agent.name}}</b> & Co von {{customer.company}} zu <img src=x>", "customer.company"},
	} {
		f := h.filled(greeting.ID, test.ticket, test.language)
		if f.Text != test.text || strings.Join(f.Unfilled, " ") != test.unfilled {
			t.Errorf("ticket %d in %s: %q, unfilled %v; want %q, %q", test.ticket, test.language, f.Text, f.Unfilled, test.text, test.unfilled)
		}
	}
	// A 様 that the text itself puts after the name is said once, a blank before it or not.
	spaced := h.template(h.admin, helpdesk.Template{Name: "宛名", Versions: versions("ja", "{{customer.name}} 様 / {{customer.name}}　様 / {{customer.name}}さん")})
	for ticket, want := range map[uint64]string{named: "田村 美咲 様 / 田村 美咲　様 / 田村 美咲さん", nameless: "お客様 / お客様 / お客様", honoured: "佐藤様 / 佐藤様 / 佐藤様", office: "テスト商事 御中 / テスト商事 御中 / テスト商事 御中"} {
		if got := h.filled(spaced.ID, ticket, "ja").Text; got != want {
			t.Errorf("ticket %d: %q, want %q", ticket, got, want)
		}
	}
	if got, want := h.filled(greeting.ID, hostile, "de").HTML, `<p>Guten Tag &lt;b&gt;{{agent.name}}&lt;/b&gt; &amp; Co von <b><mark class="unfilled">{{customer.company}}</mark></b> zu &lt;img src=x&gt;</p>`; got != want {
		t.Errorf("HTML is\n%s\nwant\n%s", got, want)
	}
}

func TestTemplateVariablesAreCheckedAtSaving(t *testing.T) {
	h := newHouse(t)
	for _, test := range []struct{ text, says string }{
		{"一行目\nこんにちは {{customer.nam}}", "line 2, column 7: there is no variable {{customer.nam}}"},
		{"{{ }}", "line 1, column 1"},
		{"ab {{customer.name", "line 1, column 4: {{ is not closed"},
		{"<p>{{customer.<b>name</b>}}</p>", "is formatted in part"},
		{`<a href="https://example.jp/{{ticket.number}}">x</a>`, "holds a variable"},
		{`<p>x<img src="data:image/png;base64,AAAA"></p>`, "attach it"},
		{"   ", "is empty"},
	} {
		_, err := h.SaveTemplate(t.Context(), h.admin, helpdesk.Template{Name: "x", Versions: versions("ja", test.text)})
		wantCode(t, err, helpdesk.CodeInvalid, test.says)
	}
	_, err := h.SaveTemplate(t.Context(), h.admin, helpdesk.Template{Name: "x", Versions: versions("Japanese", "x")})
	wantCode(t, err, helpdesk.CodeInvalid, "write its code")
	_, err = h.SaveTemplate(t.Context(), h.admin, helpdesk.Template{Name: "x", Versions: versions("ja", "x", "ja", "y")})
	wantCode(t, err, helpdesk.CodeInvalid, "two texts")
	_, err = h.SaveTemplate(t.Context(), h.admin, helpdesk.Template{Name: "x", Aliases: []string{"nobody@example.jp"}, Versions: versions("ja", "x")})
	wantCode(t, err, helpdesk.CodeInvalid, "nobody@example.jp")
	saved := h.template(h.admin, helpdesk.Template{Name: "scripted", Versions: versions("ja", `<p onclick="x()">a<script>alert(1)</script></p><b>c</b><img src="https://x.example/p.gif">`)})
	if got := saved.Versions[0].HTML; got != "<p>a</p><b>c</b>" {
		t.Errorf("kept as %q", got)
	}
}

func TestTemplatesBelongToTheirOwnersOrToAll(t *testing.T) {
	h := newHouse(t)
	agent, other := h.somebody("a@example.jp", "A", helpdesk.RoleAgent), h.somebody("b@example.jp", "B", helpdesk.RoleAgent)
	supervisor := h.somebody("s@example.jp", "S", helpdesk.RoleSupervisor)
	shared := h.template(supervisor, helpdesk.Template{Name: "shared", Shortcut: "/sh", Versions: versions("ja", "x")})
	own := h.template(agent, helpdesk.Template{Name: "own", OwnerID: agent.UserID, Versions: versions("ja", "x")})

	_, err := h.SaveTemplate(t.Context(), agent, helpdesk.Template{Name: "new", Versions: versions("ja", "x")})
	wantCode(t, err, helpdesk.CodeForbidden, "everybody's")
	_, err = h.SaveTemplate(t.Context(), agent, *shared)
	wantCode(t, err, helpdesk.CodeForbidden, "everybody's")
	stolen := *shared
	stolen.OwnerID = agent.UserID
	_, err = h.SaveTemplate(t.Context(), agent, stolen)
	wantCode(t, err, helpdesk.CodeForbidden, "everybody's")
	wantCode(t, h.DeleteTemplate(t.Context(), agent, shared.ID), helpdesk.CodeForbidden, "everybody's")
	for _, a := range []helpdesk.Actor{other, supervisor, h.admin} {
		_, err := h.Template(t.Context(), a, own.ID)
		wantCode(t, err, helpdesk.CodeNotFound, own.ID)
		wantCode(t, h.DeleteTemplate(t.Context(), a, own.ID), helpdesk.CodeNotFound, own.ID)
	}
	_, err = h.SaveTemplate(t.Context(), agent.WithScope(helpdesk.ScopeRead), *own)
	wantCode(t, err, helpdesk.CodeForbidden, "scope")
	_, err = h.SaveTemplate(t.Context(), supervisor, helpdesk.Template{Name: "SHARED", Versions: versions("ja", "x")})
	wantCode(t, err, helpdesk.CodeConflict, "already")

	copied, err := h.CopyTemplate(t.Context(), agent, shared.ID, "mine now")
	if err != nil || copied.OwnerID != agent.UserID || copied.Shortcut != "" {
		t.Fatalf("the copy is %+v, %v", copied, err)
	}
	list, err := h.Templates(t.Context(), agent)
	if err != nil || len(list) != 3 {
		t.Errorf("the agent sees %v, %v", list, err)
	}
	if list, err = h.Templates(t.Context(), other); err != nil || len(list) != 1 {
		t.Errorf("a colleague sees %v, %v", list, err)
	}
	if err := h.DeleteTemplate(t.Context(), agent, own.ID); err != nil {
		t.Error(err)
	}
}

func TestTemplateFilesAreKeptCopiedAndRemoved(t *testing.T) {
	h := newHouse(t)
	price := helpdesk.TemplateFile{Filename: "価格.pdf", ContentType: "application/pdf", Data: []byte("%PDF prices")}
	first := h.template(h.admin, helpdesk.Template{Name: "価格", Versions: []helpdesk.TemplateVersion{{Language: "ja", Text: "x", Files: []helpdesk.TemplateFile{price, {Filename: "b.txt", Data: []byte("b")}}}}})
	file := first.Versions[0].Files[0]
	if got, err := h.TemplateFile(t.Context(), h.admin, first.ID, file.ID); err != nil || string(got.Data) != "%PDF prices" || got.Size != 11 {
		t.Fatalf("%+v, %v", got, err)
	}
	changed := *first
	changed.Versions = []helpdesk.TemplateVersion{{Language: "ja", Text: "y", Files: []helpdesk.TemplateFile{{ID: file.ID, Filename: "forged name", Size: 1}}}}
	second := h.template(h.admin, changed)
	if f := second.Versions[0].Files; len(f) != 1 || f[0].Filename != "価格.pdf" || f[0].Size != 11 {
		t.Errorf("kept %+v", f)
	}
	_, err := h.TemplateFile(t.Context(), h.admin, first.ID, first.Versions[0].Files[1].ID)
	wantCode(t, err, helpdesk.CodeNotFound, "file")
	h.verify() // no file is left over

	exported, err := h.ExportTemplates(t.Context(), h.admin, false)
	if err != nil || len(exported) != 1 || string(exported[0].Versions[0].Files[0].Data) != "%PDF prices" {
		t.Fatalf("exported %+v, %v", exported, err)
	}
	exported = append(exported, helpdesk.Template{Name: "another", Versions: versions("en", "Hi {{customer.name}}")})
	if created, replaced, err := h.ImportTemplates(t.Context(), h.admin, exported, false); err != nil || created != 1 || replaced != 1 {
		t.Errorf("imported %d new, %d replaced, %v", created, replaced, err)
	}
	_, _, err = h.ImportTemplates(t.Context(), h.admin, []helpdesk.Template{{Name: "good", Versions: versions("en", "a")}, {Name: "bad", Versions: versions("en", "{{nothing}}")}}, false)
	wantCode(t, err, helpdesk.CodeInvalid, `"bad"`)
	if list, _ := h.Templates(t.Context(), h.admin); len(list) != 2 {
		t.Errorf("a failed import left %d templates", len(list))
	}
	big := helpdesk.TemplateFile{Filename: "big", Data: make([]byte, 11<<20)}
	_, err = h.SaveTemplate(t.Context(), h.admin, helpdesk.Template{Name: "big", Versions: []helpdesk.TemplateVersion{{Language: "ja", Text: "x", Files: []helpdesk.TemplateFile{big}}}})
	wantCode(t, err, helpdesk.CodeInvalid, "limit is 10485760")
	if err := h.DeleteTemplate(t.Context(), h.admin, second.ID); err != nil {
		t.Error(err)
	}
}

func TestTemplatesAreOfferedByLanguageAndAlias(t *testing.T) {
	h := newHouse(t)
	sales, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "sales@example.jp", Name: "Sales"})
	if err != nil {
		t.Fatal(err)
	}
	both := h.template(h.admin, helpdesk.Template{Name: "both", Versions: versions("ja", "こんにちは", "en", "Hello")})
	h.template(h.admin, helpdesk.Template{Name: "japanese", Versions: versions("ja", "いつも")})
	h.template(h.admin, helpdesk.Template{Name: "korean", Versions: versions("ko", "안녕하세요")})
	h.template(h.admin, helpdesk.Template{Name: "for sales", Aliases: []string{"sales@example.jp"}, Versions: versions("en", "Buy")})

	offered := func(number uint64) string {
		t.Helper()
		offers, language, err := h.TemplateOffers(t.Context(), h.admin, helpdesk.Matter{Ticket: number})
		if err != nil {
			t.Fatal(err)
		}
		said := []string{language + ":"}
		for _, o := range offers {
			said = append(said, o.Template.Name+"/"+o.Version.Language)
		}
		return strings.Join(said, " ")
	}
	english, hangul := h.first().Ticket, h.post("support@example.jp", "From: k@customer.example", "Subject: x", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", "안녕하세요, 주문 확인 부탁드립니다.").Ticket
	toSales := h.post("sales@example.jp", "From: k@customer.example", "Subject: x", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", "見積もりをお願いします。").Ticket
	for number, want := range map[uint64]string{
		english: "en: both/en japanese/ja korean/ko",
		hangul:  "ko: korean/ko both/ja japanese/ja",
		toSales: "ja: both/ja japanese/ja for sales/en korean/ko",
	} {
		if got := offered(number); got != want {
			t.Errorf("ticket %d: %s, want %s", number, got, want)
		}
	}

	// A use counts when the reply is posted, and not when it is taken back.
	m, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: toSales, Text: "x", Templates: []string{both.ID, both.ID, "gone"}})
	if err != nil {
		t.Fatal(err)
	}
	if used, _ := h.Template(t.Context(), h.admin, both.ID); used.Uses != 1 || !used.LastUsedAt.Equal(h.now) {
		t.Errorf("used %d times, last %v", used.Uses, used.LastUsedAt)
	}
	if _, err := h.Undo(t.Context(), h.admin, m.ID); err != nil {
		t.Fatal(err)
	}
	if used, _ := h.Template(t.Context(), h.admin, both.ID); used.Uses != 0 {
		t.Errorf("used %d times after undoing", used.Uses)
	}
	if err := h.DeleteAlias(t.Context(), h.admin, sales.ID); err != nil { // it has a ticket: disabled, still offered
		t.Fatal(err)
	}
	h.verify()
}

func TestDetectLanguage(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "12345 !?": "", "OK": "",
		"お世話になっております。": "ja", "カタログ希望": "ja", "株式会社サンプルの山田です": "ja",
		"我想知道我的订单什么时候可以发货，谢谢。": "zh", "見積依頼": "",
		"안녕하세요": "ko", "Здравствуйте, где мой заказ?": "ru", "สวัสดีครับ": "th",
		"Please send the invoice again.": "en", "Hello 田村, could you tell me when the parcel will arrive at our office?": "en",
		"Guten Tag, könnten Sie mir bitte die Rechnung noch einmal zusenden? Vielen Dank im Voraus.": "de",
		"Bonjour, pourriez-vous m'envoyer la facture de ma commande ? Je vous remercie.":             "fr",
		"Xin chào, tôi muốn hỏi khi nào đơn hàng của tôi sẽ được giao đến.":                          "vi",
	} {
		if got := helpdesk.DetectLanguage(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestSignatureFollowsTheCustomersLanguage(t *testing.T) {
	h := newHouse(t)
	signature := "{{agent.signature}}"
	if _, err := h.ChangeUser(t.Context(), h.admin, h.user.ID, helpdesk.UserChange{Signature: &[]string{"佐藤 遥\nカスタマーサポート"}[0]}); err != nil {
		t.Fatal(err)
	}
	sent := func(r helpdesk.Reply) string {
		t.Helper()
		if _, err := h.Reply(t.Context(), h.admin, r); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		for _, raw := range h.deliver(taken) {
			m := parse(raw)
			return m.Text + "|" + m.HTML
		}
		t.Fatal("nothing was sent")
		return ""
	}
	save := func(change func(*helpdesk.Alias)) {
		t.Helper()
		change(&h.alias)
		if _, err := h.SaveAlias(t.Context(), h.admin, h.alias); err != nil {
			t.Fatal(err)
		}
	}
	english := h.first().Ticket
	if got := sent(helpdesk.Reply{Ticket: english, Text: "a"}); !strings.Contains(got, "-- \n佐藤 遥\nカスタマーサポート") {
		t.Errorf("without one of the alias, the user's own: %q", got)
	}
	save(func(a *helpdesk.Alias) {
		a.Signature = "いつでも " + signature
		a.Signatures = []helpdesk.Localized{helpdesk.NewLocalized("en", "<p><b>{{agent.name}}</b> for {{customer.company}}</p><script>x</script>"), {Language: "zh", Text: "{{company}}"}}
	})
	got := sent(helpdesk.Reply{Ticket: english, Text: "b"})
	if !strings.Contains(got, "佐藤 遥 for") || !strings.Contains(got, "<b>佐藤 遥</b> for </p>") || strings.Contains(got, "script") || strings.Contains(got, "{{") {
		t.Errorf("in English: %q", got)
	}
	japanese := h.post("support@example.jp", "From: j@customer.example", "Subject: x", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", "よろしくお願いします。").Ticket
	if got := sent(helpdesk.Reply{Ticket: japanese, Text: "c"}); !strings.Contains(got, "-- \nいつでも 佐藤 遥\nカスタマーサポート") {
		t.Errorf("in Japanese: %q", got)
	}
	if got := sent(helpdesk.Reply{Ticket: japanese, Text: "d", Signature: &helpdesk.Localized{}}); strings.Contains(got, "いつでも") || strings.Contains(got, "-- ") {
		t.Errorf("taken out by hand: %q", got)
	}
	if got := sent(helpdesk.Reply{Ticket: japanese, HTML: "<p>e</p>", Signature: &helpdesk.Localized{HTML: "<i>私</i><script>x</script>"}}); !strings.Contains(got, "<i>私</i>") || strings.Contains(got, "script") {
		t.Errorf("edited by hand: %q", got)
	}
	h.alias.Signature = "{{nobody}}"
	_, err := h.SaveAlias(t.Context(), h.admin, h.alias)
	wantCode(t, err, helpdesk.CodeInvalid, "there is no variable {{nobody}}")
}

func TestAcknowledgementSpeaksTheMailsLanguage(t *testing.T) {
	h := newHouse(t)
	h.alias.Acknowledgements = []helpdesk.Localized{
		{Language: "ja", Text: "{{customer.name_sama}}\nお問い合わせ #{{ticket.number}} を受け付けました。{{customer.company}}"},
		{Language: "en", Text: "Dear {{customer.name}}, we have your mail “{{ticket.subject}}”."}}
	if _, err := h.SaveAlias(t.Context(), h.admin, h.alias); err != nil {
		t.Fatal(err)
	}
	acknowledged := func(from, text string) string {
		t.Helper()
		h.post("support@example.jp", "From: "+from, "Test-DMARC: pass", "Subject: Order 5", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", text)
		claimed, _, err := h.ClaimDue(t.Context(), helpdesk.TimerAcknowledge, 10, time.Minute)
		if err != nil || len(claimed) != 1 {
			t.Fatalf("%d acknowledgements due, %v", len(claimed), err)
		}
		if err := h.Acknowledge(t.Context(), claimed[0].ID); err != nil {
			t.Fatal(err)
		}
		for _, raw := range h.deliver(taken) {
			m := parse(raw)
			return m.Subject + "|" + m.Text
		}
		t.Fatal("nothing was sent")
		return ""
	}
	if got := acknowledged("j@customer.example", "注文について教えてください。"); !strings.Contains(got, "自動返信: Order 5|お客様\nお問い合わせ #1 を受け付けました。") || strings.Contains(got, "{{") {
		t.Errorf("in Japanese: %q", got)
	}
	if got := acknowledged("Ann <e@customer.example>", "Where is my order? I am waiting."); !strings.Contains(got, "Auto: Order 5|Dear Ann, we have your mail “Order 5”.") {
		t.Errorf("in English: %q", got)
	}
	if got := acknowledged("k@customer.example", "안녕하세요, 주문 확인 부탁드립니다."); !strings.Contains(got, "受け付けました") {
		t.Errorf("in Korean, for which there is none, that of the alias's language: %q", got)
	}
	h.alias.Acknowledgements[0].Text = "担当は {{agent.name}} です"
	_, err := h.SaveAlias(t.Context(), h.admin, h.alias)
	wantCode(t, err, helpdesk.CodeInvalid, "has no value here")
}
