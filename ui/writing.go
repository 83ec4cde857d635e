package ui

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
)

// TextWriter has a model write texts. Write tells once what the model is given,
// then each piece of its text; the end of ctx ends the model's work. Its errors
// are those of the helpdesk, with a sentence for the reader.
type TextWriter interface {
	Write(ctx context.Context, in *helpdesk.Writing, plan func(helpdesk.WritingPlan) error, say func(string) error) (helpdesk.Written, error)
}

// draftExamples is how many similar tickets are looked through for answers.
const draftExamples = 6

const writingPath = "/tickets/:number/write"

func (s *Server) writingRoutes(g *echo.Group) {
	g.GET(writingPath, s.writingState)
	g.POST(writingPath, s.write)
}

// writingProblem says why nothing can be written now, "" where it can.
func (s *Server) writingProblem(v *visit, status AnalysisStatus) string {
	problem := status.problem()
	if s.options.Writer == nil {
		problem = "disabled"
	}
	if problem == "" {
		return ""
	}
	return v.T("settings.analysis.problem."+problem, status.Address, status.Model)
}

// writingState answers whether the model can write now.
func (s *Server) writingState(c echo.Context) error {
	problem := s.writingProblem(visitOf(c), s.options.Analysis(c.Request().Context()))
	return c.JSON(http.StatusOK, map[string]string{"problem": problem})
}

// What the stream of a text says, as server-sent events: plan once, text for
// each piece, and at the end done or failed.
type (
	writingPlan struct {
		Title    string          `json:"title"`
		Language string          `json:"language"`
		LeftOut  string          `json:"left_out"` // what the model was not given, "" for nothing
		Sources  []writingSource `json:"sources"`
	}
	writingSource struct {
		ID    string `json:"id"`
		Label string `json:"label"`
	}
	writingPiece struct {
		Text string `json:"text"`
	}
	writingDone struct {
		Note string `json:"note"` // that the text ended at its limit, or ""
	}
)

// write streams a text of the model to the page that asked for it. Closing the
// stream ends the model's work.
func (s *Server) write(c echo.Context) error {
	v := visitOf(c)
	in, err := s.writing(c)
	if err != nil {
		return s.refuseWriting(c, err)
	}
	if problem := s.writingProblem(v, s.options.Analysis(c.Request().Context())); s.options.Writer == nil {
		return s.refuseWriting(c, &helpdesk.Error{Code: helpdesk.CodeTemporary, Message: problem})
	}
	ctx, stop := context.WithCancel(c.Request().Context())
	defer stop()
	defer context.AfterFunc(s.closed, stop)()
	stream := newWritingStream(c)
	defer stream.keepAlive(ctx, stop)()
	written, err := s.options.Writer.Write(ctx, in,
		func(p helpdesk.WritingPlan) error { return stream.event("plan", s.planOf(v, in, p)) },
		func(text string) error { return stream.event("text", writingPiece{text}) })
	if ctx.Err() != nil || errors.Is(err, errStreamLost) {
		return nil // whoever asked has gone; the model stopped
	}
	if err != nil {
		if helpdesk.CodeOf(err) == helpdesk.CodeInternal {
			s.log.ErrorContext(ctx, "write a text", "task", in.Task, "ticket", in.Ticket, "error", err)
		}
		stream.event("failed", writingPiece{explain(v.Printer, err)})
		return nil
	}
	done := writingDone{}
	if written.Cut {
		done.Note = v.T("writing.cut")
	}
	stream.event("done", done)
	return nil
}

// refuseWriting answers a request that cannot begin, in a sentence.
func (s *Server) refuseWriting(c echo.Context, err error) error {
	said, ok := refusal(visitOf(c).Printer, err)
	if !ok {
		return err
	}
	return c.JSON(statusOf(helpdesk.CodeOf(err)), writingPiece{said.Text})
}

// writing gathers what the model is given for the form that was sent.
func (s *Server) writing(c echo.Context) (*helpdesk.Writing, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	request := helpdesk.WritingRequest{Ticket: ticketNumber(c), Task: helpdesk.WritingTask(c.FormValue("task")), Message: c.FormValue("message"),
		Text: strings.ReplaceAll(c.FormValue("text"), "\r\n", "\n")}
	request.Forward = c.FormValue("forward") != ""
	for _, field := range []string{"to", "cc", "bcc"} {
		list, err := parseRecipients(field, c.FormValue(field))
		if err != nil {
			return nil, err
		}
		request.To = append(request.To, list...)
	}
	if language := c.FormValue("language"); slices.Contains(templateLanguages, language) {
		request.Language = language
	}
	if request.Task == helpdesk.WriteSummary || request.Task == helpdesk.WriteWants {
		request.Language = cmp.Or(request.Language, string(v.Language))
	}
	if request.Task == helpdesk.WriteDraft || request.Task == helpdesk.WriteMailTranslation || request.Task == helpdesk.WriteTranslate && request.Language == "" {
		t, err := s.desk.TicketOutline(ctx, v.actor(), request.Ticket)
		if err != nil {
			return nil, err
		}
		if err := s.completeWriting(ctx, v, t, &request); err != nil {
			return nil, err
		}
	}
	return s.desk.Writing(ctx, v.actor(), request)
}

