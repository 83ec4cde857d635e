package ui

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// maxAPIBulkReplyBody holds the files, the longest text twice and the numbers of as many
// tickets as one reply may go to, in bytes.
const maxAPIBulkReplyBody = 8 << 20

// apiBulkReply is one text that goes to the customers of many tickets.
type apiBulkReply struct {
	ID        string     `json:"id"`
	State     string     `json:"state"`
	Author    *string    `json:"author"` // mail address
	Text      string     `json:"text"`
	Tickets   int        `json:"tickets"`
	Done      int        `json:"done"`
	Posted    int        `json:"posted"`
	Refused   int        `json:"refused"`
	TakenBack int        `json:"taken_back"`
	Left      int        `json:"left"`
	LeavesAt  *time.Time `json:"leaves_at"`
	CreatedAt *time.Time `json:"created_at"`
}

// apiBulkRefusal is a ticket that does not get it, and why.
type apiBulkRefusal struct {
	Ticket  uint64 `json:"ticket"`
	Message string `json:"message"`
}

// apiBulkCheck is what would become of it.
type apiBulkCheck struct {
	Reach       int              `json:"reach"`
	Again       int              `json:"again"`
	Approval    bool             `json:"approval"`
	Unsubscribe bool             `json:"unsubscribe"`
	Unfilled    map[string]int   `json:"unfilled"`
	Refused     []apiBulkRefusal `json:"refused"`
}

func newAPIBulkReply(b *helpdesk.BulkReply, author *string) apiBulkReply {
	done := b.Posted + b.Refused
	return apiBulkReply{ID: b.ID, State: string(b.State), Author: author, Text: b.Words.Text, Tickets: b.Total, Done: done, Posted: b.Posted, Refused: b.Refused,
		TakenBack: b.TakenBack, Left: b.Left, LeavesAt: timeOrNull(b.LeavesAt), CreatedAt: timeOrNull(b.At)}
}

func newAPIBulkCheck(check *helpdesk.BulkReplyCheck) apiBulkCheck {
	answer := apiBulkCheck{Reach: check.Reach, Again: check.Again, Approval: check.Approval, Unsubscribe: check.Unsubscribe, Unfilled: check.Unfilled, Refused: []apiBulkRefusal{}}
	for _, t := range check.Troubled {
		answer.Refused = append(answer.Refused, apiBulkRefusal{t.Ticket, t.Why.Message})
	}
	return answer
}

type bulkReplyInput struct {
	Tickets []uint64 `json:"tickets"`
	Text    string   `json:"text"`
	HTML    string   `json:"html"`
	Close   bool     `json:"close"`
	DryRun  bool     `json:"dry_run"`
	// Attachments go along with every mail.
	Attachments []attachmentInput `json:"attachments"`
}

// identity is what makes a reply to many another one: the order of the tickets does not.
func (in bulkReplyInput) identity() bulkReplyInput {
	in.Tickets = slices.Sorted(slices.Values(in.Tickets))
	in.Attachments = hashed(in.Attachments)
	return in
}

// apiSendBulkReply sends one text to the customers of many tickets, or says what
// would become of it. The same Idempotency-Key again sends nothing again.
func (s *Server) apiSendBulkReply(c echo.Context, a helpdesk.Actor) error {
	ctx := c.Request().Context()
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	var input bulkReplyInput
	if err := readBody(c, maxAPIBulkReplyBody, &input); err != nil {
		return err
	}
	if input.DryRun {
		key = ""
	}
	once := helpdesk.Once{Key: key, Digest: requestDigest(key, "bulk reply", input.identity())}
	b, err := s.desk.BeginBulkReplyOnce(ctx, a, once, input.Tickets)
	if err != nil {
		return err
	}
	if b.State != helpdesk.BulkReplyWriting { // this key was used
		return s.answerBulkReply(c, a, http.StatusOK, b, nil)
	}
	check, err := s.checkBulkReply(c, a, b.ID, &input)
	if err == nil && !input.DryRun {
		b, err = s.desk.SendBulkReply(ctx, a, b.ID)
	}
	if err != nil || input.DryRun {
		// What was not sent is nobody's to finish; that it stays does no harm.
		if failed := s.desk.DiscardBulkReply(ctx, a, b.ID); failed != nil {
			s.log.Warn("a reply to many that was not sent stays", "id", b.ID, "error", failed)
		}
	}
	switch {
	case err != nil:
		return err
	case input.DryRun:
		return c.JSON(http.StatusOK, map[string]any{"check": newAPIBulkCheck(check)})
	}
	return s.answerBulkReply(c, a, http.StatusAccepted, b, check)
}

