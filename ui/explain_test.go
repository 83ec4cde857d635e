package ui_test

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/ui"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func TestExplanationIsForSupervisorsAndSafe(t *testing.T) {
	h := newReadyHouse(t)
	supervisor, agent := h.user("mori@example.jp", "森 悠", helpdesk.RoleSupervisor), h.user("ito@example.jp", "伊藤 海", helpdesk.RoleAgent)
	receipt := h.receive(letter{subject: "見積もり", text: "<script>alert(1)</script>", html: "<img src=x onerror=alert(2)>", authentication: proven})
	path := "/messages/" + receipt.MessageID + "/explain"
	for _, u := range []*helpdesk.User{h.admin, supervisor} {
		h.as(u).get(path).want(http.StatusOK).
			shows("support@example.jp", "以前のメールへの参照はありません。", "mx.kyaku.example", "message.received", "&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;img src=x onerror=alert(2)&gt;").
			hides("<script>alert(1)", "<img src=x")
	}
	h.as(supervisor).get("/inbox/open/" + strconv.FormatUint(receipt.Ticket, 10)).want(http.StatusOK).shows(path)
	h.as(agent).get(path).want(http.StatusForbidden)
	h.as(agent).get("/inbox/open/" + strconv.FormatUint(receipt.Ticket, 10)).want(http.StatusOK).hides(path)
	h.as(h.admin).get("/messages/01NOPE/explain").want(http.StatusNotFound)
}

func TestLongSourceIsCutAndSaidSo(t *testing.T) {
	h := newReadyHouse(t)
	receipt := h.receive(letter{subject: "long", text: strings.Repeat("a line of words\n", 40_000) + "the very end"})
	h.as(h.admin).get("/messages/" + receipt.MessageID + "/explain").want(http.StatusOK).shows("262 KB").hides("the very end")
}

func TestDecodeAgainFromTheMenu(t *testing.T) {
	h := newReadyHouse(t)
	const words = "見積書を確認しました。"
	encoded, err := japanese.EUCJP.NewEncoder().String(words)
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte("From: a@kyaku.example\r\nSubject: x\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n" + encoded + "\r\n")
	receipt, err := h.Receive(t.Context(), helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), Envelope: helpdesk.Envelope{Recipients: []string{"support@example.jp"}}})
	if err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	ticket := "/inbox/open/" + strconv.FormatUint(receipt.Ticket, 10)
	decode := "/messages/" + receipt.MessageID + "/decode"
	b.get(ticket).want(http.StatusOK).shows(decode, `<option value="euc-jp">`).hides(words)
	b.post(decode, "charset", "euc-jp", "back", ticket).want(http.StatusSeeOther).leads(ticket)
	b.get(ticket).want(http.StatusOK).shows(words, "<b>euc-jp</b> で読み直しました", "文字コードは gb2312 と書かれていますが、選ばれた euc-jp で読みました（本文）。")
	b.post(decode, "charset", "").want(http.StatusSeeOther).leads("/tickets/" + strconv.FormatUint(receipt.Ticket, 10))
	b.get(ticket).want(http.StatusOK).hides(">" + words).shows("自動に戻しました")
	b.post(decode, "charset", "klingon").want(http.StatusUnprocessableEntity).shows("その文字コードはありません")
}

// Each step has a sentence in both languages, and both tell the same.
func TestEveryStepHasItsSentence(t *testing.T) {
	catalogues, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	placeholders := func(l locale.Language, key string) []string {
		sentence, ok := catalogues.Lookup(l, key)
		if !ok {
			t.Errorf("%s is missing in %s", key, l)
		}
		list := regexp.MustCompile(`\{[^}]*\}`).FindAllString(sentence, -1)
		slices.Sort(list)
		return list
	}
	for _, k := range helpdesk.StepKeys() {
		key := "explain.step." + string(k)
		if ja, en := placeholders(locale.Japanese, key), placeholders(locale.English, key); !slices.Equal(ja, en) {
			t.Errorf("%s tells %v in Japanese and %v in English", key, ja, en)
		}
	}
}

func TestDescribeStep(t *testing.T) {
	catalogues, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	p := catalogues.Printer(locale.English, time.UTC, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	for want, step := range map[string]helpdesk.Step{
		"It is waiting for an agent's decision, on ticket #7. Somebody who is not part of the conversation used its reply address.": {
			Key: helpdesk.StepPlaced, Data: map[string]string{"ticket": "7", "state": "held", "reason": "stranger_token"}},
		"Kind of mail: A person's mail.": {Key: helpdesk.StepKind, Data: map[string]string{"kind": "person"}},
		"The subject “{at} 100%” says that it is forwarded: references are not followed.": {
			Key: helpdesk.StepForward, Data: map[string]string{"subject": "{at} 100%"}},
		"Delivery to a@b.example: not delivered; attempts: 2; next: –. no such user": {
			Key: helpdesk.StepDelivery, Data: map[string]string{"recipient": "a@b.example", "delivery": "failed", "attempts": "2", "note": "no such user"}},
	} {
		if got := ui.DescribeStep(p, step); got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	}
}
