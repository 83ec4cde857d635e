package card

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of an answer. What is beyond them is left out, and a note says so.
const (
	maxAnswer   = 256 << 10 // bytes
	maxSections = 8
	maxFields   = 30
	maxOrders   = 20
	maxItems    = 20
	maxPictures = 12
	maxLinks    = 20
	maxWords    = 500 // characters of one text
	maxAddress  = 2000
	maxNotes    = 20
)

// answer is the JSON of the other side.
type answer struct {
	Title    words           `json:"title"`
	URL      words           `json:"url"`
	Sections []answerSection `json:"sections"`
}

type answerSection struct {
	Title    words           `json:"title"`
	Fields   []answerField   `json:"fields"`
	Orders   []answerOrder   `json:"orders"`
	Pictures []answerPicture `json:"pictures"`
	Links    []answerLink    `json:"links"`
}

type answerField struct {
	Label words `json:"label"`
	answerValue
}

type answerValue struct {
	Value    words `json:"value"`
	Kind     words `json:"kind"`
	Currency words `json:"currency"`
	URL      words `json:"url"`
	Tone     words `json:"tone"`
}

type answerOrder struct {
	Number words        `json:"number"`
	URL    words        `json:"url"`
	Date   words        `json:"date"`
	Total  *answerValue `json:"total"`
	Status *answerValue `json:"status"`
	Items  []words      `json:"items"`
}

type answerPicture struct {
	URL     words `json:"url"`
	Caption words `json:"caption"`
	Link    words `json:"link"`
}

type answerLink struct {
	Label words `json:"label"`
	URL   words `json:"url"`
}

// words are a text, or a number or truth value as it is written.
type words string

// UnmarshalJSON takes what can be shown as words.
func (w *words) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		var text string
		err := json.Unmarshal(data, &text)
		*w = words(text)
		return err
	case '{', '[':
		return fmt.Errorf("a text is wanted, not %.20s", data)
	case 'n':
		return nil
	}
	*w = words(data)
	return nil
}

// Read understands an answer. Its error says, in English, what of it cannot be
// JSON of a card at all; smaller faults are notes of the card.
func Read(body io.Reader) (*Card, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(data) > maxAnswer {
		return nil, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	var a answer
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&a); err != nil {
		return nil, fmt.Errorf("the answer is no JSON of a card: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("the answer goes on after its JSON object")
	}
	r := &reading{}
	c := &Card{Known: true, Title: r.text("title", a.Title), Link: r.address("url", a.URL)}
	for i, s := range head(r, "sections", a.Sections, maxSections) {
		if section := r.section(fmt.Sprintf("sections[%d]", i), s); !section.empty() {
			c.Sections = append(c.Sections, section)
		}
	}
	c.Notes = r.notes
	return c, nil
}

// reading gathers what was left out.
type reading struct{ notes []string }

func (r *reading) note(path, format string, args ...any) {
	if len(r.notes) < maxNotes {
		r.notes = append(r.notes, path+": "+fmt.Sprintf(format, args...))
	}
}

// head is the start of a list, as much as is shown.
func head[T any](r *reading, path string, list []T, limit int) []T {
	if len(list) > limit {
		r.note(path, "%d of %d are shown", limit, len(list))
		return list[:limit]
	}
	return list
}

// text is one line of words without what cannot be seen.
func (r *reading) text(path string, w words) string {
	clean := strings.Join(strings.FieldsFunc(string(w), func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
	clean = strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Cf, c) || c == utf8.RuneError { // also those that turn the direction of a text
			return -1
		}
		return c
	}, clean)
	if utf8.RuneCountInString(clean) > maxWords {
		r.note(path, "%d characters are shown", maxWords)
		clean = string([]rune(clean)[:maxWords-1]) + "…"
	}
	return clean
}

// address is an http or https address, or "".
func (r *reading) address(path string, w words) string {
	text := strings.TrimSpace(string(w))
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || len(text) > maxAddress {
		r.note(path, "not an https or http address")
		return ""
	}
	return u.String()
}

