package ui

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) webhookRoutes(g *echo.Group) {
	g.GET("/settings/webhooks", s.webhooksPage)
	g.GET("/settings/webhooks/:id", recordForm(s, "settings-webhook", s.webhookByID, s.newWebhookView))
	g.POST("/settings/webhooks/:id", s.changeWebhook)
}

type webhooksView struct {
	settingsPage
	Webhooks []webhookRow
}

type webhookRow struct {
	URL, Name, Host string
	Kinds           int
	Badge           *badge
}

func (s *Server) webhooksPage(c echo.Context) error {
	v := visitOf(c)
	list, err := s.desk.Webhooks(c.Request().Context(), v.actor())
	if err != nil {
		return err
	}
	sp, err := s.newSettingsPage(c, "webhooks", "")
	if err != nil {
		return err
	}
	view := webhooksView{settingsPage: sp}
	for _, w := range list {
		view.Webhooks = append(view.Webhooks, webhookRow{"/settings/webhooks/" + w.ID, w.Name, hostOf(w.URL), len(w.Kinds), webhookBadge(v.Printer, w)})
	}
	return s.render(c, http.StatusOK, "settings-webhooks", view)
}

// webhookBadge says in a word how a webhook is doing.
func webhookBadge(p locale.Printer, w helpdesk.Webhook) *badge {
	state, tone := "working", "good"
	switch {
	case w.Parked:
		state, tone = "parked", "bad"
	case w.Paused:
		state, tone = "paused", "plain"
	case w.Failures > 0:
		state, tone = "failing", "warn"
	}
	return &badge{tone, p.T("webhook.state." + state)}
}

// webhookView is the form of a webhook, and how it has fared.
type webhookView struct {
	settingsPage
	Webhook    helpdesk.Webhook
	Areas      []webhookGroup
	Secret     string // shown once: it was just made
	SecretEnds string // until when the one before still signs
	State      string // a sentence on how it is doing
	Reason     string // what the last attempt at the event that waits came to, or ""
	Works      bool
	Waits      bool // there is an event that can be left out
	Deliveries []webhookLine
}

type webhookGroup struct {
	Label string
	Kinds []option
}

// webhookLine is one delivery in the list.
type webhookLine struct {
	ID, Kind, Said, Error string
	Badge                 *badge
	Time                  moment
	Took                  string
	Tries                 int
	Once                  bool
}

const webhookLines = 50

func (s *Server) webhookByID(c echo.Context) (helpdesk.Webhook, error) {
	ctx, a := c.Request().Context(), visitOf(c).actor()
	if c.Param("id") == newRecord {
		if _, err := s.desk.Webhooks(ctx, a); err != nil { // who may not see them makes none
			return helpdesk.Webhook{}, err
		}
		return helpdesk.Webhook{Kinds: []helpdesk.EventKind{helpdesk.EventTicketCreated}}, nil
	}
	w, err := s.desk.Webhook(ctx, a, c.Param("id"))
	if err != nil {
		return helpdesk.Webhook{}, err
	}
	return *w, nil
}

func (s *Server) newWebhookView(c echo.Context, w helpdesk.Webhook) (webhookView, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	heading := w.Name
	if w.ID == "" {
		heading = v.T("webhook.new")
	}
	sp, err := s.newSettingsPage(c, "webhooks", heading)
	if err != nil {
		return webhookView{}, err
	}
	sp.seen(c, w.ID, w)
	view := webhookView{settingsPage: sp, Webhook: w, Works: w.Works(), Waits: w.Current != "" && w.Failures > 0}
	for _, group := range helpdesk.WebhookGroups {
		g := webhookGroup{Label: v.T("webhook.group." + group.Name)}
		for _, kind := range group.Kinds {
			g.Kinds = append(g.Kinds, option{string(kind), string(kind), slices.Contains(w.Kinds, kind)})
		}
		view.Areas = append(view.Areas, g)
	}
	if w.ID == "" {
		return view, nil
	}
	view.Badge = webhookBadge(v.Printer, w)
	view.State = webhookState(v.Printer, w)
	if len(w.Secrets) > 1 && w.Secrets[1].Ends.After(v.Now) {
		view.SecretEnds = v.T("webhook.secret_overlap", v.Long(w.Secrets[1].Ends))
	}
	list, err := s.desk.WebhookDeliveries(ctx, v.actor(), w.ID, webhookLines)
	if err != nil {
		return view, err
	}
	for _, d := range list {
		line := newWebhookLine(v.Printer, d)
		view.Deliveries = append(view.Deliveries, line)
		if said := cmp.Or(line.Error, line.Said); d.ID == w.Current && said != "" {
			view.Reason = v.T("webhook.reason", said)
		}
	}
	return view, nil
}

