package main_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// town is one server with all whom the journeys meet: two teams, one of each
// language, their customers' mail server, and two browsers.
type town struct {
	t        *testing.T
	program  *running
	mailbox  *mailbox
	api      api
	words    *locale.Catalogues
	first    *browser
	second   *browser // of a colleague
	mails    int
	sessions map[string][]*http.Cookie
	later    []func(*testing.T) // what can be said only when mail has arrived

	mu         sync.Mutex
	complaints []string // of the browsers' consoles
}

// person is somebody of a team.
type person struct{ name, email, id string }

// cast is a team with its words: those that people write, for what the
// interface says is read from its catalogue.
type cast struct {
	language                                        locale.Language
	agent, colleague, supervisor, admin             person
	pipeline, alias, billing, approved              string // addresses but for the first
	aliasName, tag, shortcut, template, signature   string
	customer, friend, stranger                      string // names
	subject, other, question, answer, more          string
	greeting, strong, link, item, symbol, isSymbol  string
	please, view, rule, reason, brand, role, stages string
}

var casts = []cast{{
	language: locale.Japanese,
	agent:    person{name: "森 健太", email: "mori@desk.test"}, colleague: person{name: "加藤 葵", email: "kato@desk.test"},
	supervisor: person{name: "小野 真理", email: "ono@desk.test"}, admin: person{name: "佐藤 花", email: "sato@desk.test"},
	pipeline: "製品サポート", alias: "madoguchi@desk.test", billing: "seikyu@desk.test", approved: "nichu@desk.test",
	aliasName: "窓口", tag: "請求", shortcut: "eigyo", template: "営業時間は10時から18時です。", signature: "アオバ計器",
	customer: "田中 一郎", friend: "鈴木 次郎", stranger: "見知らぬ人",
	subject: "記録計の時刻", other: "温度計の校正", question: "記録計の時刻が一日に数分ずれます。\n", answer: "設定をお確かめください。", more: "設定を直しても、まだずれます。\n",
	greeting: "田中様", strong: "至急", link: "手順書", item: "見積書", symbol: "やじるし", isSymbol: "→",
	please: "在庫を見てください", view: "請求のもの", rule: "順番に", reason: "通院", brand: "青葉店", role: "閲覧のみ", stages: "受付,確認中,完了",
}, {
	language: locale.English,
	agent:    person{name: "Alex Morgan", email: "alex@desk.test"}, colleague: person{name: "Kim Lee", email: "kim@desk.test"},
	supervisor: person{name: "Dana Reed", email: "dana@desk.test"}, admin: person{name: "Robin Shaw", email: "robin@desk.test"},
	pipeline: "Product support", alias: "help@desk.test", billing: "billing@desk.test", approved: "careful@desk.test",
	aliasName: "Helpdesk", tag: "billing", shortcut: "hours", template: "We are open from 10 to 6.", signature: "Aoba Instruments",
	customer: "Emily Carter", friend: "Jonas Brandt", stranger: "Somebody Else",
	subject: "The clock of the logger", other: "Calibration of a probe", question: "The clock of our logger drifts by minutes a day.\n", answer: "Please check the settings.", more: "It drifts all the same.\n",
	greeting: "Dear Emily,", strong: "urgent", link: "manual", item: "quote", symbol: "circled one", isSymbol: "①",
	please: "please look into the stock", view: "About billing", rule: "In turn", reason: "Dentist", brand: "Aoba shop", role: "Readers", stages: "New,In progress,Done",
}}

// done is the team's closed stage.
func (c cast) done() string { return c.stages[strings.LastIndexByte(c.stages, ',')+1:] }

// newTown writes the teams into a data directory and starts the program on it.
func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, mailbox: serveMailbox(t), sessions: map[string][]*http.Cookie{}}
	var err error
	if w.words, err = locale.Load(); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	w.settle(data)
	zone := dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.customer.test.", "mx.customer.test. 60 IN A 127.0.0.1",
		dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"), dnstest.TXT("_dmarc.customer.test", "v=DMARC1; p=reject"), dnstest.TXT("elsewhere.test", "v=spf1 ip4:127.0.0.1 -all"))
	config := writeConfig(t, fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\n\n[outbound]\nport = %s\n\n[ai]\nenabled = false\n", w.mailbox.port()))
	w.program = start(t, data, "--config", config, "--resolver", zone.Address)
	w.api = api{w.program.web, strings.TrimSpace(succeed(t, "", "token", "create", "--user", casts[0].admin.email, "--scope", "admin", "--data", data))}
	w.first = openBrowser(t)
	w.second = w.first.beside()
	w.listen(w.first)
	w.listen(w.second)
	return w
}

