package ui_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/ui/locale"
)

// The audit page says every kind of event in words. Kinds that are always about a
// ticket, or daily work, are not on it.
func TestAuditHasWordsForEveryKind(t *testing.T) {
	source, err := os.ReadFile("../helpdesk/event_kind.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`EventKind = "([a-z_.]+)"`).FindAllSubmatch(source, -1)
	if len(kinds) < 80 {
		t.Fatalf("only %d kinds of events found", len(kinds))
	}
	catalogues, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	daily := []string{"ticket", "message", "reply", "note", "mention", "draft", "approval", "delivery", "acknowledgement", "copy", "analysis", "timer", "contact", "company", "action"}
	ofTickets := []string{"rule.applied", "rule.nobody", "address.suppressed", "service.matched", "service.unmatched", "service.rejected", "service.forbidden",
		"service.again", "service.stopped", "service.sent"}
	for _, found := range kinds {
		kind := string(found[1])
		area, _, _ := strings.Cut(kind, ".")
		if slices.Contains(daily, area) || slices.Contains(ofTickets, kind) {
			continue
		}
		key := "audit.event." + strings.ReplaceAll(kind, ".", "_")
		for _, l := range []locale.Language{locale.Japanese, locale.English} {
			if !catalogues.Printer(l, nil, time.Time{}).Has(key) {
				t.Errorf("%s has no %s", l, key)
			}
		}
	}
}
