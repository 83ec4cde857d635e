package ui_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestEvidenceOfAQuarantinedMailIsInTheReadersLanguage has mails set aside with what each check may say of them; what no
// sentence is known for is shown as it is.
func TestEvidenceOfAQuarantinedMailIsInTheReadersLanguage(t *testing.T) {
	h := newReadyHouse(t)
	japanese := h.as(h.admin)
	english := h.as(h.user("smith@example.jp", "Smith", helpdesk.RoleAdmin))
	english.post("/language", "language", "en", "next", "/inbox/open")
	for n, c := range []struct{ spf, dkim, dmarc, english, ja, en string }{
		{"192.0.2.1: matched all", "body hash did not verify", "neither DKIM nor SPF passed for bank.example; reject lowered to quarantine by pct=20", "matched all",
			"192.0.2.1 は、SPF レコードで個別に挙げられたサーバーではありません（all に該当）。|署名されたあとで、本文が変更されています。|bank.example からのメールであることを、DKIM も SPF も証明していません。ドメインの方針はメールの 20% だけが対象のため、一段緩めています（pct）。",
			"192.0.2.1 is none of the servers that the SPF record names|The body was changed after it was signed.|Neither DKIM nor SPF proves that it is from bank.example. The domain’s policy is for 20% of mail"},
		{`192.0.2.1: the SPF record of bank.example is malformed at "ip4:x" (RFC 7208 section 4.6)`, "signature did not verify: crypto/rsa: verification error", "neither DKIM nor SPF passed for bank.example, though signed by list.example", "did not verify",
			"bank.example の SPF レコードの書式に誤りがあります：ip4:x|署名が一致しません。|DKIM も SPF も証明していません（署名は list.example のものです）。", "The SPF record of bank.example is malformed: ip4:x|The signature does not match|(list.example signed it)"},
		{"the domain publishes no SPF record", "no key for signature: lookup x: no such host", "by ARC: list.example, trusted to forward, found that it passed; here neither DKIM nor SPF passed for bank.example", "trusted to forward, found that it passed",
			"このドメインには SPF レコードがありません。|署名の鍵が DNS に見つかりません。|信頼する転送元 list.example は、本物であることを確認しています（ARC）。bank.example からのメールであることを", "The domain publishes no SPF record.|The signature’s key is not in DNS.|list.example, which is trusted to forward, found it genuine (ARC). Neither DKIM nor SPF"},
		{"something new", "something new of a key", "something new of a policy", "\x00", "something new<|something new of a key|something new of a policy", "something new<"},
	} {
		receipt := h.receive(letter{from: "suzuki@bank.example", subject: fmt.Sprint("件名", n), text: "本文", authentication: helpdesk.Authentication{
			SPF: helpdesk.AuthResult{Result: "softfail", Domain: "bank.example", Reason: c.spf}, DKIM: []helpdesk.AuthResult{{Result: "fail", Domain: "bank.example", Reason: c.dkim}},
			DMARC: helpdesk.AuthResult{Result: "fail", Domain: "bank.example", Reason: c.dmarc}, Policy: "reject"}})
		page := "/quarantine/" + receipt.MessageID
		japanese.get(page).want(http.StatusOK).shows(strings.Split(c.ja, "|")...).hides(c.english)
		english.get(page).want(http.StatusOK).shows(strings.Split(c.en, "|")...).hides(c.english)
	}
}