// beside opens a window of its own in the same program, as another person's
// browser is: it shares no cookies.
func (b *browser) beside() *browser {
	b.t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.t.Cleanup(closeTab)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900)); err != nil {
		b.t.Fatalf("open a second browser: %v", err)
	}
	return &browser{t: b.t, ctx: ctx}
}

// listen keeps what a browser's console complains about.
func (w *town) listen(b *browser) {
	go func() {
		for message, err := range chromedp.Console(b.ctx) {
			if err != nil {
				return
			}
			for _, word := range []string{"Content Security Policy", "TypeError", "ReferenceError", "SyntaxError", "Uncaught"} {
				if strings.Contains(message.Text, word) {
					w.mu.Lock()
					w.complaints = append(w.complaints, message.Text)
					w.mu.Unlock()
					break
				}
			}
		}
	}()
}

// forgive takes back what the consoles said of something that was refused as it
// should be.
func (w *town) forgive(words string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complaints = slices.DeleteFunc(w.complaints, func(said string) bool { return strings.Contains(said, words) })
}

// settle writes pipelines, people, aliases and a template of each team.
func (w *town) settle(data string) {
	w.t.Helper()
	bolt, err := store.OpenBolt(filepath.Join(data, "madoguchi.db"), store.BoltOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer bolt.Close()
	desk, err := helpdesk.Open(w.t.Context(), bolt, helpdesk.Options{Hostname: "mx.desk.test"})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, system := w.t.Context(), helpdesk.System("setup")
	must := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	for i := range casts {
		c := &casts[i]
		for _, of := range []struct {
			*person
			role helpdesk.Role
		}{{&c.agent, helpdesk.RoleAgent}, {&c.colleague, helpdesk.RoleAgent}, {&c.supervisor, helpdesk.RoleSupervisor}, {&c.admin, helpdesk.RoleAdmin}} {
			u, err := desk.CreateUser(ctx, system, helpdesk.NewUser{Email: of.email, Name: of.name, Password: adminPassword, Role: of.role, Locale: string(c.language)})
			must(err)
			of.id = u.ID
		}
		stages := strings.Split(c.stages, ",")
		pipeline, err := desk.SavePipeline(ctx, system, helpdesk.Pipeline{Name: c.pipeline, Reopen: true, ReopenStage: stages[1],
			Stages: []helpdesk.Stage{{Name: stages[0], Kind: helpdesk.StageOpen}, {Name: stages[1], Kind: helpdesk.StageOpen}, {Name: stages[2], Kind: helpdesk.StageClosed}}})
		must(err)
		for address, tags := range map[string][]string{c.alias: nil, c.billing: {c.tag}, c.approved: nil} {
			_, err := desk.SaveAlias(ctx, system, helpdesk.Alias{Address: address, Name: c.aliasName, PipelineID: pipeline.ID, Language: string(c.language), Tags: tags, Approval: address == c.approved,
				Signatures: []helpdesk.Localized{helpdesk.NewLocalized("", c.signature+"\n{{agent.name}}")}})
			must(err)
		}
		_, err = desk.SaveTemplate(ctx, system, helpdesk.Template{Name: c.shortcut, Shortcut: c.shortcut,
			Versions: []helpdesk.TemplateVersion{{Language: string(c.language), Text: "{{customer.name}} " + c.template}}})
		must(err)
	}
}

// journey is one way through the day, of a team in its language.
type journey struct {
	*browser
	cast
	town  *town
	words locale.Printer
}

// begin lets a team set out with the first browser, with nothing left to do of
// the journey before: what is open is closed, as on an evening.
func (w *town) begin(t *testing.T, c cast) *journey {
	w.first.t, w.second.t = t, t
	var page struct {
		Tickets []struct {
			Number int    `json:"number"`
			Stage  string `json:"stage"`
		} `json:"tickets"`
	}
	w.api.get(t, "/tickets?view=open&limit=100", &page)
	for _, ticket := range page.Tickets {
		done := casts[0].done()
		if slices.Contains(strings.Split(casts[1].stages, ","), ticket.Stage) {
			done = casts[1].done()
		}
		if status := w.api.do(t, http.MethodPatch, fmt.Sprintf("/tickets/%d", ticket.Number), nil, map[string]any{"stage": done}, nil); status >= 300 {
			t.Fatalf("close #%d: %d", ticket.Number, status)
		}
	}
	return &journey{browser: w.first, cast: c, town: w, words: w.words.Printer(c.language, time.UTC, time.Now())}
}

// beside is the same journey at the second browser.
func (j *journey) beside() *journey {
	other := *j
	other.browser = j.town.second
	return &other
}

// says is an expression that is true when the page says a sentence of the
// catalogue.
func (j *journey) says(key string, args ...any) string {
	return `document.body.innerText.includes(` + quoted(j.words.T(key, args...)) + `)`
}

// who is somebody as events name them.
func (j *journey) who(p person) string { return j.words.T("event.person", p.name) }

// enter gives the browser somebody's session and shows the open tickets.
func (j *journey) enter(p person) {
	j.t.Helper()
	for _, cookie := range j.town.session(p) {
		j.do("be "+p.name, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: j.town.program.web, HTTPOnly: new(true)})
			return err
		}))
	}
	j.open("/inbox/open")
	j.until(`document.documentElement.lang === ` + quoted(string(j.language)) + ` && document.querySelector("#me .me-name b").textContent === ` + quoted(p.name))
}

