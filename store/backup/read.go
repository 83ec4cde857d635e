package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// openPacks bounds how many packs a Reader has open at once.
const openPacks = 32

// Reader reads one copy from its beginning to its end. Each block is compared with
// its SHA-256; ErrDamaged, with the name of the file, is what remains of one that
// differs.
type Reader struct {
	Copy
	lock      *os.File
	catalogue *catalogue
	list      []byte
	rest      []byte // of the block that is being read
	files     map[int32]*os.File
}

// Read opens the copy with this id, or the newest for "".
func (d *Directory) Read(id string) (*Reader, error) {
	if id == "" {
		newest, err := d.Newest()
		if err != nil {
			return nil, err
		}
		id = newest.ID
	}
	lock, err := d.lock(false)
	if err != nil {
		return nil, err
	}
	r := &Reader{lock: lock, files: map[int32]*os.File{}}
	if r.Copy, r.list, err = d.read(id); err == nil {
		r.catalogue, err = d.readCatalogue()
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("read backup: %w", err)
	}
	return r, nil
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if len(r.list) == 0 {
			return 0, io.EOF
		}
		block, err := r.block(digest(r.list[:sha256.Size]))
		if err != nil {
			return 0, fmt.Errorf("backup %s: %w", r.ID, err)
		}
		r.rest, r.list = block, r.list[sha256.Size:]
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *Reader) block(id digest) ([]byte, error) {
	at, known := r.catalogue.blocks[id]
	if !known {
		return nil, fmt.Errorf("%w: the pack with block %x is missing", ErrDamaged, id[:8])
	}
	stored, err := r.stored(at)
	if err != nil {
		return nil, err
	}
	block, err := unpack(id, stored, at.length)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.catalogue.path(at.pack), err)
	}
	return block, nil
}

func (r *Reader) stored(at place) ([]byte, error) {
	file := r.files[at.pack]
	if file == nil {
		if len(r.files) >= openPacks {
			r.closeFiles()
		}
		var err error
		if file, err = os.Open(r.catalogue.path(at.pack)); err != nil {
			return nil, err
		}
		r.files[at.pack] = file
	}
	stored := make([]byte, at.stored)
	if _, err := file.ReadAt(stored, at.offset); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, r.catalogue.path(at.pack), err)
	}
	return stored, nil
}

func (r *Reader) closeFiles() {
	for pack, file := range r.files {
		file.Close() // it was only read
		delete(r.files, pack)
	}
}

// Close implements io.Closer.
func (r *Reader) Close() error {
	r.closeFiles()
	if r.lock == nil {
		return nil
	}
	return r.lock.Close()
}

// Check reads a copy wholly and notes that it is whole, as of now. The error names
// what is damaged.
func (d *Directory) Check(ctx context.Context, id string, now time.Time, progress Progress) error {
	r, err := d.Read(id)
	if err != nil {
		return err
	}
	defer r.Close()
	var done int64
	buffer := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buffer)
		done += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if progress != nil {
			progress(done)
		}
	}
	if done != r.Size {
		return fmt.Errorf("%w: %s has %d bytes, not %d", ErrDamaged, r.ID, done, r.Size)
	}
	return r.Note(now)
}

// Note keeps that the copy was read to its end and found whole.
func (r *Reader) Note(now time.Time) error {
	if r.lock == nil {
		return nil // there is no writing here
	}
	path := filepath.Join(r.catalogue.directory.copies(), r.ID+verifiedSuffix)
	if err := writeWhole(path, []byte(now.UTC().Format(time.RFC3339)+"\n")); err != nil {
		return fmt.Errorf("note that backup %s is whole: %w", r.ID, err)
	}
	return nil
}
