package mail

import (
	"strings"
	"unicode/utf8"
)

// encodedWord is one "=?charset?encoding?text?=" (RFC 2047), its text still
// encoded.
type encodedWord struct {
	charset  string
	encoding byte // 'B' or 'Q'
	text     string
	end      int // where the word ends in the string it was read from
}

// readEncodedWord reads the word that begins at s[i]. Clients write words with
// spaces, raw characters and question marks inside, and cut them off.
func readEncodedWord(s string, i int) (encodedWord, bool) {
	if !strings.HasPrefix(s[i:], "=?") {
		return encodedWord{}, false
	}
	const longestCharset = 64
	head := s[i+2 : min(len(s), i+2+longestCharset)]
	charset, rest, ok := strings.Cut(head, "?")
	if !ok || strings.ContainsAny(charset, "=<>@") {
		return encodedWord{}, false
	}
	encoding, _, ok := strings.Cut(rest, "?")
	if !ok {
		return encodedWord{}, false
	}
	word := encodedWord{charset: strings.Trim(charset, " \t\"'")}
	start := i + 2 + len(charset) + 1 + len(encoding) + 1
	switch strings.Trim(encoding, " \t") {
	case "B", "b":
		word.encoding = 'B'
		word.text, word.end = cutBase64Word(s, start)
	case "Q", "q":
		word.encoding = 'Q'
		word.text, word.end = cutQWord(s, start)
	default:
		return encodedWord{}, false
	}
	return word, word.end > start
}

// untilNextWord returns s as far as the next word in it may begin: what looks for the
// end mark of a word looks no further, or a field of words that were never ended would
// be looked through once for each.
func untilNextWord(s string) string {
	for from := 0; ; {
		i := strings.Index(s[from:], "=?")
		if i < 0 {
			return s
		}
		if from += i; !strings.HasPrefix(s[from:], "=?=") { // else "=" and an end mark
			return s[:from]
		}
		from += len("=?=")
	}
}

// cutBase64Word reads on while the alphabet lasts; the end mark may be missing.
func cutBase64Word(s string, start int) (text string, end int) {
	i := start
	for i < len(s) {
		c := s[i]
		if base64Value(c) == 64 && c != '=' && c != '-' && c != '_' && c != ' ' && c != '\t' {
			break
		}
		if c == '=' && strings.HasPrefix(s[i:], "=?") && !strings.HasPrefix(s[i:], "=?=") {
			break // the next word: this one was never ended
		}
		i++
	}
	text = s[start:i]
	if strings.HasPrefix(s[i:], "?=") {
		return text, i + 2
	}
	// Signs from outside the alphabet are passed over where the end mark follows
	// in the same token.
	if token, _, ok := strings.Cut(untilNextWord(s[start:]), "?="); ok && !strings.ContainsAny(token, " \t?<>\",;") && looksBase64([]byte(token)) {
		return token, start + len(token) + 2
	}
	// Without its end mark a word goes no further than the first blank.
	if blank := strings.IndexAny(text, " \t"); blank >= 0 {
		text = text[:blank]
	}
	if len(text) < 4 {
		return "", start
	}
	end = start + len(text)
	if strings.HasPrefix(s[end:], "?") {
		end++
	}
	return text, end
}

// cutQWord finds the end mark, passing over a "?=" that is a raw question mark
// before an escape.
func cutQWord(s string, start int) (text string, end int) {
	rest := untilNextWord(s[start:])
	mark := strings.Index(rest, "?=")
	for mark >= 0 {
		after := rest[mark+2:]
		if _, escape := hexByte([]byte(after[:min(len(after), 2)])); !escape {
			break
		}
		word, _, found := strings.Cut(after, "?=")
		if !found || strings.ContainsAny(word, " \t") {
			break
		}
		mark += 2 + len(word)
	}
	if mark >= 0 {
		return rest[:mark], start + mark + 2
	}
	// No end mark of its own.
	if stop := strings.IndexAny(rest, " \t<>\",;"); stop >= 0 {
		rest = rest[:stop]
	}
	return rest, start + len(rest)
}

// wordPiece is a run of bytes under one charset label, or of characters that
// stood unencoded inside a word.
type wordPiece struct {
	charset string
	data    []byte
	literal bool
}

// decodeWords replaces the encoded words of s. Neighbours of one charset are
// joined before decoding, since clients split them inside a character. decode
// may refuse: then the word stays as written.
func decodeWords(s string, decode func(data []byte, charset string) (string, bool)) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		at := strings.Index(s[i:], "=?")
		if at < 0 {
			b.WriteString(s[i:])
			break
		}
		b.WriteString(s[i : i+at])
		i += at
		words, end := readWordRun(s, i)
		if len(words) == 0 {
			b.WriteString("=?")
			i += 2
			continue
		}
		text, ok := decodeWordRun(words, decode)
		if !ok {
			text = s[i:end]
		}
		b.WriteString(text)
		i = end
	}
	return b.String()
}

// readWordRun reads the words from s[i] with nothing but white space between.
func readWordRun(s string, i int) (words []encodedWord, end int) {
	end = i
	for {
		word, ok := readEncodedWord(s, i)
		if !ok {
			return words, end
		}
		words, end = append(words, word), word.end
		i = end
		for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
			i++
		}
		if i >= len(s) {
			return words, end
		}
	}
}

func decodeWordRun(words []encodedWord, decode func([]byte, string) (string, bool)) (string, bool) {
	var b strings.Builder
	for _, piece := range joinWords(words) {
		if piece.literal {
			b.Write(piece.data)
			continue
		}
		text, ok := decode(piece.data, piece.charset)
		if !ok {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}

func joinWords(words []encodedWord) []wordPiece {
	var pieces []wordPiece
	add := func(charset string, data []byte, literal bool) {
		if n := len(pieces); n > 0 && pieces[n-1].literal == literal && strings.EqualFold(pieces[n-1].charset, charset) {
			pieces[n-1].data = append(pieces[n-1].data, data...)
			return
		}
		pieces = append(pieces, wordPiece{charset: charset, data: data, literal: literal})
	}
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word.encoding == 'B' {
			// A word without padding may have been cut inside a group of four.
			text := []byte(word.text)
			for i+1 < len(words) && words[i+1].encoding == 'B' && strings.EqualFold(words[i+1].charset, word.charset) &&
				!strings.Contains(words[i].text, "=") {
				i++
				text = append(text, words[i].text...)
			}
			data, _ := decodeBase64Leniently(nil, text)
			add(word.charset, data, false)
			continue
		}
		for rest := word.text; rest != ""; {
			if rest[0] >= utf8.RuneSelf {
				n := 0
				for n < len(rest) && rest[n] >= utf8.RuneSelf {
					n++
				}
				add(word.charset, []byte(rest[:n]), true)
				rest = rest[n:]
				continue
			}
			n := 0
			for n < len(rest) && rest[n] < utf8.RuneSelf {
				n++
			}
			add(word.charset, decodeQ(rest[:n]), false)
			rest = rest[n:]
		}
	}
	return pieces
}

// decodeQ undoes the Q encoding (RFC 2047 section 4.2).
func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '_':
			out = append(out, ' ')
		case '=':
			if v, ok := hexByte([]byte(s[i+1 : min(len(s), i+3)])); ok {
				out = append(out, v)
				i += 2
				continue
			}
			out = append(out, c)
		default:
			out = append(out, c)
		}
	}
	return out
}
