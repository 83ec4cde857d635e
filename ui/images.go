package ui

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// imageRoutes takes the group of pages without a login: the frame of a mail has
// an origin of its own, so browsers send none of our cookies from it. The seal in
// the address brings the session instead.
func (s *Server) imageRoutes(g *echo.Group) {
	g.GET(imagesPath, s.messageImage)
}

const imagesPath = "/messages/:id/images"

// imageSeals binds the address of a remote image to the message it stands in and
// to the session that asked to see it. Only we can make one, so the proxy fetches
// nothing that no mail names, and nothing for anybody but the reader. The key
// lives as long as the process.
type imageSeals struct{ aead cipher.AEAD }

func newImageSeals() (imageSeals, error) {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return imageSeals{}, fmt.Errorf("make the key for images: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return imageSeals{}, fmt.Errorf("make the key for images: %w", err)
	}
	return imageSeals{aead}, nil
}

func sealedWith(messageID, address string) []byte { return []byte(messageID + "\x00" + address) }

// url is where a remote image of a message is served to a session, "" for an
// address too long to be one.
func (s imageSeals) url(messageID, address, session string) string {
	if len(address) > maxImageURL {
		return ""
	}
	return "/messages/" + url.PathEscape(messageID) + "/images?u=" + url.QueryEscape(address) + "&s=" + s.seal(messageID, address, session)
}

// seal binds an address to what names it and to a session.
func (s imageSeals) seal(subject, address, session string) string {
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(session), sealedWith(subject, address)))
}

// session returns whose seal it is, or false for one that is not of ours, or of
// another message or address.
func (s imageSeals) session(seal, messageID, address string) (string, bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(seal)
	if err != nil {
		return "", false
	}
	session, err := s.aead.Open(nil, nil, sealed, sealedWith(messageID, address))
	return string(session), err == nil
}

// messageImage fetches a remote image of a mail that somebody asked to see. What
// goes wrong is a status without a page: its reader is an <img>.
func (s *Server) messageImage(c echo.Context) error {
	ctx, id, address := c.Request().Context(), c.Param("id"), c.QueryParam("u")
	header := c.Response().Header()
	header.Set("Content-Security-Policy", filePolicy)
	header.Set("Cache-Control", "no-store")
	session, ok := s.imageSeals.session(c.QueryParam("s"), id, address)
	if !ok {
		return c.NoContent(http.StatusForbidden)
	}
	user, _, err := s.desk.UserBySession(ctx, session)
	if err != nil {
		return c.NoContent(statusOf(helpdesk.CodeOf(err)))
	}
	if _, err := s.desk.Message(ctx, user.Actor(), id); err != nil {
		return c.NoContent(statusOf(helpdesk.CodeOf(err)))
	}
	image, err := s.images.image(ctx, address)
	if err != nil {
		s.log.Info("a remote image is not shown", "id", id, "host", hostOf(address), "error", err)
		return c.NoContent(http.StatusBadGateway)
	}
	header.Set("Cache-Control", "private, max-age=86400")
	// The frame's origin is of its own, so it is another than ours.
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return c.Blob(http.StatusOK, image.contentType, image.data)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
