package smtpd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// spool holds one mail while it arrives: in memory as long as it is small, then
// in a file that has no name, so that a crash leaves nothing behind.
type spool struct {
	limit int64 // bytes
	open  func() (*os.File, error)

	memory []byte
	file   *os.File
	size   int64
	buffer []byte // for what is not read into memory
}

var (
	errTooLarge = errors.New("message too large")
	errSpool    = errors.New("spool the message")
)

// openUnlinked creates a file without a name in dir.
func openUnlinked(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "madoguchi-spool-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// receive reads r to its end, even a mail that it cannot keep: errTooLarge and
// errSpool say so once the end was read, so that the client hears the answer.
// Any other error is r's.
func (s *spool) receive(r io.Reader) error {
	var refused error
	for {
		room := s.room(refused == nil)
		n, err := r.Read(room)
		if refused == nil {
			refused = s.write(room[:n])
		}
		switch {
		case err == io.EOF:
			return refused
		case err != nil:
			return err
		}
	}
}

// spoolRead is how much is read at once, in bytes.
const spoolRead = 16 << 10

// room is where the next bytes are read to: behind those in memory, as long as the mail
// is kept there.
func (s *spool) room(kept bool) []byte {
	if !kept || s.file != nil {
		if s.buffer == nil {
			s.buffer = make([]byte, spoolRead)
		}
		return s.buffer
	}
	if free := cap(s.memory) - len(s.memory); free < minText {
		s.memory = slices.Grow(s.memory, spoolRead)
	}
	return s.memory[len(s.memory):cap(s.memory)]
}

// write keeps b, which may stand behind the memory already.
func (s *spool) write(b []byte) error {
	if s.size+int64(len(b)) > s.limit {
		s.close()
		return errTooLarge
	}
	if s.file == nil && s.size+int64(len(b)) > memorySpool {
		if err := s.spill(); err != nil {
			s.close()
			return fmt.Errorf("%w: %w", errSpool, err)
		}
	}
	s.size += int64(len(b))
	if s.file == nil {
		s.memory = append(s.memory, b...)
		return nil
	}
	if _, err := s.file.Write(b); err != nil {
		s.close()
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	return nil
}

// spill moves what is in memory to a file.
func (s *spool) spill() error {
	f, err := s.open()
	if err != nil {
		return err
	}
	s.file = f
	_, err = f.Write(s.memory)
	s.memory = nil
	return err
}

// load returns the whole mail. The spool gives up its own copy.
func (s *spool) load() ([]byte, error) {
	if s.file == nil {
		raw := s.memory
		s.memory = nil
		return raw, nil
	}
	raw := make([]byte, s.size)
	if _, err := s.file.ReadAt(raw, 0); err != nil {
		return nil, fmt.Errorf("%w: %w", errSpool, err)
	}
	s.close()
	return raw, nil
}

// close frees what the spool holds. It may be called more than once.
func (s *spool) close() {
	s.memory = nil
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
}
