package ui

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// composerView is the place to write, with what is in it.
type composerView struct {
	Ticket uint64
	// Opening is set for a mail that begins a ticket; Ticket is 0 then.
	Opening *openingFields
	Alias   string // the id of the one that it leaves from
	// Base is where what belongs to it is found, Action where it is sent to, Target
	// the id of the element that the answer replaces, and Back where it leads then.
	Base, Action, Target, Back string

	Draft string // names the draft that the browser keeps
	Key   string // of what is sent from here: its draft's id, which makes sending it twice once
	// NoteKey is the same of the note; the stamps say in which state the drafts
	// are shown.
	NoteKey, Stamp, NoteStamp string
	// Parted is the kind of what became a draft of its own, and is to be saved.
	Parted string

	Seen   uint64 // the newest event that the author has before their eyes
	Mode   string // what is being written: "reply", "note" or "log"
	Text   string
	HTML   string // the same with its formatting; "" where it has none
	NoteTo string // the note's own text
	// Signature is what stands below, "<" first where it is HTML; Language what the
	// customer writes, and Templates what the text was made with.
	Signature, Language string
	Signed              bool // the signature is the draft's own, not the usual one
	Templates           []string
	Log                 loggedView
	To, Cc, Bcc         string
	// Others are those besides the author who got the newest mail: Cc where it is
	// answered to all.
	Others   string
	Warnings []string
	Warned   string // which warnings those were, for the form
	From     string
	Quote    bool
	Quoted   *quotedView    // the mail that can be quoted, nil without one
	Forward  *forwardedView // the mail that is passed on, nil for an answer
	Files    []draftFileView
	Undo     string // how long a reply can be taken back, in words; "" for not at all
	Limit    string // of the files together, in words
	Error    string
	// Suppressed says that an address refused mail before.
	Suppressed bool
	// Changed says that the customer or a colleague wrote meanwhile: nothing was sent.
	Changed bool
	// Restored says that the text came back from a reply that was taken back.
	Restored bool
	// Later are the times at which it may be sent, besides now.
	Later []option
	// Approval says that a second person must approve it; Approving is the draft
	// of a colleague that is about to be approved, "" otherwise.
	Approval  bool
	Approving string
	// Returned says why a draft that was to leave came back.
	Returned string
	// ModelAway says why the model writes nothing now, "" where it can.
	ModelAway string
	Languages []option // that it can write in
	// MayReply and MayNote are what the author's role allows; who may neither
	// gets no composer.
	MayReply, MayNote bool
	MayClose          bool // the ticket, while sending
}

func (s *Server) newComposer(ctx context.Context, v *visit, t *helpdesk.TicketView, p place) (c composerView, err error) {
	number := t.Row.Ticket.Number
	base := "/tickets/" + strconv.FormatUint(number, 10)
	c = composerView{Ticket: number, Base: base, Action: base + "/compose", Target: "ticket", Draft: v.User.ID + "/" + strconv.FormatUint(number, 10), Key: rand.Text(), NoteKey: rand.Text(), Seen: t.LastSeq,
		From: t.Alias.Address, Limit: v.Size(s.options.MaxUpload), Mode: "reply", Log: newLogged(v, "phone"),
		MayReply: v.may(helpdesk.PermitReply), MayNote: v.may(helpdesk.PermitNote), MayClose: v.may(helpdesk.PermitStage)}
	if s.options.UndoWindow > 0 {
		c.Undo = v.Duration(s.options.UndoWindow)
	}
	c.To = t.Row.Contact.Email
	for i, m := range slices.Backward(t.Messages) {
		// A report of a server is no letter, and nobody reads an answer to it.
		if m.Message.Direction == helpdesk.Inbound && !m.Message.ThirdParty && (m.Message.Kind == helpdesk.KindPerson || m.Message.Kind == helpdesk.KindList) {
			c.To, c.Others = personOrAddress(m.Message), strings.Join(otherReaders(t, m.Message), ", ")
			c.Cc = c.Others
			if c.Quoted, err = s.quoted(ctx, v, t, &t.Messages[i]); err != nil {
				return c, err
			}
			break
		}
	}
	c.Approval = t.Alias.Approval
	c.resume(s, v, t, p.draft)
	if err := s.answerTo(ctx, v, t, p.answer, &c); err != nil {
		return c, err
	}
	if !c.MayReply {
		c.Mode = "note"
	}
	c.Later, err = s.sendLater(ctx, v)
	return c, err
}

// otherReaders are those besides us and the author who got a customer's mail:
// who is in the conversation stays in it.
func otherReaders(t *helpdesk.TicketView, m helpdesk.Message) []string {
	ours := append(append([]string{}, m.Paths...), t.Row.Ticket.Aliases...)
	ours = append(ours, t.Alias.Address, m.From.Email, m.ReplyTo)
	var others []string
	for _, a := range append(slices.Clone(m.To), m.Cc...) {
		email := strings.ToLower(a.Email)
		if email == "" || slices.Contains(ours, email) || strings.HasPrefix(email, "reply+") || slices.Contains(others, a.Email) {
			continue
		}
		others = append(others, a.Email)
	}
	return others
}

