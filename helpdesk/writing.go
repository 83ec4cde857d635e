package helpdesk

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// WritingTask names what a model is asked to write for somebody who works.
type WritingTask string

// The tasks. The first group writes into the reply, the second beside the
// conversation.
const (
	WriteDraft     WritingTask = "draft"     // a reply to the customer's newest mail
	WriteKeywords  WritingTask = "keywords"  // keywords made into a full text
	WriteShorter   WritingTask = "shorter"   // and the like: the text written again
	WriteLonger    WritingTask = "longer"    //
	WriteWarmer    WritingTask = "warmer"    //
	WriteFormal    WritingTask = "formal"    // in Japanese 敬語
	WriteClearer   WritingTask = "clearer"   //
	WriteTranslate WritingTask = "translate" // the reply in another language

	WriteMailTranslation WritingTask = "mail"    // one mail in another language
	WriteSummary         WritingTask = "summary" // of the conversation
	WriteWants           WritingTask = "wants"   // what the customer wants, what was promised
)

// WritingTasks lists all of them.
func WritingTasks() []WritingTask {
	return []WritingTask{WriteDraft, WriteKeywords, WriteShorter, WriteLonger, WriteWarmer, WriteFormal, WriteClearer, WriteTranslate,
		WriteMailTranslation, WriteSummary, WriteWants}
}

// Rewrites reports whether the task changes a text that was written.
func (t WritingTask) Rewrites() bool {
	switch t {
	case WriteShorter, WriteLonger, WriteWarmer, WriteFormal, WriteClearer, WriteTranslate:
		return true
	}
	return false
}

// Reads reports whether the task tells of the conversation and writes nothing
// that could be sent.
func (t WritingTask) Reads() bool {
	return t == WriteMailTranslation || t == WriteSummary || t == WriteWants
}

// MaxWritingText is how long a text may be that is given to a model to work on,
// in characters.
const MaxWritingText = 20_000

// WritingRequest asks for a text.
type WritingRequest struct {
	Ticket   uint64
	Task     WritingTask
	Text     string // keywords, or what is to be written again; of a draft what was begun
	Language string // ISO 639-1; "" for the customer's, or of a text that is written again its own
	Message  string // the mail to translate
	// To are all recipients of the reply that the text is for, of which the customer may
	// be none; Forward says that it passes a mail on.
	To      []Address
	Forward bool
	// Similar are tickets whose answers may serve as examples, best first.
	Similar []uint64
}

// Writing is all that a model is given for a task. Everything in it that
// somebody else wrote is data.
type Writing struct {
	Task     WritingTask
	Ticket   uint64
	Language string // to write in; "" for that of Text
	Subject  string
	Customer string // the customer's name, "" where unknown
	// Outside says that the letter goes to a third party, with whom Messages are then.
	Outside  bool
	Agent    string // who asks
	Text     string
	Messages []WritingMessage // oldest first
	// Templates and Answers serve as examples; no names or addresses of other
	// customers are in Answers.
	Templates []WritingTemplate
	Answers   []WritingAnswer
}

// WritingMessage is one message of the conversation.
type WritingMessage struct {
	ID       string
	Customer bool // written by a customer, not by us
	// ThirdParty says that it is of the exchange with somebody to whom a mail was
	// forwarded: theirs, or ours to them.
	ThirdParty bool
	Ours       bool // written by us
	From       string
	At         time.Time
	Text       string // the new words
}

// WritingTemplate is a template, filled for the customer.
type WritingTemplate struct{ Name, Text string }

// WritingAnswer is what a colleague answered to another customer.
type WritingAnswer struct {
	Ticket           uint64
	Question, Answer string
}

// Limits of the examples for a draft.
const (
	writingTemplates = 4
	writingAnswers   = 3
)

