package analysis

import (
	"errors"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// unread is why a mail has no analysis. Its sentence in the catalogues stands under analysis.unread.
type unread struct {
	key  string
	args []any
	err  error // says it in English
}

func (u *unread) Error() string { return u.err.Error() }

func (u *unread) Unwrap() error { return u.err }

// keep returns the sentence of an error for a record, "" where it has none.
func keep(err error) string {
	var u *unread
	if !errors.As(err, &u) {
		return ""
	}
	return helpdesk.KeepError(&helpdesk.Error{Key: "analysis.unread." + u.key, Args: u.args})
}
