package store_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestNewFileHasWrittenRoomToGrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	var fs syscall.Statfs_t
	if err := syscall.Statfs(t.TempDir(), &fs); err != nil {
		t.Fatal(err)
	}
	if fs.Type != 0xef53 && fs.Type != 0x58465342 {
		t.Skipf("the file system %#x is neither ext4 nor XFS: nothing is preallocated", fs.Type)
	}
	b := reopenBolt(t, path)
	update(t, b, put("a", "1"))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	onDisk := info.Sys().(*syscall.Stat_t).Blocks * 512
	if info.Size() < 256<<10 || onDisk < info.Size() {
		t.Errorf("%d bytes long, %d of them on disk; want all of at least 256 KiB", info.Size(), onDisk)
	}
}
