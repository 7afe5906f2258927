package container

// Limits are what step 3 lets the container use. Zero means no limit.
type Limits struct {
	Memory    int64     // bytes, swap included (memory.max, memory.limit_in_bytes)
	MemoryLow int64     // bytes kept for it under pressure (memory.low, memory.soft_limit_in_bytes)
	CPUs      float64   // seconds of CPU time in a second (cpu.max, cpu.cfs_quota_us)
	CPUWeight uint64    // 1 to 10000, share under contention (cpu.weight, cpu.shares)
	CPUSet    string    // list of CPUs, as in cpuset(7): 0-2,4
	Pids      int64     // tasks (pids.max)
	IO        []IOLimit // per block device
}

// An IOLimit is how fast a block device may be read and written.
type IOLimit struct {
	Path              string // of the device's node, as the user gave it
	Major, Minor      uint32
	ReadBps, WriteBps uint64 // bytes per second (io.max, blkio.throttle.*_bps_device)
}

// A Device is a device of the host that the command may use (--device).
type Device struct {
	Source       string // node on the host
	Target       string // node inside
	Mode         uint32 // type and permissions of the node, as in stat(2)
	Major, Minor uint32
	UID, GID     uint32 // owner of the node
	Access       string // of r, w and m (mknod)
}
