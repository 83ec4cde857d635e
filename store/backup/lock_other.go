//go:build !unix || solaris || aix

package backup

import "os"

// lockFile locks nothing here: only one process at a time should work on a directory.
func lockFile(*os.File, bool) error { return nil }

// adopt is for systems on which files have one owner.
func adopt(*os.File, string) error { return nil }

func isReadOnly(error) bool { return false }
