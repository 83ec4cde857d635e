package mail

import (
	"encoding/binary"
	"fmt"
)

// The properties that are read (MS-OXPROPS).
const (
	propSubject           = 0x0037
	propBody              = 0x1000
	propRTFCompressed     = 0x1009
	propHTML              = 0x1013
	propDisplayName       = 0x3001
	propAttachData        = 0x3701
	propAttachFilename    = 0x3704
	propAttachLongName    = 0x3707
	propAttachContentType = 0x370E
	propAttachContentID   = 0x3712
	propInternetCodePage  = 0x3FDE
)

// Types of property values (MS-OXCDATA section 2.11.1).
const (
	typeInt32   = 0x0003
	typeObject  = 0x000D
	typeString8 = 0x001E
	typeUnicode = 0x001F
	typeBinary  = 0x0102
	typeMany    = 0x1000 // flag: several values
)

// fixedSizes gives the bytes that a value of fixed size takes, padding included.
var fixedSizes = map[uint16]int{
	0x0002: 4, typeInt32: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8,
	0x000A: 4, 0x000B: 4, 0x0014: 8, 0x0040: 8, 0x0048: 16,
}

// property is one value of a property list; of several values the first.
type property struct {
	id, kind uint16
	value    []byte
}

// readProperties calls visit for each property of a list (MS-OXTNEF section
// 2.1.3.4).
func readProperties(data []byte, visit func(property) error) error {
	c := cursor{data: data}
	count := c.uint32()
	if count > maxTNEFProperties {
		return fmt.Errorf("more than %d properties", maxTNEFProperties)
	}
	for range count {
		p := property{kind: c.uint16(), id: c.uint16()}
		if p.id >= 0x8000 {
			c.skipName()
		}
		values := uint32(1)
		size, fixed := fixedSizes[p.kind&^typeMany]
		if !fixed || p.kind&typeMany != 0 {
			values = c.uint32()
		}
		for i := range values {
			value := c.value(size, fixed)
			if c.short {
				return errTNEFShort
			}
			if i == 0 {
				p.value = value
			}
		}
		if c.short {
			return errTNEFShort
		}
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}

// cursor reads little-endian values off the front of data. Once data is too
// short, short is true and everything further is zero.
type cursor struct {
	data  []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.data) {
		c.data, c.short = nil, true
		return nil
	}
	taken := c.data[:n:n]
	c.data = c.data[n:]
	return taken
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// value reads one value: of size bytes, or with its length before it and
// padded to a multiple of four.
func (c *cursor) value(size int, fixed bool) []byte {
	if fixed {
		return c.take(size)
	}
	length := c.uint32()
	if uint64(length) > uint64(len(c.data)) {
		c.short = true
		return nil
	}
	value := c.take(int(length))
	c.take(min(-int(length)&3, len(c.data))) // the last padding may be missing
	return value
}

// skipName passes over the name of a named property.
func (c *cursor) skipName() {
	c.take(16)
	if c.uint32() == 0 {
		c.take(4)
		return
	}
	c.value(0, false)
}

func (r *tnefReader) messageProperties(data []byte) error {
	m := r.message
	return readProperties(data, func(p property) error {
		switch p.id {
		case propSubject:
			m.subject = r.text(p, m.subject)
		case propBody:
			m.text = r.text(p, m.text)
		case propInternetCodePage:
			if p.kind == typeInt32 {
				m.htmlPage = codePageName(binary.LittleEndian.Uint32(p.value))
			}
		case propHTML:
			switch p.kind {
			case typeBinary, typeString8:
				m.html = trimZeros(p.value)
			case typeUnicode:
				m.html = []byte(r.text(p, ""))
			}
		case propRTFCompressed:
			if p.kind == typeBinary {
				if rtf, err := decompressRTF(p.value); err == nil {
					m.rtf = rtf
				}
			}
		}
		return nil
	})
}

func (r *tnefReader) fileProperties(file *tnefFile, data []byte) error {
	return readProperties(data, func(p property) error {
		switch p.id {
		case propAttachLongName:
			file.name = r.text(p, file.name)
		case propAttachFilename:
			if file.name == "" {
				file.name = r.text(p, "")
			}
		case propDisplayName:
			file.displayName = r.text(p, file.displayName)
		case propAttachContentType:
			file.contentType = r.text(p, "")
		case propAttachContentID:
			file.contentID = r.text(p, "")
		case propAttachData:
			return r.fileData(file, p)
		}
		return nil
	})
}

// fileData takes the bytes of an attachment. An object begins with the
// identifier of its interface; that of an attached mail is again a stream.
func (r *tnefReader) fileData(file *tnefFile, p property) error {
	switch p.kind {
	case typeBinary:
		file.data = p.value
	case typeObject:
		if len(p.value) < 16 {
			return errTNEFShort
		}
		content := p.value[16:]
		if len(content) < 4 || binary.LittleEndian.Uint32(content) != tnefSignature {
			file.data = content
			return nil
		}
		var err error
		if file.mail, err = readTNEFAt(content, r.depth+1); err != nil {
			return fmt.Errorf("attached mail: %w", err)
		}
	}
	return nil
}

// text decodes a string property; other types leave what there was.
func (r *tnefReader) text(p property, before string) string {
	switch p.kind {
	case typeUnicode:
		enc, _ := lookupCharset("utf-16le")
		return cleanText(enc.decode(p.value[:len(p.value)&^1]))
	case typeString8:
		return r.string8(p.value)
	}
	return before
}
