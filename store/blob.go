package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
)

const (
	// MaxBlobSize is the largest blob in bytes, before compression.
	MaxBlobSize = 1 << 30

	// chunkSize is what one value of a blob holds. bbolt rewrites up to four
	// neighbouring values with each commit and needs a run of free pages for
	// them: with 256 KiB, 300 KiB mails were stored at a sixth of the speed.
	// Smaller chunks than this gained nothing and cost more keys.
	chunkSize = 32 << 10
)

// Blob is raw bytes made ready by Compress to be put.
type Blob struct {
	info BlobInfo
	data []byte
}

// BlobInfo describes a blob.
type BlobInfo struct {
	Size       int64             // bytes before compression
	StoredSize int64             // bytes in the store; of a blob in a bundle, before it was put there
	SHA256     [sha256.Size]byte // of the bytes before compression
	Compressed bool              // otherwise stored as it is
	form       byte              // how it was made smaller: blobPlain and the others
	bundle     uint64            // where form is blobBundled
}

// Info describes the blob.
func (b Blob) Info() BlobInfo { return b.info }

// Blobs keeps raw bytes, whole mails for instance, under ids, within the
// transactions it is given. Its header and its chunks lie apart, so that IDs and
// Stat do not pass over the data.
type Blobs struct {
	// Name is part of every key: never rename it, and no "/" in it.
	Name string
}

func (s Blobs) headers() []byte { return []byte("b/" + s.Name + "/h/") }

func (s Blobs) chunks(id []byte) Key {
	return Key("b/" + s.Name + "/c/").Bytes(id)
}

// chunkKey appends a chunk's number, in four bytes, to the prefix of a blob's chunks.
func chunkKey(chunks Key, number int) []byte {
	return binary.BigEndian.AppendUint32(chunks[:len(chunks):len(chunks)], uint32(number))
}

// Put stores b under id, in place of what is there.
func (s Blobs) Put(tx Tx, id []byte, b Blob) error {
	if err := s.put(tx, id, b); err != nil {
		return s.errorf(id, err)
	}
	return nil
}

func (s Blobs) put(tx Tx, id []byte, b Blob) error {
	if len(id) == 0 {
		return fmt.Errorf("%w id: it is empty", ErrInvalid)
	}
	if b.info.SHA256 == ([sha256.Size]byte{}) {
		return fmt.Errorf("%w blob: it was not made by Compress", ErrInvalid)
	}
	if b.info.Size > MaxBlobSize {
		return fmt.Errorf("%w blob: %d bytes, the limit is %d", ErrInvalid, b.info.Size, MaxBlobSize)
	}
	if err := s.remove(tx, id); err != nil {
		return err
	}
	if err := tx.Put(join(s.headers(), id), b.info.encode()); err != nil {
		return err
	}
	chunks := s.chunks(id)
	for number, rest := 0, b.data; len(rest) > 0; number++ {
		size := min(len(rest), chunkSize)
		if err := tx.Put(chunkKey(chunks, number), rest[:size:size]); err != nil {
			return err
		}
		rest = rest[size:]
	}
	return nil
}

// Get returns the bytes given to Compress, in memory of the caller's own. Errors:
// ErrNotFound; ErrCorrupt when the bytes do not match their SHA-256.
func (s Blobs) Get(r Reader, id []byte) ([]byte, error) {
	return (&BlobReader{Blobs: s, Reader: r}).Get(id)
}

// BlobReader reads many blobs. It keeps the bundle that it unpacked last: those with
// neighbouring ids are mostly in the same.
type BlobReader struct {
	Blobs  Blobs
	Reader Reader

	last   *bundle
	number uint64 // of last
}

// Get is that of Blobs.
func (b *BlobReader) Get(id []byte) ([]byte, error) {
	info, err := b.Blobs.Stat(b.Reader, id)
	if err != nil {
		return nil, err
	}
	data, err := b.read(id, info)
	if err == nil && sha256.Sum256(data) != info.SHA256 {
		err = fmt.Errorf("%w: the SHA-256 differs", ErrCorrupt)
	}
	if err != nil {
		return nil, b.Blobs.errorf(id, err)
	}
	return data, nil
}

func (b *BlobReader) read(id []byte, info BlobInfo) ([]byte, error) {
	if info.form != blobBundled {
		data, err := b.Blobs.unpacked(b.Reader, id, info)
		return unfolded(data, info.form, info.Size, err)
	}
	if b.last == nil || b.number != info.bundle {
		unpacked, err := b.Blobs.readBundle(b.Reader, info.bundle)
		if err != nil {
			return nil, err
		}
		b.last, b.number = unpacked, info.bundle
	}
	i, err := b.last.member(id)
	if err != nil {
		return nil, err
	}
	m := b.last.members[i]
	return unfolded(bytes.Clone(m.data), m.form, info.Size, nil)
}

