package helpdesk

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// seals close what a browser carries from one step of a login to the next: it
// can neither read nor change it. So strangers who begin logins leave nothing
// behind in the store or in memory. The key lives as long as the process.
type seals struct {
	aead cipher.AEAD
	mu   sync.Mutex
	// spent are the things that work once, until they would be over anyway.
	spent map[string]time.Time
}

func newSeals() *seals {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	block, err := aes.NewCipher(secret)
	if err == nil {
		var aead cipher.AEAD
		if aead, err = cipher.NewGCMWithRandomNonce(block); err == nil {
			return &seals{aead: aead, spent: map[string]time.Time{}}
		}
	}
	panic(fmt.Sprintf("AES of 256 bits: %v", err)) // cannot be: the length of the key is right
}

type sealed struct {
	Until   time.Time
	Content json.RawMessage
}

// close seals content for a purpose until a time.
func (s *seals) close(purpose string, until time.Time, content any) (string, error) {
	data, err := json.Marshal(content)
	if err == nil {
		data, err = json.Marshal(sealed{until, data})
	}
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", purpose, err)
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, data, []byte(purpose))), nil
}

// open reads what was sealed for the same purpose into content, or is
// CodeUnauthorized.
func (s *seals) open(purpose, text string, now time.Time, content any) error {
	over := unauthorized("login_step_over", "this step of the login took too long, or the server was started again; begin anew")
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return over
	}
	if data, err = s.aead.Open(nil, nil, data, []byte(purpose)); err != nil {
		return over
	}
	var read sealed
	if err := json.Unmarshal(data, &read); err != nil || !read.Until.After(now) {
		return over
	}
	if err := json.Unmarshal(read.Content, content); err != nil {
		return over
	}
	return nil
}

// spend uses up what works once, until a time. It is false where that was done
// before. Only what was proven is spent, so that strangers fill no memory.
func (s *seals) spend(id string, now, until time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, t := range s.spent {
		if !t.After(now) {
			delete(s.spent, k)
		}
	}
	if _, ok := s.spent[id]; ok {
		return false
	}
	s.spent[id] = until
	return true
}
