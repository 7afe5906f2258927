//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"github.com/containerkit/kit/rootfs"
)

// newRootfsCommand is kit rootfs, with one subcommand for each thing to do.
func newRootfsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rootfs",
		Short: "the directories that become a container's \"/\"",
		Long: `The directories that become a container's "/".

The default one is made on first use from this machine's own tools. Steps 1 to 3
write into it, and "kit rootfs reset" brings it back. Others are imported from a
directory or a tar archive (plain, gzip, zstd, xz), as of docker export.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRootfsLs(), newRootfsMake(), newRootfsImport(), newRootfsRm(),
		newRootfsReset())
	return cmd
}

func newRootfsLs() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "list them: name, size, files, architecture, origin, path",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			infos, err := rootfs.List()
			if err != nil {
				return err
			}
			if asJSON {
				return writeRootfsJSON(cmd.OutOrStdout(), infos)
			}
			return writeRootfsTable(cmd.OutOrStdout(), infos)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON array")
	return cmd
}

func writeRootfsJSON(w io.Writer, infos []rootfs.Info) error {
	if infos == nil {
		infos = []rootfs.Info{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(infos)
}

func writeRootfsTable(w io.Writer, infos []rootfs.Info) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSIZE\tFILES\tARCH\tFROM\tPATH")
	for _, i := range infos {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\n", i.Name,
			units.HumanSizeWithPrecision(float64(i.Size), 3), i.Files, i.Arch, i.From, i.Path)
	}
	return t.Flush()
}

func newRootfsMake() *cobra.Command {
	var from, name string
	cmd := &cobra.Command{
		Use:   "make [--from host|busybox] [--name NAME]",
		Short: "make one from this machine's tools or from its static busybox",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, err := rootfs.Make(from, name, cmd.ErrOrStderr())
			return printPath(cmd.OutOrStdout(), info, err)
		},
	}
	cmd.Flags().StringVar(&from, "from", rootfs.FromHost, "what to make it from: host or busybox")
	cmd.Flags().StringVar(&name, "name", "", "its name (default: default, or busybox)")
	return cmd
}

func newRootfsImport() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "import SRC [--name NAME]",
		Short: "import a directory or a tar archive; - reads one from stdin",
		Example: `  docker export c | kit rootfs import - --name alpine
  kit step 2 --rootfs alpine`,
		Args: wants("of what? a directory, a tar archive, or - for stdin"),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := rootfs.Import(args[0], name, cmd.InOrStdin(), cmd.ErrOrStderr())
			return printPath(cmd.OutOrStdout(), info, err)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "its name (default: from the file's)")
	return cmd
}

func newRootfsRm() *cobra.Command {
	return &cobra.Command{
		Use:   "rm NAME",
		Short: "remove one that no container uses",
		Args:  wants(whichRootfs),
		RunE:  func(_ *cobra.Command, args []string) error { return rootfs.Remove(args[0]) },
	}
}

func newRootfsReset() *cobra.Command {
	return &cobra.Command{
		Use:   "reset [NAME]",
		Short: "undo all that containers wrote into one (default: the default one)",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := rootfs.DefaultName
			if len(args) > 0 {
				name = args[0]
			}
			return rootfs.Reset(name, cmd.ErrOrStderr())
		},
	}
}

// printPath tells where the root file system is, for scripts.
func printPath(w io.Writer, info rootfs.Info, err error) error {
	if err == nil {
		fmt.Fprintln(w, info.Path)
	}
	return err
}