// Writing gathers what a model is given for a task. Notes and held mails are
// left out: they are not for the customer.
func (d *Desk) Writing(ctx context.Context, a Actor, q WritingRequest) (*Writing, error) {
	permission := PermitReply
	if q.Task.Reads() {
		permission = PermitRead
	}
	if err := a.may("have a text written", permission); err != nil {
		return nil, err
	}
	if !slices.Contains(WritingTasks(), q.Task) {
		return nil, &Error{Code: CodeInvalid, Field: "task", Key: "error.writing_task", Message: "there is no task \"" + string(q.Task) + "\""}
	}
	q.Text = strings.TrimSpace(q.Text)
	if q.Text == "" && (q.Task.Rewrites() || q.Task == WriteKeywords) {
		return nil, &Error{Code: CodeInvalid, Field: "text", Key: "error.writing_empty", Message: "there is no text to work on"}
	}
	if n := utf8.RuneCountInString(q.Text); n > MaxWritingText {
		return nil, &Error{Code: CodeInvalid, Field: "text", Key: "error.writing_long", Args: []any{n, MaxWritingText},
			Message: "the text is longer than a model is given at once"}
	}
	t, err := d.Ticket(ctx, a, q.Ticket)
	if err != nil {
		return nil, err
	}
	w := &Writing{Task: q.Task, Ticket: q.Ticket, Language: q.Language, Subject: t.Row.Ticket.Subject, Customer: t.Row.Contact.Name,
		Agent: a.Name, Text: q.Text}
	var outside bool
	err = d.view(ctx, func(r store.Reader) (err error) {
		outside, err = goesOutside(r, &t.Row.Ticket, q.To)
		return err
	})
	if err != nil {
		return nil, err
	}
	if q.Forward || outside {
		if q.Task == WriteDraft {
			return nil, &Error{Code: CodeConflict, Key: "error.writing_outside",
				Message: "this goes to a third party, and a draft would answer the customer: write keywords, and have them made into a letter"}
		}
		w.Outside = !q.Task.Rewrites() && !q.Task.Reads()
	}
	for _, m := range t.Messages {
		if w.Outside && !m.Message.ThirdParty {
			continue // what the customer wrote is not for others
		}
		if m.Message.Kind == KindPerson || m.Message.Direction == Outbound {
			w.Messages = append(w.Messages, writingMessage(m))
		}
	}
	return w, d.prepareWriting(ctx, a, q, t, w)
}

// prepareWriting adds what only some tasks need.
func (d *Desk) prepareWriting(ctx context.Context, a Actor, q WritingRequest, t *TicketView, w *Writing) error {
	switch {
	case q.Task == WriteMailTranslation:
		i := slices.IndexFunc(t.Messages, func(m MessageView) bool { return m.Message.ID == q.Message })
		if i < 0 {
			return notFound("message", q.Message)
		}
		w.Messages = []WritingMessage{writingMessage(t.Messages[i])}
		return nil
	case q.Task.Rewrites():
		return nil
	case q.Task.Reads() && len(w.Messages) == 0:
		return &Error{Code: CodeConflict, Key: "error.writing_nothing", Message: "the conversation has nothing to read"}
	case q.Task.Reads():
		return nil
	}
	offers, language, err := d.TemplateOffers(ctx, a, Matter{Ticket: q.Ticket})
	if err != nil {
		return err
	}
	if w.Outside {
		language = cmp.Or(w.theirLanguage(), language)
	}
	w.Language = cmp.Or(w.Language, language)
	if q.Task != WriteDraft {
		return nil
	}
	for _, o := range offers[:min(len(offers), writingTemplates)] {
		filled, err := d.FillTemplate(ctx, a, o.Template.ID, Matter{Ticket: q.Ticket}, w.Language, d.Now())
		if err != nil {
			return err
		}
		w.Templates = append(w.Templates, WritingTemplate{o.Template.Name, filled.Text})
	}
	return d.addAnswers(ctx, a, q.Similar, w)
}

// theirLanguage is that of the newest mail of a third party, or "".
func (w *Writing) theirLanguage() string {
	for _, m := range slices.Backward(w.Messages) {
		if !m.Ours {
			return DetectLanguage(m.Text)
		}
	}
	return ""
}

