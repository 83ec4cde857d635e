package main_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// seed writes the tickets of half a day by the commands.
type seed struct {
	t       testing.TB
	engine  store.Engine
	desk    *helpdesk.Desk
	admin   helpdesk.Actor
	begin   time.Time // whatever was made before belongs to the house
	before  uint64    // the newest event of the house's own
	ticks   atomic.Int64
	aliases []helpdesk.Alias
	agents  []helpdesk.User
	closed  map[string]string // the closed stage of each pipeline
	waiting map[string]string // the stage of those that wait, likewise
}

func newSeed(t testing.TB, engine store.Engine, begin time.Time) *seed {
	t.Helper()
	s := &seed{t: t, engine: engine, begin: begin.UTC().Truncate(time.Second), closed: map[string]string{}, waiting: map[string]string{}}
	var err error
	s.desk, err = helpdesk.Open(t.Context(), engine, helpdesk.Options{UndoWindow: -1})
	s.check(err)
	house := s.begin.Add(-time.Hour)
	s.desk.Now = func() time.Time { return house }
	s.furnish()
	s.before, err = s.desk.LastSeq(t.Context())
	s.check(err)
	// Each look at the clock is a second later, so the order of events is that
	// of their times.
	s.desk.Now = func() time.Time { return s.begin.Add(time.Duration(s.ticks.Add(1)) * time.Second / 2) }
	return s
}

func (s *seed) check(err error) {
	if err != nil {
		s.t.Helper()
		s.t.Fatal(err)
	}
}

// furnish makes the pipelines, aliases and agents of a house of middle size.
func (s *seed) furnish() {
	ctx, system := s.t.Context(), helpdesk.System("bench")
	var pipelines []*helpdesk.Pipeline
	for _, name := range []string{"受注・配送", "返品", "Enterprise"} {
		p, err := s.desk.SavePipeline(ctx, system, helpdesk.Pipeline{Name: name, Reopen: true, Stages: []helpdesk.Stage{
			{Name: "新着", Kind: helpdesk.StageOpen}, {Name: "確認中", Kind: helpdesk.StageOpen}, {Name: "完了", Kind: helpdesk.StageClosed}}})
		s.check(err)
		pipelines = append(pipelines, p)
	}
	for i, address := range []string{"order", "returns", "help", "billing", "sales", "enterprise"} {
		a, err := s.desk.SaveAlias(ctx, system, helpdesk.Alias{Address: address + "@desk.test", Name: "窓口 " + address, PipelineID: pipelines[i%3].ID, Language: []string{"ja", "en"}[i/3]})
		s.check(err)
		s.aliases = append(s.aliases, *a)
	}
	for i, name := range []string{"高橋 健", "伊藤 美咲", "渡辺 翔", "Emma Clark", "中村 葵", "小林 蓮", "Noah Lee", "加藤 陽菜"} {
		u, err := s.desk.CreateUser(ctx, system, helpdesk.NewUser{Email: fmt.Sprintf("agent%d@desk.test", i), Name: name, Password: adminPassword, Role: helpdesk.RoleAgent})
		s.check(err)
		s.agents = append(s.agents, *u)
	}
	people, err := s.desk.Users(ctx, system)
	s.check(err)
	for _, u := range people {
		if u.Email == adminEmail {
			s.admin = u.Actor()
			s.agents = append(s.agents, u)
		}
	}
	for _, p := range pipelines {
		for _, stage := range p.Stages {
			switch stage.Name {
			case "完了":
				s.closed[p.ID] = stage.ID
			case "確認中":
				s.waiting[p.ID] = stage.ID
			}
		}
	}
}

// sow makes the tickets, many at a time so that they share commits.
func (s *seed) sow() {
	s.t.Helper()
	var next atomic.Int64
	var workers sync.WaitGroup
	for range 32 {
		workers.Go(func() {
			for i := int(next.Add(1)); i <= seedTickets; i = int(next.Add(1)) {
				if err := s.ticket(i); err != nil {
					s.t.Errorf("make ticket %d: %v", i, err)
					return
				}
			}
		})
	}
	workers.Wait()
	if s.t.Failed() {
		s.t.FailNow()
	}
	if took := time.Duration(s.ticks.Load()) * time.Second / 2; took > seedSpan {
		s.t.Fatalf("the tickets of the commands took %v of the clock, copies are %v apart", took, seedSpan)
	}
}

