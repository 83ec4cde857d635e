package helpdesk

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// TrustedSender is a sender whose mail is received though it fails its domain's
// policy, or a filter suspects it: only together with a proof, since the From
// field alone can be written by anybody.
type TrustedSender struct {
	// Pattern is a mail address, or a domain without those below it; lower case.
	Pattern string
	Proof   Proof
	By      string // user id
	At      time.Time
}

// ID names the entry among all.
func (t *TrustedSender) ID() string { return t.Pattern + " " + t.Proof.String() }

// Proof is what a mail has that its author cannot make up.
type Proof struct {
	Kind  ProofKind
	Value string
}

// ProofKind names a proof.
type ProofKind string

// The proofs, the strongest first, and what their value is.
const (
	ProofDKIM    ProofKind = "dkim"    // a domain whose signature verifies
	ProofSPF     ProofKind = "spf"     // the envelope sender's domain, for which SPF passes
	ProofNetwork ProofKind = "network" // the network of the client: an IPv4 /24 or an IPv6 /64
)

// String writes "dkim:example.com".
func (p Proof) String() string {
	if p.Kind == "" {
		return ""
	}
	return string(p.Kind) + ":" + p.Value
}

// ParseProof reads what Proof.String writes.
func ParseProof(s string) (Proof, error) {
	kind, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(s)), ":")
	p := Proof{ProofKind(kind), value}
	if (p.Kind != ProofDKIM && p.Kind != ProofSPF && p.Kind != ProofNetwork) || value == "" {
		return Proof{}, invalid("proof", "proof_invalid", "proof %q is not one of dkim:DOMAIN, spf:DOMAIN, network:PREFIX", s)
	}
	return p, nil
}

// Trusting is the decision to trust a quarantined mail's sender.
type Trusting struct {
	// Sender is what of the From field is trusted.
	Sender TrustedPart
	// Proof is which of the mail's own proofs has to be there; the zero value
	// stands for the strongest.
	Proof Proof
}

// TrustedPart is what of an address is trusted.
type TrustedPart string

// The parts.
const (
	TrustAddress TrustedPart = "address"
	TrustDomain  TrustedPart = "domain" // every address of the domain; it takes PermitAliases
)

// proofsOf are the proofs that a mail has, the strongest first: those of the sender's
// own domain before those of others, and those that anybody can have last.
func proofsOf(m *Message) (list []Proof) {
	for _, signature := range m.Authentication.DKIM {
		if signature.Result == "pass" && signature.Domain != "" {
			list = appendNew(list, Proof{ProofDKIM, strings.ToLower(signature.Domain)})
		}
	}
	if spf := m.Authentication.SPF; spf.Result == "pass" && spf.Domain != "" {
		list = append(list, Proof{ProofSPF, strings.ToLower(spf.Domain)})
	}
	if network := networkOf(m.Envelope.RemoteIP); network != "" {
		list = append(list, Proof{ProofNetwork, network})
	}
	slices.SortStableFunc(list, func(a, b Proof) int { return cmp.Compare(a.weakness(m), b.weakness(m)) })
	return list
}

func (p Proof) weakness(m *Message) int {
	switch p.Risk(m.From.Email) {
	case "":
		if p.Kind == ProofNetwork { // nobody knows who else sends from there
			return 1
		}
		return 0
	case RiskOther:
		return 1
	}
	return 2
}

// networkOf is the network that an address belongs to, as far as one party is
// likely to have all of it; "" where there is no address.
func networkOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	bits := 64
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		bits = 24
	}
	network, err := ip.Prefix(bits)
	if err != nil {
		return ""
	}
	return network.String()
}

// trustedAs returns the entry under which a mail's sender is trusted, or nil.
func trustedAs(r store.Reader, m *Message) (*TrustedSender, error) {
	if m.From.Email == "" {
		return nil, nil
	}
	for _, pattern := range []string{m.From.Email, domainOf(m.From.Email)} {
		for _, proof := range proofsOf(m) {
			t, err := optional(trustedSenders.Get(r, key(pattern, proof.String())))
			if err != nil || t != nil {
				return t, err
			}
		}
	}
	return nil, nil
}

// trust makes the entry for the sender of a quarantined mail.
func (c *command) trust(m *Message, wanted Trusting) error {
	proofs := proofsOf(m)
	if len(proofs) == 0 || m.From.Email == "" {
		return conflict("trust_no_proof", "nothing of this mail can be proven, so its sender cannot be trusted; release it without that")
	}
	proof := wanted.Proof
	if proof.Kind == "" {
		proof = proofs[0]
	}
	if !slices.Contains(proofs, proof) {
		return invalid("proof", "trust_other_proof", "this mail does not come with the proof %s; it has %s", proof, proofNames(proofs))
	}
	t := &TrustedSender{Proof: proof, By: c.actor.UserID, At: c.now}
	switch wanted.Sender {
	case TrustAddress:
		t.Pattern = m.From.Email
	case TrustDomain:
		if err := c.actor.may("trust a whole domain", PermitAliases); err != nil {
			return err
		}
		t.Pattern = domainOf(m.From.Email)
	default:
		return invalid("sender", "trust_part", "trust %q is not one of address, domain", string(wanted.Sender))
	}
	if has, err := trustedSenders.Has(c, key(t.Pattern, proof.String())); err != nil || has {
		return err
	}
	if err := trustedSenders.Put(c, t); err != nil {
		return err
	}
	_, err := c.record(Event{Kind: EventSenderTrusted, Data: map[string]string{"sender": t.Pattern, "proof": proof.String(), "mail": m.ID}})
	return err
}

func proofNames(list []Proof) string {
	var names []string
	for _, p := range list {
		names = append(names, p.String())
	}
	return strings.Join(names, ", ")
}

// TrustedSenders returns the trusted senders, the newest first.
func (d *Desk) TrustedSenders(ctx context.Context, a Actor) ([]TrustedSender, error) {
	if err := a.may("read the trusted senders", PermitQuarantine); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, trustedSenders, func(a, b TrustedSender) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID(), b.ID()))
	})
}

// Distrust takes a trusted sender off the list: its mail is judged like all mail
// from now on.
func (d *Desk) Distrust(ctx context.Context, a Actor, pattern string, proof Proof) error {
	if err := a.may("revoke the trust in a sender", PermitQuarantine); err != nil {
		return err
	}
	pattern = strings.ToLower(strings.TrimSpace(pattern))
	return d.update(ctx, a, func(c *command) error {
		t, err := trustedSenders.Get(c, key(pattern, proof.String()))
		if _, err = found(t, err, "trusted sender", fmt.Sprintf("%s with %s", pattern, proof)); err != nil {
			return err
		}
		if err := trustedSenders.Delete(c, key(pattern, proof.String())); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventSenderDistrusted, Data: map[string]string{"sender": pattern, "proof": proof.String()}})
		return err
	})
}

var trustedSenders = store.NewTable(store.Spec[TrustedSender]{Name: "trusted", Version: 1,
	Key: func(t *TrustedSender) []byte { return key(t.Pattern, t.Proof.String()) }})
