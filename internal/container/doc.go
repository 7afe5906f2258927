// Package container builds a container out of Steps.
//
// A container is made by two processes. The parent stays on the host; the
// child is born inside new namespaces and finally becomes the user's command.
// Most kernel calls work on one side only, and in one order, so a Step is cut
// into moments, and each moment of every step runs before the next moment
// begins:
//
//	parent                              child
//	------                              -----
//	Before   choose how to clone
//	         clone ───────────────────► born, knocks at the gate and waits
//	Parent   the child has a pid
//	         Container as JSON ───────► the gate opens
//	                                    Child   own namespaces, host's files
//	                                    Root    swap "/" (the newest step's)
//	                                    Inside  own namespaces, own "/"
//	         ◄─────────────── terminal  with -t: the master of a new pty
//	                                    Last    become the user (the newest step's)
//	                                    execve: from here on it is the command
//	         wait ◄──────────────────── exits
//	After    clean up, newest step first
//
// Both are this very program: the child is started from /proc/self/exe with
// the same arguments, and told its role by one environment variable. It is
// executed through a read-only mount of the program's file, so that nothing
// inside can write to it. The gate is a pair of connected sockets, which carry
// the finished Container to the child as JSON, together with open files.
//
// A user who is not root first becomes root in a user namespace of their own
// (step 0, root.go): one more process between kit and the parent, which then
// runs the very same code.
//
// From step 5 on that namespace comes with a network namespace which plays the
// host (outer.go). All containers on a bridge share it: the parent of the second
// starts in the namespaces of the first one's. A keeper outside holds its way out
// open (wayout.go), and ends with the last of them.
package container
