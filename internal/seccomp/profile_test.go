package seccomp

import (
	"slices"
	"strings"
	"testing"

	moby "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestParseRefuses: a profile that cannot be meant so is refused, with the place.
func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:  "line 1 column 0: unexpected end of JSON input",
		`x`: "line 1 column 1: invalid character 'x'",
		"{\n  \"defaultAction\": \"SCMP_ACT_ALLOW\",\n}": "line 3 column 1: invalid character '}'",
		`{"defaultAction": 7}`:                           "line 1 column 19: json: cannot",
		`[]`:                                             "cannot unmarshal array",
		`{"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`: "defaultAction: there is none",
		`{"defaultAction":"ALLOW"}`:                                   `defaultAction: "ALLOW": no such`,
		`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":5000}`:   "errnoRet 5000: more than 4095",
		`{"defaultAction":"SCMP_ACT_NOTIFY"}`:                         "SCMP_ACT_NOTIFY: kit has no",
	} {
		_, err := Parse([]byte(text), nil)
		require.ErrorContains(t, err, want, text)
	}
	for rest, want := range map[string]string{
		`"architectures":["x86"]`: "architectures: x86: no such architecture",
		`"flags":["X"]`:           "flags: X: not supported",
		`"listenerPath":"/x"`:     "listenerPath: /x: kit asks nobody",
		`"architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]`: "both",
		`"syscalls":[null]`: "syscalls[0]: it is null",
	} {
		_, err := Parse([]byte(`{"defaultAction":"SCMP_ACT_ALLOW",`+rest+`}`), nil)
		require.ErrorContains(t, err, want, rest)
	}
	for rule, want := range map[string]string{
		`"action":"SCMP_ACT_KILL"`:                            "syscalls[1] (): names: there is none",
		`"names":["a","b","c"],"action":"x"`:                  `(a, b, ...): action: "x": no such action`,
		`"names":["a"],"action":"SCMP_ACT_X"`:                 `(a): action: "SCMP_ACT_X": no such`,
		`"name":"a","names":["b"],"action":"SCMP_ACT_KILL"`:   "both 'name' and 'names'",
		`"names":["a"],"action":"","args":[{"index":6}]`:      `(a): action: "": no such action`,
		killing + `"args":[{"index":6,"op":"SCMP_CMP_EQ"}]`:   "args[0]: index 6: a call has arg",
		killing + `"args":[{"index":0,"op":"=="}]`:            `args[0]: op "==": no such operator`,
		killing + `"args":[{"index":-1,"op":"SCMP_CMP_EQ"}]`:  "cannot unmarshal number -1",
		killing + `"includes":{"minKernel":"six"}`:            "invalid kernel version",
		killing + `"errnoRet":1,"excludes":{"minKernel":"0"}`: "invalid kernel version",
	} {
		_, err := Parse([]byte(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
			{"names":["read"],"action":"SCMP_ACT_ALLOW"},{`+rule+`}]}`), nil)
		require.ErrorContains(t, err, want, rule)
	}
}

const killing = `"names":["a"],"action":"SCMP_ACT_KILL",`

// TestParseKeeps what other tools' profiles have: old forms, names of other
// machines, and fields of their own.
func TestParseKeeps(t *testing.T) {
	filter, err := Parse([]byte(`{
		"defaultAction": "SCMP_ACT_ALLOW", "defaultErrno": "ENOSYS",
		"flags": ["SECCOMP_FILTER_FLAG_LOG"],
		"syscalls": [
			{"name": "mkdirat", "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "errno": "x",
				"comment": "?"},
			{"names": ["no_such_call", "s390_pci_mmio_read"], "action": "SCMP_ACT_KILL"}
		]}`), nil)
	require.NoError(t, err)
	a := arches()[0]
	run := machine(t, filter)
	require.Equal(t, unix.SECCOMP_RET_ERRNO|uint32(unix.EACCES),
		run(made{audit: a.audit, nr: a.nr("mkdirat")}))
	require.EqualValues(t, unix.SECCOMP_RET_ALLOW, run(made{audit: a.audit, nr: a.nr("read")}))
	require.EqualValues(t, unix.SECCOMP_RET_ALLOW, run(made{audit: a.audit, nr: 9999}))

	_, err = Parse([]byte(`{}`), nil)
	require.EqualError(t, err, "defaultAction: there is none", "docker takes it for unconfined")
}

// TestNumbers looks a few up by hand, from the kernel's own tables.
func TestNumbers(t *testing.T) {
	for spec, want := range map[specs.Arch]map[string]uint32{
		specs.ArchX86_64: {"read": 0, "clone": 56, "openat2": 437, "newfstatat": 262},
		specs.ArchX86:    {"read": 3, "socketcall": 102, "openat2": 437, "fstatat64": 300, "clone": 120},
		specs.ArchX32: {
			"read": x32Bit, "ioctl": x32Bit | 514, "pwritev2": x32Bit | 547, "execveat": x32Bit | 545,
			"openat2": x32Bit | 437,
		},
		specs.ArchAARCH64: {"read": 63, "clone": 220, "newfstatat": 79},
		specs.ArchARM:     {"read": 3, "set_tls": 0xf0005, "clone": 120},
	} {
		for _, a := range arches() {
			if a.spec != spec {
				continue
			}
			for name, nr := range want {
				require.Equal(t, nr, a.nr(name), "%s %s", spec, name)
			}
		}
	}
}

// TestNumbersAreComplete: all that Docker's profile allows is in the table, for one
// architecture at least, but for calls of machines that kit does not run on.
func TestNumbersAreComplete(t *testing.T) {
	known := map[string]bool{}
	for _, r := range table {
		known[r.name] = true
	}
	require.True(t, slices.IsSortedFunc(table[:], func(a, b row) int {
		return strings.Compare(a.name, b.name)
	}))
	elsewhere := map[string]bool{
		"swapcontext": true, "s390_pci_mmio_read": true, "s390_pci_mmio_write": true,
		"s390_runtime_instr": true, "riscv_flush_icache": true, "riscv_hwprobe": true,
		"getsid": true, "sync_file_range2": true, "uretprobe": true,
	}
	for _, s := range moby.DefaultProfile().Syscalls {
		for _, name := range s.Names {
			require.True(t, known[name] || elsewhere[name], name)
		}
	}
}

// nr is the number of a call that there is.
func (a arch) nr(name string) uint32 {
	nr, _ := a.number(name)
	return nr
}
