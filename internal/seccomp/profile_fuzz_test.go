package seccomp

import (
	"encoding/json"
	"testing"

	moby "github.com/moby/profiles/seccomp"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// FuzzParse: a profile is refused, or it makes a filter that the kernel would take, which
// answers every call.
func FuzzParse(f *testing.F) {
	docker, err := json.Marshal(moby.DefaultProfile())
	require.NoError(f, err)
	f.Add(docker[:4000]) // cut off: the whole is too large to be changed usefully
	for _, text := range []string{
		`{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read","nope"],` +
			`"action":"SCMP_ACT_ALLOW"}]}`,
		`{"defaultAction":"SCMP_ACT_ALLOW","archMap":[{"architecture":"SCMP_ARCH_X86_64",` +
			`"subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]}],"syscalls":[{"names":["clone"],` +
			`"action":"SCMP_ACT_ERRNO","errnoRet":38,"args":[{"index":0,"value":2114060288,` +
			`"valueTwo":7,"op":"SCMP_CMP_MASKED_EQ"}],"excludes":{"caps":["CAP_SYS_ADMIN"]}}]}`,
		`{"defaultAction":"SCMP_ACT_KILL","architectures":["SCMP_ARCH_X32"],"syscalls":[null]}`,
		`{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"name":"ipc","action":"SCMP_ACT_TRACE",` +
			`"args":[{"index":5,"value":18446744073709551615,"op":"SCMP_CMP_GT"}]}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		filter, err := Parse(text, []string{"CAP_CHOWN"})
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		_ = Unknown(text)
		require.NotEmpty(t, filter)
		require.Zero(t, len(filter)%unix.SizeofSockFilter)
		program, ok := bpf.Disassemble(instructions(filter))
		require.True(t, ok)
		_, err = bpf.NewVM(program)
		require.NoError(t, err)
		run := machine(t, filter)
		for _, nr := range []uint32{0, 56, 101, 102, x32Bit, x32Bit + 1, ^uint32(0)} {
			for _, a := range arches() {
				run(made{audit: a.audit, nr: nr, args: [6]uint64{1 << 63, 1, 2, 3, 4, 5}})
			}
		}
	})
}
