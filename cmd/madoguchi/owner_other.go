//go:build !unix

package main

func adopt(string, ...string) error { return nil }

func ownerOf(string) (uid int, known bool) { return 0, false }