// session logs somebody in, the first time they are needed.
func (w *town) session(p person) []*http.Cookie {
	w.t.Helper()
	if w.sessions[p.email] == nil {
		client := w.program.loginAs(w.t, p.email)
		address, err := url.Parse(w.program.web)
		if err != nil {
			w.t.Fatal(err)
		}
		w.sessions[p.email] = client.Jar.Cookies(address)
	}
	return w.sessions[p.email]
}

// open goes to a page and waits for its modules and its live stream.
func (j *journey) open(path string) {
	j.t.Helper()
	j.do("go to "+path, chromedp.Navigate(j.town.program.web+path))
	j.ready()
}

func (j *journey) ready() {
	j.t.Helper()
	j.until(`document.readyState === "complete" && (!document.querySelector("#live") || document.documentElement.dataset.live === "yes")`)
}

func (j *journey) click(selector string) {
	j.t.Helper()
	j.do("press "+selector, click(chromedp.CSS(selector)))
}

// fill puts text into the field of a form.
func (j *journey) fill(selector, text string) {
	j.t.Helper()
	j.do("fill in "+selector, typed(chromedp.CSS(selector), text))
}

// leave takes the focus out of every field, so that keys are commands again.
func (j *journey) leave() {
	j.t.Helper()
	j.eval(`document.activeElement.blur()`)
}

// mailbox is the address of somebody at the customers' own domain, with their
// name; each journey has customers of its own.
func (j *journey) mailboxOf(name, local string) string {
	return fmt.Sprintf("%s <%s.%s@customer.test>", name, local, j.language)
}

func addressOf(mailbox string) string {
	_, address, _ := strings.Cut(strings.TrimSuffix(mailbox, ">"), "<")
	return address
}

// arrive lets a mail come in by SMTP, by default to the team's alias with its
// usual question, and returns the number of its ticket.
func (j *journey) arrive(m writing) int {
	j.t.Helper()
	j.town.mails++
	if m.to == "" {
		m.to = j.alias
	}
	if m.subject == "" {
		m.subject = j.subject
	}
	if m.text == "" {
		m.text = j.question
	}
	m.messageID = fmt.Sprintf("%d.%s@customer.test", j.town.mails, j.language)
	send(j.t, j.town.program.smtp, addressOf(m.from), m.to, m.iso2022jp(j.t))
	var page ticketPage
	j.town.api.get(j.t, "/tickets?limit=1&sort=newest", &page)
	return page.Tickets[0].Number
}

// answered posts a reply and returns the address at which its customer answers.
func (j *journey) answered(number int) string {
	j.t.Helper()
	if status := j.town.api.do(j.t, http.MethodPost, fmt.Sprintf("/tickets/%d/replies", number), nil, map[string]string{"text": j.answer}, nil); status >= 300 {
		j.t.Fatalf("answer #%d: %d", number, status)
	}
	messages := j.town.api.ticket(j.t, number).Messages
	return messages[len(messages)-1].ReplyAddress
}

// row is an expression that is true when a list has the row of a ticket.
func row(number int) string { return fmt.Sprintf(`document.querySelector("#row-%d")`, number) }

// shown is one that is true when a ticket is open and has its editor.
func shownTicket(number int) string {
	return fmt.Sprintf(`document.querySelector("#ticket")?.dataset.number === "%d" && document.querySelector(".editor")`, number)
}

// flow is one that is true when the open conversation has words.
func flow(words string) string {
	return `document.querySelector("#flow")?.innerText.includes(` + quoted(words) + `)`
}
