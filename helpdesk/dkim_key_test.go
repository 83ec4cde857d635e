package helpdesk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// keyStates are the keys of example.jp, the oldest first, such as "rsa used".
func (h *house) keyStates() string {
	h.t.Helper()
	list, err := h.DKIMKeys(h.t.Context(), h.admin, "example.jp")
	if err != nil {
		h.t.Fatal(err)
	}
	var states []string
	for _, k := range list {
		if k.Private != nil {
			h.t.Errorf("%s shows its private half", k.Selector)
		}
		states = append([]string{k.Algorithm + " " + string(k.State)}, states...)
	}
	return strings.Join(states, ", ")
}

// observe tells the desk what the DNS says of all keys but those in except.
func (h *house) observe(found bool, except ...string) {
	h.t.Helper()
	list, err := h.DKIMKeys(h.t.Context(), h.admin, "example.jp")
	if err != nil {
		h.t.Fatal(err)
	}
	published := map[string]bool{}
	for _, k := range list {
		published[k.Selector] = found
	}
	for _, selector := range except {
		delete(published, selector)
	}
	if err := h.ObserveDKIM(h.t.Context(), "example.jp", published); err != nil {
		h.t.Fatal(err)
	}
}

func TestKeysAreUsedOncePublishedAndReplacedWithoutAGap(t *testing.T) {
	h := newHouse(t)
	signs := func() string {
		list, err := h.SigningKeys(t.Context(), "example.jp")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, k := range list {
			if !strings.Contains(string(k.Private), "PRIVATE KEY") {
				t.Errorf("%s has no private half", k.Selector)
			}
			names = append(names, k.Selector)
		}
		return fmt.Sprint(names)
	}
	for range 2 { // the second time does nothing
		if err := h.EnsureDKIM(t.Context(), "example.jp"); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.keyStates(); got != "ed25519 new, rsa new" || signs() != "[]" {
		t.Fatalf("first keys: %s, signing with %s", got, signs())
	}
	if err := h.RotateDKIM(t.Context(), h.admin, "example.jp"); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
		t.Errorf("new keys beside new keys: %v", err)
	}
	h.observe(false)
	h.observe(true, "m20261121-ed25519") // that answer did not come
	if got := h.keyStates(); got != "ed25519 new, rsa used" || signs() != "[m20261121-rsa]" {
		t.Fatalf("one published: %s, signing with %s", got, signs())
	}
	h.observe(true)
	h.observe(false) // a record that vanishes for a while stops nothing
	if signs() != "[m20261121-rsa m20261121-ed25519]" {
		t.Fatalf("both published: signing with %s", signs())
	}

	if err := h.RotateDKIM(t.Context(), h.admin, " Example.JP "); err != nil {
		t.Fatal(err)
	}
	if signs() != "[m20261121-rsa m20261121-ed25519]" {
		t.Fatalf("before the new records are there: signing with %s", signs())
	}
	h.now = h.now.Add(time.Hour)
	h.observe(true)
	if got := h.keyStates(); got != "ed25519 used, ed25519 retired, rsa used, rsa retired" || signs() != "[m20261121-rsa-2 m20261121-ed25519-2]" {
		t.Fatalf("after the change: %s, signing with %s", got, signs())
	}
	h.now = h.now.Add(13 * 24 * time.Hour)
	h.observe(true)
	if got := h.keyStates(); strings.Contains(got, "withdrawn") {
		t.Fatalf("within the overlap: %s", got)
	}
	h.now = h.now.Add(25 * time.Hour)
	h.observe(true)
	if got := h.keyStates(); strings.Count(got, "withdrawn") != 2 {
		t.Fatalf("after the overlap: %s", got)
	}
	h.observe(false)
	if got := h.keyStates(); got != "ed25519 used, rsa used" {
		t.Fatalf("once their records are gone: %s", got)
	}
	if err := h.RotateDKIM(t.Context(), h.admin, "localhost"); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
		t.Errorf("keys for no domain: %v", err)
	}
}

func TestDomainsAreLookedAfterWhileMailLeavesFromThem(t *testing.T) {
	h := newHouse(t)
	if _, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "info@shop.example"}); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(2 * time.Minute)
	claimed, _, err := h.ClaimDue(t.Context(), helpdesk.TimerDomain, 10, time.Minute)
	if err != nil || len(claimed) == 0 || claimed[len(claimed)-1].ID != "shop.example" {
		t.Fatalf("due: %+v, %v", claimed, err)
	}
	if forgotten, err := h.ForgetDomain(t.Context(), "shop.example"); err != nil || forgotten {
		t.Errorf("a domain in use is forgotten: %v, %v", forgotten, err)
	}
	list, err := h.Aliases(t.Context(), h.admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if a.Address == "info@shop.example" {
			if err := h.DeleteAlias(t.Context(), h.admin, a.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if forgotten, err := h.ForgetDomain(t.Context(), "shop.example"); err != nil || !forgotten {
		t.Errorf("a domain without aliases and keys stays: %v, %v", forgotten, err)
	}
}
