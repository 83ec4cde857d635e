package signon

import (
	"errors"
	"fmt"

	"net/http"
	"time"
)

const (
	// patience is how long the provider may take for one answer, maxAnswer how long
	// an answer may be, in bytes: the libraries read whatever comes.
	patience  = 10 * time.Second
	maxAnswer = 1 << 20
)

// newClient returns the client that asks the provider. The house names the
// provider, which may stand in its own network, so every address is reached; but
// our secret and people's codes go to no other server than the one that is asked.
func newClient() *http.Client {
	return &http.Client{Timeout: patience, Transport: bounded{http.DefaultTransport}, CheckRedirect: func(next *http.Request, before []*http.Request) error {
		first := before[0].URL
		if next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
			return fmt.Errorf("the sign-on provider redirects from %s to %s, which is not followed: write the address that it redirects to as oidc.issuer", first.Host, next.URL.Host)
		}
		if len(before) > 3 {
			return errors.New("the sign-on provider redirects in circles")
		}
		return nil
	}}
}

// bounded ends answers that are too long.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	return response, nil
}
