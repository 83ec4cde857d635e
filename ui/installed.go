package ui

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"strconv"
	"sync"

	"github.com/labstack/echo/v4"
)

// What lets the web be installed as an application (W3C Web Application
// Manifest), and the worker that shows notices while no page is open.
func (s *Server) installedRoutes(e *echo.Echo) {
	e.GET("/manifest.webmanifest", s.manifest)
	e.GET("/sw.js", s.worker)
	e.GET("/icon-:size", s.appIcon)
	e.GET("/offline", s.offline)
}

// manifest describes the application in the reader's language.
func (s *Server) manifest(c echo.Context) error {
	p := s.catalogues.Printer(s.languageOf(c, nil), nil, s.now())
	icon := func(name, sizes, kind, purpose string) map[string]string {
		return map[string]string{"src": name, "sizes": sizes, "type": kind, "purpose": purpose}
	}
	header := c.Response().Header()
	header.Set("Cache-Control", "no-cache")
	header.Set("Vary", "Accept-Language, Cookie")
	header.Set(echo.HeaderContentType, "application/manifest+json")
	return c.JSON(http.StatusOK, map[string]any{
		"id": "/", "name": p.T("product"), "short_name": p.T("product"), "description": p.T("installed.description"), "lang": string(p.Language),
		"start_url": "/inbox/open", "scope": "/", "display": "standalone", "background_color": "#f7f6f3", "theme_color": "#f7f6f3",
		"icons": []map[string]string{
			icon("/icon-192.png", "192x192", "image/png", "any"), icon("/icon-512.png", "512x512", "image/png", "any"),
			icon("/icon-512.png?maskable", "512x512", "image/png", "maskable"), icon(s.assets.url("icon.svg"), "any", "image/svg+xml", "any"),
		},
		"shortcuts": []map[string]string{
			{"name": p.T("view.mine"), "url": "/inbox/mine"}, {"name": p.T("view.waiting"), "url": "/inbox/waiting"},
		},
	})
}

// worker serves the service worker from the root, whose pages it looks after.
func (s *Server) worker(c echo.Context) error {
	file := s.assets.files["js/worker.js"]
	header := c.Response().Header()
	header.Set("Cache-Control", "no-cache")
	header.Set("Content-Security-Policy", answerPolicy+"; connect-src 'self'")
	return c.Blob(http.StatusOK, file.contentType, file.plain)
}

// offlineStyle is that of the page that is kept for when the server is away: a
// style sheet of its own file would be away too. The colours are those of tokens.css.
const offlineStyle = `:root { color-scheme: light dark; }
body { max-width: 22rem; margin: 22vh auto 0; padding: 0 16px; background: light-dark(#f6f5f2, #141312); color: light-dark(#23211d, #ebe8e2); font: .875rem/1.7 -apple-system, "Segoe UI", "Hiragino Sans", "Noto Sans JP", "Noto Sans CJK JP", "Yu Gothic UI", Meiryo, system-ui, sans-serif; text-align: center; }
h1 { font-size: 1.25rem; line-height: 1.5; }
h1, p { word-break: auto-phrase; text-wrap: balance; }
a { display: inline-block; margin-top: 8px; padding: 8px 16px; border: 1px solid light-dark(#d8d4cc, #3a3733); border-radius: 6px; background: light-dark(#fff, #22211e); color: inherit; line-height: 1.7; text-decoration: none; }`

// offlinePolicy allows that style and nothing else.
var offlinePolicy = fmt.Sprintf("%s; style-src 'sha256-%s'", answerPolicy, func() string {
	sum := sha256.Sum256([]byte(offlineStyle))
	return base64.StdEncoding.EncodeToString(sum[:])
}())

// offline is what the worker shows where the server cannot be reached. It needs
// nothing else from here.
func (s *Server) offline(c echo.Context) error {
	c.Response().Header().Set("Content-Security-Policy", offlinePolicy)
	return s.templates[s.languageOf(c, nil)].ExecuteTemplate(c.Response(), "offline", template.CSS(offlineStyle))
}

// appIcons draws each icon once.
var appIcons = sync.OnceValue(func() map[string][]byte {
	icons := map[string][]byte{}
	for _, size := range []int{180, 192, 512} {
		icons[strconv.Itoa(size)+".png"] = drawIcon(size, false)
	}
	icons["512.png?maskable"] = drawIcon(512, true)
	return icons
})

func (s *Server) appIcon(c echo.Context) error {
	name := c.Param("size")
	if _, masked := c.QueryParams()["maskable"]; masked {
		name += "?maskable"
	}
	data, ok := appIcons()[name]
	if !ok {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=86400")
	return c.Blob(http.StatusOK, "image/png", data)
}

// drawIcon draws the logo as icon.svg has it, in its 20 units: an arch on a
// ground. A maskable one fills the square and keeps its drawing within the safe
// zone, a circle of four fifths of the side.
func drawIcon(size int, maskable bool) []byte {
	ground, line := color.NRGBA{0x2c, 0x5c, 0x9f, 0xff}, color.NRGBA{0xff, 0xff, 0xff, 0xff}
	scale := 20 / float64(size)
	drawing := 1.0
	if maskable {
		drawing = 1.25
	}
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			// From the middle, in the drawing's units.
			px, py := (float64(x)+0.5)*scale-10, (float64(y)+0.5)*scale-10
			inside := 1.0
			if !maskable {
				inside = cover(roundedSquare(px, py, 9, 5), scale)
			}
			stroke := cover(arch(px*drawing+10, py*drawing+10)-0.8, scale*drawing)
			c := mix(ground, line, stroke)
			c.A = uint8(math.Round(255 * inside))
			img.SetNRGBA(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil // an image in memory can be encoded
	}
	return out.Bytes()
}

// cover turns a distance from an edge into how much of a pixel lies inside.
func cover(distance, pixel float64) float64 {
	return min(max(0.5-distance/pixel, 0), 1)
}

func roundedSquare(x, y, half, radius float64) float64 {
	dx, dy := math.Abs(x)-half+radius, math.Abs(y)-half+radius
	return math.Hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - radius
}

// arch is the distance from the logo's line: two posts, half a circle on them, and
// the counter below.
func arch(x, y float64) float64 {
	posts := min(segment(x, y, 5.6, 8.2, 5.6, 13.4), segment(x, y, 14.4, 8.2, 14.4, 13.4))
	counter := segment(x, y, 4, 13.7, 16, 13.7)
	bow := math.Inf(1)
	if y <= 8.2 {
		bow = math.Abs(math.Hypot(x-10, y-8.2) - 4.4)
	}
	return min(posts, counter, bow)
}

func segment(x, y, ax, ay, bx, by float64) float64 {
	t := ((x-ax)*(bx-ax) + (y-ay)*(by-ay)) / ((bx-ax)*(bx-ax) + (by-ay)*(by-ay))
	t = min(max(t, 0), 1)
	return math.Hypot(x-ax-t*(bx-ax), y-ay-t*(by-ay))
}

func mix(a, b color.NRGBA, t float64) color.NRGBA {
	blend := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*t)) }
	return color.NRGBA{blend(a.R, b.R), blend(a.G, b.G), blend(a.B, b.B), 0xff}
}
