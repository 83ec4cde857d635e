package migrate

import (
	"fmt"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// addressOf reads one address as it stands in a mail's header.
func addressOf(text string) helpdesk.Address {
	if list := addressesOf(text); len(list) > 0 {
		return list[0]
	}
	return helpdesk.Address{}
}

// addressesOf reads a list of addresses as it stands in a mail's header.
func addressesOf(text string) (list []helpdesk.Address) {
	for _, a := range mail.Parse(fmt.Appendf(nil, "To: %s\r\n\r\n", text)).To {
		if a.Address != "" {
			list = append(list, helpdesk.Address{Name: a.Name, Email: a.Address})
		}
	}
	return list
}

// plain is the text of HTML.
func plain(html string) string {
	return mail.Parse(fmt.Appendf(nil, "Content-Type: text/html; charset=utf-8\r\n\r\n%s", html)).Text
}
