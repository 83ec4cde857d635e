package mail

import (
	"strings"
	"unicode"
)

const (
	maxQuoteMarks = 20 // deeper quotations keep this many marks
	maxListIndent = 8
	maxBlankLines = 2 // in a row
	maxLineHeld   = 64 << 10
)

// textLines collects text into lines. Breaks are kept pending until more text
// comes, so that neither empty elements nor the end of the mail leave blank lines.
type textLines struct {
	quote  int    // depth of quotation of what is written next
	lists  int    // depth of lists of what is written next
	bullet string // mark of a list item whose text has not begun
	// columns keeps the place of empty cells, and ends no line at a break that only
	// ends a cell: tables of people are data, those of newsletters mostly layout.
	columns bool

	out       strings.Builder
	line      strings.Builder
	open      bool // the line has begun
	flushed   bool // and its beginning is in out already
	lineQuote int
	last      rune // last character of the line
	space     bool // collapsed white space before the next character
	newline   bool // it held a line end of the source
	breaking  bool // the next character begins a new line
	blanking  bool // with a blank line before it
	inCell    bool // in a table cell
	newCell   bool // nothing has been written in the table cell yet
	rowBegun  bool // the cell is not the first of its row
	joins     int  // tabs before the next character: the cell stays on the line of the one before it
	cellLines int  // lines and rows ended since the cell began
	cellBlank int  // blank lines before the next character of the cell
	blanks    int  // blank lines at the end of out
}

func (l *textLines) write(text string, pre bool) {
	for _, c := range text {
		switch {
		case c == '\n' && pre:
			l.lineBreak()
		case !pre && (c == ' ' || c == '\t' || c == '\n'):
			l.space = true
			l.newline = l.newline || c == '\n'
		case c == '\u200B' || c == '\uFEFF' || c == '\u00AD' || c == '\u034F': // invisible
		case c == '\u00A0':
			l.put(' ')
		default:
			l.put(c)
		}
	}
}

func (l *textLines) put(c rune) {
	if l.open && l.breaking {
		l.endLine()
		for ; l.cellBlank > 0; l.cellBlank-- {
			l.emit("", l.lineQuote)
		}
	}
	if !l.open {
		l.beginLine()
		l.line.WriteString(strings.Repeat("\t", l.joins))
	} else if l.joins > 0 {
		l.line.WriteString(strings.Repeat("\t", l.joins))
	} else if l.space && !(l.newline && isWide(l.last) && isWide(c)) {
		// Japanese wrapped in the source has no space where its lines meet.
		l.line.WriteByte(' ')
	}
	l.space, l.newline, l.breaking, l.newCell, l.joins = false, false, false, false, 0
	l.line.WriteRune(c)
	l.last = c
	if l.line.Len() > maxLineHeld && c > ' ' {
		l.flush()
	}
}

// flush puts the beginning of a line out that is too long to be held.
func (l *textLines) flush() {
	if !l.flushed {
		l.blanks = 0
		l.out.WriteString(quoteMarks(l.lineQuote))
	}
	l.out.WriteString(l.line.String())
	l.line.Reset()
	l.flushed = true
}

// add writes text at the end of the line as it is, before any pending break.
func (l *textLines) add(text string) {
	if l.open {
		l.line.WriteString(text)
		l.last = '>'
	}
}

func (l *textLines) beginLine() {
	if l.blanking && l.blanks == 0 {
		l.emit("", min(l.quote, l.lineQuote))
	}
	l.blanking, l.open, l.lineQuote = false, true, l.quote
	if l.bullet != "" {
		l.line.WriteString(strings.Repeat("  ", min(max(l.lists-1, 0), maxListIndent)) + l.bullet)
		l.bullet = ""
	} else {
		l.line.WriteString(strings.Repeat("  ", min(l.lists, maxListIndent)))
	}
}

func (l *textLines) endLine() {
	text := strings.TrimRight(l.line.String(), " \t")
	if l.flushed {
		l.out.WriteString(text)
		l.out.WriteByte('\n')
	} else {
		l.emit(text, l.lineQuote)
	}
	l.line.Reset()
	l.flushed = false
	l.open, l.breaking, l.newCell, l.space, l.newline, l.joins = false, false, false, false, false, 0
	l.cellLines++
}

func (l *textLines) emit(text string, quote int) {
	marks := quoteMarks(quote)
	if text == "" {
		if l.blanks++; l.blanks > maxBlankLines || l.out.Len() == 0 {
			return
		}
		marks = strings.TrimSuffix(marks, " ")
	} else {
		l.blanks = 0
	}
	l.out.WriteString(marks)
	l.out.WriteString(text)
	l.out.WriteByte('\n')
}

// quoteMarks stands before a line of a quotation of that depth.
func quoteMarks(depth int) string {
	if depth == 0 {
		return ""
	}
	return strings.Repeat(">", min(depth, maxQuoteMarks)) + " "
}

// lineBreak ends the line, an empty one too.
func (l *textLines) lineBreak() {
	if l.columns && l.inCell {
		l.cellBreak()
		return
	}
	if l.open && l.breaking {
		l.endLine()
	}
	if !l.open {
		l.blanking = false
		l.open, l.lineQuote = true, l.quote
	}
	l.endLine()
}

// cellBreak waits for what follows in the cell: editors keep an empty cell open
// by a break.
func (l *textLines) cellBreak() {
	switch {
	case l.newCell:
	case l.breaking:
		l.cellBlank++
	default:
		l.breaking, l.space, l.newline = true, false, false
	}
}

// block makes what follows begin a new line; at the start of a table cell only
// when forced.
func (l *textLines) block(force bool) {
	if l.newCell && !force {
		return
	}
	if force {
		l.cellLines++
		l.rowBegun = false
	}
	l.newCell, l.breaking, l.space, l.newline, l.joins = false, true, false, false, 0
}

// blank asks for a blank line before what follows.
func (l *textLines) blank() {
	if !l.newCell {
		l.blanking = true
	}
}

// cell continues the row on the same line if the cell before it took no more
// than one: data tables read as rows, columns of a layout one after the other.
func (l *textLines) cell() {
	switch {
	case l.open && l.cellLines == 0:
		l.joins, l.breaking, l.blanking = 1+l.emptyCells(), false, false
	case l.open:
		l.endLine()
	case l.columns && l.rowBegun:
		l.joins++
	}
	l.inCell, l.newCell, l.rowBegun, l.cellLines = true, true, true, 0
}

// emptyCells is how many cells before the one that begins were empty and keep
// their place.
func (l *textLines) emptyCells() int {
	if !l.columns {
		return 0
	}
	return l.joins
}

// endCell drops the margin below the last paragraph of a cell of one line.
func (l *textLines) endCell() {
	l.inCell, l.newCell, l.cellBlank = false, false, 0
	if l.cellLines == 0 {
		l.blanking = false
	}
}

func (l *textLines) String() string {
	if l.open {
		l.endLine()
	}
	return strings.Trim(l.out.String(), "\n")
}

// isWide reports characters that are written without spaces between them.
func isWide(c rune) bool {
	return c >= 0x2E80 && (unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana) ||
		c >= 0x3000 && c <= 0x303F || c >= 0xFF00 && c <= 0xFF9F)
}
