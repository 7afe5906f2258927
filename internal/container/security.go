package container

// Security is what step 6 leaves of root's powers.
type Security struct {
	Capabilities uint64   // that the command may have: bit N is capability N (capabilities(7))
	NoNewPrivs   bool     // no set-uid program and no file capability gives more (prctl(2))
	Profile      string   // what Filter was made from: default, unconfined, or a file
	Filter       []byte   // struct sock_filter (seccomp(2)), 8 bytes each; nil for none
	Unmasked     bool     // leave /proc and /sys as they are
	OOMScore     *int     // -1000 to 1000: who is killed first (proc_pid_oom_score_adj(5))
	Ulimits      []Ulimit // of the command and each of its children
}

// A Ulimit is a limit of a process (getrlimit(2)); ^uint64(0) is no limit.
type Ulimit struct {
	Name       string // as docker and the shell have it: nofile
	Resource   int    // RLIMIT_*
	Soft, Hard uint64
}

// An Account is whom the command runs as, by the container's /etc/passwd and
// /etc/group.
type Account struct {
	UID, GID int
	Groups   []int
	Home     string
}
