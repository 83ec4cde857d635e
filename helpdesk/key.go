package helpdesk

import (
	"reflect"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// descending marks a time that sorts the newest first.
type descending time.Time

// key builds an ordered key of strings, numbers, truth values and times. Long
// strings come from mails and are bounded.
func key(parts ...any) []byte {
	k := make(store.Key, 0, 64)
	for _, part := range parts {
		switch v := part.(type) {
		case string:
			k = k.BoundedText(v)
		case uint64:
			k = k.Uint64(v)
		case bool:
			k = k.Bool(v)
		case time.Time:
			k = k.Time(v)
		case descending:
			k = k.TimeDescending(time.Time(v))
		default:
			panic("helpdesk: a key cannot hold a " + reflect.TypeOf(part).String()) // a mistake in this package, found by any test
		}
	}
	return k
}
