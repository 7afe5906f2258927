//go:build linux

// Probe is what the bench runs inside of containers:
//
//	probe files DIR    stat 200 files, write the first byte of a large one: two times in ns
//	probe serve ADDR   answer bytes with bytes, until standard input ends
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

func main() {
	err := fmt.Errorf("probe files DIR | serve ADDR: %w", os.ErrInvalid)
	if len(os.Args) == 3 {
		switch os.Args[1] {
		case "files":
			err = files(os.Args[2])
		case "serve":
			err = serve(os.Args[2])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func files(dir string) error {
	begin := time.Now()
	for i := range 200 {
		if _, err := os.Stat(filepath.Join(dir, fmt.Sprint("f", i))); err != nil {
			return err
		}
	}
	stat := time.Since(begin)
	begin = time.Now()
	f, err := os.OpenFile(filepath.Join(dir, "big"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte("x")); err != nil {
		return err
	}
	fmt.Println(stat.Nanoseconds(), time.Since(begin).Nanoseconds())
	return nil
}

func serve(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println("up")
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go answer(conn)
	}
}

// answer sends each byte back; after an s it sends until nobody listens.
func answer(conn net.Conn) {
	defer conn.Close()
	one := make([]byte, 1)
	for {
		if _, err := io.ReadFull(conn, one); err != nil {
			return
		}
		if _, err := conn.Write(one); err != nil {
			return
		}
		for many := make([]byte, 128<<10); one[0] == 's'; {
			if _, err := conn.Write(many); err != nil {
				return
			}
		}
	}
}