// toastView says what was just done and offers to take it back.
type toastView struct {
	ID      string
	Text    template.HTML
	Action  string // where taking it back is posted
	Kind    string // of a moving
	Seconds int    // until it goes
	Counted bool   // the seconds are those in which it can be taken back
	Back    string
}

// toast offers to take back what the address says was just done, a reply or a
// moving, while that is possible.
func (s *Server) toast(c echo.Context, t *ticketView) *toastView {
	if t == nil {
		return nil
	}
	v, messageID := visitOf(c), c.QueryParam("sent")
	if id := c.QueryParam("moved"); id != "" {
		return v.movedToast(t, id)
	}
	if c.QueryParam("spam") != "" {
		return v.spamToast(t)
	}
	if c.QueryParam("held") != "" {
		return v.heldToast(t)
	}
	if messageID == "" {
		return nil
	}
	return s.sentToast(v, t.source, messageID, t.Path)
}

// sentToast offers to undo a reply while it has not left.
func (s *Server) sentToast(v *visit, t *helpdesk.TicketView, messageID, back string) *toastView {
	for _, m := range t.Messages {
		if m.Message.ID == messageID && m.Undoable {
			left := m.UndoUntil.Sub(s.now())
			return &toastView{ID: messageID, Text: template.HTML(template.HTMLEscapeString(v.T("toast.sending"))), Action: "/messages/" + messageID + "/undo",
				Seconds: max(int((left+time.Second-1)/time.Second), 0), Counted: true, Back: back}
		}
	}
	return nil
}

// compose takes what was written: a reply or a note.
func (s *Server) compose(c echo.Context) error {
	if err := s.readCompose(c); err != nil {
		return err
	}
	if form := c.Request().MultipartForm; form != nil {
		defer form.RemoveAll()
	}
	switch c.FormValue("mode") {
	case "note":
		return s.composeNote(c)
	case "log":
		return s.composeLogged(c)
	}
	return s.composeReply(c)
}

// readCompose reads a composer's form within its limit.
func (s *Server) readCompose(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, s.options.MaxUpload+1<<20)
	if err := r.ParseMultipartForm(8 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return invalid("files", "error.upload_too_large", "the files are larger than the limit of "+strconv.FormatInt(s.options.MaxUpload, 10)+" bytes",
				visitOf(c).Size(s.options.MaxUpload))
		}
		return fmt.Errorf("read form: %w", err)
	}
	return nil
}

func (s *Server) composeNote(c echo.Context) error {
	number := ticketNumber(c)
	if _, err := s.desk.AddDraftedNote(c.Request().Context(), visitOf(c).actor(), number, c.FormValue("note"), c.FormValue("note_key"), draftCopy(c, "note_stamp")); err != nil {
		return s.refuseCompose(c, err)
	}
	s.written(c, number)
	return c.Redirect(http.StatusSeeOther, backTo(c, number))
}

func (s *Server) composeReply(c echo.Context) error {
	ctx, v, number := c.Request().Context(), visitOf(c), ticketNumber(c)
	reply, sending, err := s.readReply(c)
	if err != nil {
		return s.refuseCompose(c, err)
	}
	reply.Ticket = number
	if reply.Seen, err = strconv.ParseUint(c.FormValue("seen"), 10, 64); err != nil {
		return invalid("seen", "error.bad_request", "seen must be the number of an event")
	}
	if err := s.warn(c, reply); err != nil {
		return s.refuseCompose(c, err)
	}
	p := placeOfPath(backTo(c, number), number)
	where, next := helpdesk.AfterCloseStay, uint64(0)
	if reply.Close && sending.At.IsZero() {
		if where, next, err = s.leave(ctx, v, p); err != nil {
			return err
		}
	}
	var sent helpdesk.Sent
	if id := c.FormValue("approve"); id != "" {
		sent, err = s.desk.Approve(ctx, v.actor(), id, reply.Seen, &reply)
	} else {
		asWritten(c, &reply)
		sent, err = s.desk.Send(ctx, v.actor(), reply, sending)
	}
	if err != nil {
		return s.refuseCompose(c, err)
	}
	if where != helpdesk.AfterCloseStay && sent.Message != nil {
		s.written(c, number)
		return left(c, p, next, "sent", sent.Message.ID)
	}
	return s.leftDraft(c, number, sent)
}

