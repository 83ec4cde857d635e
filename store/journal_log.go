package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
)

// A log is a header (logMagic and the store's lineage), and from logStart on
// records without gaps:
//
//	CRC-32C of the rest (4 bytes), length of the payload (4), number (8), payload
//
// The checksum goes on from that of the record before, 0 ahead of the first, so that
// nothing of an earlier use, or of a write that failed, is taken for the next
// record. The payload is changes in key order: a byte that tells a value from a deletion,
// and key and value, each after its length as an unsigned varint. Fixed numbers are
// big-endian. The log ends before the first record that is damaged or whose number
// does not follow.
const (
	logMagic      = "MDGLOG1\n"
	lineageSize   = 8
	logStart      = int64(4096) // records share no block with the header
	recordHeader  = 4 + 4 + 8
	minLogSize    = 1 << 20  // bytes, written as zeros so that a record overwrites blocks that exist
	maxLogSize    = 64 << 20 // a log that grew larger is cut when it is used again
	changePut     = 1
	changeDeleted = 2
)

// logFile is one log, open for writing.
type logFile struct {
	file  *os.File
	at    int64  // where the next record begins
	last  uint64 // number of the newest record, or of what was before the first
	chain uint32 // checksum of the newest record
	size  int64  // of the file: up to there blocks exist
}

// openLog opens or makes a log and returns the records in it.
func openLog(path string, lineage []byte) (l *logFile, records []loggedRecord, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, nil, err
	}
	l = &logFile{file: file, at: logStart, size: int64(len(data))}
	header := append([]byte(logMagic), lineage...)
	if len(data) >= len(header) && slices.ContainsFunc(data[:len(header)], func(b byte) bool { return b != 0 }) {
		if records = readRecords(data); string(data[:len(header)]) != string(header) && len(records) > 0 {
			return nil, nil, fmt.Errorf("%w: the log %s is not of this store; move it away if the store came from a backup", ErrCorrupt, path)
		}
	}
	if err := l.grow(minLogSize); err != nil {
		return nil, nil, err
	}
	if len(data) < len(header) || string(data[:len(header)]) != string(header) {
		if _, err := file.WriteAt(header, 0); err != nil {
			return nil, nil, err
		}
		if err := file.Sync(); err != nil {
			return nil, nil, err
		}
	}
	return l, records, nil
}

