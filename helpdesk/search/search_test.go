package search_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/storetest"
)

// house is a helpdesk with its index on a real database.
type house struct {
	*helpdesk.Desk
	t     testing.TB
	index *search.Index
	fault *storetest.Fault
	db    store.Engine
	now   time.Time
	admin helpdesk.Actor
	mails int
}

func newHouse(t testing.TB) *house {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, fault: storetest.NewFault(db), now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
	h.db = h.fault
	t.Cleanup(func() { h.db.Close() })
	if h.Desk, err = helpdesk.Open(t.Context(), h.db, helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp"}); err != nil {
		t.Fatal(err)
	}
	h.Desk.Now = func() time.Time { return h.now }
	secret, err := h.SetupSecret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	user, err := h.CompleteSetup(t.Context(), helpdesk.Setup{Secret: secret, Domain: "example.jp", AdminEmail: "sato@example.jp",
		AdminName: "佐藤 遥", Password: "correct horse battery", AliasLocal: "support", AliasName: "サポート窓口", Locale: "ja"})
	if err != nil {
		t.Fatal(err)
	}
	h.admin = user.Actor()
	h.index = search.New(h.db, h.Desk)
	return h
}

// letter is a mail for a test; empty fields get plain values.
type letter struct {
	from, to, cc, subject, text, attachment string
}

func (h *house) post(l letter) helpdesk.Receipt {
	h.t.Helper()
	h.mails++
	or := func(s, other string) string {
		if s == "" {
			return other
		}
		return s
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Message-ID: <mail-%d@customer.example>\r\nFrom: %s\r\nTo: %s\r\nSubject: %s\r\nMIME-Version: 1.0\r\n", h.mails,
		or(l.from, "Tamura <tamura@customer.example>"), or(l.to, "support@example.jp"), or(l.subject, "Hello"))
	if l.cc != "" {
		fmt.Fprintf(&b, "Cc: %s\r\n", l.cc)
	}
	if l.attachment == "" {
		fmt.Fprintf(&b, "Content-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n", or(l.text, "text"))
	} else {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"%s\"\r\n\r\n%%PDF\r\n--b--\r\n", or(l.text, "text"), l.attachment)
	}
	raw := []byte(b.String())
	receipt, err := h.Receive(h.t.Context(), helpdesk.Incoming{Envelope: helpdesk.Envelope{Recipients: strings.Split(or(l.to, "support@example.jp"), ",")},
		Raw: raw, Message: mail.Parse(raw), ReceivedAt: h.now})
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

