package helpdesk

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
)

// contactRow is a row of the file with its cells by column.
type contactRow struct {
	line  int
	cells map[string]string
}

func readContactRows(file io.Reader) (rows []contactRow, report *ImportReport, err error) {
	if file == nil {
		return nil, nil, invalid("file", "import_empty", "the file is empty; its first line names the columns")
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxImport+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the file: %w", err)
	}
	if len(data) > MaxImport {
		return nil, nil, invalid("file", "import_large", "the file has more than %d bytes; import it in parts", MaxImport)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		if data, err = japanese.ShiftJIS.NewDecoder().Bytes(data); err != nil || bytes.ContainsRune(data, utf8.RuneError) {
			return nil, nil, invalid("file", "import_encoding", "the file is neither UTF-8 nor Shift_JIS; save it as CSV UTF-8")
		}
	}
	reader := csv.NewReader(bytes.NewReader(data))
	reader.Comma, reader.FieldsPerRecord, reader.TrimLeadingSpace = separator(data), -1, true
	head, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, invalid("file", "import_empty", "the file is empty; its first line names the columns")
	}
	if err != nil {
		return nil, nil, notCSV(err)
	}
	columns := make([]string, len(head))
	for i, name := range head {
		columns[i] = columnOf(name)
	}
	if !slices.Contains(columns, "email") {
		return nil, nil, invalid("file", "import_no_email", "no column is headed email; the first line has %s", strings.Join(head, ", "))
	}
	report = &ImportReport{}
	for _, column := range columns {
		if column != "" && !slices.Contains(ContactColumns, column) {
			report.Ignored = append(report.Ignored, column)
		}
	}
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, report, nil
		}
		if err != nil {
			return nil, nil, notCSV(err)
		}
		line, _ := reader.FieldPos(0)
		if report.Rows++; report.Rows > maxImportRows {
			return nil, nil, invalid("file", "import_rows", "the file has more than %d rows; import it in parts", maxImportRows)
		}
		row := contactRow{line, map[string]string{}}
		for i, cell := range cells[:min(len(cells), len(columns))] {
			if cell = strings.TrimSpace(strings.TrimPrefix(cell, "'")); cell != "" && columns[i] != "" {
				row.cells[columns[i]] = cell
			}
		}
		rows = append(rows, row)
	}
}

// separator is what parts the columns: what the first line has most of.
func separator(data []byte) rune {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	best, most := ',', bytes.Count(first, []byte(","))
	for _, c := range []rune{';', '\t'} {
		if n := bytes.Count(first, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// columnOf is the column that a heading means: one of ContactColumns, or the
// name of a custom field.
func columnOf(heading string) string {
	name := strings.Join(strings.Fields(heading), " ")
	folded := strings.ToLower(name)
	if slices.Contains(ContactColumns, folded) {
		return folded
	}
	if known := columnNames[folded]; known != "" {
		return known
	}
	return name
}

func readYes(column, cell string) (bool, error) {
	switch strings.ToLower(cell) {
	case "yes", "true", "1", "on", "はい", "○":
		return true, nil
	case "no", "false", "0", "off", "いいえ", "×":
		return false, nil
	}
	return false, invalid(column, "import_yes_no", "%s is either yes or no, not %q", column, cell)
}

// notCSV says where a file is none: in which line a quotation mark is out of place is all that can be wrong with it.
func notCSV(err error) error {
	line := 0
	if at, is := errors.AsType[*csv.ParseError](err); is {
		line = at.Line
	}
	return invalid("file", "import_csv", "the file is no CSV: a quotation mark in line %d is out of place", line)
}
