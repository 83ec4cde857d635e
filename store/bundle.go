package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A bundle is one value that holds blobs whose ids lie together, compressed as one.
// Mails of the same hours have much in common: trace fields, signatures, quotes. And a
// value of some KiB leaves a fifth of bbolt's pages empty, which one of a hundred does
// not. A mail is put by itself, since it has to be durable at once; a bundle is made
// when it has rested.
//
// The value is, all numbers unsigned varints: how many blobs; of each the length of
// its id, the id, whether it is folded (as in the form of a blob), the length of what was compressed;
// then one zstd frame of all that, in order. Key: b/<blobs>/g/<number>, in eight bytes.
const (
	// bundleBytes is how much is compressed together: enough to find most of what
	// repeats, and unpacked in less than a millisecond to read one of them.
	bundleBytes = 256 << 10
	// maxBundled is the largest blob, in bytes as stored, that gains by a bundle.
	maxBundled = 32 << 10
)

// bundleEncoder is slower and denser than that of single blobs: nobody waits for it.
var bundleEncoder = sync.OnceValue(func() *zstd.Encoder {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderDictRaw(mailDictionaryNumber, mailDictionary))
	if err != nil {
		panic(fmt.Sprintf("store: zstd encoder options: %v", err))
	}
	return encoder
})

func (s Blobs) bundles() []byte { return []byte("b/" + s.Name + "/g/") }

func (s Blobs) bundleKey(number uint64) []byte {
	return binary.BigEndian.AppendUint64(s.bundles(), number)
}

// bundle is one as it is unpacked.
type bundle struct {
	members []bundled
}

type bundled struct {
	id   []byte
	form byte
	size int
	data []byte // size bytes; folded where form is blobFolded
}

