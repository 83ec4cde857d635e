package helpdesk_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// The model is what a helpdesk must be, told in maps: which message is on which
// ticket and in which state, what waits, what was counted. It knows nothing of
// tables, indexes or transactions.
type model struct {
	*house
	random  *rand.Rand
	tickets map[uint64]*modelTicket
	mails   map[string]*modelMail // by the message's id
	order   []string              // of the ids, for a choice that the seed repeats
	// accepted and duplicates are the ledger.
	accepted, duplicates int
	salesOff             bool
	failures             int // commits that failed
	done                 map[string]int
	step                 int // counts the steps
	movings              []*modelMoving
}

type modelTicket struct {
	customer string
	alias    string
	open     bool
	merged   uint64
}

type modelMail struct {
	ticket   uint64
	state    helpdesk.MessageState
	from     string
	raw      []string // its lines, to send it again
	to       string
	customer bool   // makes the customer wait
	answered string // the reply or the step that answered it
	via      string // the message that it answers
	born     int    // the step in which it came into its thread
	moves    []string
	// Of a reply:
	reply    *helpdesk.Message
	delivery helpdesk.DeliveryState
	closed   bool // it closed the ticket
}

var errDisk = errors.New("disk on fire")

// try runs a command, in one of ten cases on a disk that fails, and reports
// whether it took place.
func (m *model) try(name string, command func() error) bool {
	m.t.Helper()
	fails := m.random.IntN(10) == 0
	if fails {
		m.fault.FailCommit(1, errDisk)
		m.failures++
	}
	m.fault.Repeat(m.random.IntN(3))
	err := command()
	m.fault.Repeat(0)
	if fails && !errors.Is(err, errDisk) {
		m.t.Fatalf("%s: %v; the disk failed", name, err)
	}
	if !fails && err != nil {
		m.t.Fatalf("%s: %v", name, err)
	}
	if !fails {
		m.done[name]++
	}
	return !fails
}

func (m *model) add(id string, mail *modelMail) {
	mail.born = m.step
	m.mails[id] = mail
	m.order = append(m.order, id)
}

// pick returns a random mail that fits, or "".
func (m *model) pick(fits func(*modelMail) bool) (string, *modelMail) {
	for range 40 {
		if len(m.order) == 0 {
			return "", nil
		}
		id := m.order[m.random.IntN(len(m.order))]
		if mail := m.mails[id]; fits(mail) {
			return id, mail
		}
	}
	return "", nil
}

func (m *model) pickTicket(fits func(*modelTicket) bool) (uint64, *modelTicket) {
	numbers := slices.Sorted(maps.Keys(m.tickets))
	for range 20 {
		if len(numbers) == 0 {
			return 0, nil
		}
		number := numbers[m.random.IntN(len(numbers))]
		if t := m.tickets[number]; t.merged == 0 && fits(t) {
			return number, t
		}
	}
	return 0, nil
}

// receive hands in a mail that is to end on a ticket (0: a new one) in a state.
func (m *model) receive(name string, want modelMail, lines ...string) {
	m.house.mails++
	lines = append([]string{fmt.Sprintf("Message-ID: <m%d@customer.example>", m.house.mails), "From: " + want.from}, lines...)
	lines = append(lines, "", fmt.Sprintf("Words of mail %d", m.house.mails))
	var receipt helpdesk.Receipt
	if !m.try(name, func() (err error) { receipt, err = m.tryPost(want.to, lines...); return err }) {
		return
	}
	m.accepted++
	if want.ticket == 0 {
		want.ticket = uint64(len(m.tickets) + 1)
		m.tickets[want.ticket] = &modelTicket{customer: want.from, alias: want.to, open: true}
	}
	if receipt.Ticket != want.ticket || receipt.State != want.state || receipt.Duplicate {
		m.t.Fatalf("%s: receipt %+v; want ticket %d, %s", name, receipt, want.ticket, want.state)
	}
	if want.customer && want.state == helpdesk.MessagePosted {
		m.tickets[want.ticket].open = true
	}
	want.raw = lines
	m.add(receipt.MessageID, &want)
}

func (m *model) alive(reply *modelMail) bool {
	return reply.reply != nil && reply.state == helpdesk.MessagePosted && m.now.Before(reply.reply.At.Add(90*24*time.Hour))
}

