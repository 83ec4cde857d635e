package backup

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A pack is packMagic, then blocks: SHA-256 of the block (32 bytes), its stored length
// (4), its length with the highest bit set where it is compressed with zstd (4), the
// stored bytes. Then the same three of each block with the offset of its stored bytes
// (8) behind them, and an end: where this list begins (8), how many entries it has (4),
// its CRC-32C (4), packEnd. Numbers are big-endian. A pack that was broken off has no end, and
// is read block by block.
const (
	packMagic   = "MDGPACK1"
	packEnd     = "MDGPEND1"
	packSuffix  = ".pack"
	frameHeader = sha256.Size + 4 + 4
	entrySize   = frameHeader + 8
	endSize     = 8 + 4 + 4 + len(packEnd)
	packedFlag  = 1 << 31
	maxPack     = 64 << 20 // bytes, after which a pack is ended
)

// digest is a block's SHA-256, by which it is known.
type digest [sha256.Size]byte

// place is where a block is.
type place struct {
	pack   int32 // number in the catalogue
	stored uint32
	length uint32 // with packedFlag
	offset int64
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)

	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(fmt.Sprintf("backup: zstd encoder options: %v", err))
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(4*blockSize))
		if err != nil {
			panic(fmt.Sprintf("backup: zstd decoder options: %v", err))
		}
		return d
	})
)

// catalogue is every block of a directory, with its place.
type catalogue struct {
	directory *Directory
	names     []string // of the packs
	blocks    map[digest]place
}

// readCatalogue reads the ends of all packs.
func (d *Directory) readCatalogue() (*catalogue, error) {
	c := &catalogue{directory: d, blocks: map[digest]place{}}
	entries, err := os.ReadDir(d.packs())
	if err != nil {
		return nil, fmt.Errorf("read the packs: %w", err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), packSuffix) {
			continue
		}
		if err := c.add(entry.Name()); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *catalogue) path(pack int32) string {
	return filepath.Join(c.directory.packs(), c.names[pack])
}

// add reads the end of a pack.
func (c *catalogue) add(name string) error {
	number := int32(len(c.names))
	c.names = append(c.names, name)
	list, err := readPackList(c.path(number))
	if err != nil {
		return fmt.Errorf("pack %s: %w", c.path(number), err)
	}
	for ; len(list) > 0; list = list[entrySize:] {
		p := place{pack: number, stored: binary.BigEndian.Uint32(list[sha256.Size:]), length: binary.BigEndian.Uint32(list[sha256.Size+4:]),
			offset: int64(binary.BigEndian.Uint64(list[frameHeader:]))}
		c.blocks[digest(list[:sha256.Size])] = p
	}
	return nil
}

func readPackList(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	end := make([]byte, endSize)
	if info.Size() < int64(len(packMagic)+endSize) {
		return nil, fmt.Errorf("%w: it was cut short", ErrDamaged)
	}
	if _, err := file.ReadAt(end, info.Size()-int64(endSize)); err != nil {
		return nil, err
	}
	begin, count := int64(binary.BigEndian.Uint64(end)), int64(binary.BigEndian.Uint32(end[8:]))
	if string(end[16:]) != packEnd || begin < 0 || begin+count*int64(entrySize)+int64(endSize) != info.Size() {
		return nil, fmt.Errorf("%w: it has no end", ErrDamaged)
	}
	list := make([]byte, count*int64(entrySize))
	if _, err := file.ReadAt(list, begin); err != nil {
		return nil, err
	}
	if crc32.Checksum(list, castagnoli) != binary.BigEndian.Uint32(end[12:]) {
		return nil, fmt.Errorf("%w: its list of blocks is not what was written", ErrDamaged)
	}
	return list, nil
}

// packWriter writes blocks into packs, one after another.
type packWriter struct {
	catalogue *catalogue
	file      *os.File // nil between packs
	buffer    *bufio.Writer
	at        int64
	list      []byte
	written   int64 // bytes of all packs
	scratch   []byte
}

// put writes a block that the catalogue does not have.
func (w *packWriter) put(id digest, block []byte) error {
	length := uint32(len(block))
	w.scratch = encoder().EncodeAll(block, w.scratch[:0])
	stored := block
	if len(w.scratch) < len(block) {
		stored, length = w.scratch, length|packedFlag
	}
	return w.putStored(id, stored, length)
}