// webhookState says since when a webhook fails, and what happens next.
func webhookState(p locale.Printer, w helpdesk.Webhook) string {
	switch {
	case w.Parked:
		return p.T("webhook.say.parked", p.Long(w.FailingSince))
	case w.Paused:
		return p.T("webhook.say.paused")
	case w.Failures > 0:
		return p.T("webhook.say.failing", p.Long(w.FailingSince), p.Long(w.NextAt))
	}
	return p.T("webhook.say.working")
}

var webhookTones = map[helpdesk.WebhookState]string{helpdesk.WebhookTaken: "good", helpdesk.WebhookWaiting: "warn", helpdesk.WebhookFailed: "bad", helpdesk.WebhookSkipped: "plain"}

func newWebhookLine(p locale.Printer, d helpdesk.WebhookDelivery) webhookLine {
	line := webhookLine{ID: d.ID, Kind: string(d.Kind), Badge: &badge{webhookTones[d.State], p.T("webhook.fate." + string(d.State))},
		Time: longMoment(p, d.At), Tries: d.Tries, Once: d.Once}
	if len(d.Attempts) == 0 {
		return line
	}
	last := d.Attempts[len(d.Attempts)-1]
	line.Time, line.Error = longMoment(p, last.At), describeAttempt(p, last.Error)
	line.Took = strconv.FormatInt(last.Took.Round(time.Millisecond).Milliseconds(), 10) + " ms"
	if last.Status != 0 {
		line.Said = strings.TrimSpace(strconv.Itoa(last.Status) + " " + last.Head)
		if last.Status/100 == 3 {
			line.Said = p.T("webhook.redirected", line.Said)
		}
	}
	return line
}

// changeWebhook saves a webhook's form, or does what one of its buttons says.
func (s *Server) changeWebhook(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	w, form, err := submitted(c, s.webhookByID)
	if err != nil {
		return err
	}
	action, argument, _ := strings.Cut(form.Get("action"), ":")
	secret, back := "", "/settings/webhooks/"+w.ID
	switch action {
	case "delete":
		err, back = s.desk.DeleteWebhook(ctx, v.actor(), w.ID), "/settings/webhooks?saved=1"
	case "secret":
		secret, err = s.desk.RotateWebhookSecret(ctx, v.actor(), w.ID)
	case "pause":
		err = s.desk.PauseWebhook(ctx, v.actor(), w.ID)
	case "resume", "resume_here":
		err = s.desk.ResumeWebhook(ctx, v.actor(), w.ID, action == "resume_here")
	case "skip":
		err = s.desk.SkipWebhookEvent(ctx, v.actor(), w.ID)
	case "test":
		_, err = s.desk.TestWebhook(ctx, v.actor(), w.ID)
	case "repeat":
		_, err = s.desk.RepeatWebhook(ctx, v.actor(), w.ID, argument)
	default:
		w.Name, w.URL, w.Kinds = form.Get("name"), form.Get("url"), nil
		for _, kind := range form["kind"] {
			w.Kinds = append(w.Kinds, helpdesk.EventKind(kind))
		}
		var saved *helpdesk.Webhook
		saved, secret, err = s.desk.SaveWebhook(ctx, v.having(c), w)
		if err == nil {
			w, back = *saved, "/settings/webhooks?saved=1"
		}
	}
	if err == nil && secret == "" {
		return c.Redirect(http.StatusSeeOther, back)
	}
	return s.showWebhook(c, w, secret, err)
}

// showWebhook answers with the form: with what is wrong with it, or with a secret,
// which no address leads to again.
func (s *Server) showWebhook(c echo.Context, w helpdesk.Webhook, secret string, refused error) error {
	if refused == nil {
		saved, err := s.desk.Webhook(c.Request().Context(), visitOf(c).actor(), w.ID)
		if err != nil {
			return err
		}
		w = *saved
	}
	view, err := s.newWebhookView(c, w)
	if err != nil {
		return err
	}
	view.Secret = secret
	status := http.StatusOK
	if refused == nil || view.Version == "" { // a button beside the form was pressed: the form shows what is saved
		view.Version = w.Version()
	}
	if refused != nil {
		if status, err = view.refuseForm(refused); err != nil {
			return err
		}
	}
	return s.render(c, status, "settings-webhook", view)
}
