package helpdesk

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// occasion is what a text with variables is filled for.
type occasion struct {
	language string
	contact  *Contact // nil where there is none yet
	ticket   *Ticket
	alias    *Alias
	agent    *User // nil for what is sent by itself
	company  string
	at       time.Time // in the zone in which its date is meant
}

// occasionOf reads what a text on a ticket is filled with.
func occasionOf(r store.Reader, t *Ticket, alias *Alias, userID string, at time.Time) (o occasion, err error) {
	o = occasion{ticket: t, alias: alias, at: at}
	if o.contact, err = optional(contacts.Get(r, key(t.ContactID))); err == nil && o.contact != nil {
		err = nameCompany(r, o.contact)
	}
	if err != nil {
		return o, err
	}
	if userID != "" {
		if o.agent, err = optional(users.Get(r, key(userID))); err != nil {
			return o, err
		}
	}
	house, err := optional(settings.Get(r, key("house")))
	if house != nil {
		o.company = house.Name
	}
	return o, err
}

// occasionNow is occasionOf for what is written now by no reader's clock: its date is
// that of the house, wherever the server stands.
func (d *Desk) occasionNow(r store.Reader, t *Ticket, alias *Alias, userID string) (occasion, error) {
	zone, err := d.houseZone(r)
	if err != nil {
		return occasion{}, err
	}
	return occasionOf(r, t, alias, userID, d.Now().In(zone))
}

// noSubject is what stands for the subject of a mail that has none.
var noSubject = map[string]string{"ja": "（件名なし）", "en": "(no subject)", "zh": "（无主题）", "ko": "(제목 없음)"}

// unknownCustomer is how somebody is addressed whose name is not known, and
// honorific what a name is followed by, in the languages that are known for it.
var (
	unknownCustomer = map[string]string{"ja": "お客様", "en": "there", "zh": "客户", "ko": "고객님"}
	honorific       = map[string]string{"ja": "様", "ko": "님"}
)

// honorifics are those that a name may have already.
var honorifics = []string{"様", "さま", "御中", "さん", "殿", "各位", "先生", "님"}

// values are what the variables stand for on this occasion. Those not known are
// left out.
func (o *occasion) values() values {
	language := baseLanguage(o.language)
	v := values{"date": dateIn(language, o.at)}
	known := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" {
			v[name] = value
		}
	}
	known("customer.name", unknownCustomer[language])
	known("customer.name_sama", unknownCustomer[language])
	if c := o.contact; c != nil {
		known("customer.email", c.Email)
		known("customer.company", c.Company)
		if name := oneLine(c.Name); name != "" && !strings.EqualFold(name, c.Email) {
			v["customer.name"], v["customer.name_sama"] = name, honoured(name, language)
		}
	}
	if t := o.ticket; t != nil {
		v["ticket.number"] = formatNumber(t.Number)
		known("ticket.subject", cmp.Or(oneLine(t.Subject), noSubject[language]))
	}
	if a := o.alias; a != nil {
		v["alias.address"] = a.Address
		v["alias.name"] = aliasName(a)
	}
	if o.agent != nil {
		known("agent.name", o.agent.Name)
		v["agent.signature"] = o.agent.Signature
	}
	known("company", cmp.Or(o.company, v["alias.name"]))
	return v
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func honoured(name, language string) string {
	if Honoured(name) {
		return name
	}
	return name + honorific[language]
}

// Honoured tells whether a name ends in an honorific, Japanese or Korean: 様, さん, 御中. It gets no second one.
func Honoured(name string) bool {
	name = strings.TrimSpace(name)
	return slices.ContainsFunc(honorifics, func(h string) bool { return strings.HasSuffix(name, h) })
}

func dateIn(language string, t time.Time) string {
	switch language {
	case "ja", "zh":
		return t.Format("2006年1月2日")
	case "ko":
		return t.Format("2006년 1월 2일")
	case "en":
		return t.Format("2 January 2006")
	}
	return t.Format(time.DateOnly)
}

// sampleOccasion is one that nobody's data is in, to show what a text becomes.
func sampleOccasion(language string, alias *Alias, agent *User, company string, at time.Time) occasion {
	contact, subject := &Contact{Name: "Alex Morgan", Email: "alex@example.com", Company: "Example Inc."}, "Question about my order"
	switch baseLanguage(language) {
	case "ja":
		contact, subject = &Contact{Name: "山田 太郎", Email: "yamada@example.com", Company: "株式会社サンプル"}, "ご注文について"
	case "zh":
		contact, subject = &Contact{Name: "王伟", Email: "wang@example.com", Company: "示例有限公司"}, "关于订单"
	case "ko":
		contact, subject = &Contact{Name: "김민준", Email: "kim@example.com", Company: "예시 주식회사"}, "주문 문의"
	}
	return occasion{language: language, contact: contact, ticket: &Ticket{Number: 1024, Subject: subject}, alias: alias, agent: agent, company: company, at: at}
}
