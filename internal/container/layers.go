package container

// Layers are what step 4 builds the root file system of, besides Root itself.
type Layers struct {
	Lower []string // directories on top of Root, lowest first
	Upper string   // directory that keeps the changes, "" for one that goes with the container
	Diff  bool     // tell at the end what was changed
}