// follow brings the index up to the end of the log, as the follower does.
func (h *house) follow() {
	h.t.Helper()
	for {
		cursor, err := h.index.Cursor(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		events, err := h.Events(h.t.Context(), helpdesk.System("search"), cursor, 100)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(events) == 0 {
			return
		}
		if err := h.index.Handle(h.t.Context(), events); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) verify() {
	h.t.Helper()
	problems, err := h.index.Verify(context.Background())
	if err != nil || len(problems) > 0 {
		h.t.Errorf("verify: %v, %q", err, problems)
	}
}

// find returns the numbers of the tickets found, in order.
func (h *house) find(text string) []uint64 {
	h.t.Helper()
	results := h.search(search.Query{Text: text})
	numbers := []uint64{}
	for _, hit := range results.Hits {
		numbers = append(numbers, hit.Row.Ticket.Number)
	}
	return numbers
}

func (h *house) search(q search.Query) search.Results {
	h.t.Helper()
	results, err := h.index.Search(h.t.Context(), h.admin, q)
	if err != nil {
		h.t.Fatalf("search %q: %v", q.Text, err)
	}
	return results
}

func (h *house) expect(text string, want ...uint64) {
	h.t.Helper()
	got := h.find(text)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		h.t.Errorf("%q finds %v, want %v", text, got, want)
	}
}

func marked(list []search.Run) string {
	var b strings.Builder
	for _, r := range list {
		if r.Match {
			b.WriteString("[" + r.Text + "]")
		} else {
			b.WriteString(r.Text)
		}
	}
	return b.String()
}

func TestWordsOfBothLanguages(t *testing.T) {
	h := newHouse(t)
	h.post(letter{subject: "請求書の再送", text: "お世話になっております。先日の請求\n書を再送してください。"})                                                          // 1: wrapped within a word
	h.post(letter{subject: "テストのお願い", text: "サーバーのﾃﾞｰﾀを確認ください。Invoice ＡＢＣ－１２３"})                                                       // 2
	h.post(letter{subject: "Shipping", text: "Where is my invoice? The café opens at 9.", from: "髙橋　一郎 <takahashi@customer.example>"}) // 3
	h.post(letter{subject: "てすと", text: "税の件。請求は済み、書類は別便です。"})                                                                         // 4
	h.follow()
	for text, want := range map[string][]uint64{
		"請求":                         {1, 4},
		"請求書":                        {1},
		"書類":                         {4},
		"求書":                         {1},
		"税":                          {4},
		"件":                          {4},
		"テスト":                        {2, 4},
		"ﾃｽﾄ":                        {2, 4},
		"てすと":                        {2, 4},
		"データ":                        {2},
		"ﾃﾞｰﾀ":                       {2},
		"テータ":                        {},
		"サーバ":                        {2},
		"invoice":                    {2, 3},
		"INVOICE":                    {2, 3},
		"ｉｎｖｏｉｃｅ":                    {2, 3},
		"invo":                       {2, 3},
		"voice":                      {},
		`"invo"`:                     {},
		"abc-123":                    {2},
		"ABC":                        {2},
		"cafe":                       {3},
		"高橋一郎":                       {3},
		"髙橋":                         {3},
		"一郎 shipping":                {3},
		"invoice 確認":                 {2},
		"invoice -shipping":          {2},
		`"my invoice"`:               {3},
		`"invoice my"`:               {},
		"takahashi@customer.example": {3},
		"customer.example":           {1, 2, 3, 4},
		"#3":                         {3},
		"＃３":                         {3},
		"3 shipping":                 {3},
		"存在しない語":                     {},
	} {
		h.expect(text, want...)
	}
	h.verify()
}

func TestFilters(t *testing.T) {
	h := newHouse(t)
	h.post(letter{subject: "Old matter", from: "Aoki <aoki@old.example>", text: "alpha", attachment: "見積書.pdf"})        // 1
	h.now = h.now.AddDate(0, 0, 10)                                                                                     // 2026-12-01
	h.post(letter{subject: "New matter", from: "Baba <baba@new.example>", text: "alpha aoki", cc: "chiba@new.example"}) // 2
	if _, err := h.Change(t.Context(), h.admin, 1, helpdesk.Change{Tags: &[]string{"VIP 顧客"}, Assignee: &h.admin.UserID}); err != nil {
		t.Fatal(err)
	}
	h.follow()
	for text, want := range map[string][]uint64{
		"alpha":                         {1, 2},
		"from:aoki":                     {1},
		"差出人：aoki":                      {1},
		"from:new.example":              {2},
		"to:chiba":                      {2},
		"chiba":                         {},
		"subject:old":                   {1},
		"subject:alpha":                 {},
		"has:attachment":                {1},
		"見積書":                           {1},
		"-has:attachment":               {2},
		`tag:"vip 顧客"`:                  {1},
		"顧客":                            {1},
		"assignee:me":                   {1},
		"assignee:sato@example.jp":      {1},
		"assignee:佐藤遥":                  {1},
		"assignee:none":                 {2},
		"is:unassigned":                 {2},
		"is:open":                       {1, 2},
		"is:closed":                     {},
		"is:waiting alpha":              {1, 2},
		"is:held":                       {},
		"alias:support":                 {1, 2},
		"alias:support@example.jp":      {1, 2},
		"alias:sales":                   {},
		"before:2026-12-01":             {1},
		"after:2026-12-01":              {2},
		"after:2026/11 before:2026年12月": {1},
		"after:2027":                    {},
		"-from:aoki alpha":              {2},
		"":                              {1, 2},
	} {
		h.expect(text, want...)
	}
	for text, want := range map[string]string{
		"form:aoki": "from:, to:", "is:opn": "is:open", "before:yesterday": "before:2026-11-21", "assignee:nobody": `no user "nobody"`,
		"from:": "from:tamura", "★": "no letter or digit", strings.Repeat("a ", 31): "more than 30", strings.Repeat("長", 400): "limit is 1000",
	} {
		_, err := h.index.Search(t.Context(), h.admin, search.Query{Text: text})
		if helpdesk.CodeOf(err) != helpdesk.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
	}
	if _, err := h.index.Search(t.Context(), helpdesk.Actor{Kind: helpdesk.ActorCustomer}, search.Query{Text: "alpha"}); helpdesk.CodeOf(err) != helpdesk.CodeForbidden {
		t.Errorf("a customer's search: %v", err)
	}
	h.expect("Re: old", 1) // a pasted subject is no filter
	h.expect("Re:old https://nowhere.example/")
}

// What came after one day and before another is one message in between.
func TestDatesAskForOneMessageBetweenThem(t *testing.T) {
	h := newHouse(t)
	h.post(letter{subject: "Long", text: "alpha"}) // 2026-11-21
	h.now = h.now.AddDate(0, 1, 0)
	h.post(letter{subject: "Other", text: "beta"})
	if _, err := h.AddNote(t.Context(), h.admin, 1, "gamma"); err != nil {
		t.Fatal(err)
	}
	h.follow()
	h.expect("after:2026-11-25 before:2026-12-15")
	h.expect("before:2026-12-15 after:2026-11-21", 1)
	h.expect("after:2026-11 before:2027 after:2026-12-01 before:2026-12-31", 1, 2)
	h.expect("after:2026-11-25 -before:2026-12-15", 2)
	h.expect("after:2026-12-15 before:2026-12-01")
}

func TestWhatIsGoneOrMovedIsFoundWhereItIs(t *testing.T) {
	h := newHouse(t)
	h.post(letter{subject: "Printer", text: "first words"})
	reply, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "zanzibar answer"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.AddNote(t.Context(), h.admin, 1, "内緒のメモ"); err != nil {
		t.Fatal(err)
	}
	h.follow()
	h.expect("zanzibar", 1)
	h.expect("内緒", 1)
	if _, err := h.Undo(t.Context(), h.admin, reply.ID); err != nil {
		t.Fatal(err)
	}
	held := h.post(letter{from: "Stranger <x@elsewhere.example>", to: reply.ReplyAddress, subject: "Odd", text: "kilimanjaro"})
	h.follow()
	h.expect("zanzibar")
	h.expect("kilimanjaro", 1)
	h.expect("is:held", 1)
	number, err := h.ResolveHeld(t.Context(), h.admin, held.MessageID, helpdesk.ResolveSplit)
	if err != nil {
		t.Fatal(err)
	}
	h.follow()
	h.expect("kilimanjaro", number)
	h.expect("kilimanjaro from:elsewhere.example", number)
	h.expect("is:held")
	closed := "closed"
	v, err := h.Ticket(t.Context(), h.admin, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range v.Pipeline.Stages {
		if s.Kind == helpdesk.StageClosed {
			closed = s.ID
		}
	}
	if _, err := h.Change(t.Context(), h.admin, 1, helpdesk.Change{Stage: &closed}); err != nil {
		t.Fatal(err)
	}
	h.follow()
	h.expect("is:closed", 1)
	h.expect("printer is:open")
	h.verify()
}

func TestMergedTicketsAndMovedMessages(t *testing.T) {
	h := newHouse(t)
	h.post(letter{subject: "First", text: "elephant"})
	h.post(letter{subject: "Second", text: "giraffe"})
	if _, err := h.AddNote(t.Context(), h.admin, 2, "antelope"); err != nil {
		t.Fatal(err)
	}
	h.follow()
	h.expect("giraffe", 2)
	merged, err := h.Merge(t.Context(), h.admin, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	h.follow()
	h.expect("giraffe elephant antelope", 1)
	h.expect("second", 1)
	h.verify()
	if _, err := h.UndoMerge(t.Context(), h.admin, merged.ID); err != nil {
		t.Fatal(err)
	}
	h.follow()
	h.expect("giraffe antelope", 2)
	h.verify()
	reply, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 2, Text: "as you wish"})
	if err != nil {
		t.Fatal(err)
	}
	more := h.post(letter{to: reply.ReplyAddress, subject: "Re: Second", text: "crocodile"})
	h.follow()
	h.expect("crocodile", 2)
	if _, err := h.Move(t.Context(), h.admin, more.MessageID, 1); err != nil {
		t.Fatal(err)
	}
	h.follow()
	h.expect("crocodile", 1)
	h.expect("giraffe antelope", 2)
	h.verify()
}

func TestRankingSnippetsAndPages(t *testing.T) {
	h := newHouse(t)
	h.post(letter{subject: "Other", text: strings.Repeat("filler words of a long letter. ", 30) + "At the end the refund is named.\r\n" + strings.Repeat("more filler. ", 30)})
	h.post(letter{subject: "Refund wanted", text: "返金をお願いします。Please refund."})
	h.post(letter{subject: "Nothing", text: "no such word"})
	h.follow()
	if got := h.find("refund"); !slices.Equal(got, []uint64{2, 1}) {
		t.Errorf("by relevance: %v, want the ticket with the word in its subject first", got)
	}
	results := h.search(search.Query{Text: "refund", Sort: search.Newest})
	if len(results.Hits) != 2 || results.Total != 2 {
		t.Fatalf("newest: %+v", results)
	}
	first, second := results.Hits[0], results.Hits[1]
	if got := marked(first.Subject); got != "[Refund] wanted" {
		t.Errorf("subject %q", got)
	}
	if got := marked(first.Snippet); got != "返金をお願いします。Please [refund]." {
		t.Errorf("snippet %q", got)
	}
	if got := marked(second.Snippet); !strings.Contains(got, "At the end the [refund] is named. more filler.") || !strings.HasPrefix(got, "…") || !strings.HasSuffix(got, "…") || second.Message == "" {
		t.Errorf("snippet of a long text %q of message %q", got, second.Message)
	}
	if got := marked(h.search(search.Query{Text: "返"}).Hits[0].Snippet); !strings.HasPrefix(got, "[返]金を") {
		t.Errorf("snippet of one character %q", got)
	}
}

func TestPages(t *testing.T) {
	h := newHouse(t)
	for i := range 25 {
		h.now = h.now.Add(time.Minute)
		h.post(letter{subject: fmt.Sprintf("Page %d", i%3), text: strings.Repeat("page ", i%5+1)})
	}
	h.follow()
	for _, order := range []search.Sort{search.Relevance, search.Newest} {
		seen := map[uint64]bool{}
		q := search.Query{Text: "page", Sort: order, Limit: 10}
		for pages := 1; ; pages++ {
			results := h.search(q)
			for _, hit := range results.Hits {
				seen[hit.Row.Ticket.Number] = true
			}
			if results.Total != 25 {
				t.Errorf("%s: total %d", order, results.Total)
			}
			if results.Next == "" {
				if pages != 3 {
					t.Errorf("%s: %d pages", order, pages)
				}
				break
			}
			q.After = results.Next
			h.now = h.now.Add(24 * time.Hour) // time passes between two pages
		}
		if len(seen) != 25 {
			t.Errorf("%s: the pages show %d of 25 tickets", order, len(seen))
		}
	}
	if _, err := h.index.Search(t.Context(), h.admin, search.Query{Text: "page", After: "x"}); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
		t.Errorf("a strange page: %v", err)
	}
	within := h.search(search.Query{Text: "page", Within: helpdesk.TicketQuery{View: helpdesk.ViewMine}})
	if within.Total != 0 {
		t.Errorf("mine: %d", within.Total)
	}
}

