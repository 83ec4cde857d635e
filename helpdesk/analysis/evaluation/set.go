// Package evaluation measures how well a model reads mails and matches them
// with templates: it asks the model about mails that people have labelled, and
// counts where they agree.
package evaluation

import (
	"bufio"
	"bytes"
	_ "embed" // the mails below
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Set is a list of labelled mails, with the templates that they are matched
// with.
type Set struct {
	Name      string
	Templates map[string]Templates
	Mails     []Mail
}

// Templates are what a smart service would choose from; one line of a set.
type Templates struct {
	Name     string     `json:"templates"`
	Language string     `json:"language"` // ISO 639-1
	Choices  []Template `json:"choices"`
}

// Template is one prepared answer.
type Template struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Text string `json:"text"`
}

// Mail is a mail with what a careful reader finds in it; one line of a set.
type Mail struct {
	ID      string   `json:"id"`
	Kinds   []string `json:"kinds,omitempty"` // "sarcasm", "two-topics": to see what a model is bad at
	Subject string   `json:"subject"`
	From    string   `json:"from,omitempty"`
	Text    string   `json:"text"`
	// Expect has the values of each finding that is judged, as
	// helpdesk.Analysis.Values gives them. "a|b" accepts either, the first being the
	// better one. Of a text or a list they are words that have to be named; an
	// empty list says that nothing may be found.
	Expect map[helpdesk.Finding][]string `json:"expect"`
	// Template is the id of the right choice of Templates, or "none"; alternatives
	// as above.
	Templates string `json:"templates,omitempty"`
	Template  string `json:"template,omitempty"`
}

// None is the right choice where no template answers a mail.
const None = "none"

//go:embed mails.jsonl
var builtin []byte

// Builtin returns the set that comes with the program: mails in Japanese and
// English, and a few in other languages, to an invented maker of stock-keeping
// software.
func Builtin() (*Set, error) { return Read(bytes.NewReader(builtin), "the built-in set") }

// maxLine bounds a line of a set, in bytes.
const maxLine = 4 << 20

// Read reads a set: one JSON object a line, templates before the mails that name
// them. The error names the line.
func Read(r io.Reader, name string) (*Set, error) {
	s := &Set{Name: name, Templates: map[string]Templates{}}
	known := map[string]bool{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff")))
		if len(line) == 0 {
			continue
		}
		if err := s.add(line, known); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s after line %d: %w", name, number, err)
	}
	if len(s.Mails) == 0 {
		return nil, fmt.Errorf("%s has no mails; a line is like %s", name, exampleLine)
	}
	return s, nil
}

const exampleLine = `{"id":"1","subject":"Invoice","text":"Please send it again.","expect":{"reply_type":["standard"]}}`

func (s *Set) add(line []byte, known map[string]bool) error {
	var kind struct{ Choices json.RawMessage }
	if err := json.Unmarshal(line, &kind); err != nil {
		return fmt.Errorf("it is not one JSON object: %w", err)
	}
	if kind.Choices != nil {
		var t Templates
		if err := strictly(line, &t); err != nil {
			return err
		}
		s.Templates[t.Name] = t
		return t.check()
	}
	var m Mail
	if err := strictly(line, &m); err != nil {
		return err
	}
	if m.ID == "" || known[m.ID] {
		return fmt.Errorf("a mail needs an id of its own, not %q", m.ID)
	}
	known[m.ID] = true
	s.Mails = append(s.Mails, m)
	return s.check(&m)
}

func strictly(line []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return fmt.Errorf("it does not fit: %w", err)
	}
	return nil
}

func (t *Templates) check() error {
	ids := map[string]bool{None: true, "": true}
	for _, c := range t.Choices {
		if ids[c.ID] {
			return fmt.Errorf("a template of %q needs an id of its own, not %q", t.Name, c.ID)
		}
		ids[c.ID] = true
	}
	if t.Name == "" || len(t.Choices) == 0 {
		return errors.New("templates need a name and at least one choice")
	}
	return nil
}

func (s *Set) check(m *Mail) error {
	if strings.TrimSpace(m.Text) == "" {
		return fmt.Errorf("mail %s has no text", m.ID)
	}
	for _, finding := range slices.Sorted(maps.Keys(m.Expect)) {
		values := m.Expect[finding]
		choices := finding.Choices()
		switch {
		case finding.Kind() == "":
			return fmt.Errorf("mail %s expects %q; findings are %s", m.ID, finding, names(helpdesk.Findings()))
		case finding.Kind() == helpdesk.FindingChoice && len(values) != 1:
			return fmt.Errorf("mail %s expects %d values of %s; it has one", m.ID, len(values), finding)
		case finding.Kind() != helpdesk.FindingChoice:
			continue
		}
		for _, value := range alternatives(values[0]) {
			if !slices.Contains(choices, value) {
				return fmt.Errorf("mail %s expects %s to be %q; it is one of %s", m.ID, finding, value, strings.Join(choices, ", "))
			}
		}
	}
	if m.Templates == "" {
		if m.Template != "" {
			return fmt.Errorf("mail %s has a template, and does not say of which templates", m.ID)
		}
		return nil
	}
	t, found := s.Templates[m.Templates]
	if !found {
		return fmt.Errorf("mail %s is of the templates %q, which no line before it has", m.ID, m.Templates)
	}
	for _, id := range alternatives(m.Template) {
		if id != None && !slices.ContainsFunc(t.Choices, func(c Template) bool { return c.ID == id }) {
			return fmt.Errorf("mail %s expects the template %q, which %q does not have", m.ID, id, m.Templates)
		}
	}
	return nil
}

func alternatives(value string) []string { return strings.Split(value, "|") }

func names(list []helpdesk.Finding) string {
	var b strings.Builder
	for i, f := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(f))
	}
	return b.String()
}

// Part returns a set of at most n mails, taken evenly from s.
func (s *Set) Part(n int) *Set {
	if n <= 0 || n >= len(s.Mails) {
		return s
	}
	part := &Set{Name: s.Name, Templates: s.Templates}
	for i := range n {
		part.Mails = append(part.Mails, s.Mails[i*len(s.Mails)/n])
	}
	return part
}

// Corrected is a mail whose analysis people corrected, as a line of a set. Only
// what they corrected is judged: nobody said that the rest is right.
func Corrected(c helpdesk.CorrectedMail) Mail {
	m := Mail{ID: c.Input.MessageID, Kinds: []string{"corrected"}, Subject: c.Input.Subject, From: c.Input.From, Text: c.Input.Text,
		Expect: map[helpdesk.Finding][]string{}}
	for finding, correction := range c.Analysis.Corrections {
		values := make([]string, 0, len(correction.Values)) // an empty list says: nothing
		for _, v := range correction.Values {
			values = append(values, strings.ReplaceAll(v, "|", "/")) // which would mean alternatives
		}
		m.Expect[finding] = values
	}
	return m
}

// WriteMail writes a mail as a line of a set.
func WriteMail(w io.Writer, m Mail) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(m)
}
