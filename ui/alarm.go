package ui

import (
	"maps"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// AlarmText says what an alarm found in the reader's language, or in the words in
// which it was met where there is no sentence for it.
func AlarmText(p locale.Printer, d helpdesk.AlarmDetail) string {
	key := "alarm.say." + d.Key
	if d.Key == "" || !p.Has(key) {
		return d.Text
	}
	args := make([]any, len(d.Args))
	for i, arg := range d.Args {
		args[i] = arg
		if d.Key == "webhook_unreachable" {
			args[i] = strings.TrimRight(describeAttempt(p, arg), "。.")
		}
	}
	return p.T(key, args...)
}

// alarmNotice says what the notice of an alarm is about. The subject of a webhook is
// an id, which nobody knows; what was found names it.
func alarmNotice(p locale.Printer, n helpdesk.NoticeView, whole bool) string {
	subject, found := n.Subject, AlarmText(p, n.Found)
	switch {
	case found == "", !whole && n.Notice.Alarm != helpdesk.AlarmWebhook:
		return subject
	case n.Notice.Alarm == helpdesk.AlarmWebhook:
		return found
	}
	return subject + "\n" + found
}

// alarmData is the data of an alarm's event in the reader's words, other data as it is.
func (v *visit) alarmData(e helpdesk.Event) map[string]string {
	if e.Kind != helpdesk.EventAlarmRaised && e.Kind != helpdesk.EventAlarmEnded {
		return e.Data
	}
	data := maps.Clone(e.Data)
	data["detail"] = AlarmText(v.Printer, helpdesk.TakeDetail(data))
	if key := "alarm.kind." + data["kind"]; v.Has(key) {
		data["kind"] = strings.TrimSuffix(v.T(key), "。")
	}
	return data
}
