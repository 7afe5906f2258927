package hint

import "github.com/containerkit/kit/internal/cgroup"

// noCgroup says how a container gets a cgroup.
func noCgroup(e *cgroup.MissingError) []string {
	const whatFor = "counting what a container uses, limiting and pausing it take a cgroup"
	if e.Step < 3 {
		return []string{whatFor + ", which step 3 gives it: kit step 3 --name " + e.Name}
	}
	if e.Rootless {
		return []string{
			whatFor + ", and kit found none that you may write to",
			ownCgroup(),
		}
	}
	return []string{whatFor}
}
