//go:build !unix || solaris || aix

package main

import "os"

// holdStore looks whether the store at path is there. On this system it keeps nobody from opening it.
func holdStore(path string) (release func() error, err error) {
	_, err = os.Stat(path)
	return func() error { return nil }, err
}
