package mail

// guessCharset names the likeliest character set of data that has bytes above
// 0x7F and no usable label. sure is false when nothing fits and the Western
// default is returned. Each candidate is scored by how much of it is common
// text; the order breaks ties in favour of Japanese.
func guessCharset(data []byte) (name string, sure bool) {
	if countUTF8(data).valid() {
		return "utf-8", true
	}
	if hasJapaneseEscape(data) {
		return "iso-2022-jp", true
	}
	best := 0.5
	name = "windows-1252"
	for _, candidate := range []struct {
		name  string
		score float64
	}{
		{"shift_jis", scoreShiftJIS(data).value()},
		{"euc-jp", scoreEUCJP(data).value()},
		{"euc-kr", scoreEUCKR(data).value()},
		{"gb18030", scoreGB18030(data).value()},
		{"big5", scoreBig5(data).value()},
		{"windows-1251", scoreSingle(data, 0xE0, 0xFF)},
		{"koi8-r", scoreSingle(data, 0xC0, 0xDF)},
		{"windows-1252", scoreWestern(data)},
	} {
		if candidate.score > best {
			best, name, sure = candidate.score, candidate.name, true
		}
	}
	return name, sure
}

// looksJapanese says whether data labelled as Western is Shift_JIS or EUC-JP
// beyond doubt: well formed, and full of kana.
func looksJapanese(data []byte) (name string, ok bool) {
	if s := scoreShiftJIS(data); s.errors == 0 && s.kana >= 2 && s.value() > 0.8 {
		return "shift_jis", true
	}
	if s := scoreEUCJP(data); s.errors == 0 && s.kana >= 2 && s.value() > 0.8 {
		return "euc-jp", true
	}
	return "", false
}

// score counts the characters outside ASCII by how usual they are.
type score struct {
	total  int
	common int // everyday characters and punctuation
	kana   int // of the common ones, hiragana and katakana
	rare   int
	errors int
	weight float64 // of a common character; 1 when zero
}

func (s score) value() float64 {
	if s.total == 0 {
		return 0
	}
	weight := s.weight
	if weight == 0 {
		weight = 1
	}
	return (weight*float64(s.common) + 0.2*float64(s.kana) - float64(s.rare) - 8*float64(s.errors)) / float64(s.total)
}

// at returns data[i], or 0 beyond the end.
func at(data []byte, i int) byte {
	if i < len(data) {
		return data[i]
	}
	return 0
}

func scoreShiftJIS(data []byte) score {
	var s score
	half := 0
	for i := 0; i < len(data); i++ {
		c := data[i]
		if c < 0x80 {
			continue
		}
		s.total++
		if c >= 0xA1 && c <= 0xDF {
			half++
			continue
		}
		t := at(data, i+1)
		if c == 0x80 || c == 0xA0 || c > 0xFC || t < 0x40 || t == 0x7F || t > 0xFC {
			if i+1 < len(data) {
				s.errors++
			}
			continue
		}
		i++
		switch {
		case c == 0x82 && t >= 0x9F && t <= 0xF1, c == 0x83 && t <= 0x96:
			s.common++
			s.kana++
		case c == 0x81, c == 0x82 && t >= 0x4F, c == 0x87 && t <= 0x9C, c >= 0x88 && c <= 0x97:
			s.common++
		case c >= 0x98 && c <= 0x9F, c >= 0xE0 && c <= 0xEA, c == 0xED, c == 0xEE, c >= 0xFA && c <= 0xFC: // NEC's and IBM's own among them
			s.rare++
		default:
			s.errors++
		}
	}
	// Half-width katakana alone may be any double-byte set read askew.
	if s.common > 0 {
		s.common += half / 2
	}
	return s
}

// scorePairs walks a set whose characters are two bytes with the high bit in
// the first; classify adds each pair, and returns the length it took.
func scorePairs(data []byte, classify func(s *score, c, t byte) int) score {
	var s score
	for i := 0; i < len(data); {
		c := data[i]
		if c < 0x80 {
			i++
			continue
		}
		s.total++
		if i+1 >= len(data) {
			break // cut in the middle of a character
		}
		i += classify(&s, c, data[i+1])
	}
	return s
}

