package search

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// folded is one character in the form in which characters are compared, with the
// bytes of the original that it stands for.
type folded struct {
	r          rune
	start, end int
}

// fold calls yield with the characters of s in their common form: NFKC (which
// also joins half-width kana with their marks), without case, kana as hiragana,
// Latin letters without accents. Characters without width are left out.
func fold(s string, yield func(folded) bool) {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf && (i+1 == len(s) || s[i+1] < utf8.RuneSelf) {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			if !yield(folded{rune(c), i, i + 1}) {
				return
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if common(r) {
			next, _ := utf8.DecodeRuneInString(s[i+size:])
			if common(next) || next < utf8.RuneSelf {
				if !yield(folded{foldRune(r), i, i + size}) {
					return
				}
				i += size
				continue
			}
		}
		end := i + max(norm.NFKC.NextBoundaryInString(s[i:], true), size)
		for _, n := range norm.NFKC.String(s[i:end]) {
			if n = foldRune(n); n >= 0 && !yield(folded{n, i, end}) {
				return
			}
		}
		i = end
	}
}

// Fold returns a text in the form in which texts are compared: without width,
// case, accents of Latin letters, and with all kana as hiragana.
func Fold(s string) string { return foldText(s) }

// common characters are their own NFKC form and take part in no composition, as
// long as another of them follows.
func common(r rune) bool {
	return 0x4e00 <= r && r <= 0x9fff || 0x3041 <= r && r <= 0x3096 || 0x30a1 <= r && r <= 0x30fc || 0x3001 <= r && r <= 0x3029
}

// foldRune folds one character of a text in NFKC; -1 leaves it out.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	case 0x3001 <= r && r <= 0x3096 || 0x30f7 <= r && r <= 'ー': // hiragana and what stands between words
		return r
	case 0x30a1 <= r && r <= 0x30f6 || r == 'ヽ' || r == 'ヾ':
		return r - 0x60
	case 0x4e00 <= r && r <= 0x9fff && !hasVariant(r):
		return r
	case 0x4e00 <= r && r <= 0x9fff, r >= 0xfa00 && r <= 0xfaff, r == '𠮷':
		if today, old := nameVariants[r]; old {
			return today
		}
		return r
	case r == utf8.RuneError, unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return -1
	case unicode.Is(unicode.Latin, r):
		var d [utf8.UTFMax]byte
		base, _ := utf8.DecodeRune(norm.NFD.Bytes(d[:utf8.EncodeRune(d[:], r)]))
		r = base
	}
	return unicode.ToLower(unicode.ToUpper(r)) // through upper case, so that both sigmas meet
}

// nameVariants are forms of characters that live on in names of people and
// companies, with the forms that others type for them.
var nameVariants = map[rune]rune{
	'髙': '高', '﨑': '崎', '德': '徳', '濱': '浜', '濵': '浜', '邉': '辺', '邊': '辺', '齋': '斉', '齊': '斉', '斎': '斉',
	'澤': '沢', '廣': '広', '櫻': '桜', '國': '国', '瀧': '滝', '嶋': '島', '嶌': '島', '眞': '真', '惠': '恵', '榮': '栄',
	'條': '条', '龍': '竜', '壽': '寿', '學': '学', '會': '会', '澁': '渋', '假': '仮', '團': '団', '圓': '円', '淺': '浅',
	'黑': '黒', '增': '増', '靑': '青', '冨': '富', '應': '応', '實': '実', '渕': '淵', '舘': '館', '峯': '峰', '邨': '村', '埜': '野', '嵜': '崎', '薗': '園', '舩': '船', '桒': '桑',
	'栁': '柳', '曾': '曽', '與': '与', '萬': '万', '豐': '豊', '彌': '弥', '禮': '礼', '寶': '宝', '寳': '宝', '藏': '蔵', '鐵': '鉄', '關': '関', '鹽': '塩', '龜': '亀', '檜': '桧',
	'凜': '凛', '遙': '遥', '堯': '尭', '槇': '槙', '晉': '晋', '縣': '県', '莊': '荘', '籔': '薮', '藪': '薮', '鷗': '鴎', '靜': '静', '淸': '清', '祿': '禄', '郞': '郎', '𠮷': '吉',
}

// hasVariant tells whether one of the characters from 0x4e00 to 0x9fff is among nameVariants.
// Nearly none is.
func hasVariant(r rune) bool { return variantBits[(r-0x4e00)/64]&(1<<(r%64)) != 0 }

var variantBits = func() (set [(0xa000 - 0x4e00) / 64]uint64) {
	for r := range nameVariants {
		if 0x4e00 <= r && r <= 0x9fff {
			set[(r-0x4e00)/64] |= 1 << (r % 64)
		}
	}
	return set
}()
