package card

// Card is what is shown beside a customer's mail.
type Card struct {
	Title    string
	Link     string // of the customer's page there, or ""
	Sections []Section
	// Notes say what of the answer was left out and why, for who writes the other
	// side: "sections[0].links[1].url: not an https or http address".
	Notes []string
	// Known is false where the other side does not know the customer.
	Known bool
}

// Section is a group of facts with a heading.
type Section struct {
	Title    string
	Fields   []Field
	Orders   []Order
	Pictures []Picture
	Links    []Link
}

// Kind is what a value is.
type Kind string

// The kinds of values.
const (
	Text  Kind = "text"
	Date  Kind = "date"  // RFC 3339, a day or a moment
	Money Kind = "money" // a decimal amount, with a currency
	URL   Kind = "link"
	Badge Kind = "badge" // a word on a coloured ground
)

// Tone colours a badge.
type Tone string

// The tones.
const (
	Plain Tone = "plain"
	Good  Tone = "good"
	Warn  Tone = "warn"
	Bad   Tone = "bad"
)

// Field is a labelled value.
type Field struct {
	Label string
	Value
}

// Value is one value. Text is as the other side wrote it, of a date or an amount
// too; an amount is a decimal number.
type Value struct {
	Kind     Kind
	Text     string
	Currency string // ISO 4217, of Money
	Link     string // where the value leads, or ""
	Tone     Tone   // of a Badge
}

// Order is something that the customer bought.
type Order struct {
	Number string
	Link   string // or ""
	Date   string // RFC 3339, or ""
	Total  *Value // Money, or nil
	Status *Value // a Badge, or nil
	Items  []string
}

// Picture is an image at an address that strangers named: it is fetched through
// a proxy, never by a browser.
type Picture struct{ Address, Caption, Link string }

// Link leads to a page of the other side.
type Link struct{ Label, Address string }
