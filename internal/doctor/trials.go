package doctor

import "golang.org/x/sys/unix"

// trials are all there are, in the order in which they are told.
func trials() (list []trial) {
	for _, part := range [][]trial{
		machineTrials(), rootTrials(), namespaceTrials(), mountTrials(), cgroupTrials(), overlayTrials(),
		networkTrials(), securityTrials(),
	} {
		list = append(list, part...)
	}
	return list
}

// mounts are the namespaces of a deed that mounts something.
const mounts = unix.CLONE_NEWNS