// ticket lives through one customer's matter.
func (s *seed) ticket(i int) error {
	ctx, r := s.t.Context(), rand.New(rand.NewPCG(uint64(i), 4))
	alias, agent := s.aliases[r.IntN(len(s.aliases))], s.agents[r.IntN(len(s.agents))]
	customer := fmt.Sprintf("%s%d.g0000@customer.test", surnames[i%len(surnames)][1], i%350)
	name := surnames[i%len(surnames)][0] + " " + string([]rune("翔葵蓮陽湊結凛樹楓澪")[i%10])
	got, err := s.receive(r, fmt.Sprintf("%d.%d", i, 0), customer, name, alias.Address, "")
	if err != nil {
		return err
	}
	number := got.Ticket
	rounds := []int{0, 1, 2, 2, 2, 2, 2, 3, 3, 3}[r.IntN(10)] // of an answer and the customer's next mail
	for n := range rounds {
		reply, err := s.reply(r, agent, number)
		if err != nil {
			return err
		}
		if n == rounds-1 && r.IntN(3) == 0 {
			break // the customer is content
		}
		if _, err := s.receive(r, fmt.Sprintf("%d.%d", i, n+1), customer, name, reply.ReplyAddress, reply.MessageID); err != nil {
			return err
		}
	}
	if r.IntN(100) == 0 { // a stranger answers, and is held
		if _, err := s.receive(r, fmt.Sprintf("%d.stranger", i), fmt.Sprintf("stranger%d.g0000@elsewhere.test", i), name, alias.Address, fmt.Sprintf("%d.0.g0000@customer.test", i)); err != nil {
			return err
		}
	}
	if r.IntN(3) == 0 {
		text := "在庫を確認しました。" + line(r)
		if r.IntN(4) == 0 {
			text = "@佐藤 " + text
		}
		if _, err := s.desk.AddNote(ctx, agent.Actor(), number, text); err != nil {
			return err
		}
	}
	if r.IntN(4) == 0 {
		if _, err := s.desk.Follow(ctx, s.admin, number, true); err != nil {
			return err
		}
	}
	if r.IntN(2) == 0 {
		if err := s.desk.MarkSeen(ctx, s.admin, number, s.before+uint64(r.IntN(9000))); err != nil {
			return err
		}
	}
	return s.arrange(r, number, alias, agent)
}

// arrange leaves the ticket in one of the states that tickets are in.
func (s *seed) arrange(r *rand.Rand, number uint64, alias helpdesk.Alias, agent helpdesk.User) error {
	ctx := s.t.Context()
	var tags []string
	for range r.IntN(4) {
		tags = append(tags, labels[int(r.ExpFloat64()*4)%len(labels)])
	}
	change := helpdesk.Change{Tags: &tags}
	if r.IntN(8) == 0 {
		priority := helpdesk.Priorities[r.IntN(len(helpdesk.Priorities))]
		change.Priority = &priority
	}
	nobody, closed, waiting := "", s.closed[alias.PipelineID], s.waiting[alias.PipelineID]
	switch n := r.IntN(20); {
	case n < 15:
		change.Stage, change.Assignee = &closed, &agent.ID
	case n < 17:
		change.Assignee = &nobody
	case n < 18:
		change.Stage, change.Assignee = &waiting, &agent.ID
	default:
		change.Assignee = &agent.ID
	}
	if _, err := s.desk.Change(ctx, s.admin, number, change); err != nil {
		return err
	}
	if change.Stage == nil && r.IntN(12) == 0 {
		_, err := s.desk.Snooze(ctx, agent.Actor(), number, time.Time{}, "")
		return err
	}
	return nil
}

// receive takes a customer's mail in, as the listener would.
func (s *seed) receive(r *rand.Rand, id, from, name, to, answers string) (helpdesk.Receipt, error) {
	raw := []byte(seedMail(r, id, from, name, to, answers))
	in := helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), Envelope: helpdesk.Envelope{RemoteIP: "192.0.2.7", HELO: "mail.customer.test", MailFrom: from, Recipients: []string{to}, Protocol: "ESMTPS"},
		Authentication: helpdesk.Authentication{SPF: helpdesk.AuthResult{Result: "pass", Domain: "customer.test"}, DMARC: helpdesk.AuthResult{Result: "pass", Domain: "customer.test"}, AlignedBy: "spf"}}
	return s.desk.Receive(s.t.Context(), in)
}

// reply answers, and delivers the answer; now and then that fails.
func (s *seed) reply(r *rand.Rand, agent helpdesk.User, number uint64) (*helpdesk.Message, error) {
	ctx := s.t.Context()
	m, err := s.desk.Reply(ctx, agent.Actor(), helpdesk.Reply{Ticket: number, Text: paragraph(r, 3+r.IntN(6)), Quote: r.IntN(2) == 0})
	if err != nil {
		return nil, err
	}
	view, err := s.desk.Message(ctx, agent.Actor(), m.ID)
	if err != nil {
		return nil, err
	}
	for _, d := range view.Deliveries {
		if _, _, err := s.desk.StartDelivery(ctx, d.ID); err != nil {
			return nil, err
		}
		attempt, failed := helpdesk.Attempt{Host: "mx.customer.test", TLS: "TLS 1.3", Code: 250, Text: "2.0.0 accepted", OK: true}, r.IntN(150) == 0
		if failed {
			attempt = helpdesk.Attempt{Host: "mx.customer.test", Code: 550, Enhanced: "5.7.1", Text: "refused by policy"}
		}
		if err := s.desk.RecordAttempt(ctx, d.ID, attempt, failed); err != nil {
			return nil, err
		}
	}
	return m, nil
}

