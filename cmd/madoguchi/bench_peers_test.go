package main_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"go.etcd.io/bbolt"
)

// The peers that ours is measured beside. Each is a process of its own, as ours is.

// bareServer, set in the environment to bareDiscard or to bareKeep and the path of a
// file, makes the test binary a mail server that does next to nothing.
const (
	bareServer  = "MADOGUCHI_TEST_BARE_SERVER"
	bareDiscard = "discard" // what the SMTP library and the machine allow at best
	bareKeep    = "keep:"   // and how much of that is left when the bytes go into bbolt, those that queue in one commit
)

// serveBare prints its address, and ends with its standard input.
func serveBare(kind string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	b := bare{}
	if path, keep := strings.CutPrefix(kind, bareKeep); keep {
		b.queue = make(chan bareMail, 1024)
		go keepMails(path, b.queue)
	}
	server := smtp.NewServer(b)
	server.ErrorLog = log.New(io.Discard, "", 0)
	go server.Serve(listener)
	fmt.Println(listener.Addr())
	io.Copy(io.Discard, os.Stdin)
}

// bare takes every mail; without a queue it throws it away.
type bare struct{ queue chan bareMail }

type bareMail struct {
	raw  []byte
	kept chan error
}

func (b bare) NewSession(*smtp.Conn) (smtp.Session, error) { return b, nil }
func (bare) Mail(string, *smtp.MailOptions) error          { return nil }
func (bare) Rcpt(string, *smtp.RcptOptions) error          { return nil }
func (bare) Reset()                                        {}
func (bare) Logout() error                                 { return nil }
func (b bare) Data(r io.Reader) error {
	if b.queue == nil {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	mail := bareMail{raw, make(chan error, 1)}
	b.queue <- mail
	return <-mail.kept
}

// keepMails commits whatever has queued while the last commit was under way.
func keepMails(path string, queue <-chan bareMail) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, InitialMmapSize: 1 << 30})
	if err != nil {
		log.Fatal(err)
	}
	number := uint64(0)
	for first := range queue {
		mails := []bareMail{first}
		for len(queue) > 0 {
			mails = append(mails, <-queue)
		}
		err := db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("mails"))
			if err != nil {
				return err
			}
			bucket.FillPercent = 0.9
			for _, mail := range mails {
				number++
				if err := bucket.Put(fmt.Appendf(nil, "%016x", number), mail.raw); err != nil {
					return err
				}
			}
			return nil
		})
		for _, mail := range mails {
			mail.kept <- err
		}
	}
}

func startBare(b *testing.B, kind string) (address string) {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), bareServer+"="+kind)
	stdin, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		command.Wait()
	})
	if _, err := fmt.Fscanln(bufio.NewReader(stdout), &address); err != nil {
		b.Fatalf("the bare server does not start: %v", err)
	}
	return address
}

// postfix is Postfix as Debian installs it, with a queue and Maildirs of its own.
type postfix struct {
	address string
	inbox   string // Maildir/new of the one mailbox
	etc     string // its configuration
}

// startPostfix has the one mailbox, and more lines of main.cf. It returns nil where
// there is no Postfix, or it may not be started: its master wants to be root.
func startPostfix(b testing.TB, mailbox, more string) *postfix {
	b.Helper()
	if _, err := exec.LookPath("postfix"); err != nil || os.Geteuid() != 0 {
		b.Log("SKIPPED, not measured: no Postfix that may be started here")
		return nil
	}
	root, err := os.MkdirTemp("", "madoguchi-postfix-") // its users have to reach it
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(root) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	p := &postfix{address: listener.Addr().String(), inbox: filepath.Join(root, "mail", "box", "new")}
	listener.Close()
	run := func(name string, args ...string) {
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			b.Fatalf("%s %v: %v: %s", name, args, err, out)
		}
	}
	etc := filepath.Join(root, "etc")
	p.etc = etc
	run("chmod", "755", root)
	run("mkdir", "-p", filepath.Join(root, "queue"), filepath.Join(root, "data"), filepath.Join(root, "mail"), etc)
	run("chown", "postfix", filepath.Join(root, "data"))
	run("chown", "65534:65534", filepath.Join(root, "mail"))
	run("sh", "-c", "cp -r /etc/postfix/* "+etc)
	main := fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.desk.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = %[3]s
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = inline:{ { %[2]s = box/ } }
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
maillog_file = %[1]s/maillog
maillog_file_prefixes = %[1]s
smtp_dns_support_level = disabled
in_flow_delay = 0
%[4]s`, root, mailbox, mailbox[strings.LastIndexByte(mailbox, '@')+1:], more)
	if err := os.WriteFile(filepath.Join(etc, "main.cf"), []byte(main), 0o644); err != nil {
		b.Fatal(err)
	}
	master, err := os.ReadFile(filepath.Join(etc, "master.cf"))
	if err != nil {
		b.Fatal(err)
	}
	lines := strings.Split(string(master), "\n")
	for i, line := range lines { // no chroot, which would need files of its own, and our port
		fields := strings.Fields(line)
		if len(fields) >= 8 && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, " ") {
			if fields[4] = "n"; fields[0] == "smtp" && fields[1] == "inet" {
				fields[0] = p.address
			}
			lines[i] = strings.Join(fields, " ")
		}
	}
	if err := os.WriteFile(filepath.Join(etc, "master.cf"), []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		b.Fatal(err)
	}
	run("postfix", "-c", etc, "start")
	b.Cleanup(func() { _ = exec.Command("postfix", "-c", etc, "stop").Run() })
	eventually(b, patience, "Postfix listens", func() bool {
		connection, err := net.DialTimeout("tcp", p.address, time.Second)
		if err != nil {
			return false
		}
		connection.Close()
		return true
	})
	return p
}

// change rewrites a part of its main.cf while it runs.
func (p *postfix) change(t testing.TB, was, is string) {
	t.Helper()
	path := filepath.Join(p.etc, "main.cf")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), was, is, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("postfix", "-c", p.etc, "reload").CombinedOutput(); err != nil {
		t.Fatalf("postfix reload: %v: %s", err, out)
	}
}

// delivered is how many mails are in the mailbox.
func (p *postfix) delivered() int {
	files, _ := os.ReadDir(p.inbox) // not there before the first
	return len(files)
}
