package smtpd

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// maxSocketPath is the length of sun_path less its NUL (unix(7)); macOS has 4
// less, and says so itself.
const maxSocketPath = 107

// ListenLMTP listens on a unix socket at path, which gets mode. A socket that a
// process left behind is replaced; one that answers, or a file of another kind,
// is an error. Closing the listener removes the socket.
//
// The socket is made in a directory that only this user may enter and then moved
// to its place, so that it is never there with another mode.
func ListenLMTP(path string, mode fs.FileMode) (net.Listener, error) {
	if err := checkSocketPath(path); err != nil {
		return nil, fmt.Errorf("listen for LMTP on %s: %w", path, err)
	}
	l, err := listenPrivately(path, mode)
	if err != nil {
		return nil, fmt.Errorf("listen for LMTP on %s: %w", path, err)
	}
	return l, nil
}

// checkSocketPath says whether path is free to take.
func checkSocketPath(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("the file exists and is no socket: remove it or choose another path")
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
		return errors.New("another process listens there: stop it or choose another path")
	}
	return nil
}

func listenPrivately(path string, mode fs.FileMode) (net.Listener, error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".l")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	private := filepath.Join(dir, "s")
	if longest := max(len(path), len(private)); longest > maxSocketPath {
		return nil, fmt.Errorf("the path is too long for a unix socket by %d bytes", longest-maxSocketPath)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: private, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(private, mode); err != nil {
		l.Close()
		return nil, err
	}
	if err := os.Rename(private, path); err != nil {
		l.Close()
		return nil, err
	}
	return &socketListener{UnixListener: l, path: path}, nil
}

// socketListener knows where its socket was moved to.
type socketListener struct {
	*net.UnixListener
	path string
	once sync.Once
}

// Addr returns the path that clients use.
func (l *socketListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// Close removes the socket and stops listening.
func (l *socketListener) Close() error {
	l.once.Do(func() { os.Remove(l.path) })
	return l.UnixListener.Close()
}
