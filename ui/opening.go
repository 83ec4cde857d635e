package ui

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

const openingPath = "/compose"

func (s *Server) openingRoutes(g *echo.Group) {
	g.GET(openingPath, s.openingPage)
	g.POST(openingPath, s.sendOpening)
	g.GET(openingPath+"/signature", s.openingSignature)
	g.GET(openingPath+"/drafts", s.openingDrafts)
	g.GET(openingPath+"/recipients", s.suggestRecipients)
	g.GET(openingPath+"/templates", s.offerTemplates)
	g.GET(openingPath+"/templates/:id", s.fillTemplate)
}

// openingView is the page where a mail is written that begins a ticket.
type openingView struct {
	page
	Composer composerView
	Drafts   draftsView
	Sender   *senderAlert
}

// openingFields are what a new mail's composer has besides a reply's.
type openingFields struct {
	Subject string
	Senders []option
}

// matterOf is what a request's templates are for: the ticket of its path, or a
// new mail from an alias to somebody.
func matterOf(c echo.Context) helpdesk.Matter {
	if c.Param("number") != "" {
		return helpdesk.Matter{Ticket: ticketNumber(c)}
	}
	return newMatter(c.QueryParam("alias"), c.QueryParam("to"))
}

func newMatter(alias, to string) helpdesk.Matter {
	m := helpdesk.Matter{AliasID: alias}
	for _, one := range splitRecipients(to) {
		if a, ok := helpdesk.ParseAddress(one); ok {
			m.To = a.Email
			break
		}
	}
	return m
}

// openingPage shows the draft that the address names. Without one it names a new
// one first, so that a page that is loaded again goes on with the same.
func (s *Server) openingPage(c echo.Context) error {
	ctx, v, id := c.Request().Context(), visitOf(c), c.QueryParam("draft")
	if id == "" {
		values := c.QueryParams()
		values.Set("draft", rand.Text())
		return c.Redirect(http.StatusSeeOther, openingPath+"?"+values.Encode())
	}
	if number, err := s.desk.Begun(ctx, v.actor(), id); err != nil || number != 0 {
		return cmp.Or(err, leave(c, "/tickets/"+strconv.FormatUint(number, 10)))
	}
	view, err := s.newOpening(ctx, v, id, c.QueryParams())
	if err != nil {
		return err
	}
	return s.renderOpening(c, http.StatusOK, view)
}

// leave leads to another page, whatever part of this one htmx wanted.
func leave(c echo.Context, address string) error {
	if target(c.Request()) != "" {
		c.Response().Header().Set("HX-Redirect", address)
		return c.NoContent(http.StatusNoContent)
	}
	return c.Redirect(http.StatusSeeOther, address)
}

func (s *Server) renderOpening(c echo.Context, status int, view *openingView) error {
	if target(c.Request()) == "compose" {
		c.Response().Header().Set("HX-Replace-Url", openingPath+"?draft="+url.QueryEscape(view.Composer.Key))
		return s.render(c, status, "opening", view)
	}
	var err error
	if view.page, err = s.newPage(c.Request().Context(), visitOf(c), visitOf(c).T("compose.title"), "compose"); err != nil {
		return err
	}
	return s.render(c, status, "opening-page", view)
}

