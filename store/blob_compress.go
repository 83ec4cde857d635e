package store

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// mailDictionary is words, headers and styles that mails are made of, without which
// a short mail hardly becomes smaller. What was compressed with it can be read
// with nothing else: it never changes. A better one would get a number of its own.
//
//go:embed mails.dict
var mailDictionary []byte

const mailDictionaryNumber = 0x6d61_0001

// Encoder and decoder keep nothing from one call to the next and may be used by
// many goroutines at once; making them is what is expensive.
var (
	zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithEncoderDictRaw(mailDictionaryNumber, mailDictionary))
		if err != nil {
			panic(fmt.Sprintf("store: zstd encoder options: %v", err))
		}
		return encoder
	})
	zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
		decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderDictRaw(mailDictionaryNumber, mailDictionary))
		if err != nil {
			panic(fmt.Sprintf("store: zstd decoder options: %v", err))
		}
		return decoder
	})
)

// Compress makes raw ready for Blobs.Put. It takes the time that hashing and
// compressing take, so call it outside a transaction. Bytes that compression does
// not make smaller are kept as they are, and then the Blob shares raw's memory:
// do not change it before the blob is committed.
func Compress(raw []byte) Blob {
	folded, isFolded := fold(raw)
	form := byte(blobZstd)
	if isFolded {
		form = blobFolded
	}
	return newBlob(raw, form, inSpareMemory(len(folded), func(space []byte) []byte {
		return zstdEncoder().EncodeAll(folded, space[:0])
	}))
}

// CompressQuickly is Compress in a small part of the time, and less densely: for blobs
// that [Blobs.Bundle] will soon compress again. Those too large for a bundle are
// compressed as Compress does.
func CompressQuickly(raw []byte) Blob {
	if len(raw) > maxBundled {
		return Compress(raw)
	}
	return newBlob(raw, blobQuick, inSpareMemory(s2.MaxEncodedLen(len(raw)), func(space []byte) []byte {
		return s2.Encode(space, raw)
	}))
}

// newBlob is a blob in the given form, or a plain one where that is not smaller.
func newBlob(raw []byte, form byte, compressed []byte) Blob {
	b := Blob{
		info: BlobInfo{Size: int64(len(raw)), StoredSize: int64(len(raw)), SHA256: sha256.Sum256(raw), form: blobPlain},
		data: raw,
	}
	if len(compressed) < len(raw) {
		b.data = compressed
		b.info.StoredSize, b.info.Compressed, b.info.form = int64(len(compressed)), true, form
	}
	return b
}

// inSpareMemory returns a copy of what compress returns. How long that is shows only
// then: what is short is compressed into memory that is used again, so that no more
// than needed is kept.
func inSpareMemory(size int, compress func(space []byte) []byte) []byte {
	if size > maxKeptBuffer {
		return compress(make([]byte, size))
	}
	space := packBuffers.Get().(*[]byte)
	defer packBuffers.Put(space)
	return bytes.Clone(compress(*space))
}

// decompress returns the bytes of a blob that lies by itself; they may still be folded.
func decompress(stored []byte, info BlobInfo) (data []byte, err error) {
	switch info.form {
	case blobPlain:
		return stored, nil
	case blobQuick:
		size, err := s2.DecodedLen(stored)
		if err == nil && int64(size) != info.Size {
			err = fmt.Errorf("%d bytes of %d", size, info.Size)
		}
		if err == nil {
			data, err = s2.Decode(nil, stored)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: decompress: %w", ErrCorrupt, err)
		}
		return data, nil
	}
	data, err = zstdDecoder().DecodeAll(stored, make([]byte, 0, info.Size+foldedOverhead))
	if err != nil {
		return nil, fmt.Errorf("%w: decompress: %w", ErrCorrupt, err)
	}
	return data, nil
}
