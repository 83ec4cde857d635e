//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// isJournal says whether w leads to systemd's journal: stream is the device and the inode
// that systemd gives in JOURNAL_STREAM (systemd.exec(5)), which a redirection makes others.
func isJournal(w io.Writer, stream string) bool {
	file, ok := w.(*os.File)
	if !ok || stream == "" {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stream == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}
