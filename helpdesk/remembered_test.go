package helpdesk_test

import (
	"reflect"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// A field that leads elsewhere has to be copied too, one that is added some day not less.
func TestCopiesShareNothingWithTheirRecords(t *testing.T) {
	var alias helpdesk.Alias
	var pipeline helpdesk.Pipeline
	fillLists(&alias)
	fillLists(&pipeline)
	for record, copied := range helpdesk.ClonedRecords(&alias, &pipeline) {
		was, is := reflect.ValueOf(record).Elem(), reflect.ValueOf(copied).Elem()
		if !reflect.DeepEqual(record, copied) {
			t.Errorf("%v is copied as %v", was, is)
		}
		for i := range was.NumField() {
			name, field := was.Type().Field(i).Name, was.Field(i)
			switch field.Kind() {
			case reflect.Slice, reflect.Map:
				if field.Len() == 0 {
					t.Errorf("%s.%s is empty: nothing is shown", was.Type(), name)
				}
				if field.Pointer() == is.Field(i).Pointer() {
					t.Errorf("%s.%s is shared", was.Type(), name)
				}
			case reflect.Pointer, reflect.Interface, reflect.Func, reflect.Chan:
				t.Errorf("%s.%s is a %s: copy it, and let this test look", was.Type(), name, field.Kind())
			}
		}
	}
}

func fillLists(record any) {
	fields := reflect.ValueOf(record).Elem()
	for i := range fields.NumField() {
		if field := fields.Field(i); field.Kind() == reflect.Slice {
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		}
	}
}
