//go:build linux

package main

import "fmt"

// checkDir grades a lab that kit new has written.
func checkDir(dir string, _ *checkOptions) error {
	return failed(fmt.Errorf("check %s: labs cannot be graded yet", dir))
}