// grow makes the file at least size bytes long, of blocks that exist.
func (l *logFile) grow(size int64) error {
	if l.size >= size {
		return nil
	}
	zeros := make([]byte, min(size-l.size, minLogSize))
	for at := l.size; at < size; at += int64(len(zeros)) {
		if _, err := l.file.WriteAt(zeros[:min(size-at, int64(len(zeros)))], at); err != nil {
			return err
		}
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	l.size = size
	return nil
}

// append writes records and syncs them. written tells that they may be on the disk
// although there is an error.
func (l *logFile) append(records []byte) (written bool, err error) {
	end := l.at + int64(len(records))
	if end > l.size {
		if err := l.grow(max(end, 2*l.size)); err != nil {
			return false, err
		}
	}
	chain, last := l.chain, l.last
	for rest := records; len(rest) > 0; {
		record := rest[:recordSize(rest)]
		chain, last = checksum(chain, record), recordNumber(record)
		binary.BigEndian.PutUint32(record, chain)
		rest = rest[len(record):]
	}
	if _, err := l.file.WriteAt(records, l.at); err != nil {
		// Of those that are whole nobody was told that they are durable: they shall not
		// come back after a crash. The next ones, of the same numbers, are written over them.
		_ = l.clearAt(l.at)
		return false, err
	}
	if err := syncData(l.file); err != nil {
		return true, err
	}
	l.at, l.chain, l.last = end, chain, last
	return true, nil
}

// rewind lets the log be written from its beginning, with the update after last.
func (l *logFile) rewind(last uint64) {
	l.at, l.chain, l.last = logStart, 0, last
	if l.size > maxLogSize && l.file.Truncate(maxLogSize) == nil {
		l.size = maxLogSize
	}
}

// clear makes the log empty, where all of it is in bbolt: what is not read need
// not be durable.
func (l *logFile) clear() error { return l.clearAt(logStart) }

// clearAt lets the log end before the record at an offset.
func (l *logFile) clearAt(offset int64) error {
	_, err := l.file.WriteAt(make([]byte, recordHeader), offset)
	return err
}

func (l *logFile) close() error { return l.file.Close() }

// loggedRecord is one record as it was found.
type loggedRecord struct {
	number  uint64
	payload []byte
}

// readRecords returns the records of a log up to its end.
func readRecords(data []byte) (records []loggedRecord) {
	chain := uint32(0)
	for at := logStart; at+recordHeader <= int64(len(data)); {
		header := data[at:]
		length, number := int64(binary.BigEndian.Uint32(header[4:])), recordNumber(header)
		if length == 0 || at+recordHeader+length > int64(len(data)) {
			break
		}
		record := data[at : at+recordHeader+length]
		if chain = checksum(chain, record); chain != binary.BigEndian.Uint32(record) {
			break
		}
		if n := len(records); n > 0 && number != records[n-1].number+1 {
			break
		}
		records = append(records, loggedRecord{number, recordPayload(record)})
		at += int64(len(record))
	}
	return records
}

func checksum(before uint32, record []byte) uint32 {
	return crc32.Update(before, castagnoli, record[4:])
}

func recordSize(records []byte) int {
	return recordHeader + int(binary.BigEndian.Uint32(records[4:]))
}

func recordNumber(record []byte) uint64 { return binary.BigEndian.Uint64(record[8:]) }

func recordPayload(record []byte) []byte { return record[recordHeader:] }

// encodeRecord makes a record but for its checksum, which append knows.
func encodeRecord(number uint64, writes *writeSet) []byte {
	record := make([]byte, recordHeader, recordHeader+writes.bytes+writes.count*8)
	for c := range (layer{writes, everything}).all() {
		kind := byte(changePut)
		if c.deleted {
			kind = changeDeleted
		}
		record = append(record, kind)
		record = append(binary.AppendUvarint(record, uint64(len(c.key))), c.key...)
		record = append(binary.AppendUvarint(record, uint64(len(c.value))), c.value...)
	}
	binary.BigEndian.PutUint32(record[4:], uint32(len(record)-recordHeader))
	binary.BigEndian.PutUint64(record[8:], number)
	return record
}

var errRecord = fmt.Errorf("record of the log: %w", ErrCorrupt)

// replay performs a record, whose keys differ, on a write set that keeps the payload's memory.
func replay(number uint64, payload []byte, to *writeSet) error {
	for len(payload) > 0 {
		kind := payload[0]
		key, rest, err := stretch(payload[1:])
		if err != nil || kind != changePut && kind != changeDeleted {
			return errRecord
		}
		value, rest, err := stretch(rest)
		if err != nil {
			return errRecord
		}
		c := change{key: slices.Clip(key), deleted: kind == changeDeleted, number: number}
		if !c.deleted {
			c.value = slices.Clip(value)
		}
		to.setBeside(c)
		payload = rest
	}
	return nil
}

// LogPaths are the files of the logs that belong to the store at path.
func LogPaths(path string) [2]string { return [2]string{path + "-log1", path + "-log2"} }

// recover opens the logs and takes over into bbolt what it does not have.
func (j *Journal) recover(path string) error {
	lineage, has, err := j.bolt.lineage()
	if err != nil {
		return err
	}
	var found [][]loggedRecord
	for i, logPath := range LogPaths(path) {
		l, records, err := openLog(logPath, lineage)
		if err != nil {
			return err
		}
		j.logs[i] = l
		if n := len(records); n > 0 && records[n-1].number > has {
			found = append(found, records)
		}
	}
	slices.SortFunc(found, func(a, b []loggedRecord) int { return cmp.Compare(a[0].number, b[0].number) })
	missing, last := newWriteSet(), has
	for _, r := range slices.Concat(found...) {
		switch {
		case r.number <= has:
			continue
		case r.number != last+1:
			return fmt.Errorf("%w: the logs have update %d, after %d of the store: one between is missing", ErrCorrupt, r.number, last)
		}
		if err := replay(r.number, r.payload, missing); err != nil {
			return err
		}
		last = r.number
	}
	if last > has {
		err := j.apply(layer{missing, last}, last)
		if errors.Is(err, ErrCorrupt) { // what is there can be read all the same
			j.last, j.logs[0].last = last, last
			j.state.Store(&pending{base: has, active: layer{missing, last}})
			return nil
		}
		if err != nil {
			return fmt.Errorf("take over what is in the logs: %w", err)
		}
	}
	j.last, j.logs[0].last = last, last
	j.state.Store(&pending{base: last, active: layer{newWriteSet(), last}})
	return nil
}
