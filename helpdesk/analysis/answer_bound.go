package analysis

import (
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxAnswer is how many bytes of one answer of Ollama are read, whatever it answers: a
// text of as many tokens as any model writes is a small part of it. Its client would
// read an answer without an end into memory.
const maxAnswer = 16 << 20

var errAnswerTooLong = errors.New("the answer is longer than 16 MiB")

// boundedAnswers is an http.RoundTripper whose answers fail beyond maxAnswer.
type boundedAnswers struct{ http.RoundTripper }

func (b boundedAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &boundedBody{ReadCloser: answer.Body, left: maxAnswer}
	return answer, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64 // bytes
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errAnswerTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// shortDetail is what is told and logged of an error: its client puts a line that it
// cannot read into one whole.
func shortDetail(text string) string {
	const longest = 1000 // bytes
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}
