package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/signon"
	"github.com/madoguchi/madoguchi/ui"
)

// oidcConfig is the house's single sign-on; none without an issuer.
type oidcConfig struct {
	Issuer           string   `toml:"issuer"`
	ClientID         string   `toml:"client_id"`
	ClientSecret     string   `toml:"client_secret"`
	ClientSecretFile string   `toml:"client_secret_file"`
	Name             string   `toml:"name"`
	Scopes           []string `toml:"scopes"`
	Domains          []string `toml:"domains"`
	ProvisionRole    string   `toml:"provision_role"`
	Only             bool     `toml:"only"`
}

func (c *checker) oidc(o oidcConfig, web webConfig) {
	if o.Issuer == "" {
		if o.Only {
			c.add("oidc.only", "there is no oidc.issuer, so nobody could log in")
		}
		return
	}
	if u, err := url.Parse(o.Issuer); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		c.add("oidc.issuer", `%q is not the address of a provider; write it like "https://login.example.com"`, o.Issuer)
	} else if u.Scheme == "http" && !onThisHost(u.Hostname()) {
		c.add("oidc.issuer", `%q is not https: everybody on the way could read the client's secret and log in as anybody; only a provider on this very host may be asked without`, o.Issuer)
	}
	if o.ClientID == "" {
		c.add("oidc.client_id", "is missing: the name under which this server is registered with the provider")
	}
	if o.ClientSecret != "" && o.ClientSecretFile != "" {
		c.add("oidc.client_secret_file", "give oidc.client_secret or oidc.client_secret_file, not both")
	}
	if web.URL == "" {
		c.add("oidc.issuer", `needs web.url beside it, such as "https://desk.example.com": the provider sends people back there`)
	}
	for _, domain := range o.Domains {
		if strings.ContainsAny(domain, "@/ ") || !strings.Contains(domain, ".") {
			c.add("oidc.domains", `%q is not a domain; write it like "example.com"`, domain)
		}
	}
}

// onThisHost reports whether a host's name or address never leaves this machine.
func onThisHost(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// signOn is how identities become users.
func (o oidcConfig) signOn() helpdesk.SignOn {
	if o.Issuer == "" {
		return helpdesk.SignOn{}
	}
	return helpdesk.SignOn{Issuer: o.Issuer, Provision: helpdesk.Role(o.ProvisionRole), Domains: o.Domains, Only: o.Only}
}

// name is what the provider is called on the login page.
func (o oidcConfig) name() string {
	host := ""
	if u, err := url.Parse(o.Issuer); err == nil {
		host = u.Host
	}
	return cmp.Or(o.Name, host)
}

// pagesPolicy is what the pages say of the file, with its provider.
func (c *config) pagesPolicy(provider ui.SignOn) ui.Policy {
	return ui.Policy{SignOn: provider, SignOnName: c.OIDC.name(), SignOnOnly: c.OIDC.Only,
		Greylisting: c.Incoming.Greylist.Enabled, ReportAddresses: c.Reports.addresses()}
}

// provider returns the sign-on provider, nil for none.
func (c *config) provider() (ui.SignOn, error) {
	o := c.OIDC
	if o.Issuer == "" {
		return nil, nil
	}
	secret := o.ClientSecret
	if o.ClientSecretFile != "" {
		text, err := os.ReadFile(o.ClientSecretFile)
		if err != nil {
			return nil, fmt.Errorf("oidc.client_secret_file: %w", err)
		}
		secret = strings.TrimSpace(string(text))
	}
	return signon.New(signon.Config{Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: secret, Scopes: o.Scopes,
		Redirect: strings.TrimSuffix(c.Web.URL, "/") + ui.SignOnCallback}), nil
}