// Bundle moves one bundle's worth of blobs with ids below before, the next ones after
// those of the newest bundle, and returns how many; 0 when too few are left. It is one
// transaction, and compresses outside it. What changes meanwhile is left for another call.
func (s Blobs) Bundle(ctx context.Context, e Engine, before []byte) (moved int, err error) {
	var number uint64
	var headers []Entry
	b := &bundle{}
	err = e.View(ctx, func(r Reader) error {
		number, headers, err = s.chooseBundle(r, before, b)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("bundle blobs %s: %w", s.Name, err)
	}
	if len(headers) == 0 {
		return 0, nil
	}
	value := b.encode()
	if err := b.check(value); err != nil {
		return 0, fmt.Errorf("bundle blobs %s: %w", s.Name, err)
	}
	err = e.Update(ctx, func(tx Tx) error {
		_, err := tx.Get(s.bundleKey(number))
		if err == nil {
			return fmt.Errorf("%w: bundle %d is there already", ErrConflict, number)
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		return s.putBundle(tx, number, headers, value)
	})
	if err != nil {
		return 0, fmt.Errorf("bundle blobs %s: %w", s.Name, err)
	}
	return len(headers), nil
}

// chooseBundle reads the blobs of the next bundle, and copies of their headers; none
// where they would not fill it.
func (s Blobs) chooseBundle(r Reader, before []byte, b *bundle) (number uint64, headers []Entry, err error) {
	start, number, err := s.newestBundle(r)
	if err != nil {
		return 0, nil, err
	}
	prefix := s.headers()
	size := 0
	for header, err := range r.Scan(Range{Start: start, End: before}.within(prefix)) {
		if err != nil {
			return 0, nil, err
		}
		id := header.Key[len(prefix):]
		info, err := decodeBlobInfo(header.Value)
		if err != nil {
			return 0, nil, s.errorf(id, err)
		}
		if info.form == blobBundled || info.StoredSize > maxBundled {
			continue
		}
		data, err := s.unpacked(r, id, info)
		if errors.Is(err, ErrCorrupt) {
			continue // it stays as it is, for verify to tell of
		}
		if err != nil {
			return 0, nil, s.errorf(id, err)
		}
		form := info.form
		if form == blobQuick { // there was no time to fold it
			form = blobPlain
			if folded, ok := fold(data); ok {
				form, data = blobFolded, folded
			}
		}
		b.members = append(b.members, bundled{id: bytes.Clone(id), form: form, data: data})
		headers = append(headers, Entry{Key: bytes.Clone(header.Key), Value: bytes.Clone(header.Value)})
		if size += len(data); size >= bundleBytes {
			return number, headers, nil
		}
	}
	return 0, nil, nil
}

// newestBundle returns where the ids behind those of the newest bundle begin, and the
// number of the next one.
func (s Blobs) newestBundle(r Reader) (start []byte, next uint64, err error) {
	prefix := s.bundles()
	for entry, err := range r.Scan(Prefix(prefix).Reversed()) {
		if err != nil {
			return nil, 0, err
		}
		members, _, _, err := bundleMembers(entry.Value)
		if err != nil || len(entry.Key) != len(prefix)+8 {
			return nil, 0, fmt.Errorf("%w: bundle %q", ErrCorrupt, entry.Key)
		}
		return append(bytes.Clone(members[len(members)-1].id), 0), binary.BigEndian.Uint64(entry.Key[len(prefix):]) + 1, nil
	}
	return nil, 0, nil
}

// putBundle puts a bundle in the place of the blobs' own chunks, if their headers are
// still what they were.
func (s Blobs) putBundle(tx Tx, number uint64, headers []Entry, value []byte) error {
	for _, was := range headers {
		id := was.Key[len(s.headers()):]
		is, err := tx.Get(was.Key)
		if err == nil && !bytes.Equal(is, was.Value) {
			err = fmt.Errorf("%w: it was changed meanwhile", ErrConflict)
		}
		if err != nil {
			return s.errorf(id, err)
		}
		info, err := decodeBlobInfo(was.Value)
		if err != nil {
			return s.errorf(id, err)
		}
		if err := s.removeChunks(tx, id, info); err != nil {
			return err
		}
		info.form, info.bundle = blobBundled, number
		if err := tx.Put(was.Key, info.encode()); err != nil {
			return err
		}
	}
	return tx.Put(s.bundleKey(number), value)
}

func (s Blobs) removeChunks(tx Tx, id []byte, info BlobInfo) error {
	chunks := s.chunks(id)
	for number := range int((info.StoredSize + chunkSize - 1) / chunkSize) {
		if err := tx.Delete(chunkKey(chunks, number)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bundle) encode() []byte {
	value := binary.AppendUvarint(nil, uint64(len(b.members)))
	var all []byte
	for _, m := range b.members {
		value = append(binary.AppendUvarint(value, uint64(len(m.id))), m.id...)
		value = binary.AppendUvarint(append(value, m.form), uint64(len(m.data)))
		all = append(all, m.data...)
	}
	return bundleEncoder().EncodeAll(all, value)
}

// check unpacks what encode made: the only copies are about to be deleted.
func (b *bundle) check(value []byte) error {
	again, err := decodeBundle(value)
	if err != nil {
		return err
	}
	same := slices.EqualFunc(b.members, again.members, func(x, y bundled) bool {
		return bytes.Equal(x.id, y.id) && x.form == y.form && bytes.Equal(x.data, y.data)
	})
	if !same {
		return fmt.Errorf("%w: it unpacks to something else", errBundle)
	}
	return nil
}

var errBundle = fmt.Errorf("bundle of blobs: %w", ErrCorrupt)

// bundleMembers reads the list ahead of the compressed bytes.
func bundleMembers(value []byte) (members []bundled, total int, frame []byte, err error) {
	count, n := binary.Uvarint(value)
	if n <= 0 || count == 0 || count > uint64(len(value)) {
		return nil, 0, nil, errBundle
	}
	rest := value[n:]
	for range count {
		id, after, err := stretch(rest)
		if err != nil || len(after) == 0 {
			return nil, 0, nil, errBundle
		}
		size, n := binary.Uvarint(after[1:])
		if n <= 0 || size > MaxBlobSize-uint64(total) {
			return nil, 0, nil, errBundle
		}
		members = append(members, bundled{id: id, form: after[0], size: int(size)})
		total += int(size)
		rest = after[1+n:]
	}
	return members, total, rest, nil
}

func decodeBundle(value []byte) (*bundle, error) {
	members, total, frame, err := bundleMembers(value)
	if err != nil {
		return nil, err
	}
	all, err := zstdDecoder().DecodeAll(frame, make([]byte, 0, min(total, MaxValueSize)))
	if err == nil && len(all) != total {
		err = fmt.Errorf("%d bytes of %d", len(all), total)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: decompress: %w", errBundle, err)
	}
	for i := range members {
		m := &members[i]
		m.id, m.data, all = bytes.Clone(m.id), all[:m.size:m.size], all[m.size:]
	}
	return &bundle{members: members}, nil
}

func (s Blobs) readBundle(r Reader, number uint64) (*bundle, error) {
	value, err := r.Get(s.bundleKey(number))
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: bundle %d is missing", ErrCorrupt, number)
	}
	if err != nil {
		return nil, err
	}
	return decodeBundle(value)
}

func (b *bundle) member(id []byte) (int, error) {
	i := slices.IndexFunc(b.members, func(m bundled) bool { return bytes.Equal(m.id, id) })
	if i < 0 {
		return 0, fmt.Errorf("%w: its bundle does not hold it", ErrCorrupt)
	}
	return i, nil
}

// unbundle takes one blob out of its bundle, so that nothing of it is left.
func (s Blobs) unbundle(tx Tx, id []byte, number uint64) error {
	b, err := s.readBundle(tx, number)
	if err != nil {
		return err
	}
	i, err := b.member(id)
	if err != nil {
		return err
	}
	if b.members = slices.Delete(b.members, i, i+1); len(b.members) == 0 {
		return tx.Delete(s.bundleKey(number))
	}
	return tx.Put(s.bundleKey(number), b.encode())
}
