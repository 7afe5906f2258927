package main

import "golang.org/x/sys/unix"

// interrupt80 enters the kernel as programs of 32 bits do, with their numbers.
func interrupt80(nr uintptr) int32

func int80(nr uintptr) unix.Errno {
	if r := interrupt80(nr); r < 0 {
		return unix.Errno(-r)
	}
	return 0
}
