package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

//go:embed static
var staticFiles embed.FS

// styleOrder is the order in which the style sheets are joined into one.
var styleOrder = []string{
	"tokens",
	"base",
	"controls",
	"shell",
	"list",
	"views",
	"quarantine",
	"bulk_reply",
	"contact",
	"card",
	"conversation",
	"fold",
	"hold",
	"analysis",
	"backup",
	"service",
	"webhook",
	"insights",
	"due",
	"palette",
	"notices",
	"access",
	"composer",
	"editor",
	"recipients",
	"drafts",
	"template",
	"writing",
	"compose",
	"panel",
	"similar",
	"pages",
	"house",
	"ledger",
	"situation",
	"topics",
	"away",
	"hours",
	"first",
	"forced",
	"print", // last, since it takes back what the others lay out
}

// assets are the files browsers fetch. Their address holds a hash of them all,
// so they may be kept for ever and modules may name each other by relative
// addresses.
type assets struct {
	hash  string
	files map[string]asset
}

type asset struct {
	contentType string
	plain       []byte
	gzipped     func() []byte // made when first asked for; nil where it would not be smaller
}

func loadAssets() (*assets, error) {
	a := &assets{files: map[string]asset{}}
	sum := sha256.New()
	var style bytes.Buffer
	for _, name := range styleOrder {
		data, err := staticFiles.ReadFile("static/css/" + name + ".css")
		if err != nil {
			return nil, fmt.Errorf("load style sheet: %w", err)
		}
		style.Write(data)
	}
	err := fs.WalkDir(staticFiles, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(name, "static/css/") {
			return err
		}
		data, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(data))
		sum.Write(data)
		a.add(strings.TrimPrefix(name, "static/"), data)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load static files: %w", err)
	}
	sum.Write(style.Bytes())
	a.hash = hex.EncodeToString(sum.Sum(nil))[:12]
	a.add("app.css", style.Bytes())
	return a, nil
}

func (a *assets) add(name string, data []byte) {
	a.files[name] = asset{contentTypeOf(name), data, sync.OnceValue(func() []byte { return gzipped(data) })}
}

// gzipped is data as small as gzip makes it, or nil where that hardly helps.
func gzipped(data []byte) []byte {
	var packed bytes.Buffer // whose writes do not fail
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	w.Write(data)
	w.Close()
	if packed.Len() >= len(data)*9/10 {
		return nil
	}
	return packed.Bytes()
}

// contentTypeOf does not ask the host's table, which may know less or other
// than browsers insist on for scripts and style sheets.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "text/plain; charset=utf-8"
}

// url is the address of a file.
func (a *assets) url(name string) string { return "/static/" + a.hash + "/" + name }

func (a *assets) serve(c echo.Context) error {
	hash, name, _ := strings.Cut(c.Param("*"), "/")
	file, ok := a.files[name]
	if !ok {
		return echo.ErrNotFound
	}
	header := c.Response().Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-cache")
	if hash == a.hash {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	header.Set("Vary", "Accept-Encoding")
	if strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
		if packed := file.gzipped(); packed != nil {
			header.Set("Content-Encoding", "gzip")
			return c.Blob(http.StatusOK, file.contentType, packed)
		}
	}
	return c.Blob(http.StatusOK, file.contentType, file.plain)
}

func (a *assets) favicon(c echo.Context) error {
	return c.Redirect(http.StatusFound, a.url("icon.svg"))
}
