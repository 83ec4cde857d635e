package ui

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/labstack/echo/v4"
)

// maxIdempotencyKey is in bytes: a key is an id, not a text.
const maxIdempotencyKey = 255

// idempotencyKey is the key that a request to write or send something brings along.
func idempotencyKey(c echo.Context) (string, error) {
	key := c.Request().Header.Get("Idempotency-Key")
	if len(key) > maxIdempotencyKey {
		return "", invalid("Idempotency-Key", "", fmt.Sprintf("the Idempotency-Key has %d bytes; the limit is %d", len(key), maxIdempotencyKey))
	}
	return key, nil
}

// requestDigest is of what a request with a key asks for, as it was understood: neither
// blanks nor the order of fields make it another. "" without a key.
func requestDigest(key string, asked ...any) string {
	if key == "" {
		return ""
	}
	hash := sha256.New()
	// What is asked for was JSON before, and a hash takes all.
	_ = json.NewEncoder(hash).Encode(asked)
	return hex.EncodeToString(hash.Sum(nil))
}

// identity is what makes a reply another one: not what its author has seen, which a
// program may ask for anew before it repeats itself.
func (in replyInput) identity() replyInput {
	in.Seen, in.Attachments = 0, hashed(in.Attachments)
	return in
}

// hashed are files with the hashes of their bytes in place of these, which may be many.
func hashed(list []attachmentInput) []attachmentInput {
	files := make([]attachmentInput, len(list))
	for i, file := range list {
		sum := sha256.Sum256([]byte(file.Data))
		file.Data = hex.EncodeToString(sum[:])
		files[i] = file
	}
	return files
}