func (m *model) steps() map[string]func() {
	posted, held := helpdesk.MessagePosted, helpdesk.MessageHeld
	return map[string]func(){
		"new mail": func() {
			to := "support@example.jp"
			if !m.salesOff && m.random.IntN(3) == 0 {
				to = "sales@example.jp"
			}
			m.receive("new mail", modelMail{state: posted, customer: true, to: to, from: fmt.Sprintf("c%d@customer.example", m.house.mails)}, "Subject: A question")
		},
		"crowd": m.crowd,
		"answer": func() {
			if id, reply := m.pick(m.alive); reply != nil {
				from := reply.reply.To[0].Email
				m.receive("answer by token", modelMail{via: id, ticket: reply.ticket, state: posted, customer: true, to: reply.reply.ReplyAddress, from: from}, "Subject: Re: A question")
			}
		},
		"reference": func() {
			if id, reply := m.pick(func(r *modelMail) bool { return r.reply != nil && r.state == posted }); reply != nil {
				from := reply.reply.To[0].Email
				m.receive("answer by reference", modelMail{via: id, ticket: reply.ticket, state: posted, customer: true, to: "support@example.jp", from: from},
					"Subject: Re: A question", "In-Reply-To: <"+reply.reply.MessageID+">")
			}
		},
		"stranger": func() {
			if id, reply := m.pick(m.alive); reply != nil {
				m.receive("stranger", modelMail{via: id, ticket: reply.ticket, state: held, customer: true, to: reply.reply.ReplyAddress,
					from: fmt.Sprintf("s%d@stranger.example", m.house.mails)}, "Subject: Re: A question")
			}
		},
		"absence": func() {
			if id, reply := m.pick(m.alive); reply != nil {
				from := reply.reply.To[0].Email
				m.receive("absence notice", modelMail{via: id, ticket: reply.ticket, state: posted, to: reply.reply.ReplyAddress, from: from},
					"Subject: Away", "Auto-Submitted: auto-replied")
			}
		},
		"duplicate":    m.duplicate,
		"bounce":       m.bounce,
		"reply":        m.postReply,
		"undo":         m.undo,
		"deliver":      m.deliverSome,
		"merge":        m.merge,
		"move":         m.move,
		"undo moving":  m.undoMoving,
		"resolve":      m.resolve,
		"change":       m.change,
		"note and log": m.noteAndLog,
		"alias": func() {
			alias := m.alias
			aliases, err := m.Aliases(m.t.Context(), m.admin)
			if err != nil {
				m.t.Fatal(err)
			}
			for _, a := range aliases {
				if a.Address == "sales@example.jp" {
					alias = a
				}
			}
			alias.Disabled = !m.salesOff
			if m.try("switch alias", func() error { _, err := m.SaveAlias(m.t.Context(), m.admin, alias); return err }) {
				m.salesOff = alias.Disabled
			}
		},
		"clock": func() {
			jumps := []time.Duration{time.Second, time.Minute, time.Hour, -30 * time.Second, -2 * time.Hour, 24 * time.Hour}
			m.pass(jumps[m.random.IntN(len(jumps))])
		},
	}
}

