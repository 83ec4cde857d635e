package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// dmarcConfig chooses what is done with mail that fails DMARC, by what its From
// domain asks for.
type dmarcConfig struct {
	Reject     string `toml:"reject"`
	Quarantine string `toml:"quarantine"`
	None       string `toml:"none"`
}

func (c dmarcConfig) handling() helpdesk.DMARCHandling {
	return helpdesk.DMARCHandling{Reject: helpdesk.Handling(c.Reject), Quarantine: helpdesk.Handling(c.Quarantine), None: helpdesk.Handling(c.None)}
}

func (k *checker) quarantine(c incomingConfig) {
	for _, choice := range [][2]string{{"reject", c.DMARC.Reject}, {"quarantine", c.DMARC.Quarantine}, {"none", c.DMARC.None}} {
		k.oneOf("incoming.dmarc."+choice[0], choice[1], string(helpdesk.HandleAccept), string(helpdesk.HandleQuarantine), string(helpdesk.HandleRefuse))
	}
	k.positive("incoming.quarantine_keep", int64(c.QuarantineKeep.Duration))
}

// reportsConfig is where others report to.
type reportsConfig struct {
	DMARC string `toml:"dmarc"`
	TLS   string `toml:"tls"`
}

// tls is the address for reports on encryption, "" for none.
func (c reportsConfig) tls() string { return cmp.Or(c.TLS, c.DMARC) }

// addresses are those that take reports, of either kind.
func (c reportsConfig) addresses() []string {
	return slices.Compact(slices.DeleteFunc([]string{c.DMARC, c.tls()}, func(address string) bool { return address == "" }))
}

func (k *checker) reports(c reportsConfig) {
	for key, address := range map[string]string{"dmarc": c.DMARC, "tls": c.TLS} {
		local, domain, found := strings.Cut(address, "@")
		if address != "" && (!found || local == "" || !strings.Contains(domain, ".") || strings.ContainsAny(address, " <>,")) {
			k.add("reports."+key, `%q is no mail address; write one of a domain of yours, such as "reports@example.com"`, address)
		}
	}
}
