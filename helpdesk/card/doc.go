// Package card asks a house's own shop or CRM what it knows about a customer,
// and checks the answer: docs/customer-card.md is the protocol. The other side
// may be broken or hostile; what leaves this package is bounded, and its links
// are http or https.
package card
