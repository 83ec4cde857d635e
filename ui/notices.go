package ui

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) noticeRoutes(g *echo.Group) {
	g.GET("/notices", s.noticesPage)
	g.POST("/notices/read", s.readNotices)
	g.GET("/settings/notices", s.noticeSettings)
	g.POST("/settings/notices", s.chooseNotices)
	g.POST("/settings/push", s.subscribePush)
	g.POST("/settings/push/end", s.unsubscribePush)
}

// noticesView is what the reader was told, the newest first.
type noticesView struct {
	page
	Heading string
	Back    string
	Items   []noticeItem
	Unread  int
}

type noticeItem struct {
	URL    string
	Icon   string
	Tone   string
	Text   string
	Detail string
	Time   moment
	Unread bool
}

// maxNotices is how many notices the page shows.
const maxNotices = 50

var noticeIcons = map[helpdesk.NoticeKind]string{
	helpdesk.NoticeAssigned: "person", helpdesk.NoticeMention: "at", helpdesk.NoticeCustomer: "speech", helpdesk.NoticeOverdue: "clock",
	helpdesk.NoticeWoken: "pause", helpdesk.NoticeFailed: "undelivered", helpdesk.NoticeDelayed: "clock", helpdesk.NoticeHeld: "hand",
	helpdesk.NoticeApproval: "check", helpdesk.NoticeApproved: "done", helpdesk.NoticeReturned: "undo", helpdesk.NoticeMatched: "sparkle",
	helpdesk.NoticeAlarm: "warn",
	helpdesk.NoticeLogin: "key",
	helpdesk.NoticeToken: "key",
}

// noticesPage answers with the notices: as a dialog over the page, and as a page of
// its own without scripts.
func (s *Server) noticesPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	list, unread, err := s.desk.Notices(ctx, v.actor(), maxNotices)
	if err != nil {
		return err
	}
	view := noticesView{Heading: v.T("notice.title"), Back: localPath(c.QueryParam("back"), "/inbox/open"), Unread: unread}
	for _, n := range list {
		view.Items = append(view.Items, newNoticeItem(v.Printer, n))
	}
	if target(c.Request()) == "picker" {
		return s.render(c, http.StatusOK, "notices", view)
	}
	if view.page, err = s.newPage(ctx, v, view.Heading, ""); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "notices-page", view)
}

func newNoticeItem(p locale.Printer, n helpdesk.NoticeView) noticeItem {
	item := noticeItem{URL: noticePath(n), Icon: noticeIcons[n.Notice.Kind],
		Text: noticeTitle(p, n), Detail: noticeDetail(p, n), Time: shortMoment(p, n.Notice.At), Unread: n.Notice.ReadAt.IsZero()}
	if n.Notice.Kind == helpdesk.NoticeAlarm || n.Notice.Kind == helpdesk.NoticeOverdue || n.Notice.Kind == helpdesk.NoticeFailed {
		item.Tone = "bad"
	}
	return item
}

// noticePath is where a notice leads.
func noticePath(n helpdesk.NoticeView) string {
	if n.Notice.Kind == helpdesk.NoticeAlarm {
		return "/settings/check"
	}
	if n.Notice.Kind == helpdesk.NoticeLogin {
		return "/settings/access"
	}
	if n.Notice.BulkReply != "" {
		return bulkRepliesPath + "/" + n.Notice.BulkReply
	}
	if n.Notice.Kind == helpdesk.NoticeToken {
		return "/settings/tokens"
	}
	if n.Notice.Ticket == 0 { // a new mail that is not sent
		return openingPath
	}
	at := ""
	if n.Notice.Message != "" {
		at = messageElement(n.Notice.Message)
	}
	if n.Note != nil {
		at = noteElement(n.Note.ID)
	}
	return (place{query: inView("open")}).address(n.Notice.Ticket, "at", at)
}

