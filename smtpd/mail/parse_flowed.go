package mail

import "strings"

// unflow joins the soft line breaks of format=flowed (RFC 3676): a line that
// ends in a space goes on in the next. Quoted lines keep their breaks, so that
// every line of a quote still shows that it is one. deleteSpace removes the
// joining space, as scripts without spaces between words need.
func unflow(text string, deleteSpace bool) string {
	var b strings.Builder
	b.Grow(len(text))
	flowing := false // the line before ended in a soft break
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		quoted := strings.HasPrefix(line, ">")
		if flowing && quoted {
			b.WriteByte('\n') // a paragraph never flows into a quote
		}
		line = strings.TrimPrefix(line, " ") // space-stuffing
		soft := ended && !quoted && strings.HasSuffix(line, " ") && line != "-- "
		if soft && deleteSpace {
			line = line[:len(line)-1]
		}
		b.WriteString(line)
		if ended && !soft {
			b.WriteByte('\n')
		}
		flowing = soft
	}
	return b.String()
}
