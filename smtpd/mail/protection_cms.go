package mail

// cmsKind is the outermost type of a CMS structure (RFC 5652, RFC 5083).
type cmsKind int

const (
	cmsUnknown cmsKind = iota
	cmsSigned
	cmsEnveloped
	cmsOther // compressed, digested, …
)

// Object identifiers, their content octets.
const (
	oidSignedData        = "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02"
	oidEnvelopedData     = "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03"
	oidEncryptedData     = "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x06"
	oidAuthEnvelopedData = "\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x17"
)

// readCMS reads the type of a CMS structure and, of signed data, the content
// it carries (RFC 5652 sections 3, 5.1, 5.2); nil where that is detached.
func readCMS(data []byte) (kind cmsKind, signed []byte) {
	info, ok := readBER(data)
	if !ok || info.tag != berSequence {
		return cmsUnknown, nil
	}
	contentType, rest, ok := info.child()
	if !ok || contentType.tag != berIdentifier {
		return cmsUnknown, nil
	}
	switch string(contentType.content) {
	case oidEnvelopedData, oidEncryptedData, oidAuthEnvelopedData:
		return cmsEnveloped, nil
	case oidSignedData:
	default:
		return cmsOther, nil
	}
	// [0] EXPLICIT SignedData: version, digestAlgorithms, encapContentInfo, …
	explicit, _, ok := rest.child()
	if !ok {
		return cmsSigned, nil
	}
	sequence, _, ok := explicit.child()
	if !ok {
		return cmsSigned, nil
	}
	var encapsulated berValue
	for range 3 {
		if encapsulated, sequence, ok = sequence.child(); !ok {
			return cmsSigned, nil
		}
	}
	if _, encapsulated, ok = encapsulated.child(); !ok { // past eContentType
		return cmsSigned, nil
	}
	wrapper, _, ok := encapsulated.child()
	if !ok {
		return cmsSigned, nil
	}
	octets, _, ok := wrapper.child()
	if !ok {
		return cmsSigned, nil
	}
	return cmsSigned, octets.octets(nil, 0)
}

const (
	berOctetString = 0x04
	berIdentifier  = 0x06
	berSequence    = 0x30
	berConstructed = 0x20
	maxBERDepth    = 16
)

// berValue is one value of ASN.1 in BER (X.690). Mail programs write signed
// data in one pass, with lengths left open and strings in pieces, which DER
// readers such as encoding/asn1 refuse.
type berValue struct {
	tag     byte
	header  int    // bytes of tag and length
	content []byte // to the end of what is there, where the length is left open
	open    bool   // the length is indefinite: an end mark closes it
}

// readBER reads the value at the start of data; ok is false where there is
// none. A value that is cut short holds what there is of it.
func readBER(data []byte) (v berValue, ok bool) {
	if len(data) < 2 || data[0]&0x1F == 0x1F || data[0] == 0 {
		return v, false // long tags have no place here; zero is an end mark
	}
	v.tag, v.header = data[0], 2
	size := uint64(data[1])
	switch {
	case size == 0x80:
		v.open, v.content = true, data[v.header:]
		return v, v.tag&berConstructed != 0
	case size > 0x80:
		count := int(size & 0x7F)
		if count > 4 || v.header+count > len(data) {
			return v, false
		}
		size = 0
		for _, c := range data[v.header : v.header+count] {
			size = size<<8 | uint64(c)
		}
		v.header += count
	}
	data = data[v.header:]
	v.content = data[:min(uint64(len(data)), size)]
	return v, true
}

// child returns the first value inside v, and v without it.
func (v berValue) child() (first, rest berValue, ok bool) {
	first, ok = readBER(v.content)
	if !ok {
		return first, v, false
	}
	rest = v
	rest.content = v.content[berLength(v.content, 0):]
	return first, rest, true
}

// berLength returns how many bytes the value at the start of data takes, header
// and end mark included; a value with an open length is walked.
func berLength(data []byte, depth int) int {
	v, ok := readBER(data)
	if !ok || depth > maxBERDepth {
		return len(data)
	}
	if !v.open {
		return v.header + len(v.content)
	}
	for pos := v.header; pos < len(data); {
		if data[pos] == 0 {
			return min(pos+2, len(data)) // the end mark is two zeros
		}
		pos += berLength(data[pos:], depth+1)
	}
	return len(data)
}

// octets appends the bytes of a string, which may come in pieces.
func (v berValue) octets(out []byte, depth int) []byte {
	if v.tag&berConstructed == 0 {
		return append(out, v.content...)
	}
	for rest := v; depth < maxBERDepth; {
		piece, next, ok := rest.child()
		if !ok {
			break
		}
		out, rest = piece.octets(out, depth+1), next
	}
	return out
}
