package container

// Layers are what step 4 builds the root file system of, besides Root itself.
type Layers struct {
	Lower []string // directories on top of Root, lowest first
	Upper string   // directory that keeps the changes, "" for one that goes with the container
	Diff  bool     // tell at the end what was changed

	Dir  string // the container's own directory, which goes with it: none is to be there yet
	Work string // the kernel's workshop, on the file system of the upper directory; goes too
}

// RootMount is the name under which a mount is kept that is to become "/" in
// place of the directory Root, see Keep.
const RootMount = "root"
