package ui

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) paletteRoutes(g *echo.Group) {
	g.GET("/palette", s.palette)
	g.GET("/palette/find", s.paletteFind)
}

// paletteEntry is a line of the palette: something to do, or somewhere to go.
type paletteEntry struct {
	Do     string // a shortcut's action, "" for a place
	URL    string
	Icon   string
	Name   string
	Detail string
	Also   string // further words by which it is found
	Keys   []string
	Ticket bool // needs an open ticket
}

// palette answers with what the palette offers without asking further: the
// actions and places that the user has. What concerns the open ticket alone is
// in its page.
func (s *Server) palette(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	other := s.catalogues.Printer(locale.English, nil, s.now())
	if v.Language == locale.English {
		other = s.catalogues.Printer(locale.Japanese, nil, s.now())
	}
	var list []paletteEntry
	for _, group := range spoken(v.Printer, other) {
		for _, k := range group.Items {
			if k.Fixed {
				continue
			}
			detail := ""
			if k.URL != "" {
				detail = v.T("palette.open")
			}
			list = append(list, paletteEntry{Detail: detail, Do: k.Do, URL: k.URL, Icon: k.Icon, Name: k.Name, Also: k.Also, Keys: strings.Fields(k.Keys[0]), Ticket: k.Ticket})
		}
	}
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	if err != nil {
		return err
	}
	for _, p := range pipelines {
		list = append(list, paletteEntry{URL: "/inbox/open?pipeline=" + p.ID, Icon: "tray", Name: p.Name, Detail: v.T("palette.pipeline"), Also: other.T("palette.pipeline")})
	}
	if v.may(helpdesk.PermitSupervise) {
		list = append(list, paletteEntry{URL: "/situation", Icon: "pulse", Name: v.T("situation.title"), Detail: v.T("palette.open"), Also: other.T("situation.title")})
	}
	if v.may(helpdesk.PermitBulk) {
		list = append(list, paletteEntry{URL: bulkRepliesPath, Icon: "mail", Name: v.T("bulk_reply.list"), Detail: v.T("palette.open"), Also: other.T("bulk_reply.list")})
	}
	saved, err := s.desk.SavedViews(ctx, v.actor())
	if err != nil {
		return err
	}
	for _, x := range saved {
		list = append(list, paletteEntry{URL: placeOfView(x).address(0), Icon: "view", Name: x.Name, Detail: v.T("nav.saved"), Also: other.T("nav.saved")})
	}
	for _, group := range s.settingsGroups(ctx, v, "") {
		for _, item := range group.Items {
			name, _ := strings.CutPrefix(item.URL, "/settings/")
			list = append(list, paletteEntry{URL: item.URL, Icon: "sliders", Name: item.Label, Detail: v.T("nav.settings"), Also: other.T("settings.page."+name) + " " + other.T("nav.settings")})
		}
	}
	for _, theme := range v.Look.themes(v) {
		list = append(list, paletteEntry{Do: "theme:" + theme.URL, Icon: theme.Icon, Name: theme.Label, Detail: v.T("look.title"), Also: "theme"})
	}
	return s.render(c, http.StatusOK, "palette-entries", list)
}

// maxPalette is how many tickets the palette shows.
const maxPalette = 7

// paletteFind answers with the tickets that fit a number or words.
func (s *Server) paletteFind(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	text := strings.TrimSpace(c.QueryParam("q"))
	var rows []helpdesk.TicketRow
	if number, ok := typedNumber(text); ok {
		row, err := s.desk.TicketRow(ctx, v.actor(), number)
		if err != nil && helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
			return err
		}
		if err == nil {
			rows = append(rows, *row)
		}
	}
	if text != "" {
		found, err := s.tickets(ctx, v.actor(), helpdesk.TicketQuery{Text: text, Limit: maxPalette}, v.Zone)
		if err != nil {
			return err
		}
		rows = append(rows, found.rows...)
	}
	var list []paletteEntry
	taken := map[uint64]bool{}
	for _, t := range offered(v.Printer, rows, taken) {
		list = append(list, paletteEntry{URL: (place{query: inView(helpdesk.ViewOpen)}).address(t.Number), Icon: "speech",
			Name: t.Subject, Detail: t.Name + " · #" + v.Number(int(t.Number)) + " · " + t.Stage})
	}
	return s.render(c, http.StatusOK, "palette-entries", list)
}
