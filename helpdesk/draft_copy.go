package helpdesk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// DraftCopy is what somebody has of a draft before their eyes: one person may write it in
// two windows, or on two computers.
type DraftCopy struct {
	// Page names the page of the browser, which knows what it saved itself; "" where
	// there is no script.
	Page string
	// Stamp is that of the words as the page last had them from the server, "" for none.
	Stamp string
}

// Stamp tells what is typed in one state of a draft from what is in another. Files are
// no part of it.
func (d *Draft) Stamp() string {
	hash := sha256.New()
	// Strings and lists of them are always JSON, and a hash takes all.
	_ = json.NewEncoder(hash).Encode([]any{d.Text, d.HTML, d.To, d.Cc, d.Bcc, d.Subject, d.AliasID, d.Quote, d.Forward, d.Signature, d.Templates})
	return hex.EncodeToString(hash.Sum(nil)[:12])
}

// overtakes reports whether the stored draft d has words that another page wrote and
// that whoever has the copy has not seen. A zero copy, of a program, is not compared.
func (d *Draft) overtakes(of DraftCopy) bool {
	known := of == (DraftCopy{}) || of.Page != "" && of.Page == d.Page || of.Stamp == d.Stamp()
	return !known && d.written()
}
