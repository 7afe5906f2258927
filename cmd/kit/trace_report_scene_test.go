//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/containerkit/kit/internal/ktest"
)

// TestReportAgrees: what the pictures say in words of the moment at which the command
// begins is what kit inspect, ip, lsns and findmnt say while it sleeps.
func TestReportAgrees(t *testing.T) {
	ktest.Root(t)
	ktest.RequireTool(t, "ip", "lsns", "findmnt", "nsenter")
	ktest.Clean(t)
	file := filepath.Join(t.TempDir(), "r.html")
	kit := exec.Command(ktest.Kit(t), "step", "6", "--rootfs", ktest.Rootfs(t), "--name", "agree",
		"--memory", "64m", "--pids-limit", "30", "--report", file, "--", "sleep", "1000")
	require.NoError(t, kit.Start())
	c := sleeper(t, "agree")
	pid := strconv.Itoa(c.Pid)
	lsns := output(t, "lsns", "-J", "-p", pid, "-o", "NS,TYPE")
	findmnt := output(t, "findmnt", "-J", "-l", "-N", pid, "-o", "TARGET,FSTYPE,SOURCE")
	inside := output(t, "nsenter", "-t", pid, "-n", "ip", "-j", "addr")
	routes := output(t, "nsenter", "-t", pid, "-n", "ip", "-j", "route")
	bridge := output(t, "ip", "-j", "addr", "show", "dev", "kit0")
	require.NoError(t, unix.Kill(c.Pid, unix.SIGKILL))
	_ = kit.Wait() // the command was killed
	page, err := os.ReadFile(file)
	require.NoError(t, err)

	if !strings.Contains(string(page), "<figure id=\"processes-") {
		ktest.Missing(t, "the record holds no scenes")
	}
	agreeNamespaces(t, wordsOf(t, string(page), "processes"), c, lsns)
	agreeMounts(t, wordsOf(t, string(page), "mounts"), findmnt)
	network := wordsOf(t, string(page), "network")
	agreeAddresses(t, network, inside)
	agreeAddresses(t, network, bridge)
	for _, r := range listOf[struct{ Dst, Gateway string }](t, routes) {
		route := strings.TrimSuffix(r.Dst+" via "+r.Gateway, " via ")
		require.Contains(t, network, route)
	}
	cgroups := wordsOf(t, string(page), "cgroups")
	for _, want := range []string{"of 64 MiB", "of 30 tasks", "command " + pid, c.Cgroups[0].Dir} {
		require.Contains(t, cgroups, want)
	}
	capabilities := wordsOf(t, string(page), "capabilities")
	for set, names := range c.Capabilities {
		require.Regexp(t, fmt.Sprintf(`command %d +%s +%d +%s *\n`, c.Pid, set, len(names),
			regexp.QuoteMeta(strings.Join(names, ", "))), capabilities)
	}
}

// A portrayed process, as far as the test needs it of kit inspect --json.
type portrayed struct {
	Pid        int
	Command    string
	Hostname   string
	Namespaces []struct {
		Kind         string
		Inode, Owner uint64
	}
	Capabilities map[string][]string
	Cgroups      []struct{ Dir string }
}

// sleeper waits until the container's command sleeps.
func sleeper(t *testing.T, name string) (c portrayed) {
	t.Helper()
	require.Eventually(t, func() bool {
		out, err := exec.Command(ktest.Kit(t), "inspect", "--json", name).Output()
		c = portrayed{}
		return err == nil && json.Unmarshal(out, &c) == nil && c.Command == "sleep"
	}, 30*time.Second, 50*time.Millisecond)
	return c
}

func output(t *testing.T, command string, args ...string) string {
	t.Helper()
	out, err := exec.Command(command, args...).Output()
	require.NoError(t, err, "%s %v", command, args)
	return string(out)
}

// listOf reads the JSON of ip: a list.
func listOf[T any](t *testing.T, text string) (list []T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &list))
	require.NotEmpty(t, list)
	return list
}

// wordsOf is the text below a picture of the moment at which the command begins: cells
// stand apart by spaces, rows by lines.
func wordsOf(t *testing.T, page, picture string) string {
	t.Helper()
	title := "<h3>as the command begins</h3>"
	figures := strings.Split(page, `<figure id="`+picture+`-`)[1:]
	for _, f := range figures {
		f, _, _ = strings.Cut(f, "</figure>")
		if !strings.Contains(f, title) {
			continue
		}
		_, words, found := strings.Cut(f, "The same in words</summary>")
		require.True(t, found)
		words = regexp.MustCompile(`</t[dh]>|<[^>]*>`).ReplaceAllString(words, " ")
		return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&").
			Replace(words)
	}
	t.Fatalf("no picture of %s as the command begins: %d of other moments", picture, len(figures))
	return ""
}

func agreeNamespaces(t *testing.T, words string, c portrayed, lsns string) {
	t.Helper()
	require.Contains(t, words, c.Hostname)
	require.Len(t, c.Namespaces, 8)
	for _, ns := range c.Namespaces {
		require.Contains(t, words, fmt.Sprintf("%s:[%d]", ns.Kind, ns.Inode))
		if ns.Owner != 0 { // the machine's first user namespace has none
			require.Contains(t, words, fmt.Sprintf("owned by user:[%d]", ns.Owner))
		}
	}
	var list struct {
		Namespaces []struct {
			NS   json.Number
			Type string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(lsns), &list))
	require.NotEmpty(t, list.Namespaces)
	for _, ns := range list.Namespaces {
		require.Contains(t, words, fmt.Sprintf("%s:[%s]", ns.Type, ns.NS))
	}
}

func agreeMounts(t *testing.T, words, findmnt string) {
	t.Helper()
	var list struct {
		Filesystems []struct{ Target, FSType, Source string }
	}
	require.NoError(t, json.Unmarshal([]byte(findmnt), &list))
	require.Greater(t, len(list.Filesystems), 10)
	_, mine, found := strings.Cut(words, " of command ")
	require.True(t, found)
	for _, m := range list.Filesystems {
		source, _, _ := strings.Cut(m.Source, "[")
		require.Regexp(t, fmt.Sprintf(`(?m)^ *%s\s+\+?\s+%s\s+%s\s`, regexp.QuoteMeta(m.Target),
			regexp.QuoteMeta(m.FSType), regexp.QuoteMeta(source)), mine)
	}
}

func agreeAddresses(t *testing.T, words, text string) {
	t.Helper()
	for _, l := range listOf[struct {
		IfName   string
		Address  string
		MTU      int
		AddrInfo []struct {
			Local     string
			PrefixLen int
		} `json:"addr_info"`
	}](t, text) {
		require.Contains(t, words, l.IfName)
		require.Contains(t, words, strconv.Itoa(l.MTU))
		if l.IfName != "lo" {
			require.Contains(t, words, l.Address)
		}
		for _, a := range l.AddrInfo {
			require.Contains(t, words, fmt.Sprintf("%s/%d", a.Local, a.PrefixLen))
		}
	}
}
