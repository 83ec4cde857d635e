package helpdesk

import (
	"crypto/rand"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"golang.org/x/text/unicode/norm"

	"github.com/madoguchi/madoguchi/store"
)

// secondFactor is what proves a user besides their password: an authenticator
// app (RFC 6238), and codes on paper for the day it is lost. The secret is kept
// as it is, since codes are computed from it.
type secondFactor struct {
	UserID string
	Secret string // base32, without padding
	// LastStep is that of the last code that was used: no code works twice (RFC
	// 6238, section 5.2).
	LastStep  int64
	Codes     []string // hashes of the recovery codes that are left
	CreatedAt time.Time
	CodesAt   time.Time
}

var secondFactors = store.NewTable(store.Spec[secondFactor]{Name: "secondfactor", Version: 1,
	Key: func(f *secondFactor) []byte { return key(f.UserID) }})

const (
	totpPeriod = 30 // seconds
	// totpSkew is how many steps a phone's clock may be off, either way.
	totpSkew       = 1
	recoveryCodes  = 10
	recoveryLength = 12 // characters of 5 bits
)

// typedCode is a code as it was meant: an input method for Japanese writes wide
// digits, and people write what separates groups, or not.
func typedCode(s string) string {
	s = strings.ToUpper(norm.NFKC.String(s[:min(len(s), 200)]))
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '‐' || r == 'ー' || r == '−' || r == '\t' {
			return -1
		}
		return r
	}, s)
}

// accept reports how a typed code proves the user, "" where it does not, and
// uses it up: the factor is to be written back.
func (f *secondFactor) accept(typed string, now time.Time) LoginMethod {
	code := typedCode(typed)
	if f.acceptTime(code, now) {
		return LoginCode
	}
	hash := hashSecret(code)
	for i, known := range f.Codes {
		if subtle.ConstantTimeCompare([]byte(known), []byte(hash)) == 1 {
			f.Codes = slices.Delete(f.Codes, i, i+1)
			return LoginRecovery
		}
	}
	return ""
}

// acceptTime checks a code of the authenticator app.
func (f *secondFactor) acceptTime(code string, now time.Time) bool {
	if len(code) != otp.DigitsSix.Length() {
		return false
	}
	step := now.Unix() / totpPeriod
	for at := max(step-totpSkew, f.LastStep+1); at <= step+totpSkew; at++ {
		want, err := hotp.GenerateCodeCustom(f.Secret, uint64(at), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			f.LastStep = at
			return true
		}
	}
	return false
}

// renewCodes makes recovery codes in place of all earlier ones.
func (f *secondFactor) renewCodes(now time.Time) (codes []string) {
	f.Codes, f.CodesAt = nil, now
	for range recoveryCodes {
		code := rand.Text()[:recoveryLength]
		f.Codes = append(f.Codes, hashSecret(code))
		codes = append(codes, strings.ToLower(code[:4]+"-"+code[4:8]+"-"+code[8:]))
	}
	return codes
}
