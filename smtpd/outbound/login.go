package outbound

import (
	"net/smtp"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
)

// chooseLogin returns the way to authenticate, PLAIN before LOGIN, or nil where
// the server offers neither. Whether the connection is fit for a password is
// the caller's to decide.
func chooseLogin(h *Smarthost, offered []string) smtp.Auth {
	switch {
	case slices.Contains(offered, sasl.Plain):
		return plainLogin{sasl.NewPlainClient("", h.Username, h.Password)}
	case slices.Contains(offered, sasl.Login):
		return &oldLogin{username: h.Username, password: h.Password}
	}
	return nil
}

// plainLogin is AUTH PLAIN (RFC 4616).
type plainLogin struct{ client sasl.Client }

func (l plainLogin) Start(*smtp.ServerInfo) (string, []byte, error) { return l.client.Start() }

func (l plainLogin) Next(challenge []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	return l.client.Next(challenge)
}

// oldLogin is AUTH LOGIN, which no RFC describes. The username waits for its
// prompt, and prompts are told apart by little: go-sasl's client sends it
// unasked and knows one spelling of the second prompt, which servers vary.
type oldLogin struct {
	username, password string
	asked              int
}

func (l *oldLogin) Start(*smtp.ServerInfo) (string, []byte, error) { return sasl.Login, nil, nil }

func (l *oldLogin) Next(challenge []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	l.asked++
	prompt := strings.ToLower(string(challenge))
	switch {
	case l.asked == 1 && !strings.HasPrefix(prompt, "pass"):
		return []byte(l.username), nil
	case l.asked <= 2:
		return []byte(l.password), nil
	}
	return nil, sasl.ErrUnexpectedServerChallenge
}
