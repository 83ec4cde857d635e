package helpdesk_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestSourcesThatRestedAreReadAsBefore(t *testing.T) {
	h := newHouse(t)
	random := rand.New(rand.NewPCG(1, 2))
	sources := map[string]string{}
	receive := func(count int) {
		for i := range count {
			var text strings.Builder
			for range 900 {
				fmt.Fprintf(&text, "%d\r\n", random.Uint32())
			}
			lines := []string{fmt.Sprintf("Message-ID: <%d.%d@customer.example>", len(sources), i), "From: Tamura <tamura@customer.example>",
				"To: support@example.jp", fmt.Sprintf("Subject: order %d", i), "", text.String()}
			sources[h.post("support@example.jp", lines...).MessageID] = strings.Join(lines, "\r\n") + "\r\n"
		}
	}
	bundle := func() (moved int) {
		for {
			n, err := h.BundleSources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				return moved
			}
			moved += n
		}
	}
	receive(80)
	if moved := bundle(); moved != 0 {
		t.Errorf("%d sources were moved as soon as they came", moved)
	}
	h.pass(2 * time.Hour)
	receive(40)
	if moved := bundle(); moved == 0 || moved > 80 {
		t.Errorf("%d sources were moved, want most of 80", moved)
	}
	for id, want := range sources {
		if got, err := h.Source(t.Context(), h.admin, id); err != nil || string(got) != want {
			t.Errorf("source of %s: %d bytes, %v; want %d", id, len(got), err, len(want))
		}
	}
}