var (
	surnames = [][2]string{{"田中", "tanaka"}, {"鈴木", "suzuki"}, {"佐々木", "sasaki"}, {"山口", "yamaguchi"}, {"松本", "matsumoto"}, {"井上", "inoue"}, {"Miller", "miller"}, {"木村", "kimura"}, {"林", "hayashi"}, {"Brown", "brown"}, {"清水", "shimizu"}, {"山崎", "yamazaki"}}
	labels   = []string{"配送", "返品", "請求", "急ぎ", "vip", "不良", "bug", "見積", "契約", "解約", "refund", "wholesale"}
	lines    = []string{
		"お世話になっております。先日注文した商品（型番甲乙）がまだ届いておりません。", "請求書の再発行をお願いいたします。注文番号はZK00000000です。",
		"納品書と請求書の金額が異なっているようです。ご確認いただけますでしょうか。", "型番丙丁の返品の手順を教えていただけますか。", "何卒よろしくお願い申し上げます。",
		"サーバーに接続できず、エラーコードZK00000000が表示されます。", "消費税の端数処理についてお尋ねします。", "We have not received the invoice for order ZK00000000 yet.",
		"Could you please confirm the delivery schedule of the replacement?", "The temperature logger ZK00000000 stopped recording on the third day.",
		"Thank you for your quick reply.", "配送先の住所を変更したいのですが、可能でしょうか。", "添付の写真をご覧ください。型番戊己の角が破損しています。",
		"再送していただいた部品は本日届きました。ありがとうございました。", "Would a partial refund be possible in this case?", "お見積りを至急お送りいただけますと幸いです。",
	}
)

// line is a sentence; what it leaves open is filled in, and again by each copy.
func line(r *rand.Rand) string { return lines[r.IntN(len(lines))] }

func paragraph(r *rand.Rand, sentences int) string {
	var b strings.Builder
	for range sentences {
		text := strings.ReplaceAll(line(r), "ZK00000000", fmt.Sprintf("ZK%08d", r.IntN(100_000_000)))
		if at := strings.Index(text, "型番"); at >= 0 {
			at += len("型番")
			text = text[:at] + rareName(r.Uint64()) + text[at+len("甲乙"):]
		}
		b.WriteString(text)
		if r.IntN(3) == 0 {
			b.WriteString("\r\n")
		}
	}
	return b.String()
}

// rareName is two characters that hardly stand together elsewhere.
func rareName(n uint64) string {
	return string([]rune{rune(0x4e00 + n%5000), rune(0x4e00 + n/5000%5000)})
}

// seedMail writes a mail of the size and shape of those of post, in UTF-8
// throughout so that a copy can change words in it: text, the same as HTML, a file.
func seedMail(r *rand.Rand, id, from, name, to, answers string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Received: from mail.customer.test by relay.customer.test with ESMTPS id ZK%08d; Sat, 21 Nov 2026 09:12:04 +0900\r\n", r.IntN(100_000_000))
	fmt.Fprintf(&b, "Message-ID: <%s.g0000@customer.test>\r\nFrom: %s <%s>\r\nTo: <%s>\r\n", id, name, from, to)
	subject := []string{"ご注文ZK%08dの配送について", "返品のお願い ZK%08d", "Invoice ZK%08d", "見積依頼 ZK%08d", "エラーが表示されます ZK%08d"}[r.IntN(5)]
	fmt.Fprintf(&b, "Subject: "+subject+"\r\n", r.IntN(100_000_000))
	if answers != "" {
		fmt.Fprintf(&b, "In-Reply-To: <%[1]s>\r\nReferences: <%[1]s>\r\n", answers)
	}
	boundary := fmt.Sprintf("=_%016x", r.Uint64())
	fmt.Fprintf(&b, "Date: Sat, 21 Nov 2026 09:12:0%d +0900\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%[2]s\"\r\n\r\n--%[2]s\r\n", r.IntN(10), boundary)
	fmt.Fprintf(&b, "Content-Type: multipart/alternative; boundary=\"%[1]s.a\"\r\n\r\n", boundary)
	text := paragraph(r, 8+r.IntN(10))
	for _, part := range [][2]string{{"plain", text}, {"html", "<html><body><p>" + strings.ReplaceAll(text, "\r\n", "<br>\r\n") + "</p></body></html>"}} {
		fmt.Fprintf(&b, "--%s.a\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n", boundary, part[0], part[1])
	}
	fmt.Fprintf(&b, "--%[1]s.a--\r\n--%[1]s\r\nContent-Type: application/pdf; name=\"ZK%08[2]d.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n", boundary, r.IntN(100_000_000))
	b.WriteString(encodedFile(r, postSize-b.Len()-len(boundary)))
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.String()
}
