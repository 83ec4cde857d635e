package ui

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type noticeSettingsView struct {
	settingsPage
	Channels []option
	Rows     []noticeChoiceRow
	// WorkingHours has push and mail wait for the reader's working hours.
	WorkingHours bool
	// Key is ours, for a browser that subscribes.
	Key string
}

type noticeChoiceRow struct {
	Label string
	Cells []noticeChoiceCell
}

type noticeChoiceCell struct {
	Name, Label string
	On          bool
}

// noticeSettings shows of what the reader is told, and how.
func (s *Server) noticeSettings(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "notices", "")
	if err != nil {
		return err
	}
	view := noticeSettingsView{settingsPage: sp}
	choice, err := s.desk.NoticeChoice(ctx, v.actor())
	if err != nil {
		return err
	}
	keys, err := s.desk.PushKeys(ctx)
	if err != nil {
		return err
	}
	view.Key, view.WorkingHours = keys.Public, choice.WorkingHours
	for _, channel := range helpdesk.NoticeChannels {
		view.Channels = append(view.Channels, option{Value: string(channel), Label: v.T("notice.channel." + string(channel))})
	}
	for _, kind := range helpdesk.NoticeKinds {
		if kind == helpdesk.NoticeAlarm && !v.may(helpdesk.PermitSystem) {
			continue
		}
		row := noticeChoiceRow{Label: v.T("notice.kind." + string(kind))}
		for _, channel := range view.Channels {
			row.Cells = append(row.Cells, noticeChoiceCell{Name: string(kind) + ":" + channel.Value, Label: row.Label + ", " + channel.Label,
				On: choice.Wants(kind, helpdesk.NoticeChannel(channel.Value))})
		}
		view.Rows = append(view.Rows, row)
	}
	return s.render(c, http.StatusOK, "settings-notices", view)
}

func (s *Server) chooseNotices(c echo.Context) error {
	choice := helpdesk.NoticeChoice{Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{}, WorkingHours: c.FormValue("working_hours") != ""}
	for _, kind := range helpdesk.NoticeKinds {
		choice.Channels[kind] = []helpdesk.NoticeChannel{}
		for _, channel := range helpdesk.NoticeChannels {
			if c.FormValue(string(kind)+":"+string(channel)) != "" {
				choice.Channels[kind] = append(choice.Channels[kind], channel)
			}
		}
	}
	if err := s.desk.ChooseNotices(c.Request().Context(), visitOf(c).actor(), choice); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/notices?saved=1")
}

// maxSubscription bounds what a browser sends of its subscription, in bytes.
const maxSubscription = 8 << 10

// subscription is a PushSubscription as browsers write it (Push API, section 8.1).
type subscription struct {
	Endpoint string `json:"endpoint"`
	Keys     struct {
		P256DH string `json:"p256dh"`
		Auth   string `json:"auth"`
	} `json:"keys"`
}

func readSubscription(c echo.Context) (sub subscription, err error) {
	decoder := json.NewDecoder(io.LimitReader(c.Request().Body, maxSubscription))
	if err := decoder.Decode(&sub); err != nil {
		return sub, errors.Join(invalid("subscription", "error.push_keys", "the subscription is no JSON: "+err.Error()))
	}
	return sub, nil
}

func (s *Server) subscribePush(c echo.Context) error {
	sub, err := readSubscription(c)
	if err != nil {
		return err
	}
	_, err = s.desk.SubscribePush(c.Request().Context(), visitOf(c).actor(), helpdesk.PushSubscription{Endpoint: sub.Endpoint,
		P256DH: sub.Keys.P256DH, Auth: sub.Keys.Auth, Browser: c.Request().UserAgent()})
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) unsubscribePush(c echo.Context) error {
	sub, err := readSubscription(c)
	if err != nil {
		return err
	}
	if err := s.desk.UnsubscribePush(c.Request().Context(), visitOf(c).actor(), sub.Endpoint); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
