package store

import "syscall"

// The f_type of statfs(2) of file systems that write a block again where it is.
const (
	extMagic = 0xef53 // ext2 to ext4
	xfsMagic = 0x58465342
)

// overwritesInPlace tells whether the file system of path writes a block again
// where it is. One that copies on write, as Btrfs and ZFS do, allocates at each
// write, whatever was there before.
func overwritesInPlace(path string) bool {
	var info syscall.Statfs_t
	if err := syscall.Statfs(path, &info); err != nil {
		return false
	}
	return info.Type == extMagic || info.Type == xfsMagic
}
