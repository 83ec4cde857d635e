package ui

import (
	"errors"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/card"
)

func (s *Server) cardRoutes(g *echo.Group) {
	g.GET("/contacts/:id/cards/:source", s.customerCard)
	g.GET("/contacts/:id/cards/:source/image", s.cardImage)
}

// cardPlace is where a customer card will be, once the page has been painted.
type cardPlace struct{ ID, URL, Name string }

// cardPlaces are those for a contact's tickets of an alias, or all where alias
// is "".
func (s *Server) cardPlaces(contactID, alias string) (list []cardPlace) {
	if s.options.Cards == nil {
		return nil
	}
	for _, i := range s.options.Cards.For(alias) {
		source := strconv.Itoa(i)
		list = append(list, cardPlace{ID: "card-" + source + "-" + contactID, Name: s.options.Cards.Name(i),
			URL: "/contacts/" + contactID + "/cards/" + source + "?" + url.Values{"alias": {alias}}.Encode()})
	}
	return list
}

// cardView is a card, or why there is none.
type cardView struct {
	cardPlace
	Title, Link string
	Known       bool
	Sections    []cardSection
	Notes       []string
	Problem     string
	Detail      string
	Again       string // where to ask again
}

type cardSection struct {
	Title    string
	Fields   []cardField
	Orders   []cardOrder
	Pictures []cardPicture
	Links    []card.Link
}

type cardField struct {
	Label string
	cardValue
}

type cardValue struct{ Text, Link, Tone string } // Tone of a badge, "" for another kind

type cardOrder struct {
	Number, Link, Date, Total string
	Status                    *cardValue
	Items                     []string
}

type cardPicture struct{ Source, Caption, Link string }

// cardSource is the source in the address.
func (s *Server) cardSource(c echo.Context) (int, error) {
	i, err := strconv.Atoi(c.Param("source"))
	if err != nil || s.options.Cards == nil || i < 0 || i >= s.options.Cards.Len() {
		return 0, echo.ErrNotFound
	}
	return i, nil
}

// customerCard asks a source about a customer. It is always answered with 200:
// what went wrong there is words here.
func (s *Server) customerCard(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	source, err := s.cardSource(c)
	if err != nil {
		return err
	}
	person, err := s.desk.Contact(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	p, alias := person.Contact, c.QueryParam("alias")
	places := s.cardPlaces(p.ID, alias)
	view := cardView{}
	for _, place := range places {
		if strings.HasPrefix(place.ID, "card-"+strconv.Itoa(source)+"-") {
			view.cardPlace = place
		}
	}
	if view.ID == "" { // not asked for this alias
		return echo.ErrNotFound
	}
	view.Again = view.URL + "&again=1"
	found, err := s.options.Cards.Ask(ctx, source, card.Customer{Email: p.Email, Addresses: p.Addresses(), Name: p.Name, Language: p.Language, Alias: alias}, c.QueryParam("again") != "")
	var problem *card.Problem
	switch {
	case errors.As(err, &problem):
		s.log.Warn("the customer card cannot be had", "card", view.Name, "source", source, "problem", problem.Key, "detail", problem.Detail)
		view.Problem = v.T("card.problem." + problem.Key)
		if v.may(helpdesk.PermitSystem) {
			view.Detail = problem.Detail
		}
	case err != nil:
		return err
	default:
		s.showCard(v, &view, source, found)
	}
	return s.render(c, http.StatusOK, "card", view)
}

func (s *Server) showCard(v *visit, view *cardView, source int, c *card.Card) {
	view.Known, view.Title, view.Link = c.Known, c.Title, c.Link
	if v.may(helpdesk.PermitSystem) {
		view.Notes = c.Notes
	}
	for _, from := range c.Sections {
		section := cardSection{Title: from.Title, Links: from.Links}
		for _, f := range from.Fields {
			section.Fields = append(section.Fields, cardField{f.Label, v.cardValue(f.Value)})
		}
		for _, o := range from.Orders {
			order := cardOrder{Number: o.Number, Link: o.Link, Date: v.cardDate(o.Date), Items: o.Items}
			if o.Total != nil {
				order.Total = v.cardValue(*o.Total).Text
			}
			if o.Status != nil {
				status := v.cardValue(*o.Status)
				order.Status = &status
			}
			section.Orders = append(section.Orders, order)
		}
		for _, p := range from.Pictures {
			if at := s.imageSeals.cardURL(view.ID, source, p.Address, v.session); at != "" {
				section.Pictures = append(section.Pictures, cardPicture{at, p.Caption, p.Link})
			}
		}
		view.Sections = append(view.Sections, section)
	}
}

func (v *visit) cardValue(value card.Value) cardValue {
	out := cardValue{Text: value.Text, Link: value.Link}
	switch value.Kind {
	case card.Date:
		out.Text = v.cardDate(value.Text)
	case card.Money:
		out.Text = v.money(value.Text, value.Currency)
	case card.Badge:
		out.Tone = string(value.Tone)
	}
	return out
}

// cardDate says a day or a moment of RFC 3339 as the reader does.
func (v *visit) cardDate(text string) string {
	if day, err := dayIn(v.Zone, text); err == nil {
		return v.Date(day)
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return v.Short(at)
	}
	return text
}

// money says a decimal amount with separators, in its currency.
func (v *visit) money(amount, currency string) string {
	whole, decimals, _ := strings.Cut(amount, ".")
	sign := ""
	if rest, negative := strings.CutPrefix(whole, "-"); negative {
		sign, whole = "−", rest
	}
	if _, ok := new(big.Int).SetString(whole, 10); !ok {
		return amount
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if decimals != "" {
		whole += "." + decimals
	}
	switch currency {
	case "":
		return sign + whole
	case "JPY":
		return sign + v.T("card.yen", whole)
	}
	return sign + whole + " " + currency
}

// cardURL is where a picture of a card is served to a session, "" for an address
// too long to be one.
func (s imageSeals) cardURL(id string, source int, address, session string) string {
	if len(address) > maxImageURL {
		return ""
	}
	_, contact, _ := strings.Cut(strings.TrimPrefix(id, "card-"), "-")
	return "/contacts/" + contact + "/cards/" + strconv.Itoa(source) + "/image?u=" + url.QueryEscape(address) + "&s=" + s.seal(cardSubject(source), address, session)
}

// cardSubject is what the seal of a card's picture is bound to.
func cardSubject(source int) string { return "card " + strconv.Itoa(source) }

// cardImage fetches a picture that a card names, over the network of its source.
func (s *Server) cardImage(c echo.Context) error {
	source, err := s.cardSource(c)
	if err != nil {
		return err
	}
	address := c.QueryParam("u")
	header := c.Response().Header()
	header.Set("Content-Security-Policy", filePolicy)
	header.Set("Cache-Control", "no-store")
	if session, ok := s.imageSeals.session(c.QueryParam("s"), cardSubject(source), address); !ok || session != visitOf(c).session {
		return c.NoContent(http.StatusForbidden)
	}
	image, err := s.cardImages[source].image(c.Request().Context(), address)
	if err != nil {
		s.log.Info("a picture of a customer card is not shown", "source", source, "host", hostOf(address), "error", err)
		return c.NoContent(http.StatusBadGateway)
	}
	header.Set("Cache-Control", "private, max-age=600")
	return c.Blob(http.StatusOK, image.contentType, image.data)
}