// newOpening is the page for a draft with an id, which may be stored or only
// beginning: given says what it begins with.
func (s *Server) newOpening(ctx context.Context, v *visit, id string, given url.Values) (*openingView, error) {
	senders, err := s.desk.Senders(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	mails, err := s.desk.MailDrafts(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	w := composerView{Opening: &openingFields{Subject: given.Get("subject")}, Base: openingPath, Action: openingPath, Target: "compose", Back: openingPath,
		Key: id, Limit: v.Size(s.options.MaxUpload), Mode: "reply", To: given.Get("to"), Cc: given.Get("cc")}
	if w.Later, err = s.sendLater(ctx, v); err != nil {
		return nil, err
	}
	if s.options.UndoWindow > 0 {
		w.Undo = v.Duration(s.options.UndoWindow)
	}
	alias := given.Get("alias")
	for i := range mails {
		d := &mails[i].Draft
		if d.ID != id {
			continue
		}
		switch approves := mayApprove(v, d); {
		case approves || d.UserID == v.User.ID && d.State == helpdesk.DraftWriting:
			alias = d.AliasID
			w.goOn(v, d)
			if approves {
				w.Approving, w.Returned = d.ID, ""
			}
		default: // its card is shown, and something else can be written
			w.Key = rand.Text()
		}
	}
	w.Draft = v.User.ID + openingPath + "/" + w.Key
	view := &openingView{Drafts: mailCards(v, mails, w.Key)}
	return view, s.chooseSender(ctx, v, view, &w, senders, alias)
}

// goOn puts a draft of a new mail into its composer.
func (w *composerView) goOn(v *visit, d *helpdesk.Draft) {
	w.Stamp, w.Text, w.HTML, w.Files = d.Stamp(), d.Text, d.HTML, draftFileViews(v, d)
	w.To, w.Cc, w.Bcc, w.Opening.Subject, w.Returned = d.To, d.Cc, d.Bcc, d.Subject, returned(v, d.Returned)
	w.signed(d)
}

// chooseSender completes a composer by the alias that the mail leaves from: the
// wanted one, or else the one with the first address.
func (s *Server) chooseSender(ctx context.Context, v *visit, view *openingView, w *composerView, senders []helpdesk.Alias, wanted string) error {
	chosen := slices.IndexFunc(senders, func(a helpdesk.Alias) bool { return a.ID == wanted })
	if chosen < 0 && len(senders) > 0 {
		chosen = 0
	}
	for i, alias := range senders {
		label := alias.Address
		if alias.Name != "" {
			label = alias.Name + " <" + alias.Address + ">"
		}
		w.Opening.Senders = append(w.Opening.Senders, option{alias.ID, label, i == chosen})
	}
	if chosen >= 0 {
		alias := senders[chosen]
		w.From, w.Approval, w.Alias = alias.Address, alias.Approval, alias.ID
		view.Sender = s.senderAlert(v, alias)
	}
	signature, language, err := s.desk.MailSignature(ctx, v.actor(), newMatter(w.Alias, w.To))
	if err != nil {
		return err
	}
	if w.Language = language; !w.Signed {
		w.Signature = signature.Written()
	}
	view.Composer = *w
	return nil
}

// mailCards are the drafts of new mails besides the one in the composer.
func mailCards(v *visit, mails []helpdesk.DraftView, shown string) draftsView {
	view := draftsView{Base: openingPath, Target: "compose", Back: openingPath}
	for _, d := range mails {
		if d.ID != shown {
			view.Cards = append(view.Cards, newDraftCard(v, d))
		}
	}
	slices.SortStableFunc(view.Cards, func(a, b draftCard) int { return strings.Compare(string(a.State), string(b.State)) })
	return view
}

// openingDrafts answers with the drafts of new mails, anew.
func (s *Server) openingDrafts(c echo.Context) error {
	v := visitOf(c)
	mails, err := s.desk.MailDrafts(c.Request().Context(), v.actor())
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "drafts", mailCards(v, mails, c.QueryParam("key")))
}

// openingSignature answers with the signature that fits another alias or
// recipient, and with what the send button says there.
func (s *Server) openingSignature(c echo.Context) error {
	ctx, v, m := c.Request().Context(), visitOf(c), matterOf(c)
	signature, language, err := s.desk.MailSignature(ctx, v.actor(), m)
	if err != nil {
		return err
	}
	senders, err := s.desk.Senders(ctx, v.actor())
	if err != nil {
		return err
	}
	answer := struct {
		Signature string `json:"signature"`
		Language  string `json:"language"`
		Send      string `json:"send"`
	}{signature.Written(), language, v.T("composer.send")}
	if slices.ContainsFunc(senders, func(a helpdesk.Alias) bool { return a.ID == m.AliasID && a.Approval }) {
		answer.Send = v.T("draft.request")
	}
	return s.sendJSON(c, answer)
}

// sendOpening takes a mail that begins a ticket.
func (s *Server) sendOpening(c echo.Context) error {
	if err := s.readCompose(c); err != nil {
		return err
	}
	if form := c.Request().MultipartForm; form != nil {
		defer form.RemoveAll()
	}
	ctx, v := c.Request().Context(), visitOf(c)
	reply, sending, err := s.readReply(c)
	if err != nil {
		return s.refuseOpening(c, err)
	}
	reply.Opening = &helpdesk.Opening{AliasID: c.FormValue("alias"), Subject: c.FormValue("subject")}
	if c.FormValue("signature_for") != reply.Opening.AliasID { // without a script it is still the one of another alias
		reply.Signature = nil
	}
	if err := s.warn(c, reply); err != nil {
		return s.refuseOpening(c, err)
	}
	var sent helpdesk.Sent
	if id := c.FormValue("approve"); id != "" {
		sent, err = s.desk.Approve(ctx, v.actor(), id, 0, &reply)
	} else {
		asWritten(c, &reply)
		sent, err = s.desk.Send(ctx, v.actor(), reply, sending)
	}
	if err != nil {
		return s.refuseOpening(c, err)
	}
	return s.leftDraft(c, 0, sent)
}

// refuseOpening shows what was written again, with the reason it was not sent.
func (s *Server) refuseOpening(c echo.Context, cause error) error {
	ctx, v := c.Request().Context(), visitOf(c)
	said, ok := refusal(v.Printer, cause)
	if !ok {
		return cause
	}
	view, err := s.newOpening(ctx, v, c.FormValue("key"), url.Values{"alias": {c.FormValue("alias")}})
	if err != nil {
		return err
	}
	var refused *helpdesk.Error
	errors.As(cause, &refused)
	w := &view.Composer
	w.Opening.Subject, w.Key, w.Approving, w.Stamp = c.FormValue("subject"), c.FormValue("key"), c.FormValue("approve"), c.FormValue("stamp")
	if parted(refused) {
		if err := s.partOpening(ctx, v, view); err != nil {
			return err
		}
	}
	senders, err := s.desk.Senders(ctx, v.actor())
	if err != nil {
		return err
	}
	w.Opening.Senders, w.Signed = nil, c.FormValue("signature_for") == c.FormValue("alias")
	w.typed(c, v, said.Text, refused)
	if err := s.chooseSender(ctx, v, view, w, senders, c.FormValue("alias")); err != nil {
		return err
	}
	return s.renderOpening(c, statusOf(refused.Code), view)
}

// backToOpening goes on with the mail that was just taken back: the newest of
// its author's drafts.
func (s *Server) backToOpening(c echo.Context) error {
	v := visitOf(c)
	mails, err := s.desk.MailDrafts(c.Request().Context(), v.actor())
	if err != nil {
		return err
	}
	var newest *helpdesk.Draft
	for i := range mails {
		if d := &mails[i].Draft; d.UserID == v.User.ID && d.State == helpdesk.DraftWriting && (newest == nil || d.UpdatedAt.After(newest.UpdatedAt)) {
			newest = d
		}
	}
	address := openingPath
	if newest != nil {
		address += "?draft=" + newest.ID
	}
	return leave(c, address)
}

// mailsLeft says how many new mails are not sent, in the views of drafts and of
// what waits for approval.
func (s *Server) mailsLeft(ctx context.Context, v *visit, view helpdesk.View) (string, error) {
	if view != helpdesk.ViewDrafts && view != helpdesk.ViewApproval {
		return "", nil
	}
	mails, err := s.desk.MailDrafts(ctx, v.actor())
	if err != nil {
		return "", err
	}
	n := 0
	for _, d := range mails {
		if view == helpdesk.ViewDrafts && d.UserID == v.User.ID || view == helpdesk.ViewApproval && d.State == helpdesk.DraftReview {
			n++
		}
	}
	if n == 0 {
		return "", nil
	}
	return v.N("compose.left", n), nil
}
