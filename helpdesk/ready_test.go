package helpdesk_test

import (
	"errors"
	"testing"
)

func TestReadyIsWhatTheStoreSaysToAnUpdate(t *testing.T) {
	h := newHouse(t)
	if err := h.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	h.fault.FailAlways(errDisk)
	if err := h.Ready(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("a store that commits nothing: %v", err)
	}
	h.fault.FailAlways(nil)
	if err := h.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}
