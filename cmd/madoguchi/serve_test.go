package main_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestServeIsReadyWhenItSaysSo(t *testing.T) {
	s := start(t, t.TempDir())
	for path, want := range map[string]string{"/readyz": "ready", "/healthz": "ok"} {
		if code, body := s.get(path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("GET %s: %d %q", path, code, body)
		}
	}
	if banner := greeting(t, s.smtp); !strings.HasPrefix(banner, "220 ") {
		t.Errorf("the SMTP greeting is %q", banner)
	}
	for path, want := range map[string]os.FileMode{s.data + "/control.sock": 0o600, s.data + "/madoguchi.db": 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v (%v), want mode %v", path, info, err, want)
		}
	}
	s.stop()
	if _, err := os.Stat(s.data + "/control.sock"); err == nil {
		t.Error("the control socket is still there after the server ended")
	}
}

func greeting(t *testing.T, address string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	buffer := make([]byte, 512)
	n, err := connection.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return string(buffer[:n])
}

func TestServeMakesAPrivateDataDirectory(t *testing.T) {
	data := filepath.Join(t.TempDir(), "new", "data")
	s := start(t, data)
	info, err := os.Stat(data)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory is %v (%v), want mode 0700", info, err)
	}
	s.stop()
}

func TestServeTakesALongDataPath(t *testing.T) {
	data := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	s := start(t, data)
	if out := succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", data); !strings.Contains(out, "support@example.com") {
		t.Errorf("alias add through a socket with a long path: %q", out)
	}
	s.stop()
}

func TestServeSaysWhatIsInItsWay(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	directory := t.TempDir()
	file := filepath.Join(directory, "file")
	if err := os.WriteFile(file, []byte("no directory"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := func(name, text string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := map[string]struct {
		args []string
		want []string
	}{
		"SMTP port in use": {[]string{"--smtp", address}, []string{"smtp.listen: " + address + " is in use", "--smtp ADDR"}},
		"web port in use":  {[]string{"--http", address}, []string{"web.listen: " + address + " is in use", "--http ADDR"}},
		"data is a file":   {[]string{"--data", file}, []string{"data directory " + file + " cannot be made: " + file + " is a file", "--data DIR"}},
		"data below a file": {[]string{"--data", file + "/data"},
			[]string{"data directory " + file + "/data cannot be made: " + file + " is a file", "--data DIR"}},
		"no configuration": {[]string{"--config", directory + "/absent.toml"}, []string{"there is no configuration file", "absent.toml"}},
		"unknown key":      {[]string{"--config", config("unknown.toml", "[smtp]\nlisten_on = \":25\"\n")}, []string{"unknown.toml:2: smtp.listen_on: unknown key", `"listen"`}},
		"unreadable certificate": {[]string{"--config", config("tls.toml", "[smtp]\ntls = \"files\"\ntls_cert = \"/absent/c.pem\"\ntls_key = \"/absent/k.pem\"\n")},
			[]string{"smtp.tls_cert", "/absent/c.pem"}},
		"unreadable DKIM key": {[]string{"--config", config("dkim.toml", "[[dkim]]\ndomain = \"example.com\"\nselector = \"m\"\nkey_file = \"/absent/k.pem\"\n")},
			[]string{"dkim[0].key_file", "/absent/k.pem"}},
		"alias of nobody": {[]string{"--config", config("owner.toml", "[[alias]]\naddress = \"a@example.com\"\nowner = \"nobody@example.com\"\n")},
			[]string{"owner.toml", "a@example.com", "nobody@example.com"}},
		"bad flag":     {[]string{"--smtp", "nowhere"}, []string{"smtp.listen", "nowhere"}},
		"not a store":  {[]string{"--data", notAStore(t)}, []string{"madoguchi.db", "not a database"}},
		"unknown flag": {[]string{"--port", "25"}, []string{"unknown flag: --port"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			args := []string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"}
			refuse(t, append(args, test.args...), test.want...)
		})
	}
}

func notAStore(t *testing.T) string {
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "madoguchi.db"), []byte(strings.Repeat("something else ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	return directory
}

func TestServeNeedsAWritableDataDirectory(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o555); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), madoguchi(t), "serve", "--data", data, "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0")
	asNobody(t, command, data) // root may write everywhere
	out, err := command.CombinedOutput()
	if err == nil || command.ProcessState.ExitCode() != 1 {
		t.Fatalf("exit %d (%v), want 1\n%s", command.ProcessState.ExitCode(), err, out)
	}
	remedy := "chmod -R u+rwX " + data
	if os.Getuid() == 0 {
		remedy = data + " belongs to user 0 (root): run this as that user (sudo -u), give all of it to this one (chown -R 65534 " + data + ")"
	}
	for _, want := range []string{"data directory " + data + " cannot be used by user", "permission denied", remedy, "--data DIR"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the error does not say %q:\n%s", want, out)
		}
	}
}

