package storetest

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

// Disk stands between this process and its files: a seccomp filter hands each pwrite64,
// ftruncate, fsync and fdatasync to a goroutine, which lets it happen, fail, or happen in
// part, and can record it; see seccomp_unotify(2).
type Disk struct {
	mu        sync.Mutex
	failSync  int // of fdatasync calls from now on, the one that fails; 0 for none
	failWrite int // the same of writes
	recording string
	trace     *Trace
}

const diskChild = "MADOGUCHI_TEST_DISK"

// InOwnProcess runs the test in a process of its own, as its calls are never let go of
// again; there it returns true.
func InOwnProcess(t *testing.T) (child bool) {
	t.Helper()
	if os.Getenv(diskChild) != "" {
		return true
	}
	runChild(t, "1")
	return false
}

func runChild(t *testing.T, value string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), diskChild+"="+value)
	output, err := command.CombinedOutput()
	switch {
	case err != nil:
		t.Fatalf("%v\n%s", err, output)
	case strings.Contains(string(output), "--- SKIP"):
		t.Skipf("%s", output)
	}
}

// intercepted are the calls that go through a Disk.
var intercepted = []uint32{syscall.SYS_PWRITE64, syscall.SYS_FTRUNCATE, syscall.SYS_FSYNC, syscall.SYS_FDATASYNC}

// NewDisk stands between this process, which InOwnProcess began, and its files.
func NewDisk(t *testing.T) *Disk {
	t.Helper()
	seccomp, known := map[string]uintptr{"amd64": 317, "arm64": 277}[runtime.GOARCH]
	if !known {
		t.Skip("SKIPPED, not passed: the number of seccomp(2) is not known here")
	}
	const (
		loadWord, jumpIfEqual, ret = 0x20, 0x15, 0x06 // of classic BPF
		notify, allow              = 0x7fc00000, 0x7fff0000
		prSetNoNewPrivs            = 38
		setModeFilter              = 1
		allThreads, newListener    = 1 | 1<<4, 1 << 3
	)
	filter := []syscall.SockFilter{{Code: loadWord, K: 0}} // the number of the call
	for i, call := range intercepted {
		filter = append(filter, syscall.SockFilter{Code: jumpIfEqual, Jt: uint8(len(intercepted) - i), K: call})
	}
	filter = append(filter, syscall.SockFilter{Code: ret, K: allow}, syscall.SockFilter{Code: ret, K: notify})
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		t.Skipf("SKIPPED, not passed: prctl: %v", errno)
	}
	listener, _, errno := syscall.RawSyscall(seccomp, setModeFilter, allThreads|newListener, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		t.Skipf("SKIPPED, not passed: the system does not let a process watch its own calls: seccomp: %v", errno)
	}
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	d := &Disk{trace: &Trace{Base: map[string][]byte{}}}
	go d.answer(listener, memory)
	return d
}

// FailSync makes the nth fdatasync from now on fail with EIO.
func (d *Disk) FailSync(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failSync = n
}

// FailWrite makes the nth write from now on happen in part only, and its rest fail with
// ENOSPC: a full disk in the middle of a write.
func (d *Disk) FailWrite(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failWrite = n
}

// call is struct seccomp_notif.
type call struct {
	id         uint64
	pid, flags uint32
	number     int32
	arch       uint32
	pointer    uint64
	arguments  [6]uint64
}

// reply is struct seccomp_notif_resp.
type reply struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// answer lets calls go on or fail, until the process ends. It uses none of the calls that
// it waits for.
func (d *Disk) answer(listener uintptr, memory *os.File) {
	const receive, send = 0xc0502100, 0xc0182101
	for {
		var c call
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, listener, receive, uintptr(unsafe.Pointer(&c))); errno != 0 {
			continue // the call was interrupted
		}
		r := d.decide(c, memory)
		r.id = c.id
		_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, listener, send, uintptr(unsafe.Pointer(&r)))
	}
}

func (d *Disk) decide(c call, memory *os.File) reply {
	const goOn = 1
	d.mu.Lock()
	defer d.mu.Unlock()
	switch c.number {
	case syscall.SYS_FDATASYNC:
		if due(&d.failSync) {
			return reply{errno: -int32(syscall.EIO)}
		}
	case syscall.SYS_PWRITE64:
		if d.failWrite == 1 && c.arguments[2] > 1 { // the half now, and the other half fails
			c.arguments[2] /= 2
			d.failWrite = -1
			return d.writePart(c, memory)
		}
		if d.failWrite == -1 {
			d.failWrite = 0
			return reply{errno: -int32(syscall.ENOSPC)}
		}
		due(&d.failWrite)
	}
	if d.recording != "" && d.record(c, memory) {
		return reply{} // a sync of what is only looked at takes no time
	}
	return reply{flags: goOn}
}

// due counts down to 0 and tells when it gets there.
func due(n *int) bool {
	if *n <= 0 {
		return false
	}
	*n--
	return *n == 0
}

// writePart performs a write itself, with a call that is not intercepted.
func (d *Disk) writePart(c call, memory *os.File) reply {
	data := make([]byte, c.arguments[2])
	if _, err := memory.ReadAt(data, int64(c.arguments[1])); err != nil {
		return reply{errno: -int32(syscall.EFAULT)}
	}
	part := syscall.Iovec{Base: &data[0]}
	part.SetLen(len(data))
	n, _, errno := syscall.Syscall6(syscall.SYS_PWRITEV, uintptr(c.arguments[0]), uintptr(unsafe.Pointer(&part)), 1, uintptr(c.arguments[3]), 0, 0)
	if errno != 0 {
		return reply{errno: -int32(errno)}
	}
	return reply{value: int64(n)}
}

// record adds a call on a file of the directory to the trace. It tells of a sync.
func (d *Disk) record(c call, memory *os.File) (synced bool) {
	name, err := os.Readlink("/proc/self/fd/" + itoa(c.arguments[0]))
	name, inside := strings.CutPrefix(name, d.recording+"/")
	if err != nil || !inside {
		return false
	}
	o := Operation{Kind: Sync, File: name}
	switch c.number {
	case syscall.SYS_PWRITE64:
		o.Kind, o.Offset, o.Data = Write, int64(c.arguments[3]), make([]byte, c.arguments[2])
		if _, err := memory.ReadAt(o.Data, int64(c.arguments[1])); err != nil {
			o.Kind = Unknown
		}
	case syscall.SYS_FTRUNCATE:
		o.Kind, o.Offset = Truncate, int64(c.arguments[1])
	}
	d.trace.Operations = append(d.trace.Operations, o)
	return o.Kind == Sync
}

func itoa(n uint64) string {
	var digits []byte
	for ; n > 9; n /= 10 {
		digits = append(digits, byte('0'+n%10))
	}
	digits = append(digits, byte('0'+n))
	slices.Reverse(digits)
	return string(digits)
}
