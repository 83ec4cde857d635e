package main_test

import (
	"strings"
	"testing"
)

// journeys are the ways through a day that people take most.
var journeys = []struct {
	name string
	walk func(*journey)
}{
	{"agent/a first answer by the keyboard alone", (*journey).answersByKeyboard},
	{"agent/a reply with all that a letter can have, taken back once", (*journey).composes},
	{"agent/on hold until the customer writes", (*journey).holds},
	{"agent/find, merge, undo", (*journey).finds},
	{"agent/mail of strangers", (*journey).confirms},
	{"agent/many at once, and spam", (*journey).sortsOut},
	{"agent/on the phone with one thumb", (*journey).answersOnThePhone},
	{"supervisor/customers who wait", (*journey).watches},
	{"supervisor/a second person's approval", (*journey).approves},
	{"supervisor/a shared view, a rule, an absence", (*journey).arranges},
	{"admin/an alias, a pipeline, a person, a role", (*journey).setsUp},
	{"admin/an alias that ends, the audit log, one customer twice", (*journey).tidiesUp},
}

// TestJourneys takes each of them in Japanese and in English, through a real
// browser at the real program, with mail over SMTP.
func TestJourneys(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the browser tests")
	}
	findBrowser(t)
	t.Parallel()
	w := newTown(t)
	for _, c := range casts {
		for _, j := range journeys {
			t.Run(string(c.language)+"/"+j.name, func(t *testing.T) { j.walk(w.begin(t, c)) })
		}
	}
	t.Run("what was sent has arrived", func(t *testing.T) {
		for _, check := range w.later {
			check(t)
		}
	})
	t.Run("nothing complained", func(t *testing.T) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.complaints) > 0 {
			t.Errorf("the browsers' consoles say:\n%s", strings.Join(w.complaints, "\n"))
		}
		succeed(t, "", "verify", "--data", w.program.data)
	})
}
