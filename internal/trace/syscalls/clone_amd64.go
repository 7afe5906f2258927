package syscalls

// cloneParams are clone's parameters: their order differs by architecture (clone(2)).
const cloneParams = "flags:clone stack:ptr parent_tid:ptr child_tid:ptr tls:ptr"
