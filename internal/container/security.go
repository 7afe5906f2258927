package container

// Security is what step 6 leaves of root's powers.
type Security struct {
	Capabilities []string // that the command may have, by their names: CAP_CHOWN
	NoNewPrivs   bool     // no set-uid program and no file capability gives more (prctl(2))
	Seccomp      string   // profile in Docker's JSON, "" for unconfined
}

// An Account is whom the command runs as, by the container's /etc/passwd and
// /etc/group.
type Account struct {
	UID, GID int
	Groups   []int
	Home     string
}