func scoreEUCJP(data []byte) score {
	s := scorePairs(data, func(s *score, c, t byte) int {
		switch {
		case c == 0x8E && t >= 0xA1 && t <= 0xDF:
			s.common++
		case c == 0x8F && t >= 0xA1:
			s.rare++
			return 3
		case c < 0xA1 || c == 0xFF || t < 0xA1 || t == 0xFF:
			s.errors++
			return 1
		case c == 0xA4 && t <= 0xF3, c == 0xA5 && t <= 0xF6:
			s.common++
			s.kana++
		case c <= 0xA3, c == 0xAD, c >= 0xB0 && c <= 0xCF:
			s.common++
		default:
			s.rare++
		}
		return 2
	})
	// Japanese of any length has kana; without, Chinese or Korean is likelier.
	if s.kana*10 < s.total {
		s.weight = 0.7
	}
	return s
}

func scoreEUCKR(data []byte) score {
	s := scorePairs(data, func(s *score, c, t byte) int {
		switch {
		case c < 0x81 || c == 0xFF || t < 0x41 || t == 0xFF:
			s.errors++
			return 1
		case t >= 0xA1 && c >= 0xB0 && c <= 0xC8, t >= 0xA1 && c >= 0xA1 && c <= 0xA3:
			s.common++
		default:
			s.rare++
		}
		return 2
	})
	s.weight = 1.05 // the narrowest range: to fit it wholly is telling
	return s
}

func scoreGB18030(data []byte) score {
	return scorePairs(data, func(s *score, c, t byte) int {
		switch {
		case c < 0x81 || c == 0xFF || t < 0x40 || t == 0x7F || t == 0xFF:
			s.errors++
			return 1
		case t >= 0xA1 && c >= 0xA1 && c <= 0xA3, t >= 0xA1 && c >= 0xB0 && c <= 0xD7:
			s.common++
		default:
			s.rare++
		}
		return 2
	})
}

func scoreBig5(data []byte) score {
	return scorePairs(data, func(s *score, c, t byte) int {
		switch {
		case c < 0xA1 || c > 0xF9 || t < 0x40 || t > 0x7E && t < 0xA1 || t == 0xFF:
			s.errors++
			return 1
		case c <= 0xA3, c >= 0xA4 && c <= 0xC6:
			s.common++
		default:
			s.rare++
		}
		return 2
	})
}

// scoreSingle is the share of letters of a Cyrillic set's lower case, where
// they stand in words of several.
func scoreSingle(data []byte, low, high byte) float64 {
	total, letters, runs := 0, 0, 0
	for i, c := range data {
		if c < 0x80 {
			continue
		}
		total++
		if c >= low && c <= high {
			letters++
		}
		if i == 0 || data[i-1] < 0x80 {
			runs++
		}
	}
	if total == 0 || total < 3*runs {
		return 0
	}
	return 0.95 * float64(letters) / float64(total)
}

// scoreWestern is the share of letters beside ASCII letters, and of the usual
// typographic signs.
func scoreWestern(data []byte) float64 {
	total, good := 0, 0
	for i, c := range data {
		if c < 0x80 {
			continue
		}
		total++
		switch {
		case c == 0x81 || c == 0x8D || c == 0x8F || c == 0x90 || c == 0x9D:
			return 0
		case c >= 0xC0 && c != 0xD7 && c != 0xF7:
			if i > 0 && isLatinLetter(data[i-1]) || isLatinLetter(at(data, i+1)) || total == 1 {
				good++
			}
		case c == 0xA0, c == 0xA9, c == 0xAE, c == 0xB0, c == 0xAB, c == 0xBB, c == 0x80, c >= 0x91 && c <= 0x97, c == 0x85, c == 0xA3, c == 0xBF, c == 0xA1:
			good++
		}
	}
	if total == 0 {
		return 0
	}
	return 0.9 * float64(good) / float64(total)
}

func isLatinLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
