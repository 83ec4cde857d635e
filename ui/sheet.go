package ui

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// sheet answers with a CSV file (RFC 4180) that spreadsheets open. Nothing is sent before
// its first line, so that what fails until then is still answered as an error.
type sheet struct {
	response *echo.Response
	name     string // of the file
	heading  []string
	writer   *csv.Writer // nil until something is sent
}

func newSheet(c echo.Context, name string, heading ...string) *sheet {
	return &sheet{response: c.Response(), name: name, heading: heading}
}

// add sends a line.
func (s *sheet) add(cells ...string) error {
	if err := s.begin(); err != nil {
		return err
	}
	return s.writer.Write(plainCells(cells))
}

// end sends what is left; a sheet without lines is its heading.
func (s *sheet) end() error {
	if err := s.begin(); err != nil {
		return err
	}
	s.writer.Flush()
	return s.writer.Error()
}

func (s *sheet) begin() error {
	if s.writer != nil {
		return nil
	}
	beginFile(s.response, s.name, "text/csv; charset=utf-8")
	if _, err := s.response.Write([]byte("\ufeff")); err != nil { // spreadsheets read Japanese by it
		return err
	}
	s.writer = csv.NewWriter(s.response)
	return s.writer.Write(plainCells(s.heading))
}

// beginFile begins an answer that is to be kept as a file.
func beginFile(response *echo.Response, name, contentType string) {
	header := response.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	header.Set("Cache-Control", "no-store")
	response.WriteHeader(http.StatusOK)
}

// plainCells keeps a spreadsheet from taking texts for formulas.
func plainCells(cells []string) []string {
	plain := slices.Clone(cells)
	for i, text := range plain {
		if text != "" && strings.IndexAny(text, "=+-@\t\r＝＋－＠") == 0 {
			plain[i] = "'" + text
		}
	}
	return plain
}
