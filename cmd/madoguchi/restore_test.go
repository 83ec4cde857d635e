package main_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// slowRestore is a restore from standard input that is under way.
type slowRestore struct {
	command *exec.Cmd
	input   io.WriteCloser
	errs    bytes.Buffer
}

// beginRestore begins one with the first half of a backup, and returns once it writes.
func beginRestore(t *testing.T, backup []byte, data string, args ...string) *slowRestore {
	t.Helper()
	r := &slowRestore{command: exec.CommandContext(t.Context(), madoguchi(t), append([]string{"restore", "-", "--data", data}, args...)...)}
	r.command.Stderr = &r.errs
	var err error
	if r.input, err = r.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.input.Write(backup[:len(backup)/2]); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the restore writes", func() bool {
		_, err := os.Stat(filepath.Join(data, "madoguchi.db.partial"))
		return err == nil
	})
	return r
}

// end sends the rest and returns how it ended.
func (r *slowRestore) end(t *testing.T, backup []byte) error {
	t.Helper()
	if _, err := r.input.Write(backup[len(backup)/2:]); err != nil {
		t.Fatal(err)
	}
	if err := r.input.Close(); err != nil {
		t.Fatal(err)
	}
	return r.command.Wait()
}

// TestServerBeginsDuringARestore is a mail that comes while a backup is put in place: the socket
// that systemd keeps open starts the server. It must accept nothing into data that is about to
// be replaced.
func TestServerBeginsDuringARestore(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out a server that begins during a restore")
	}
	t.Parallel()
	data := newDesk(t)
	file := filepath.Join(t.TempDir(), "backup.db")
	succeed(t, "", "backup", file, "--data", data)
	backup, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("over data", func(t *testing.T) {
		r := beginRestore(t, backup, data, "--force")
		refuse(t, []string{"serve", "--data", data, "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"}, "another process works on the data in "+data)
		if err := r.end(t, backup); err != nil {
			t.Fatalf("%v\n%s", err, &r.errs)
		}
		s := start(t, data)
		s.stop()
		succeed(t, "", "verify", "--data", data)
	})
	t.Run("where there is none", func(t *testing.T) {
		empty := t.TempDir()
		r := beginRestore(t, backup, empty)
		s := start(t, empty)
		succeed(t, "", "alias", "add", "new@desk.test", "--name", "New", "--data", empty)
		if err := r.end(t, backup); err == nil || !strings.Contains(r.errs.String(), "a server began new data in "+empty) {
			t.Errorf("%v\n%s", err, &r.errs)
		}
		s.stop()
		if out := succeed(t, "", "alias", "list", "--data", empty); !strings.Contains(out, "new@desk.test") {
			t.Errorf("after the restore:\n%s", out)
		}
	})
}

// TestDataDirectoryAsABackup takes the store of another data directory, such as a snapshot of a
// disk has: what only its logs have is there too.
func TestDataDirectoryAsABackup(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the directory as a backup")
	}
	t.Parallel()
	data := newDesk(t)
	s := start(t, data)
	file := filepath.Join(data, "madoguchi.db")
	send(t, s.smtp, "tanaka@customer.test", deskAddress, []byte(letterFrom("tanaka@customer.test", "the last before the power cut")))
	s.kill()
	want := "1 mail accepted"
	if out := succeed(t, "", "verify", file); !strings.Contains(out, want) {
		t.Errorf("verify of the file: %s", out)
	}
	refuse(t, []string{"restore", data, "--data", t.TempDir()}, "holds data, and no backups", file)
	target := t.TempDir()
	succeed(t, "", "restore", file, "--data", target)
	if out := succeed(t, "", "verify", "--data", target); !strings.Contains(out, want) {
		t.Errorf("after the restore: %s", out)
	}
	for _, left := range []string{"madoguchi.db.partial", "madoguchi.db.partial-log1", "madoguchi.db.partial-log2"} {
		if _, err := os.Stat(filepath.Join(target, left)); err == nil {
			t.Errorf("%s is left", left)
		}
	}
	s = start(t, data)
	refuse(t, []string{"restore", file, "--data", t.TempDir()}, "a server works on "+file, "madoguchi backup FILE --data "+data)
	refuse(t, []string{"verify", file}, "a server works on "+file)
	s.stop()
}
