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
	gzipped     []byte // nil where it would not be smaller
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
		return a.add(strings.TrimPrefix(name, "static/"), data)
	})
	if err != nil {
		return nil, fmt.Errorf("load static files: %w", err)
	}
	sum.Write(style.Bytes())
	a.hash = hex.EncodeToString(sum.Sum(nil))[:12]
	return a, a.add("app.css", style.Bytes())
}

func (a *assets) add(name string, data []byte) error {
	file := asset{contentType: contentTypeOf(name), plain: data}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if packed.Len() < len(data)*9/10 {
		file.gzipped = packed.Bytes()
	}
	a.files[name] = file
	return nil
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
	if file.gzipped != nil && strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		return c.Blob(http.StatusOK, file.contentType, file.gzipped)
	}
	return c.Blob(http.StatusOK, file.contentType, file.plain)
}

func (a *assets) favicon(c echo.Context) error {
	return c.Redirect(http.StatusFound, a.url("icon.svg"))
}
