//go:build !linux

package store

// overwritesInPlace is not known here.
func overwritesInPlace(string) bool { return false }
