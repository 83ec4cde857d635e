package mail

import (
	"encoding/binary"
	"errors"
)

// rtfDictionary is what the dictionary of a compressed RTF holds before the
// first byte (MS-OXRTFCP section 2.1.3.1).
const rtfDictionary = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}` +
	`{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier` +
	`{\colortbl\red0\green0\blue0` + "\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`

const (
	rtfCompressed   = 0x75465A4C // "LZFu"
	rtfUncompressed = 0x414C454D // "MELA"
	rtfWindow       = 4096
)

// decompressRTF undoes MS-OXRTFCP. The output is at most nine times the input,
// which the format itself bounds; the checksum is not checked, since a reader
// of damaged text wants what there is.
func decompressRTF(data []byte) ([]byte, error) {
	if len(data) < 16 {
		return nil, errors.New("compressed RTF without its header")
	}
	size := int64(binary.LittleEndian.Uint32(data[4:]))
	kind := binary.LittleEndian.Uint32(data[8:])
	data = data[16:]
	switch kind {
	case rtfUncompressed:
		return data[:min(size, int64(len(data)))], nil
	case rtfCompressed:
	default:
		return nil, errors.New("compressed RTF of an unknown kind")
	}
	var window [rtfWindow]byte
	write := copy(window[:], rtfDictionary)
	out := make([]byte, 0, min(size, 9*int64(len(data))))
	emit := func(c byte) {
		out = append(out, c)
		window[write] = c
		write = (write + 1) % rtfWindow
	}
	for len(data) > 0 {
		control := data[0]
		data = data[1:]
		for bit := range 8 {
			if control>>bit&1 == 0 {
				if len(data) == 0 {
					return out, nil
				}
				emit(data[0])
				data = data[1:]
				continue
			}
			if len(data) < 2 {
				return out, nil
			}
			reference := int(binary.BigEndian.Uint16(data))
			data = data[2:]
			offset := reference >> 4
			if offset == write {
				return out, nil // the mark of the end
			}
			for i := range reference&0xF + 2 {
				emit(window[(offset+i)%rtfWindow])
			}
		}
	}
	return out, nil
}
