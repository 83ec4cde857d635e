package helpdesk

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// AlarmDetail is what an alarm found. Key names its sentence under alarm.say in the
// catalogues and Args is what stands in that; Text says it in English, for logs and
// commands, and for whoever meets one without a key: the words of an error of
// another program, which nobody translates.
//
// It is an error too, so that what fails says in passing what an alarm shall tell.
type AlarmDetail struct {
	Key  string
	Args []string
	Text string
}

// Error implements error.
func (d AlarmDetail) Error() string { return d.Text }

// Found returns a detail with its sentence in English. The args of the sentence are
// those of the catalogues' sentence, in their order.
func Found(key, format string, args ...any) AlarmDetail {
	d := AlarmDetail{Key: key, Text: fmt.Sprintf(format, args...)}
	for _, arg := range args {
		d.Args = append(d.Args, fmt.Sprint(arg))
	}
	return d
}

// FoundIn returns what an error found: its detail, or its words.
func FoundIn(err error) AlarmDetail {
	var d AlarmDetail
	if errors.As(err, &d) {
		return d
	}
	return AlarmDetail{Text: err.Error()}
}

// clipped is the detail no longer than what is kept of one.
func (d AlarmDetail) clipped() AlarmDetail {
	d.Text, d.Args = clipDetail(d.Text), slices.Clone(d.Args)
	for i, arg := range d.Args {
		d.Args[i] = clipDetail(arg)
	}
	return d
}

// The data of an event that hold a detail.
const (
	detailText = "detail"
	detailKey  = "detail_key"
	detailArgs = "detail_args" // a JSON list
)

func (d AlarmDetail) write(data map[string]string) {
	data[detailText] = d.Text
	if d.Key == "" {
		return
	}
	data[detailKey] = d.Key
	if args, err := json.Marshal(d.Args); err == nil { // strings always are JSON
		data[detailArgs] = string(args)
	}
}

// TakeDetail takes the detail of an alarm out of the data of its event, where it is
// three entries.
func TakeDetail(data map[string]string) (d AlarmDetail) {
	d.Text, d.Key = data[detailText], data[detailKey]
	if json.Unmarshal([]byte(data[detailArgs]), &d.Args) != nil {
		d.Args = nil
	}
	for _, name := range []string{detailText, detailKey, detailArgs} {
		delete(data, name)
	}
	return d
}
