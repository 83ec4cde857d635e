package store

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// residentFiles is how many bytes of files count as memory of this process, the program
// among them (proc_pid_statm(5)); 0 where the system does not say.
func residentFiles() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 3 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[2]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// letGo unmaps the pages of a file that is mapped for reading, until they are read again.
// It loses nothing, and where the system refuses it, all stays as it was.
func letGo(start uintptr, size int64) {
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, start, uintptr(size), syscall.MADV_DONTNEED)
}
