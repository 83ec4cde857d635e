package ui

import (
	"github.com/madoguchi/madoguchi/ui/locale"
)

// reportShapes are why a mail to the address of reports brings none (package report), and what says the same in the
// catalogue.
var reportShapes = shapes("quarantine.report.", [][2]string{
	{"none", `it has no file with a report`},
	{"many", `(\d+) reports within a day are enough`},
	{"reporter", `no report on a domain: it does not say who reports, or has no id`},
	{"domain", `no report on a domain: it names no domain`},
	{"period", `no report on a domain: its period from (.+) to (.+) cannot be`},
	{"zip_empty", `no report on a domain: the zip holds no file`},
	{"zip_many", `no report on a domain: the zip holds (\d+) files`},
	{"elements", `no report on a domain: it has too many elements`},
	{"document_type", `no report on a domain: it declares a document type`},
	{"deep", `no report on a domain: its elements are nested too deeply`},
	{"large", `no report on a domain: it is larger than 16 MiB unpacked`},
	{"other", `no report on a domain: (.+)`},
})

// webhookShapes are why an attempt at a webhook had no answer, our own words and those of the network that are met most.
var webhookShapes = shapes("webhook.why.", [][2]string{
	{"slow", `no answer within (\d+)s`},
	{"inside", `connect to (.+): refused: .+; name the network in \[webhooks\] allow_networks where it is one of the house's own`},
	{"refused", `dial tcp (\S+): connect: connection refused`},
	{"no_host", `(?:dial tcp: )?lookup (\S+?)(?: on \S+)?: no such host`},
	{"certificate", `tls: failed to verify certificate: (.+)`},
	{"ended", `EOF`},
})

// describeReport says in the reader's language why a mail brings no report; what no sentence is known for, as it is.
func describeReport(p locale.Printer, line string) string {
	return describeShape(p, reportShapes, line)
}

// describeAttempt says in the reader's language why an attempt at a webhook had no answer; what no sentence is known for,
// as it is.
func describeAttempt(p locale.Printer, line string) string {
	return describeShape(p, webhookShapes, line)
}
