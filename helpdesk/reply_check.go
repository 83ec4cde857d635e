package helpdesk

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// WarningKind says what an author may want to look at before a reply leaves.
type WarningKind string

// The warnings. None of them stops a reply that is meant so.
const (
	WarnFirstTime    WarningKind = "first_time"    // nobody here exchanged mail with the address on this matter
	WarnNoAttachment WarningKind = "no_attachment" // the text speaks of a file, and there is none
	WarnNoText       WarningKind = "no_text"       // files alone
	WarnUnfilled     WarningKind = "unfilled"      // a variable of a template has no value
	WarnCustomer     WarningKind = "customer"      // what is forwarded goes to the customer's side
	WarnThirdParty   WarningKind = "third_party"   // an answer to the customer goes to a third party too
)

// Warning is one such thing, about an address or a word of the text.
type Warning struct {
	Kind  WarningKind
	About string // the address, the word that speaks of a file, or the variable; else ""
}

// CheckReply returns what its author should look at again before r is sent. It
// changes nothing, and what is wrong with r is left to Reply to say.
func (d *Desk) CheckReply(ctx context.Context, a Actor, r Reply) (list []Warning, err error) {
	if err := a.may("reply", PermitReply); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(s store.Reader) error {
		r.Attachments = slices.Clip(r.Attachments)
		return r.attach(s)
	})
	if err != nil {
		return nil, err
	}
	given := r.Attachments
	err = d.view(ctx, func(s store.Reader) error {
		list = nil
		posted, err := r.repeated(s, a)
		if posted != nil || err != nil {
			return err // it was sent already: there is nothing to look at
		}
		r.Attachments = slices.Clip(given)
		if err := r.attach(s); err != nil {
			return err
		}
		if err := r.readLetter(); err != nil {
			return err
		}
		known, err := r.acquainted(s)
		if err != nil {
			return err
		}
		for _, address := range slices.Concat(r.To, r.Cc, r.Bcc) {
			email := strings.ToLower(address.Email)
			if known[email] || checkAddress("to", email) != nil {
				continue
			}
			known[email] = true // named once
			colleague, err := isColleague(s, email)
			if err != nil {
				return err
			}
			if !colleague {
				list = append(list, Warning{WarnFirstTime, address.Email})
			}
		}
		mixed, err := r.mixes(s)
		if err != nil {
			return err
		}
		list = append(list, mixed...)
		list = append(list, r.lacks()...)
		return nil
	})
	return list, err
}

// maxGap is how long a name in braces is, in characters; what is longer is some
// other text.
const maxGap = 40

// lacks warns of what a reply seems to be without.
func (r *Reply) lacks() (list []Warning) {
	text := strings.TrimSpace(r.ownWords())
	for _, p := range pieces(text) { // a template's variables, and the gaps that a model leaves
		if p.variable != "" && utf8.RuneCountInString(p.variable) <= maxGap {
			list = append(list, Warning{WarnUnfilled, "{{" + p.variable + "}}"})
		}
	}
	if len(r.Attachments) > 0 {
		if text == "" && r.HTML == "" {
			list = append(list, Warning{Kind: WarnNoText})
		}
		return list
	}
	if word := speaksOfFile(text); word != "" {
		list = append(list, Warning{WarnNoAttachment, word})
	}
	return list
}

// acquainted are the addresses to which the reply is not the first mail.
func (r *Reply) acquainted(s store.Reader) (map[string]bool, error) {
	if r.Opening != nil {
		return acquaintances(s, slices.Concat(r.To, r.Cc, r.Bcc)...)
	}
	t, err := tickets.Get(s, key(r.Ticket))
	if t, err = found(t, err, "ticket", r.Ticket); err != nil {
		return nil, err
	}
	return acquainted(s, t)
}

// maxAcquainted bounds how many other tickets of a contact are looked at.
const maxAcquainted = 200

// acquainted are the addresses with which mail was exchanged on a ticket, or
// on another of its contact's. A contact of somebody else's is none of them:
// a mail to the wrong customer is what the warning is for.
func acquainted(r store.Reader, t *Ticket) (map[string]bool, error) {
	known := map[string]bool{}
	add := func(t *Ticket) {
		for _, email := range t.Participants {
			known[strings.ToLower(email)] = true
		}
	}
	add(t)
	contact, err := contacts.Get(r, key(t.ContactID))
	if err != nil {
		return nil, err
	}
	if contact.Email == "" {
		return known, nil
	}
	known[contact.Email] = true
	left := maxAcquainted
	for other, err := range tickets.ScanIndex(r, "contact", store.Prefix(key(t.ContactID))) {
		if err != nil {
			return nil, err
		}
		add(other)
		if left--; left == 0 {
			break
		}
	}
	return known, nil
}

func isColleague(r store.Reader, email string) (bool, error) {
	_, err := users.First(r, "email", key(email))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

var (
	fileWords = regexp.MustCompile(`添付|同封|別添|別紙|附件|첨부|(?i:\b(?:attach(?:ed|ing|ments?)?|enclos(?:ed|ing|ures?))\b)`)
	// Whoever asks for a file, or thanks for one, sends none.
	askedInJapanese = regexp.MustCompile(`^(?:の?(?:ファイル|書類|資料|画像|写真))?(?:を|が|は|して|の|も)?\s*(?:お送り)?(?:いただ|頂|くださ|下さ|お願い|願い|不要|漏れ|もれ|なし|無し|忘れ|され(?:て|ま))`)
	askedInEnglish  = regexp.MustCompile(`(?i)\b(?:(?:you|your)\s+(?:(?:please|kindly|have|had|also)\s+)?|(?:please|without|without an|no|to)\s+)$`)
)

// speaksOfFile returns the word by which a text, without what it quotes, says
// that a file comes with it; "" where it does not.
func speaksOfFile(text string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), ">") {
			continue
		}
		for _, match := range fileWords.FindAllStringIndex(line, -1) {
			word, before, after := line[match[0]:match[1]], line[:match[0]], line[match[1]:]
			if !askedInJapanese.MatchString(after) && !askedInEnglish.MatchString(before) {
				return word
			}
		}
	}
	return ""
}