func (r *reading) section(path string, s answerSection) Section {
	out := Section{Title: r.text(path+".title", s.Title)}
	for i, f := range head(r, path+".fields", s.Fields, maxFields) {
		at := fmt.Sprintf("%s.fields[%d]", path, i)
		if v := r.value(at, f.answerValue, Text); v.Text != "" {
			out.Fields = append(out.Fields, Field{r.text(at+".label", f.Label), v})
		}
	}
	for i, o := range head(r, path+".orders", s.Orders, maxOrders) {
		out.Orders = append(out.Orders, r.order(fmt.Sprintf("%s.orders[%d]", path, i), o))
	}
	for i, p := range head(r, path+".pictures", s.Pictures, maxPictures) {
		at := fmt.Sprintf("%s.pictures[%d]", path, i)
		if address := r.address(at+".url", p.URL); address != "" {
			out.Pictures = append(out.Pictures, Picture{address, r.text(at+".caption", p.Caption), r.address(at+".link", p.Link)})
		}
	}
	for i, l := range head(r, path+".links", s.Links, maxLinks) {
		at := fmt.Sprintf("%s.links[%d]", path, i)
		if address := r.address(at+".url", l.URL); address != "" {
			label := r.text(at+".label", l.Label)
			if label == "" {
				label = address
			}
			out.Links = append(out.Links, Link{label, address})
		}
	}
	return out
}

func (s *Section) empty() bool {
	return len(s.Fields)+len(s.Orders)+len(s.Pictures)+len(s.Links) == 0
}

// value checks a value; without a kind it is of the usual one.
func (r *reading) value(path string, v answerValue, usual Kind) Value {
	out := Value{Kind: Kind(v.Kind), Text: r.text(path+".value", v.Value), Link: r.address(path+".url", v.URL)}
	if out.Kind == "" {
		out.Kind = usual
	}
	switch out.Kind {
	case Text:
	case Badge:
		out.Tone = Tone(v.Tone)
		if !slices.Contains([]Tone{Plain, Good, Warn, Bad}, out.Tone) {
			if out.Tone != "" {
				r.note(path+".tone", "%.40q is not plain, good, warn or bad", string(v.Tone))
			}
			out.Tone = Plain
		}
	case Date:
		if out.Text != "" && !isDate(out.Text) {
			r.note(path+".value", "not a date such as 2026-11-22")
			out.Kind = Text
		}
	case Money:
		out.Currency = strings.ToUpper(r.text(path+".currency", v.Currency))
		if amount, ok := plainAmount(out.Text); ok {
			out.Text = amount
		} else if out.Text != "" {
			r.note(path+".value", "not an amount such as 1200 or 12.50")
			out.Kind = Text
		}
		if len(out.Currency) != 3 && out.Currency != "" {
			r.note(path+".currency", "not a currency such as JPY")
			out.Currency = ""
		}
	case URL:
		if out.Link == "" {
			out.Link = r.address(path+".value", v.Value)
		}
		if out.Link == "" {
			out.Kind = Text
		}
	default:
		r.note(path+".kind", "%.40q is not text, date, money, link or badge", string(v.Kind))
		out.Kind = Text
	}
	return out
}

func isDate(text string) bool {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

// plainAmount is a decimal number with at most four digits behind its point.
func plainAmount(text string) (string, bool) {
	if len(text) > 24 || strings.Trim(text, "-0123456789.") != "" {
		return "", false
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return "", false
	}
	_, decimals, _ := strings.Cut(text, ".")
	return n.FloatString(min(len(decimals), 4)), true
}

func (r *reading) order(path string, o answerOrder) Order {
	out := Order{Number: r.text(path+".number", o.Number), Link: r.address(path+".url", o.URL)}
	if date := r.text(path+".date", o.Date); date != "" {
		if isDate(date) {
			out.Date = date
		} else {
			r.note(path+".date", "not a date such as 2026-11-22")
		}
	}
	if o.Total != nil {
		total := r.value(path+".total", *o.Total, Money)
		out.Total = &total
	}
	if o.Status != nil {
		status := r.value(path+".status", *o.Status, Badge)
		out.Status = &status
	}
	for i, item := range head(r, path+".items", o.Items, maxItems) {
		if line := r.text(fmt.Sprintf("%s.items[%d]", path, i), item); line != "" {
			out.Items = append(out.Items, line)
		}
	}
	return out
}
