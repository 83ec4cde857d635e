package main_test

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

var (
	benchOutput = flag.String("bench-output", "", "output of go test -bench to make a page of (TestBenchmarksPage)")
	benchPage   = flag.String("bench-page", "", "page to write (TestBenchmarksPage)")
)

// TestBenchmarksPage writes the page of measured figures: what the benchmarks
// printed, with the machine and the day. make bench calls it last.
func TestBenchmarksPage(t *testing.T) {
	if *benchOutput == "" || *benchPage == "" {
		t.Skip("SKIPPED, not passed: -bench-output and -bench-page say what to write (make bench)")
	}
	out, err := os.ReadFile(*benchOutput)
	if err != nil {
		t.Fatal(err)
	}
	revision, err := exec.Command("git", "log", "-1", "--format=%h of %cs").Output()
	if err != nil {
		t.Fatalf("find the version that was measured: %v", err)
	}
	page := benchmarksPage(string(out), machine(), strings.TrimSpace(string(revision)), time.Now())
	if err := os.WriteFile(*benchPage, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

// machine says on what was measured.
func machine() string {
	processor, memory := "an unnamed processor", ""
	for _, file := range []struct{ path, field string }{{"/proc/cpuinfo", "model name"}, {"/proc/meminfo", "MemTotal"}} {
		text, _ := os.ReadFile(file.path) // absent on other systems: then it is not said
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(line, ":")
			switch value = strings.TrimSpace(value); {
			case strings.TrimSpace(name) != file.field:
			case file.field == "MemTotal":
				memory = ", memory " + value
			default:
				processor = value
			}
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	busy, _, _ := strings.Cut(string(load), " ")
	return fmt.Sprintf("%s, %d cores%s, %s/%s, %s; load at the end %s", processor, runtime.NumCPU(), memory, runtime.GOOS, runtime.GOARCH, runtime.Version(), busy)
}

// measurement is a line that a benchmark printed: its name, how often it ran,
// and pairs of a value and its unit.
var measurement = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.+)$`)

func benchmarksPage(out, machine, revision string, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Measured

Written by the last step of %[1]smake bench%[1]s on %[2]s, of version %[3]s: nothing here was written by hand.

Machine: %[4]s.

A machine that does other work at the same time shows in the medians, and much more in the 99th percentile; %[1]scpu-ms%[1]s, the
time that the server's threads ran for one request, hardly changes. A benchmark is described where it is
written (%[1]s*bench*_test.go%[1]s). Larger stores: %[1]sTICKETS=200000 make bench%[1]s.
`, "`", now.Format("2 January 2006"), revision, machine)
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if name, ok := strings.CutPrefix(line, "pkg: github.com/madoguchi/madoguchi/"); ok {
			fmt.Fprintf(&b, "\n## %s\n\n| what | figures |\n| --- | --- |\n", name)
			continue
		}
		match := measurement.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		fields := strings.Fields(match[2])
		var figures []string
		for i := 0; i+1 < len(fields); i += 2 {
			figures = append(figures, fields[i]+" "+fields[i+1])
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.ReplaceAll(match[1], "|", `\|`), strings.Join(figures, ", "))
	}
	return b.String()
}