// asNobody has root's command run as another user, who may come as far as to path.
func asNobody(t *testing.T, command *exec.Cmd, path string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	for directory := filepath.Dir(path); directory != os.TempDir() && directory != "/"; directory = filepath.Dir(directory) {
		if err := os.Chmod(directory, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	command.Dir = "/"
}

// TestWhatBelongsToAnotherUserIsSaid has somebody use data, and a configuration, that are not theirs.
func TestWhatBelongsToAnotherUserIsSaid(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED, not passed: only root can be another user")
	}
	data := filepath.Join(t.TempDir(), "data")
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", data)
	config := writeConfig(t, "[server]\n")
	for _, test := range []struct {
		path string
		args []string
		want string
	}{
		{data, []string{"verify", "--data", data}, "belongs to user 0 (root): run this as that user (sudo -u)"},
		{config, []string{"serve", "--config", config}, "the configuration file cannot be read by user 65534: open " + config + ": permission denied; it belongs to user 0 (root)"},
	} {
		command := exec.CommandContext(t.Context(), madoguchi(t), test.args...)
		asNobody(t, command, test.path)
		out, err := command.CombinedOutput()
		if err == nil || command.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %v, and it does not say %q:\n%s", test.args[0], err, test.want, out)
		}
	}
}

func TestSecondServerOnTheSameData(t *testing.T) {
	s := start(t, t.TempDir())
	refuse(t, []string{"serve", "--data", s.data, "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"},
		"another process works on the data in "+s.data, "--data DIR")
	if code, _ := s.get("/readyz"); code != 200 {
		t.Errorf("the first server answers %d afterwards", code)
	}
	s.stop()
}

func TestReload(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "madoguchi.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("[[alias]]\naddress = \"first@example.com\"\n")
	s := start(t, filepath.Join(directory, "data"), "--config", file)
	if out := succeed(t, "", "alias", "list", "--data", s.data); !strings.Contains(out, "first@example.com") || !strings.Contains(out, "from the file") {
		t.Errorf("alias list: %q", out)
	}

	write("[smtp]\nmax_recipients = 7\n[log]\nlevel = \"debug\"\n[acme]\nemail = \"admin@example.com\"\n[[alias]]\naddress = \"first@example.com\"\n[[alias]]\naddress = \"second@example.com\"\n")
	s.command.Process.Signal(syscall.SIGHUP)
	s.log.waitFor(t, "reloaded log level")
	for _, want := range []string{
		`msg="reload: this key needs a restart" key=smtp.max_recipients runs=100 file=7`,
		`msg="reload: changed" key=log.level was="\"info\"" is="\"debug\""`,
		`msg="reload: changed" key=alias[second@example.com] was=none is=new`,
	} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, s.log)
		}
	}
	if strings.Contains(s.log.String(), "first@example.com") {
		t.Errorf("the log names an alias that did not change:\n%s", s.log)
	}
	if out := succeed(t, "", "alias", "list", "--data", s.data); !strings.Contains(out, "second@example.com") {
		t.Errorf("alias list after a reload: %q", out)
	}
	s.command.Process.Signal(syscall.SIGHUP)
	eventually(t, patience, "the same file is read again", func() bool { return strings.Count(s.log.String(), "reloaded log level") == 2 })
	if n := strings.Count(s.log.String(), "key=acme.email"); n != 1 {
		t.Errorf("what was followed is different %d times:\n%s", n, s.log)
	}

	write("[[alias]]\naddres = \"third@example.com\"\n")
	s.command.Process.Signal(syscall.SIGHUP)
	s.log.waitFor(t, "nothing was changed")
	if !strings.Contains(s.log.String(), "alias[0].addres") {
		t.Errorf("the log does not name the wrong key:\n%s", s.log)
	}
	if out := succeed(t, "", "alias", "list", "--data", s.data); !strings.Contains(out, "second@example.com") {
		t.Errorf("a file that is wrong changed the aliases: %q", out)
	}
	s.stop()
}