func unfolded(data []byte, form byte, size int64, err error) ([]byte, error) {
	if err == nil && form == blobFolded {
		data, err = unfold(data, size)
	}
	if err != nil && !errors.Is(err, ErrCorrupt) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return data, err
}

// unpacked reads a blob that lies by itself and decompresses it; it may still be folded.
func (s Blobs) unpacked(r Reader, id []byte, info BlobInfo) ([]byte, error) {
	stored := make([]byte, 0, info.StoredSize)
	chunks := s.chunks(id)
	for number := 0; int64(len(stored)) < info.StoredSize; number++ {
		chunk, err := r.Get(chunkKey(chunks, number))
		switch {
		case errors.Is(err, ErrNotFound), err == nil && len(chunk) == 0:
			return nil, fmt.Errorf("%w: chunk %d is missing", ErrCorrupt, number)
		case err != nil:
			return nil, err
		}
		stored = append(stored, chunk...)
	}
	return decompress(stored, info)
}

// Stat describes the blob under id, or returns ErrNotFound.
func (s Blobs) Stat(r Reader, id []byte) (BlobInfo, error) {
	header, err := r.Get(join(s.headers(), id))
	if err != nil {
		return BlobInfo{}, s.errorf(id, err)
	}
	info, err := decodeBlobInfo(header)
	if err != nil {
		return BlobInfo{}, s.errorf(id, err)
	}
	return info, nil
}

// Delete removes the blob under id; an absent one is no error.
func (s Blobs) Delete(tx Tx, id []byte) error {
	if err := s.remove(tx, id); err != nil {
		return s.errorf(id, err)
	}
	return nil
}

// remove looks at the header only: where there is none there is nothing else.
func (s Blobs) remove(tx Tx, id []byte) error {
	header := join(s.headers(), id)
	value, err := tx.Get(header)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := decodeBlobInfo(value)
	if err != nil {
		return err
	}
	if info.form == blobBundled {
		err = s.unbundle(tx, id, info.bundle)
	} else {
		err = s.removeChunks(tx, id, info)
	}
	if err != nil {
		return err
	}
	return tx.Delete(header)
}

// IDs yields the ids of all blobs in order; they are valid only within the transaction.
func (s Blobs) IDs(r Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		prefix := s.headers()
		for header, err := range r.Scan(Prefix(prefix)) {
			if err != nil {
				yield(nil, fmt.Errorf("scan blobs %s: %w", s.Name, err))
				return
			}
			if !yield(header.Key[len(prefix):], nil) {
				return
			}
		}
	}
}

func (s Blobs) errorf(id []byte, err error) error {
	return fmt.Errorf("blobs %s, id %q: %w", s.Name, id, err)
}

// A header is a format byte, the two sizes in eight bytes each and the SHA-256; of what
// is in a bundle, with the size that it had before, also the bundle's number.
const (
	blobPlain      = 1
	blobZstd       = 2 // RFC 8878
	blobFolded     = 3 // fold, then zstd
	blobBundled    = 4
	blobQuick      = 5 // S2
	blobHeaderSize = 1 + 8 + 8 + sha256.Size
)

func (i BlobInfo) encode() []byte {
	header := append(make([]byte, 0, blobHeaderSize+8), i.form)
	header = binary.BigEndian.AppendUint64(header, uint64(i.Size))
	header = binary.BigEndian.AppendUint64(header, uint64(i.StoredSize))
	header = append(header, i.SHA256[:]...)
	if i.form == blobBundled {
		header = binary.BigEndian.AppendUint64(header, i.bundle)
	}
	return header
}

func decodeBlobInfo(header []byte) (BlobInfo, error) {
	if len(header) < blobHeaderSize {
		return BlobInfo{}, fmt.Errorf("%w: header of %d bytes", ErrCorrupt, len(header))
	}
	if header[0] < blobPlain || header[0] > blobQuick {
		return BlobInfo{}, fmt.Errorf("%w: format %d; use a newer program", ErrNewer, header[0])
	}
	size, stored := binary.BigEndian.Uint64(header[1:]), binary.BigEndian.Uint64(header[9:])
	if size > MaxBlobSize || stored > size {
		return BlobInfo{}, fmt.Errorf("%w: header with sizes %d and %d", ErrCorrupt, size, stored)
	}
	info := BlobInfo{Size: int64(size), StoredSize: int64(stored), Compressed: header[0] != blobPlain, form: header[0]}
	rest := header[17+copy(info.SHA256[:], header[17:]):]
	switch {
	case info.form == blobBundled && len(rest) == 8:
		info.bundle = binary.BigEndian.Uint64(rest)
	case len(rest) != 0 || info.form == blobBundled:
		return BlobInfo{}, fmt.Errorf("%w: header of %d bytes", ErrCorrupt, len(header))
	}
	return info, nil
}
