// Package backup keeps copies of a store in a directory, each whole, and all of
// them together little larger than the newest.
//
// A copy is cut into blocks of one size. A block is known by its SHA-256 and kept
// once, however many copies have it: what did not change since an earlier copy, as
// nearly all stored mail, is not written again. The files are
//
//	madoguchi-backup.json      says that the directory is one of these
//	packs/<name>.pack          blocks, some thousands a file
//	copies/<id>.copy           one copy: a line of JSON, then the blocks it is made of
//	copies/<id>.verified       when that copy was last read and found whole
//
// No file changes once it has its name, and each has it only when all of it is on the
// disk: programs that carry directories elsewhere (rsync, restic) may read while a
// copy is made. What a copy that was broken off had written is used by the next.
package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Errors that callers tell apart with [errors.Is].
var (
	// ErrNone: the directory keeps no backups, or not the one asked for.
	ErrNone = errors.New("no backup")
	// ErrDamaged: bytes are not what was written, or are missing.
	ErrDamaged = errors.New("damaged backup")
	// ErrNewer: a newer version of the program wrote it.
	ErrNewer = errors.New("backup of a newer version")
	// ErrBusy: another process works on the directory.
	ErrBusy = errors.New("the backups are in use")
)

const (
	blockSize  = 16 << 10 // four pages of a store: smaller blocks share more and need longer lists
	formatNow  = 1
	markerName = "madoguchi-backup.json"
	lockName   = "lock"
	partial    = ".partial"
)

// marker is what the directory says of itself.
type marker struct {
	Format    int `json:"format"`
	BlockSize int `json:"block_size"`
}

// Directory is a directory of backups.
type Directory struct {
	path string
}

// Open opens a directory of backups. Errors: ErrNone, ErrNewer.
func Open(path string) (*Directory, error) {
	document, err := os.ReadFile(filepath.Join(path, markerName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s: it has no %s", ErrNone, path, markerName)
	}
	if err != nil {
		return nil, fmt.Errorf("open backups: %w", err)
	}
	var m marker
	if err := json.Unmarshal(document, &m); err != nil {
		return nil, fmt.Errorf("open backups: %w: %s: %w", ErrDamaged, filepath.Join(path, markerName), err)
	}
	if m.Format > formatNow || m.BlockSize != blockSize {
		return nil, fmt.Errorf("open backups in %s: %w (format %d, blocks of %d bytes)", path, ErrNewer, m.Format, m.BlockSize)
	}
	return &Directory{path: path}, nil
}

// Create opens a directory of backups, or makes path one: where there is nothing
// there yet, or an empty directory.
func Create(path string) (*Directory, error) {
	d, err := Open(path)
	if err == nil || !errors.Is(err, ErrNone) {
		return d, err
	}
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("make a directory of backups: %w", err)
	}
	for _, entry := range entries { // what a start that was broken off has left is our own
		if name := entry.Name(); name != "packs" && name != "copies" && name != lockName && name != markerName+partial {
			return nil, fmt.Errorf("%s has other things in it (%s): name an empty directory, or one that is not there yet", path, name)
		}
	}
	d = &Directory{path: path}
	for _, directory := range []string{d.packs(), d.copies()} {
		if err := d.makeDirectory(directory); err != nil {
			return nil, fmt.Errorf("make a directory of backups: %w", err)
		}
	}
	document, err := json.Marshal(marker{Format: formatNow, BlockSize: blockSize})
	if err == nil {
		err = writeWhole(filepath.Join(path, markerName), append(document, '\n'))
	}
	if err != nil {
		return nil, fmt.Errorf("make a directory of backups: %w", err)
	}
	return d, nil
}

func (d *Directory) makeDirectory(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	made, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(adopt(made, d.path), made.Close())
}

// Path is the directory's.
func (d *Directory) Path() string { return d.path }

func (d *Directory) packs() string  { return filepath.Join(d.path, "packs") }
func (d *Directory) copies() string { return filepath.Join(d.path, "copies") }

// lock keeps others from changing the directory, or, shared, from taking away what
// is being read. It is released with the file it returns.
func (d *Directory) lock(exclusive bool) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(d.path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrPermission) || isReadOnly(err) {
		if !exclusive {
			return nil, nil // a disk that cannot be written: nobody else writes there either
		}
	}
	if err != nil {
		return nil, fmt.Errorf("lock the backups: %w", err)
	}
	if err := adopt(file, d.path); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock the backups: %w", err)
	}
	if err := lockFile(file, exclusive); err != nil {
		file.Close()
		return nil, fmt.Errorf("%w in %s: another process makes, reads or sorts out backups there; try again when it has ended", ErrBusy, d.path)
	}
	return file, nil
}

// writeWhole gives path its content, so that it is all there or not at all.
func writeWhole(path string, content []byte) error {
	file, err := os.OpenFile(path+partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, adopt(file, filepath.Dir(path)))
	return settle(file, path, err)
}

// settle makes what was written to file durable, closes it and gives it its name. An
// error of before is returned, and the file taken away.
func settle(file *os.File, path string, err error) error {
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncDirectory(filepath.Dir(path))
}

func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