// readReply reads what a composer's form says of a mail, and when it leaves.
func (s *Server) readReply(c echo.Context) (reply helpdesk.Reply, sending helpdesk.Sending, err error) {
	reply = helpdesk.Reply{Text: strings.ReplaceAll(c.FormValue("text"), "\r\n", "\n"), Quote: c.FormValue("quote") != "",
		Close: c.FormValue("then") == "close", IdempotencyKey: c.FormValue("key"), Draft: c.FormValue("key"), Uploads: append([]string{}, c.Request().Form["upload"]...)}
	reply.Templates, reply.Forward = c.Request().Form["template"], c.FormValue("forward")
	if c.FormValue("signature_shown") != "" {
		signature := helpdesk.NewLocalized("", c.FormValue("signature"))
		reply.Signature = &signature
	}
	if reply.HTML = c.FormValue("html"); reply.HTML != "" {
		reply.Text = "" // the better one is made of the HTML
	}
	if reply.To, err = parseRecipients("to", c.FormValue("to")); err != nil {
		return reply, sending, err
	}
	if reply.Cc, err = parseRecipients("cc", c.FormValue("cc")); err != nil {
		return reply, sending, err
	}
	if reply.Bcc, err = parseRecipients("bcc", c.FormValue("bcc")); err != nil {
		return reply, sending, err
	}
	if reply.Attachments, err = s.uploads(c); err != nil {
		return reply, sending, err
	}
	sending, err = sendingOf(c)
	return reply, sending, err
}

// uploads are the files chosen where there is no script to upload them before.
func (s *Server) uploads(c echo.Context) ([]helpdesk.Upload, error) {
	var files []helpdesk.Upload
	if c.Request().MultipartForm == nil {
		return files, nil
	}
	for _, header := range c.Request().MultipartForm.File["files"] {
		if header.Filename == "" && header.Size == 0 {
			continue // no file chosen
		}
		data, err := readUpload(header)
		if err != nil {
			return nil, fmt.Errorf("read file %q: %w", header.Filename, err)
		}
		contentType := header.Header.Get("Content-Type")
		files = append(files, helpdesk.Upload{Filename: header.Filename, ContentType: cmp.Or(contentType, "application/octet-stream"), Data: data})
	}
	return files, nil
}

func readUpload(header *multipart.FileHeader) ([]byte, error) {
	f, err := header.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, header.Size)
	_, err = io.ReadFull(f, data)
	return data, err
}

// refuseCompose shows the ticket as it is now, with what was written still in
// its place and the reason it was not sent.
func (s *Server) refuseCompose(c echo.Context, cause error) error {
	ctx, v := c.Request().Context(), visitOf(c)
	said, ok := refusal(v.Printer, cause)
	if !ok {
		return cause
	}
	place := placeOfPath(c.FormValue("back"), ticketNumber(c))
	place.draft, place.folding = c.FormValue("key"), foldingOf(c, place.number)
	view, err := s.ticket(ctx, v, place)
	if err != nil {
		return err
	}
	var refused *helpdesk.Error
	errors.As(cause, &refused)
	if refused.Key == "error.ticket_merged" && view.MergedInto != 0 {
		if view, said.Text, err = s.whereMerged(c, view, place); err != nil {
			return err
		}
	}
	w := &view.Composer
	if key := c.FormValue("key"); key != "" && key != w.Key { // the same composer: what was chosen in it stays
		w.Key, w.Stamp, w.Files = key, "", nil
	}
	w.typed(c, v, said.Text, refused)
	w.NoteTo = c.FormValue("note")
	if mode := c.FormValue("mode"); mode == "note" || mode == "log" {
		w.Mode = mode
	}
	w.Log = newLogged(v, c.FormValue("channel"))
	w.Log.Text, w.Log.At = c.FormValue("log"), c.FormValue("at")
	w.NoteKey = cmp.Or(c.FormValue("note_key"), w.NoteKey)
	w.Stamp, w.NoteStamp = c.FormValue("stamp"), c.FormValue("note_stamp") // what is written was made of that
	if parted(refused) {
		w.part(c.FormValue("mode"))
		view.Drafts = s.draftsView(v, view.source, *w, view.Path)
	}
	w.Seen = view.Seq // what came meanwhile is before their eyes now
	w.Changed = refused.Key == "error.thread_changed" || refused.Key == "error.reply_crossed"
	return s.renderTicket(c, statusOf(refused.Code), view, nil)
}

// typed puts what a refused form says into its composer again, with the reason.
func (w *composerView) typed(c echo.Context, v *visit, reason string, refused *helpdesk.Error) {
	w.Text, w.HTML, w.Quote = c.FormValue("text"), c.FormValue("html"), c.FormValue("quote") != ""
	w.To, w.Cc, w.Bcc = c.FormValue("to"), c.FormValue("cc"), c.FormValue("bcc")
	w.Templates = c.Request().Form["template"]
	if c.FormValue("signature_shown") != "" {
		w.Signature = c.FormValue("signature")
	}
	w.Suppressed, w.Error = refused.Key == "error.suppressed", reason
	w.warned(c, v)
}

// undo takes a reply back and puts its text and files into the composer again.
func (s *Server) undo(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	taken, err := s.desk.Undo(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	m := taken.Message
	if m.Reason == helpdesk.ReasonBegun {
		return s.backToOpening(c)
	}
	place := placeOfPath(c.FormValue("back"), m.Ticket)
	place.folding = foldingOf(c, m.Ticket)
	view, err := s.ticket(ctx, v, place)
	if err != nil {
		return err
	}
	view.Composer.Restored, view.Composer.Templates = true, m.Templates
	c.Response().Header().Set("HX-Replace-Url", place.address(m.Ticket)) // it may have been left since
	return s.renderTicket(c, http.StatusOK, view, nil)
}
