package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/madoguchi/madoguchi/store"
)

// failingSyncs lets chosen fdatasync calls of this whole process fail with EIO, as
// a disk does that goes bad: a seccomp filter hands each of them to a goroutine,
// see seccomp_unotify(2).
type failingSyncs struct {
	countdown atomic.Int64 // of calls, the last of which fails; none does while it is 0
}

const failingSyncsChild = "MADOGUCHI_TEST_FAILING_SYNCS"

// inOwnProcess runs the test in a process of its own, as its syscalls are never
// let go of again.
func inOwnProcess(t *testing.T) (child bool) {
	t.Helper()
	if os.Getenv(failingSyncsChild) != "" {
		return true
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), failingSyncsChild+"=1")
	output, err := command.CombinedOutput()
	switch {
	case err != nil:
		t.Errorf("%v\n%s", err, output)
	case strings.Contains(string(output), "--- SKIP"):
		t.Skipf("%s", output)
	}
	return false
}

func interceptSyncs(t *testing.T) *failingSyncs {
	t.Helper()
	seccomp, known := map[string]uintptr{"amd64": 317, "arm64": 277}[runtime.GOARCH]
	if !known {
		t.Skip("the number of seccomp(2) is not known here")
	}
	const (
		loadWord, jumpIfEqual, ret = 0x20, 0x15, 0x06 // of classic BPF
		notify, allow              = 0x7fc00000, 0x7fff0000
		prSetNoNewPrivs            = 38
		setModeFilter              = 1
		allThreads, newListener    = 1 | 1<<4, 1 << 3
	)
	filter := []syscall.SockFilter{
		{Code: loadWord, K: 0}, // the number of the call
		{Code: jumpIfEqual, Jf: 1, K: syscall.SYS_FDATASYNC},
		{Code: ret, K: notify},
		{Code: ret, K: allow},
	}
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		t.Skipf("prctl: %v", errno)
	}
	listener, _, errno := syscall.RawSyscall(seccomp, setModeFilter, allThreads|newListener, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		t.Skipf("the system does not let a process watch its own calls: seccomp: %v", errno)
	}
	f := new(failingSyncs)
	go f.answer(listener)
	return f
}

// answer lets calls go on or fail, until the process ends.
func (f *failingSyncs) answer(listener uintptr) {
	const (
		receive, send = 0xc0502100, 0xc0182101
		goOn          = 1
	)
	for {
		var call struct {
			id         uint64
			pid, flags uint32
			data       [64]byte
		}
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, listener, receive, uintptr(unsafe.Pointer(&call))); errno != 0 {
			continue // the call was interrupted
		}
		answer := struct {
			id    uint64
			value int64
			errno int32
			flags uint32
		}{id: call.id, flags: goOn}
		if f.countdown.Load() > 0 && f.countdown.Add(-1) == 0 {
			answer.flags, answer.errno = 0, -int32(syscall.EIO)
		}
		_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, listener, send, uintptr(unsafe.Pointer(&answer)))
	}
}

// The first sync of a commit makes its pages durable: if that fails, the state
// before is still the one on disk, and the next commit writes all of its own pages.
// The second sync makes durable which state holds: if that fails, nobody knows,
// and nothing may be acknowledged any more.
func TestStoreAfterAFailedSync(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	syncs := interceptSyncs(t)
	for _, test := range []struct {
		name    string
		failing int64
		refuses bool
	}{
		{"of the pages", 1, false},
		{"of the state", 2, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			g := store.NewGroup(reopenBolt(t, path))
			update(t, g, put("a", "before"))

			syncs.countdown.Store(test.failing)
			if err := g.Update(t.Context(), put("a", "failed")); !errors.Is(err, syscall.EIO) {
				t.Fatalf("the commit with the failed sync: %v, want EIO", err)
			}
			acknowledged := "before"
			for i := range 3 { // the disk works again
				value := fmt.Sprint("after ", i)
				err := g.Update(context.Background(), put("a", value))
				switch {
				case err == nil && !test.refuses:
					acknowledged = value
				case err == nil:
					t.Error("an update was acknowledged although nobody knows the state on disk")
				case !test.refuses:
					t.Errorf("update %d: %v", i, err)
				case !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "refuses updates until it is opened again"):
					t.Errorf("update %d: %v; want what failed and what to do", i, err)
				}
			}
			err := g.Update(t.Context(), func(store.Tx) error { return nil }) // as a look at the server's health does
			if refuses := err != nil; refuses != test.refuses {
				t.Errorf("an update that writes nothing: %v", err)
			}
			view(t, g, func(store.Reader) error { return nil })
			if err := g.Close(); err != nil {
				t.Fatal(err)
			}

			b := reopenBolt(t, path)
			got := contents(t, b)
			if got != "a="+acknowledged && !(test.refuses && got == "a=failed") {
				t.Errorf("after opening it again it holds %q, acknowledged was %q", got, acknowledged)
			}
			update(t, b, put("a", "again"))
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			if got := contents(t, reopenBolt(t, path)); got != "a=again" {
				t.Errorf("stored %q", got)
			}
		})
	}
}
