package helpdesk

import "strings"

// change is one value that a setting had and has now.
type change struct{ field, before, after string }

// details are the data of an event of administration.
type details map[string]string

// changesOf returns what differs, "before" and "after" a field each
// ("name.before", "name.after"), so that the audit log can say it.
func changesOf(list ...change) details {
	data := details{}
	for _, c := range list {
		if c.before == c.after {
			continue
		}
		data[c.field+beforeSuffix], data[c.field+afterSuffix] = clipDetail(c.before), clipDetail(c.after)
	}
	return data
}

const (
	beforeSuffix = ".before"
	afterSuffix  = ".after"
)

// with adds what the event is about.
func (d details) with(field, value string) details {
	d[field] = value
	return d
}

// maxDetail bounds a value in the log, in bytes: a signature need not be kept
// whole a second time.
const maxDetail = 2 << 10

func clipDetail(s string) string {
	if len(s) <= maxDetail {
		return s
	}
	return strings.ToValidUTF8(s[:maxDetail], "") + "…"
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
