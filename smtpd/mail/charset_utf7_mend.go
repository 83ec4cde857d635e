package mail

import (
	"iter"
	"strings"
	"unicode"
)

// mendUTF7 reads UTF-7 as Netscape 4 wrote it of ISO 8859-1: it took each
// accented letter for the lead byte of UTF-8, without looking at what follows,
// and made one number of the letter and the one or two characters after it.
// Properly read, such a mail has a lone foreign character in each such word.
// False means that data does not look so; then nothing may be changed.
//
// A number fits two letters sixteen places apart (ä and ô): the commoner one is
// taken, so what comes out is a reading, and is noted as one.
func mendUTF7(data []byte) (string, bool) {
	var b strings.Builder
	within := false // a run stood between letters, and read properly it is no Latin
	for i := 0; i < len(data); {
		if data[i] != '+' {
			b.WriteByte(data[i])
			i++
			continue
		}
		if i+1 < len(data) && data[i+1] == '-' {
			b.WriteByte('+')
			i += 2
			continue
		}
		end := i + 1
		for end < len(data) && base64Value(data[end]) < 64 {
			end++
		}
		unit, ok := singleUnit(data[i+1 : end])
		if !ok {
			return "", false
		}
		letters, ok := uncrush(unit)
		if !ok {
			return "", false
		}
		before := i > 0 && isLetter(data[i-1])
		if end < len(data) && data[end] == '-' {
			end++
		}
		after := end < len(data) && isLetter(data[end])
		within = within || before && after && !unicode.Is(unicode.Latin, rune(unit))
		b.WriteString(letters)
		i = end
	}
	return b.String(), within
}

// singleUnit decodes a run that holds one UTF-16 unit and no more.
func singleUnit(run []byte) (uint16, bool) {
	if len(run) != 3 {
		return 0, false
	}
	bits := uint32(base64Value(run[0]))<<12 | uint32(base64Value(run[1]))<<6 | uint32(base64Value(run[2]))
	return uint16(bits >> 2), bits&3 == 0
}

// commonLetters are, of the two letters that lead bytes 0xE0+n and 0xF0+n stand
// for, the one that more is written with.
var commonLetters = []rune("àñâóäõöçèéêëüíîï")

// uncrush finds the accented letter and what follows it, of which unit was
// made: (lead mod 32)·64 + trail-128 below 0xE0, and above it (lead mod
// 16)·4096 + (trail-128)·64 + trail-128, in 16 bits.
func uncrush(unit uint16) (string, bool) {
	var best string
	bestLikelihood := 0
	try := func(likelihood int, letters ...rune) {
		if likelihood > bestLikelihood {
			best, bestLikelihood = string(letters), likelihood
		}
	}
	for last, rest := range sixBits(unit + 128) {
		if letter := rune(0xC0 + rest); rest < 32 && unicode.IsLetter(letter) {
			try(2*likelihood(last), letter, last)
		}
	}
	for last, rest := range sixBits(unit + 128*64 + 128) {
		// The lead byte was shifted out of 16 bits: what is left of it is modulo 16.
		for first, lead := range sixBits(rest) {
			letter := commonLetters[lead%16]
			likely := 2*min(likelihood(first), likelihood(last)) - 1
			if last == ' ' && strings.ContainsRune(".,;:!", first) && strings.ContainsRune("éèàù", letter) {
				likely = 6 // the end of a French or Italian word
			}
			try(likely, letter, first, last)
		}
	}
	return best, bestLikelihood > 0
}

// sixBits yields the characters of ISO 8859-1 whose sum with 64 times a rest is sum.
func sixBits(sum uint16) iter.Seq2[rune, uint16] {
	return func(yield func(rune, uint16) bool) {
		for c := sum % 64; c < 256; c += 64 {
			if likelihood(rune(c)) > 0 && !yield(rune(c), (sum-c)/64) {
				return
			}
		}
	}
}

// likelihood orders what may follow a letter: 0 is nothing of text.
func likelihood(c rune) int {
	switch {
	case c >= 'a' && c <= 'z':
		return 4
	case c == ' ', c >= 0xDF && unicode.IsLetter(c):
		return 3
	case c >= 'A' && c <= 'Z', strings.ContainsRune(`.,;:!?'")-`, c):
		return 2
	case c >= 0xC0 && unicode.IsLetter(c):
		return 1
	}
	return 0
}