// checkBulkReply writes the text and looks what would become of it.
func (s *Server) checkBulkReply(c echo.Context, a helpdesk.Actor, id string, input *bulkReplyInput) (*helpdesk.BulkReplyCheck, error) {
	ctx := c.Request().Context()
	if input.Text == "" && input.HTML == "" {
		return nil, invalid("text", "", "the reply is empty; give it a text")
	}
	draft := helpdesk.BulkReplyDraft{Words: helpdesk.Localized{Text: input.Text, HTML: input.HTML}, Close: input.Close}
	b, err := s.desk.SaveBulkReply(ctx, a, id, draft)
	if err != nil {
		return nil, err
	}
	// What an interrupted request of the same key attached is there already.
	for i := len(b.Files); i < len(input.Attachments); i++ {
		file, err := input.Attachments[i].upload(fmt.Sprintf("attachments[%d]", i))
		if err != nil {
			return nil, err
		}
		if _, err := s.desk.AddBulkReplyFile(ctx, a, id, file); err != nil {
			return nil, err
		}
	}
	_, check, err := s.desk.PreviewBulkReply(ctx, a, id, 0)
	return check, err
}

func (s *Server) answerBulkReply(c echo.Context, a helpdesk.Actor, status int, b *helpdesk.BulkReply, check *helpdesk.BulkReplyCheck) error {
	d, err := s.directory(c.Request().Context(), a)
	if err != nil {
		return err
	}
	answer := map[string]any{"bulk_reply": newAPIBulkReply(b, d.users.email(b.By))}
	if check != nil {
		answer["check"] = newAPIBulkCheck(check)
	}
	return c.JSON(status, answer)
}

// apiBulkReplies lists the newest, those of the token's user that were not sent
// among them.
func (s *Server) apiBulkReplies(c echo.Context, a helpdesk.Actor) error {
	list, err := s.desk.BulkReplies(c.Request().Context(), a)
	if err != nil {
		return err
	}
	d, err := s.directory(c.Request().Context(), a)
	if err != nil {
		return err
	}
	answer := []apiBulkReply{}
	for _, b := range list {
		answer = append(answer, newAPIBulkReply(&b, d.users.email(b.By)))
	}
	return c.JSON(http.StatusOK, map[string]any{"bulk_replies": answer})
}

// apiBulkReply says how far one is, and which tickets did not get it.
func (s *Server) apiBulkReply(c echo.Context, a helpdesk.Actor) error {
	b, troubled, err := s.desk.BulkReply(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	return s.tellBulkReply(c, a, b, troubled)
}

func (s *Server) tellBulkReply(c echo.Context, a helpdesk.Actor, b *helpdesk.BulkReply, troubled []helpdesk.BulkReplyItem) error {
	d, err := s.directory(c.Request().Context(), a)
	if err != nil {
		return err
	}
	refused := []apiBulkRefusal{}
	for _, item := range troubled {
		why := item.Text
		if item.Left {
			why = cmp.Or(why, fmt.Sprintf("the reply to ticket %d had left already", item.Ticket))
		}
		refused = append(refused, apiBulkRefusal{item.Ticket, why})
	}
	return c.JSON(http.StatusOK, map[string]any{"bulk_reply": newAPIBulkReply(b, d.users.email(b.By)), "refused": refused})
}

// apiUndoBulkReply takes back what has not left.
func (s *Server) apiUndoBulkReply(c echo.Context, a helpdesk.Actor) error {
	b, err := s.desk.UndoBulkReply(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	return s.tellBulkReply(c, a, b, nil)
}