// crowd hands in several mails at once, which share commits.
func (m *model) crowd() {
	m.fault.Repeat(1)
	defer m.fault.Repeat(0)
	var wg sync.WaitGroup
	receipts := make([]helpdesk.Receipt, 4)
	errs := make([]error, len(receipts))
	first := m.house.mails
	m.house.mails += len(receipts)
	for i := range receipts {
		wg.Go(func() {
			raw := fmt.Sprintf("Message-ID: <m%d@customer.example>\r\nFrom: c%d@customer.example\r\nSubject: At once\r\n\r\nWords\r\n", first+i, first+i)
			receipts[i], errs[i] = m.Receive(m.t.Context(), incoming("support@example.jp", raw, m.now))
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		m.t.Fatal(err)
	}
	slices.SortFunc(receipts, func(a, b helpdesk.Receipt) int { return cmp.Compare(a.Ticket, b.Ticket) })
	for _, r := range receipts {
		number := uint64(len(m.tickets) + 1)
		if r.Ticket != number {
			m.t.Fatalf("of mails at once one is on ticket %d, want %d", r.Ticket, number)
		}
		v := m.ticket(number)
		m.tickets[number] = &modelTicket{customer: v.Row.Contact.Email, alias: "support@example.jp", open: true}
		m.add(r.MessageID, &modelMail{ticket: number, state: helpdesk.MessagePosted, customer: true, from: v.Row.Contact.Email})
		m.accepted++
	}
	m.done["mails at once"]++
}

func (m *model) duplicate() {
	id, mail := m.pick(func(x *modelMail) bool { return x.raw != nil && m.Recipient(m.t.Context(), x.to) == nil })
	if mail == nil {
		return
	}
	var receipt helpdesk.Receipt
	if m.try("duplicate", func() (err error) { receipt, err = m.tryPost(mail.to, mail.raw...); return err }) {
		m.duplicates++
		if !receipt.Duplicate || receipt.MessageID != id || receipt.Ticket != mail.ticket || receipt.State != mail.state {
			m.t.Fatalf("second arrival of %s, which is %s on ticket %d: %+v", id, mail.state, mail.ticket, receipt)
		}
	}
}

func (m *model) bounce() {
	id, reply := m.pick(func(x *modelMail) bool { return m.alive(x) && x.delivery == helpdesk.DeliverySent })
	if reply == nil {
		return
	}
	view, err := m.Message(m.t.Context(), m.admin, id)
	if err != nil {
		m.t.Fatal(err)
	}
	before := m.accepted
	m.receive("bounce", modelMail{via: id, ticket: reply.ticket, state: helpdesk.MessagePosted, to: view.Deliveries[0].EnvelopeFrom, from: "mailer-daemon@mx.customer.example"},
		append([]string{"Subject: Undelivered Mail Returned to Sender"}, bounceLines(reply.reply.To[0].Email, "5.2.2")...)...)
	if m.accepted > before {
		reply.delivery = helpdesk.DeliveryFailed
	}
}

func (m *model) postReply() {
	number, t := m.pickTicket(func(t *modelTicket) bool { return t.alias != "sales@example.jp" || !m.salesOff })
	if t == nil {
		return
	}
	r := helpdesk.Reply{Ticket: number, Text: fmt.Sprintf("Answer %d", m.random.Int()), Close: m.random.IntN(5) == 0, To: []helpdesk.Address{{Email: t.customer}}}
	var posted *helpdesk.Message
	if !m.try("reply", func() (err error) { posted, err = m.Reply(m.t.Context(), m.admin, r); return err }) {
		return
	}
	m.settle(number, posted.ID)
	m.add(posted.ID, &modelMail{ticket: number, state: helpdesk.MessagePosted, reply: posted, via: posted.Via, delivery: helpdesk.DeliveryWaiting, closed: r.Close && t.open})
	if r.Close {
		t.open = false
	}
}

func (m *model) settle(number uint64, by string) {
	for _, x := range m.mails {
		if x.ticket == number && x.customer && x.state == helpdesk.MessagePosted && x.answered == "" {
			x.answered = by
		}
	}
}

func (m *model) undo() {
	id, reply := m.pick(func(x *modelMail) bool { return x.reply != nil && x.state == helpdesk.MessagePosted })
	if reply == nil {
		return
	}
	if reply.delivery != helpdesk.DeliveryWaiting {
		_, err := m.Undo(m.t.Context(), m.admin, id)
		wantCode(m.t, err, helpdesk.CodeConflict, "already left")
		return
	}
	if !m.try("undo", func() error { _, err := m.Undo(m.t.Context(), m.admin, id); return err }) {
		return
	}
	reply.state, reply.delivery = helpdesk.MessageUndone, helpdesk.DeliveryCancelled
	t := m.tickets[reply.ticket]
	t.open = m.ticket(reply.ticket).Row.Ticket.Open // by what else happened since
	for _, x := range m.mails {
		if x.answered == id && x.ticket == reply.ticket && t.open {
			x.answered = ""
		}
	}
}

func (m *model) deliverSome() {
	claimed, _, err := m.ClaimDue(m.t.Context(), helpdesk.TimerDeliver, 5, time.Minute)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, timer := range claimed {
		var delivery *helpdesk.Delivery
		if !m.try("start delivery", func() (err error) { delivery, _, err = m.StartDelivery(m.t.Context(), timer.ID); return err }) {
			continue
		}
		reply := m.mails[delivery.Message]
		reply.delivery = helpdesk.DeliverySending
		attempt, permanent, state := helpdesk.Attempt{OK: true, Code: 250}, false, helpdesk.DeliverySent
		switch m.random.IntN(6) {
		case 0:
			attempt, permanent, state = helpdesk.Attempt{Code: 552, Enhanced: "5.2.2", Text: "mailbox full"}, true, helpdesk.DeliveryFailed
		case 1:
			attempt, state = helpdesk.Attempt{Code: 451, Enhanced: "4.3.0"}, helpdesk.DeliveryDeferred
			if m.now.Sub(delivery.CreatedAt) >= 5*24*time.Hour && len(delivery.Attempts) >= 7 { // with this one eight
				state = helpdesk.DeliveryFailed
			}
		}
		if m.try("attempt: "+string(state), func() error { return m.RecordAttempt(m.t.Context(), timer.ID, attempt, permanent) }) {
			reply.delivery = state
		}
	}
}

func (m *model) resolve() {
	id, mail := m.pick(func(x *modelMail) bool { return x.state == helpdesk.MessageHeld })
	if mail == nil {
		return
	}
	resolution := []helpdesk.Resolution{helpdesk.ResolveJoin, helpdesk.ResolveSplit, helpdesk.ResolveRefuse}[m.random.IntN(3)]
	var number uint64
	if !m.try("resolve: "+string(resolution), func() (err error) { number, err = m.ResolveHeld(m.t.Context(), m.admin, id, resolution); return err }) {
		return
	}
	switch resolution {
	case helpdesk.ResolveJoin:
		mail.state, m.tickets[mail.ticket].open, mail.born = helpdesk.MessagePosted, true, m.step
	case helpdesk.ResolveSplit:
		from := m.tickets[mail.ticket]
		mail.state, mail.ticket, mail.born = helpdesk.MessagePosted, uint64(len(m.tickets)+1), m.step
		m.tickets[mail.ticket] = &modelTicket{customer: mail.from, alias: from.alias, open: true}
	case helpdesk.ResolveRefuse:
		mail.state = helpdesk.MessageRefused
	}
	if number != mail.ticket {
		m.t.Fatalf("%s: ticket %d, want %d", resolution, number, mail.ticket)
	}
}

func (m *model) change() {
	number, t := m.pickTicket(func(*modelTicket) bool { return true })
	if t == nil {
		return
	}
	stage := []string{"受付", "対応中", "完了"}[m.random.IntN(3)]
	tags := []string{fmt.Sprint("tag", m.random.IntN(3))}
	assignee := []string{"", "sato@example.jp"}[m.random.IntN(2)]
	if m.try("change", func() error {
		_, err := m.Change(m.t.Context(), m.admin, number, helpdesk.Change{Stage: &stage, Tags: &tags, Assignee: &assignee})
		return err
	}) {
		if closes := stage == "完了"; closes && t.open {
			m.settle(number, "closing")
		}
		t.open = stage != "完了"
	}
}

func (m *model) noteAndLog() {
	number, t := m.pickTicket(func(*modelTicket) bool { return true })
	if t == nil {
		return
	}
	m.try("note", func() error { _, err := m.AddNote(m.t.Context(), m.admin, number, "A note"); return err })
	var logged *helpdesk.Message
	if m.try("log", func() (err error) {
		logged, err = m.LogReply(m.t.Context(), m.admin, helpdesk.LoggedReply{Ticket: number, Text: "By phone", Channel: "phone"})
		return err
	}) {
		m.add(logged.ID, &modelMail{ticket: number, state: helpdesk.MessagePosted, customer: true, from: "logged"})
		t.open = true
	}
}

// What any sequence of commands comes to, on a disk that fails and an engine
// that runs its functions again, is what the model says, and the store is whole.
func TestRandomCommandsAgreeWithTheModel(t *testing.T) {
	seeds := uint64(3)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			m := &model{house: newHouse(t), random: rand.New(rand.NewPCG(seed, 2026)), tickets: map[uint64]*modelTicket{}, mails: map[string]*modelMail{}, done: map[string]int{}}
			if _, err := m.SaveAlias(t.Context(), m.admin, helpdesk.Alias{Address: "sales@example.jp"}); err != nil {
				t.Fatal(err)
			}
			steps := m.steps()
			names := slices.Sorted(maps.Keys(steps))
			for i := range 1000 {
				name := names[m.random.IntN(len(names))]
				if (name == "new mail" || name == "crowd") && m.random.IntN(2) == 0 && len(m.tickets) > 10 {
					name = "answer" // long tickets find more than many short ones
				}
				m.step++
				steps[name]()
				if i%100 == 99 {
					m.compare()
				}
			}
			if m.failures < 20 || len(m.done) < 20 {
				t.Errorf("only %d failures and %v: the test proves little", m.failures, m.done)
			}
			t.Log(m.done)
		})
	}
}

func bounceLines(recipient, status string) []string {
	return []string{"MIME-Version: 1.0", `Content-Type: multipart/report; report-type=delivery-status; boundary="b"`, "",
		"--b", "Content-Type: text/plain", "", "I could not deliver it.", "--b", "Content-Type: message/delivery-status", "",
		"Reporting-MTA: dns; mx.customer.example", "", "Final-Recipient: rfc822; " + recipient, "Action: failed",
		"Status: " + status, "Diagnostic-Code: smtp; 550 " + status + " refused", "", "--b--"}
}