// noticeTitle says a notice in a line.
func noticeTitle(p locale.Printer, n helpdesk.NoticeView) string {
	number, by := n.Notice.Ticket, n.Notice.By.Name
	if n.Notice.Kind == helpdesk.NoticeAlarm {
		return p.T("alarm.kind." + string(n.Notice.Alarm))
	}
	if n.Notice.Kind == helpdesk.NoticeLogin {
		return p.T("access.notice")
	}
	if n.Notice.Kind == helpdesk.NoticeToken {
		return p.T("token.notice")
	}
	if number == 0 {
		return newMailTitle(p, n)
	}
	switch n.Notice.Kind {
	case helpdesk.NoticeAssigned:
		if n.Notice.By.Kind != helpdesk.ActorUser {
			return p.T("notice.assigned_itself", number)
		}
		return p.T("notice.assigned", number, by)
	case helpdesk.NoticeMention:
		return p.T("notice.mention", number, by)
	case helpdesk.NoticeCustomer:
		if n.Notice.Count > 1 {
			return p.T("notice.customer_many", number, customerCalled(p, n.Contact), n.Notice.Count)
		}
		return p.T("notice.customer", number, customerCalled(p, n.Contact))
	case helpdesk.NoticeOverdue:
		return p.T("notice.overdue", number, customerCalled(p, n.Contact))
	case helpdesk.NoticeWoken:
		return p.T("notice.woken", number)
	case helpdesk.NoticeFailed:
		return p.T("notice.failed", number, customerCalled(p, n.Contact))
	case helpdesk.NoticeDelayed:
		return p.T("notice.delayed", number, customerCalled(p, n.Contact))
	case helpdesk.NoticeApproval:
		return p.T("notice.approval", number, by)
	case helpdesk.NoticeMatched:
		return p.T("notice.matched", number, customerCalled(p, n.Contact))
	case helpdesk.NoticeApproved:
		return p.T("notice.approved", number, by)
	case helpdesk.NoticeReturned:
		if n.Notice.By.Kind != helpdesk.ActorUser {
			return p.T("notice.stopped", number)
		}
		return p.T("notice.returned", number, by)
	}
	return p.T("notice.held", number)
}

// noticeDetail says what a notice is about.
func noticeDetail(p locale.Printer, n helpdesk.NoticeView) string {
	switch n.Notice.Kind {
	case helpdesk.NoticeLogin:
		return p.T("access.notice_detail", browserWords(p, n.Subject), n.Notice.By.From)
	case helpdesk.NoticeAlarm:
		return alarmNotice(p, n, false)
	case helpdesk.NoticeToken:
		return n.Subject
	}
	return subjectOf(p, n.Subject)
}

// newMailTitle says a notice of a new mail that is not sent.
func newMailTitle(p locale.Printer, n helpdesk.NoticeView) string {
	by := n.Notice.By.Name
	switch {
	case n.Notice.BulkReply != "" && n.Notice.Kind == helpdesk.NoticeApproval:
		return p.T("bulk_reply.notice.approval", by)
	case n.Notice.BulkReply != "":
		return p.T("bulk_reply.notice.returned", by)
	case n.Notice.Kind == helpdesk.NoticeApproval:
		return p.T("compose.notice.approval", by)
	case n.Notice.Kind == helpdesk.NoticeApproved:
		return p.T("compose.notice.approved", by)
	case n.Notice.By.Kind != helpdesk.ActorUser:
		return p.T("compose.notice.stopped")
	}
	return p.T("compose.notice.returned", by)
}

// maxToldNote bounds in characters what a notice quotes of a note: the whole is a click away.
const maxToldNote = 4000

// NoticeWords says notices outside of the web, in each user's language. base is
// the web's own address, "" where it is not known.
func NoticeWords(c *locale.Catalogues, base string) helpdesk.NoticeWords {
	return func(language string, n helpdesk.NoticeView) (string, string) {
		l, ok := locale.Parse(language)
		if !ok {
			l = locale.Japanese
		}
		p := c.Printer(l, nil, firstMoment)
		text := noticeDetail(p, n)
		if n.Notice.Kind == helpdesk.NoticeCustomer && n.Snippet != "" {
			text += "\n" + n.Snippet
		}
		if n.Note != nil {
			text += "\n\n" + startOf(n.Note.Text, maxToldNote)
		}
		if n.Notice.Kind == helpdesk.NoticeAlarm {
			text = alarmNotice(p, n, true)
		}
		if base != "" {
			text += "\n\n" + base + noticePath(n)
		}
		return noticeTitle(p, n), text
	}
}

func (s *Server) readNotices(c echo.Context) error {
	if err := s.desk.ReadNotices(c.Request().Context(), visitOf(c).actor(), 0); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, localPath(c.FormValue("back"), "/notices"))
}
