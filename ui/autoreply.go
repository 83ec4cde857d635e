package ui

import (
	"cmp"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// autoReplyEvent says an event of a ticket's automatic answer: which template,
// and when or why not.
func (r reader) autoReplyEvent(e helpdesk.Event, key string, args []any) (string, []any) {
	template := strong(cmp.Or(e.Data["template_name"], r.T("auto_reply.template.gone")))
	switch e.Kind {
	case helpdesk.EventServiceMatched:
		due, _ := time.Parse(time.RFC3339, e.Data["due"])
		return key, append(args, template, strong(r.Long(due)), e.Data["confidence"])
	case helpdesk.EventServiceUnmatched:
		return key, append(args, r.T("auto_reply.why."+e.Data["reason"]))
	case helpdesk.EventServiceStopped:
		return key, append(args, template, r.T("auto_reply.stopped."+e.Data["reason"]))
	case helpdesk.EventServiceSent:
		if e.Actor.UserID != "" {
			key += "_now"
		}
	}
	return key, append(args, template)
}