// completeWriting adds what follows from the conversation: earlier tickets that
// are alike, and the language to translate into.
func (s *Server) completeWriting(ctx context.Context, v *visit, t *helpdesk.TicketView, q *helpdesk.WritingRequest) (err error) {
	switch q.Task {
	case helpdesk.WriteDraft:
		if s.options.Similar != nil {
			var found similar.Found
			found, err = s.options.Similar.Similar(ctx, v.actor(), q.Ticket, draftExamples)
			q.Similar = found.Numbers()
		}
	case helpdesk.WriteTranslate:
		q.Language = languageOfMail(t)
	case helpdesk.WriteMailTranslation:
		if q.Language == "" {
			q.Language = string(v.Language)
			language, err := s.languageOfMessage(ctx, v, t, q.Message)
			if err != nil {
				return err
			}
			if language == q.Language { // into one's own there is nothing to do
				q.Language = map[bool]string{true: "en", false: "ja"}[q.Language == "ja"]
			}
		}
	}
	return err
}

// languageOfMessage is what a message of an outline is written in, "" where that is unknown.
func (s *Server) languageOfMessage(ctx context.Context, v *visit, t *helpdesk.TicketView, id string) (string, error) {
	i := slices.IndexFunc(t.Messages, func(m helpdesk.MessageView) bool { return m.Message.ID == id })
	if i < 0 {
		return "", nil
	}
	m := &t.Messages[i]
	if m.Analysis != nil && m.Analysis.Language != "" {
		return m.Analysis.Language, nil
	}
	if err := s.desk.ReadBodies(ctx, v.actor(), t, func(other *helpdesk.MessageView) bool { return other == m }); err != nil {
		return "", err
	}
	return helpdesk.DetectLanguage(cmp.Or(m.Body.ReplyText, m.Body.Text)), nil
}

// planOf says what the model is given, and what not.
func (s *Server) planOf(v *visit, in *helpdesk.Writing, p helpdesk.WritingPlan) writingPlan {
	plan := writingPlan{Language: in.Language, Title: v.T("writing.title."+string(in.Task), languageName(v, cmp.Or(in.Language, "ja"))), Sources: []writingSource{}}
	for _, m := range p.Sources {
		who := m.From
		if m.Customer {
			who = customerCalled(v.Printer, m.From)
		}
		plan.Sources = append(plan.Sources, writingSource{m.ID, who + " " + v.Short(m.At)})
	}
	var left []string
	if p.OlderLeftOut > 0 {
		left = append(left, v.N("writing.older_left_out", p.OlderLeftOut))
	}
	if p.Shortened > 0 {
		left = append(left, v.N("writing.shortened", p.Shortened))
	}
	plan.LeftOut = strings.Join(left, v.T("writing.and"))
	return plan
}

// writingStream is an event stream that several goroutines write to.
type writingStream struct {
	mu sync.Mutex
	to eventStream
}

func newWritingStream(c echo.Context) *writingStream {
	header := c.Response().Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would hold pieces back
	c.Response().WriteHeader(http.StatusOK)
	control := http.NewResponseController(c.Response())
	control.SetReadDeadline(time.Time{}) // the form has come; the model may take its time
	return &writingStream{to: eventStream{w: c.Response(), control: control}}
}

func (w *writingStream) event(name string, what any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.event(name, 0, what)
}

// keepAlive says now and then that the stream lives, while the model reads and
// says nothing. Where nobody hears it any more, stop is called.
func (w *writingStream) keepAlive(ctx context.Context, stop func()) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		ticker := time.NewTicker(heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			w.mu.Lock()
			err := w.to.comment("alive")
			w.mu.Unlock()
			if err != nil {
				stop()
				return
			}
		}
	}()
	return func() {
		cancel()
		<-finished
	}
}

// writingLanguages are what a text can be written in; the customer's first.
func writingLanguages(v *visit, customer string) []option {
	options := []option{{"", v.T("writing.customers_language"), true}}
	if customer != "" {
		options[0].Label = v.T("writing.customers_language_is", languageName(v, customer))
	}
	for _, code := range templateLanguages {
		options = append(options, option{code, languageName(v, code), false})
	}
	return options
}