// putStored writes a block in the form in which it is kept.
func (w *packWriter) putStored(id digest, stored []byte, length uint32) error {
	if w.file == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	header := make([]byte, 0, entrySize)
	header = append(header, id[:]...)
	header = binary.BigEndian.AppendUint32(header, uint32(len(stored)))
	header = binary.BigEndian.AppendUint32(header, length)
	if _, err := w.buffer.Write(header); err != nil {
		return err
	}
	if _, err := w.buffer.Write(stored); err != nil {
		return err
	}
	offset := w.at + frameHeader
	w.list = append(w.list, binary.BigEndian.AppendUint64(header, uint64(offset))...)
	w.catalogue.blocks[id] = place{pack: int32(len(w.catalogue.names) - 1), stored: uint32(len(stored)), length: length, offset: offset}
	w.at = offset + int64(len(stored))
	w.written += frameHeader + int64(len(stored))
	if w.at >= maxPack {
		return w.end()
	}
	return nil
}

func (w *packWriter) begin() error {
	random := make([]byte, 8)
	rand.Read(random) // never fails
	name := hex.EncodeToString(random) + packSuffix
	file, err := os.OpenFile(filepath.Join(w.catalogue.directory.packs(), name)+partial, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	w.catalogue.names = append(w.catalogue.names, name)
	w.file, w.buffer, w.list = file, bufio.NewWriterSize(file, 1<<20), nil
	w.at = int64(len(packMagic))
	_, err = w.buffer.WriteString(packMagic)
	return errors.Join(err, adopt(file, filepath.Dir(file.Name())))
}

// end ends the pack that is being written, if any, and gives it its name.
func (w *packWriter) end() error {
	if w.file == nil {
		return nil
	}
	file := w.file
	w.file = nil
	end := binary.BigEndian.AppendUint64(nil, uint64(w.at))
	end = binary.BigEndian.AppendUint32(end, uint32(len(w.list)/entrySize))
	end = binary.BigEndian.AppendUint32(end, crc32.Checksum(w.list, castagnoli))
	_, err := w.buffer.Write(append(append(w.list, end...), packEnd...))
	return settle(file, strings.TrimSuffix(file.Name(), partial), errors.Join(err, w.buffer.Flush()))
}

// abandon leaves the pack that is being written to the next copy.
func (w *packWriter) abandon() {
	if w.file != nil {
		w.buffer.Flush() // as much as there is room for: the next copy reads what is whole
		w.file.Close()
	}
}

// salvage ends the packs that copies before were broken off at, and takes the blocks
// that are whole into the catalogue.
func (c *catalogue) salvage() error {
	left, err := filepath.Glob(filepath.Join(c.directory.packs(), "*"+packSuffix+partial))
	if err != nil {
		return err
	}
	w := &packWriter{catalogue: c}
	for _, path := range left {
		err := readFrames(path, func(id digest, stored []byte, length uint32) error {
			if _, known := c.blocks[id]; known {
				return nil
			}
			if _, err := unpack(id, stored, length); err != nil {
				return errEnough
			}
			return w.putStored(id, stored, length)
		})
		if err != nil && !errors.Is(err, errEnough) {
			w.abandon()
			return fmt.Errorf("take over what a backup that was broken off has left: %w", err)
		}
	}
	if err := w.end(); err != nil {
		return fmt.Errorf("take over what a backup that was broken off has left: %w", err)
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// errEnough ends the reading of a broken-off pack at what is not whole.
var errEnough = errors.New("the rest is not whole")

// readFrames reads the blocks of a pack from its beginning, as far as they go.
func readFrames(path string, each func(id digest, stored []byte, length uint32) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	reader := bufio.NewReaderSize(file, 1<<20)
	magic := make([]byte, len(packMagic))
	if _, err := io.ReadFull(reader, magic); err != nil || string(magic) != packMagic {
		return nil
	}
	header := make([]byte, frameHeader)
	for {
		if _, err := io.ReadFull(reader, header); err != nil {
			return nil
		}
		size, length := binary.BigEndian.Uint32(header[sha256.Size:]), binary.BigEndian.Uint32(header[sha256.Size+4:])
		if size == 0 || size > blockSize || length&^packedFlag > blockSize {
			return nil
		}
		stored := make([]byte, size)
		if _, err := io.ReadFull(reader, stored); err != nil {
			return nil
		}
		if err := each(digest(header[:sha256.Size]), stored, length); err != nil {
			return err
		}
	}
}

// unpack returns a block as it was, or ErrDamaged.
func unpack(id digest, stored []byte, length uint32) ([]byte, error) {
	block := stored
	if length&packedFlag != 0 {
		var err error
		if block, err = decoder().DecodeAll(stored, make([]byte, 0, blockSize)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if sha256.Sum256(block) != id {
		return nil, fmt.Errorf("%w: a block is not what was written", ErrDamaged)
	}
	return block, nil
}
