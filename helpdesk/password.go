package helpdesk

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id: the second recommendation of RFC 9106, section 4,
// for servers without memory to spare.
const (
	argonTime    = 3
	argonMemory  = 64 * 1024 // KiB, where Options name no other
	argonThreads = 4
	argonKey     = 32 // bytes
	argonSalt    = 16 // bytes

	// parallelHashes bounds the memory: 128 MiB, whatever many log in.
	parallelHashes = 2
)

// minPassword is in characters (NIST SP 800-63B asks for at least 8).
const minPassword = 10

func checkPassword(password string) error {
	if utf8.RuneCountInString(password) < minPassword {
		return invalid("password", "password_short", "the password has fewer than %d characters", minPassword)
	}
	if len(password) > 1024 {
		return invalid("password", "password_long", "the password has more than 1024 bytes")
	}
	return nil
}

// passwords hashes and compares. Each hash takes 64 MiB, so that only a few
// are computed at a time: a storm of logins waits, and takes no more memory.
type passwords struct {
	memory uint32 // KiB
	slots  chan struct{}
}

func newPasswords(memory int) *passwords {
	return &passwords{memory: uint32(memory), slots: make(chan struct{}, parallelHashes)}
}

func (p *passwords) key(password string, salt []byte, passes, memory uint32, threads uint8, length int) []byte {
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	return argon2.IDKey([]byte(password), salt, passes, memory, threads, uint32(length))
}

// hash returns a password's hash in the PHC string format.
func (p *passwords) hash(password string) string {
	salt := make([]byte, argonSalt)
	rand.Read(salt)
	hash := p.key(password, salt, argonTime, p.memory, argonThreads, argonKey)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(hash))
}

// absent is a hash that no password has. It is compared when there is no such
// user, so that an answer takes as long as with one.
func (p *passwords) absent() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		argon2.Version, p.memory, argonTime, argonThreads)
}

// match compares in constant time. A malformed hash matches nothing.
func (p *passwords) match(password, encoded string) bool {
	fields := strings.Split(encoded, "$")
	if len(fields) != 6 || fields[1] != "argon2id" {
		return false
	}
	var memory, passes uint32
	var threads uint8
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); err != nil || passes == 0 || threads == 0 {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(fields[4])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(fields[5])
	if err != nil || len(want) == 0 {
		return false
	}
	return subtle.ConstantTimeCompare(p.key(password, salt, passes, memory, threads, len(want)), want) == 1
}

// newSecret returns 256 random bits for a cookie, a token or a link, and the
// hash under which they are kept: whoever reads the store cannot use them.
func newSecret() (secret, hash string) {
	random := make([]byte, 32)
	rand.Read(random)
	secret = base64.RawURLEncoding.EncodeToString(random)
	return secret, hashSecret(secret)
}

func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
