package mail

import "strings"

// ProtectionScheme names a way of signing or encrypting mail; empty means none.
type ProtectionScheme string

const (
	// SMIME is S/MIME (RFC 8551).
	SMIME ProtectionScheme = "S/MIME"
	// OpenPGP is PGP/MIME (RFC 3156), or armor within a text (RFC 9580 section 6).
	OpenPGP ProtectionScheme = "OpenPGP"
)

// Protection says how a mail, or a part of it, is protected. It tells what the
// mail claims: no signature is verified and nothing is decrypted, since that
// needs the keys of people. The signed and encrypted parts stay in the raw
// source and, where they are parts of their own, among the attachments.
type Protection struct {
	Signed    ProtectionScheme
	Encrypted ProtectionScheme
}

// markProtection reads the claims of a multipart (RFC 1847).
func (p *parsing) markProtection(e *entity) {
	protocol := strings.ToLower(e.parameters["protocol"])
	scheme := ProtectionScheme("")
	switch {
	case strings.Contains(protocol, "pgp"):
		scheme = OpenPGP
	case strings.Contains(protocol, "pkcs7"):
		scheme = SMIME
	}
	if scheme == "" { // no protocol given: the parts say it
		for _, child := range e.children {
			switch {
			case strings.HasPrefix(child.contentType, "application/pgp-"):
				scheme = OpenPGP
			case isPKCS7(child):
				scheme = SMIME
			}
		}
	}
	switch e.contentType {
	case "multipart/signed":
		p.message.Protection.Signed = scheme
	case "multipart/encrypted":
		p.message.Protection.Encrypted = scheme
	}
}

// isPKCS7 says that a part is a CMS structure by its type or the name S/MIME
// asks for (RFC 8551 section 3.2).
func isPKCS7(e *entity) bool {
	switch e.contentType {
	case "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pkcs7-signature", "application/x-pkcs7-signature":
		return true
	case "application/octet-stream":
		name := strings.ToLower(e.filename)
		return strings.HasSuffix(name, ".p7m") || strings.HasSuffix(name, ".p7s")
	}
	return false
}

// maxOpened bounds how many signed parts are opened, one within the other, so
// that the work stays linear.
const maxOpened = 3

// openPKCS7 marks an S/MIME part and, where it is only signed, reads the mail
// inside (RFC 8551 section 3.5.3.2). The part itself stays an attachment: it
// holds the signature.
func (p *parsing) openPKCS7(e *entity, data []byte) content {
	kind, signed := readCMS(data)
	switch kind {
	case cmsEnveloped:
		p.message.Protection.Encrypted = SMIME
	case cmsSigned:
		if len(signed) == 0 {
			break // a signature of its own: its multipart has the words
		}
		p.message.Protection.Signed = SMIME
		if p.opened >= maxOpened {
			p.defect("more than %d signed parts within each other: the rest is kept as an attachment", maxOpened)
			break
		}
		p.opened++
		defer func() { p.opened-- }()
		return p.read(p.splitMail(signed), nil)
	case cmsUnknown:
		if strings.EqualFold(e.parameters["smime-type"], "enveloped-data") {
			p.message.Protection.Encrypted = SMIME
		}
		if strings.HasSuffix(e.contentType, "pkcs7-mime") {
			p.defect("%s cannot be read as CMS: kept as it came", e.contentType)
		}
	}
	return content{}
}

const (
	pgpSigned        = "-----BEGIN PGP SIGNED MESSAGE-----"
	pgpSignature     = "-----BEGIN PGP SIGNATURE-----"
	pgpSignatureEnd  = "-----END PGP SIGNATURE-----"
	pgpEncrypted     = "-----BEGIN PGP MESSAGE-----"
	pgpEncryptedPart = "-----BEGIN PGP MESSAGE, PART "
)

// takeArmor marks OpenPGP armor in a text and takes the marks of a cleartext
// signature (RFC 9580 section 7) out of what is read. Armor in a quote is not
// the writer's own.
func (p *parsing) takeArmor(text string) string {
	if !strings.Contains(text, "-----BEGIN PGP ") {
		return text
	}
	const outside, head, inside, signature = 0, 1, 2, 3
	signed := strings.Contains(text, pgpSignature)
	var b strings.Builder
	b.Grow(len(text))
	state := outside
	for line := range strings.Lines(text) {
		mark := strings.TrimRight(line, " \t\n")
		switch {
		case mark == pgpSigned && signed:
			p.message.Protection.Signed = OpenPGP
			state = head
			continue
		case state == head:
			if mark == "" {
				state = inside
			}
			continue // "Hash: SHA256"
		case state == inside && mark == pgpSignature:
			state = signature
			continue
		case state == signature:
			if mark == pgpSignatureEnd {
				state = outside
			}
			continue
		case state == inside:
			line = strings.TrimPrefix(line, "- ")
		case mark == pgpEncrypted || strings.HasPrefix(mark, pgpEncryptedPart):
			p.message.Protection.Encrypted = OpenPGP
		}
		b.WriteString(line)
	}
	return b.String()
}
