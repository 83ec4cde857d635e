package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// inspectionEnvelope is the SMTP session that a mail is said to have come in.
type inspectionEnvelope struct {
	remoteIP, helo, mailFrom, resolver string
}

func (e *inspectionEnvelope) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&e.remoteIP, "remote-ip", "", "address of the client that sent it")
	cmd.Flags().StringVar(&e.helo, "helo", "", "name the client gave in HELO or EHLO")
	cmd.Flags().StringVar(&e.mailFrom, "mail-from", "", "envelope sender; empty for a bounce")
	cmd.Flags().StringVar(&e.resolver, "resolver", "", "name server to ask, host:port (default: that of the configuration, or the system's)")
}

// inspectionAuthentication holds result words of RFC 8601, section 2.7.
type inspectionAuthentication struct {
	SPF   auth.Result      `json:"spf"`
	DKIM  []inspectionDKIM `json:"dkim"`
	DMARC auth.Result      `json:"dmarc"`
	ARC   string           `json:"arc"`
	// Forwarder is the trusted domain whose seal proves the sender, or "".
	Forwarder string `json:"forwarder"`
	// Reasons say why, by mechanism, where there is something to say.
	Reasons map[string]string `json:"reasons"`
}

type inspectionDKIM struct {
	Domain string      `json:"domain"`
	Result auth.Result `json:"result"`
	Reason string      `json:"reason"`
}

// verify asks DNS about the sender, and believes the forwarders that the listener
// of the configuration believes; the verdict is nil when no flag speaks of a session.
func (e *inspectionEnvelope) verify(cmd *cobra.Command, raw []byte, forwarders []string, resolver string) (*auth.Verdict, error) {
	if !slices.ContainsFunc([]string{"remote-ip", "helo", "mail-from", "resolver"}, cmd.Flags().Changed) {
		return nil, nil
	}
	request := auth.Request{HELO: e.helo, MailFrom: e.mailFrom, Raw: raw}
	if e.remoteIP != "" {
		ip, err := netip.ParseAddr(e.remoteIP)
		if err != nil {
			return nil, fmt.Errorf("--remote-ip %q is no IP address; write it like 192.0.2.7 or 2001:db8::7", e.remoteIP)
		}
		request.RemoteIP = ip
	}
	verifier := &auth.Verifier{Resolver: auth.NewResolver(cmp.Or(e.resolver, resolver)), Forwarders: forwarders}
	verdict := verifier.Verify(cmd.Context(), request).SeenAs(mail.Parse(raw).From.Address)
	return &verdict, nil
}

// session is what a rehearsal is told of the session; empty when no flag speaks
// of one. by is who rehearses.
func (e *inspectionEnvelope) session(cmd *cobra.Command, raw []byte, by status) (rehearsalSession, error) {
	verdict, err := e.verify(cmd, raw, by.Forwarders, by.Resolver)
	if verdict == nil || err != nil {
		return rehearsalSession{}, err
	}
	found := authentication(*verdict, e.helo)
	return rehearsalSession{RemoteIP: e.remoteIP, HELO: e.helo, MailFrom: e.mailFrom, Authentication: &found}, nil
}

// authenticate is nil when no flag speaks of a session.
func (e *inspectionEnvelope) authenticate(cmd *cobra.Command, raw []byte, c config) (*inspectionAuthentication, error) {
	verdict, err := e.verify(cmd, raw, c.Incoming.TrustedForwarders, c.DNS.Resolver)
	if verdict == nil || err != nil {
		return nil, err
	}
	a := &inspectionAuthentication{
		SPF: verdict.SPF.Result, DKIM: []inspectionDKIM{}, DMARC: verdict.DMARC.Result, ARC: verdict.ARC, Forwarder: verdict.Forwarder,
		Reasons: map[string]string{"spf": verdict.SPF.Reason, "dmarc": verdict.DMARC.Reason},
	}
	for _, signature := range verdict.DKIM {
		a.DKIM = append(a.DKIM, inspectionDKIM{signature.Domain, signature.Result, signature.Reason})
	}
	return a, nil
}