// addAnswers adds what colleagues answered on other tickets. A ticket that
// cannot be read any more is passed over.
func (d *Desk) addAnswers(ctx context.Context, a Actor, similar []uint64, w *Writing) error {
	for _, number := range similar {
		if number == w.Ticket || len(w.Answers) == writingAnswers {
			continue
		}
		t, err := d.TicketOutline(ctx, a, number)
		if CodeOf(err) == CodeNotFound {
			continue
		}
		if err != nil {
			return err
		}
		example, ok, err := d.answerOn(ctx, a, t, "…")
		if err != nil {
			return err
		}
		if ok {
			w.Answers = append(w.Answers, example)
		}
	}
	return nil
}

// answerOn is the last mail that was answered on a ticket, with its answer, read into its
// outline; gap stands for whom and what of a customer it names.
func (d *Desk) answerOn(ctx context.Context, a Actor, t *TicketView, gap string) (answer WritingAnswer, ok bool, err error) {
	asked, m := lastAnswered(t)
	if m == nil {
		return WritingAnswer{}, false, nil
	}
	if err := d.ReadBodies(ctx, a, t, func(other *MessageView) bool { return other == asked || other == m }); err != nil {
		return WritingAnswer{}, false, err
	}
	names := []string{t.Row.Contact.Name, t.Row.Contact.Email, asked.Message.From.Name, asked.Message.From.Email}
	return WritingAnswer{t.Row.Ticket.Number, withoutPeople(writingMessage(*asked).Text, names, "…"), withoutPeople(writingMessage(*m).Text, names, gap)}, true, nil
}

// lastAnswered finds the last of a ticket's mails that a colleague answered, with that
// answer; nil where there is none.
func lastAnswered(t *TicketView) (asked, answer *MessageView) {
	for i := len(t.Messages) - 1; i > 0; i-- {
		m := &t.Messages[i]
		if m.Message.Direction != Outbound || m.Message.AuthorID == "" || m.Message.ThirdParty {
			continue
		}
		for n := i - 1; n >= 0; n-- {
			if asked := &t.Messages[n]; asked.Message.Direction == Inbound && asked.Message.Kind == KindPerson && !asked.Message.ThirdParty {
				return asked, m
			}
		}
	}
	return nil, nil
}

// personal are addresses, and numbers long enough to be of somebody.
var personal = regexp.MustCompile(`[\w.+%-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+|\+?\d(?:[-() ]?\d){7,}`)

// withoutPeople takes out of an earlier conversation what must not come into a
// letter to another customer, and puts gap there.
func withoutPeople(text string, names []string, gap string) string {
	for _, name := range names {
		if name = strings.TrimSpace(name); name != "" {
			text = strings.ReplaceAll(text, name, gap)
			for _, part := range strings.Fields(name) { // 田村 美咲 signs as 田村
				if utf8.RuneCountInString(part) > 1 {
					text = strings.ReplaceAll(text, part, gap)
				}
			}
		}
	}
	return personal.ReplaceAllLiteralString(text, gap)
}

func writingMessage(m MessageView) WritingMessage {
	from := m.Message.From.Name
	if m.Message.Direction == Outbound {
		from = cmp.Or(m.AuthorName, from)
	}
	return WritingMessage{ID: m.Message.ID, Customer: m.Message.Direction == Inbound && !m.Message.ThirdParty,
		ThirdParty: m.Message.ThirdParty, Ours: m.Message.Direction == Outbound, From: cmp.Or(from, m.Message.From.Email), At: m.Message.At,
		Text: strings.TrimSpace(m.Body.forModel())}
}

// Written says how a model's work ended.
type Written struct {
	Model, PromptVersion string
	// Cut says that the text ended at the most that the model may write.
	Cut bool
}

// WritingPlan is what of a Writing the model is given, told before it begins.
type WritingPlan struct {
	Model string
	// Sources are the messages that the text may name as [1], [2], …
	Sources []WritingMessage
	// OlderLeftOut counts messages, and Shortened texts, that did not fit.
	OlderLeftOut, Shortened int
	Templates, Answers      int // examples that it is given
}
