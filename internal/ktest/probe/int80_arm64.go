package main

import "golang.org/x/sys/unix"

// int80: a 64-bit program of arm64 cannot make calls of 32-bit programs.
func int80(uintptr) unix.Errno { return unix.ENOSYS }
