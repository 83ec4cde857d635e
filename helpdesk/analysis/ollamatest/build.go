// Package ollamatest gives tests a real Ollama server, with small models whose
// weights are made by hand: no download, the same answers everywhere, and
// answers that follow from the words of the mail.
//
// The server is built from its Go module once and kept in the user's cache;
// llama.cpp, which it starts for each model, comes from Debian's packages,
// unpacked beside it. Nothing is installed on the machine.
package ollamatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Version is of the Ollama that the tests use.
const Version = "0.34.0"

// keyring is what Debian's packages are checked against.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// packages are llama.cpp with all that it needs, the C library too: those of
// the machine may be older.
var packages = []string{"llama.cpp-tools", "libllama0", "libggml0", "libc6", "libstdc++6", "libgcc-s1", "libgomp1", "libssl3t64", "zlib1g", "libzstd1"}

// Home returns where the server is kept, and whether it is there.
func Home() (directory string, built bool, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", false, fmt.Errorf("find the user's cache directory: %w", err)
	}
	directory = filepath.Join(cache, "madoguchi", "ollama-"+Version)
	_, err = os.Stat(filepath.Join(directory, "bin", "ollama"))
	return directory, err == nil, nil
}

// Build builds the server into its home, unless it is there. It needs the Go
// command, apt-get and dpkg-deb, and takes some minutes of one core.
func Build(ctx context.Context, log *slog.Logger) error {
	home, built, err := Home()
	if err != nil || built {
		return err
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("it is built on linux/amd64 alone, and this is %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	if _, err := os.Stat(keyring); err != nil {
		return fmt.Errorf("the packages cannot be checked: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return fmt.Errorf("make the cache: %w", err)
	}
	// What is in the making has another name, so that a broken-off build is none.
	making, err := os.MkdirTemp(filepath.Dir(home), "making-")
	if err != nil {
		return fmt.Errorf("make the cache: %w", err)
	}
	defer os.RemoveAll(making)
	b := builder{making: making, home: home, log: log}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{"unpack llama.cpp", b.unpack}, {"build ollama", b.compile}, {"connect them", b.connect}} {
		log.Info(step.name)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	err = os.Rename(making, home)
	if _, built, _ := Home(); built {
		return nil // perhaps by somebody else, at the same time
	}
	return err
}

type builder struct {
	making, home string // where it is built, and where it will be
	log          *slog.Logger
}

// compile builds the server; its module is checked by Go's checksum database.
func (b builder) compile(ctx context.Context) error {
	command := exec.CommandContext(ctx, "go", "install", "-trimpath",
		"-ldflags=-s -w -X=github.com/ollama/ollama/version.Version="+Version, "github.com/ollama/ollama@v"+Version)
	command.Dir = b.making
	command.Env = append(os.Environ(), "GOBIN="+filepath.Join(b.making, "bin"), "GOFLAGS=", "GOWORK=off")
	return output(command)
}

// unpack fetches Debian's packages with lists of its own, and unpacks
// them without installing.
func (b builder) unpack(ctx context.Context) error {
	apt := filepath.Join(b.making, "apt")
	defer os.RemoveAll(apt)
	for _, directory := range []string{"state/lists/partial", "cache/archives/partial", "debs", "../root"} {
		if err := os.MkdirAll(filepath.Join(apt, directory), 0o755); err != nil {
			return err
		}
	}
	configuration := filepath.Join(apt, "apt.conf")
	for name, text := range map[string]string{
		"state/status": "",
		"sources.list": "deb [arch=amd64 signed-by=" + keyring + "] http://deb.debian.org/debian sid main\n",
		"apt.conf": fmt.Sprintf(`Dir::State "%[1]s/state"; Dir::State::status "%[1]s/state/status"; Dir::Cache "%[1]s/cache";
Dir::Etc::sourcelist "%[1]s/sources.list"; Dir::Etc::sourceparts "/dev/null";
APT::Architecture "amd64"; APT::Architectures "amd64"; APT::Sandbox::User ""; Acquire::Languages "none";
`, apt),
	} {
		if err := os.WriteFile(filepath.Join(apt, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, arguments := range [][]string{{"-q", "update"}, append([]string{"-q", "download"}, packages...)} {
		command := exec.CommandContext(ctx, "apt-get", arguments...)
		command.Dir = filepath.Join(apt, "debs")
		command.Env = append(os.Environ(), "APT_CONFIG="+configuration, "LC_ALL=C")
		if err := output(command); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(apt, "debs", "*.deb"))
	if err != nil || len(files) != len(packages) {
		return errors.Join(fmt.Errorf("%d of %d packages came", len(files), len(packages)), err)
	}
	for _, file := range files {
		if err := output(exec.CommandContext(ctx, "dpkg-deb", "-x", file, filepath.Join(b.making, "root"))); err != nil {
			return err
		}
	}
	return nil
}

// connect writes the programs that Ollama starts: llama.cpp's own, through the
// dynamic linker that came with them.
func (b builder) connect(ctx context.Context) error {
	directory := filepath.Join(b.making, "lib", "ollama")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"llama-server", "llama-quantize"} {
		// The home is found from the script, since this directory will be renamed.
		// ggml looks for its processors' variants in the working directory.
		script := `#!/bin/sh
root=$(cd "$(dirname "$0")/../../root" && pwd) || exit 1
libraries=$root/usr/lib/x86_64-linux-gnu
unset LD_LIBRARY_PATH
cd "$libraries/ggml/backends0" || exit 1
exec "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries:$libraries/llama" "$root/usr/bin/` + name + `" "$@"
`
		if err := os.WriteFile(filepath.Join(directory, name), []byte(script), 0o755); err != nil {
			return err
		}
	}
	return output(exec.CommandContext(ctx, filepath.Join(directory, "llama-server"), "--version"))
}

// output runs a command; its last words are in the error.
func output(command *exec.Cmd) error {
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return fmt.Errorf("%s: %w: %s", filepath.Base(command.Path), err, lines[len(lines)-1])
	}
	return nil
}
