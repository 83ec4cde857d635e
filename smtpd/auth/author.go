package auth

import (
	"fmt"
	"strings"
)

// SeenAs is the verdict for a reader who is shown author as the address of the From
// field, as it stands in the mail. A field that breaks the grammar can be read in more
// than one way, and a proof of one address must not stand beside another: then the
// verdict is PermError, as for a field that names several domains (RFC 7489 section
// 6.6.1).
func (v Verdict) SeenAs(author string) Verdict {
	if v.DMARC.Domain == "" { // nothing is proven of any
		return v
	}
	domain, _ := asciiDomain(author[strings.LastIndexByte(author, '@')+1:])
	if domain == v.DMARC.Domain {
		return v
	}
	v.Forwarder = ""
	v.DMARC = DMARC{Result: PermError, Domain: domain,
		Reason: clean(fmt.Sprintf("the From field can be read as an address at %s and at %s", v.DMARC.Domain, author))}
	return v
}