func TestSimilarTicketsShareRareWords(t *testing.T) {
	h := newHouse(t)
	h.post(letter{from: "a@customer.example", subject: "流量計の再校正", text: "FM-3200 の校正証明書を再発行してください。"})
	for i := range 6 {
		h.post(letter{from: fmt.Sprintf("b%d@customer.example", i), subject: "お問い合わせ", text: "証明書についてのお問い合わせです。"})
	}
	h.post(letter{from: "c@customer.example", subject: "ランチのお誘い", text: "来週いかがですか。"})
	asked := h.post(letter{from: "d@customer.example", subject: "校正証明書について", text: "FM-3200 の件で、校正証明書が届きません。"})
	h.follow()
	got, err := h.index.Similar(t.Context(), h.admin, "校正証明書について\nFM-3200 の件で、校正証明書が届きません。証明書", asked.Ticket, 3)
	if err != nil || len(got) != 3 || got[0] != 1 || slices.Contains(got, asked.Ticket) || slices.Contains(got, 8) {
		t.Errorf("found %v, %v", got, err)
	}
	if got, err := h.index.Similar(t.Context(), h.admin, "\"(: -", 0, 3); err != nil || len(got) != 0 {
		t.Errorf("of no words: %v, %v", got, err)
	}
}

func TestCustomFieldsAreFilters(t *testing.T) {
	h := newHouse(t)
	plan, err := h.SaveField(t.Context(), h.admin, helpdesk.Field{Owner: helpdesk.FieldOfTicket, Name: "契約 プラン", Kind: helpdesk.FieldChoice, Choices: []helpdesk.FieldOption{{Name: "ゴールド"}, {Name: "Silver"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.SaveField(t.Context(), h.admin, helpdesk.Field{Owner: helpdesk.FieldOfTicket, Name: "Order", Kind: helpdesk.FieldText}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h.post(letter{text: "about the plan"})
	}
	set := func(number uint64, fields map[string][]string) {
		t.Helper()
		if _, err := h.Change(t.Context(), h.admin, number, helpdesk.Change{Fields: fields}); err != nil {
			t.Fatal(err)
		}
	}
	set(1, map[string][]string{"契約 プラン": {"ゴールド"}, "Order": {"A-100"}})
	set(2, map[string][]string{"契約 プラン": {"Silver"}})
	h.follow()
	h.expect(`field:"契約 プラン=ごーるど"`, 1)
	h.expect(`field:"契約 プラン=silver" plan`, 2)
	h.expect(`field:"契約 プラン"`, 1, 2)
	h.expect("field:order＝Ａ-100", 1)
	h.expect("field:order=A-10")
	h.expect("-field:order", 2, 3)
	plan.Choices[0].Name = "Platinum" // what was chosen stays chosen
	if _, err := h.SaveField(t.Context(), h.admin, *plan); err != nil {
		t.Fatal(err)
	}
	h.expect(`field:"契約 プラン=platinum"`, 1)
	set(1, map[string][]string{"Order": nil})
	h.follow()
	h.expect("field:order")
	if _, err := h.index.Search(t.Context(), h.admin, search.Query{Text: "field:nothing=x"}); helpdesk.CodeOf(err) != helpdesk.CodeInvalid || !strings.Contains(err.Error(), "契約 プラン") {
		t.Errorf("an unknown field: %v", err)
	}
}
