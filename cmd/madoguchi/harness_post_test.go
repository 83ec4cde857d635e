package main_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A load of mail has to look like mail: text of one repeated byte would flatter
// compression, and mails that are all alike would flatter everything else.

var (
	familyNames = []string{"田中", "佐藤", "鈴木", "高橋", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "Keller", "Moreau", "Novak", "Haddad", "Olsen"}
	companies   = []string{"青葉製作所", "みなと物流", "北海印刷", "さくら学園", "西浦電機", "Harbour Freight Lines", "Alpenrad AG", "Atelier Verre"}
	products    = []string{"受付プラン", "標準プラン", "拡張ストレージ", "API 連携", "Standard plan", "Team plan", "archive add-on"}
	sentences   = []string{
		"いつも大変お世話になっております。{company}の{name}でございます。",
		"先日ご案内いただいた{product}について、{amount} 席での年間費用をお教えください。",
		"管理画面の「請求」を開くと、伝票番号 {reference} の金額が前月と {amount} 円違っております。",
		"お手数ですが、{day} 日までにご確認のうえ、折り返しご連絡いただけますと幸いです。",
		"添付の一覧のうち、{reference} から先の {amount} 件が取り込まれておりません。",
		"現在は月に {amount} 通ほどのお問い合わせを、{day} 名で分担しております。",
		"なお、{product}の解約は考えておりませんので、その点はご安心ください。",
		"再起動後も同じ表示が続き、記録には「{reference}」とだけ残っておりました。",
		"社内の監査で必要となるため、{day} 年度分の操作履歴を書き出す方法をご教示願います。",
		"まずは取り急ぎご報告まで。引き続きどうぞよろしくお願いいたします。",
		"Since the update on the {day}th our export of {amount} rows stops at row {reference}.",
		"Could you tell us whether the {product} covers a second site, and what it would cost for {amount} people?",
		"Our order {reference} was to arrive on the {day}th; the parcel service says that it never left your house.",
		"We have tried another browser, another network and another account, always with the same result.",
		"{name} from {company} asked me to pass on their thanks for the quick help last time (case {reference}).",
		"If that is not possible, a refund of {amount} euros for the unused months would be fine as well.",
		"The contract says {day} days; today is day {amount}, and nobody has called back.",
		"For the record: reference {reference}, seen first at {day} o'clock by two colleagues independently.",
	}
)

// postSize is the size of a load mail, near enough, in bytes.
const postSize = 10 << 10

// encodedFile is a file of bytes that nothing compresses, in lines of base64 that
// take about size bytes.
func encodedFile(random *rand.Rand, size int) string {
	file := make([]byte, max(0, size-8)*3/4*76/78)
	for i := range file {
		file[i] = byte(random.Uint32())
	}
	var b strings.Builder
	for encoded := base64.StdEncoding.EncodeToString(file); len(encoded) > 0; {
		n := min(len(encoded), 76)
		b.WriteString(encoded[:n] + "\r\n")
		encoded = encoded[n:]
	}
	return b.String()
}

// post writes the nth mail of a load: Japanese or English text and the same as
// HTML, some trace of the servers it came through, and a file, 10 KiB in all.
// The same n gives the same bytes, as of a server that sends a mail again.
func post(n uint64, from, to, messageID string) []byte {
	random := rand.New(rand.NewPCG(n, 0x6d61646f67756368))
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	reference := func() string {
		return fmt.Sprintf("%c%c-%06d", 'A'+random.IntN(26), 'A'+random.IntN(26), random.IntN(1e6))
	}
	sentence := func() string {
		return strings.NewReplacer("{company}", pick(companies), "{name}", pick(familyNames), "{product}", pick(products), "{reference}", reference(),
			"{amount}", strconv.Itoa(1+random.IntN(5000)), "{day}", strconv.Itoa(1+random.IntN(28))).Replace(pick(sentences))
	}
	var text, html strings.Builder
	for range 5 + random.IntN(3) {
		html.WriteString("<p>")
		for range 2 {
			s := sentence()
			text.WriteString(s + "\r\n")
			html.WriteString(s + "<br>\r\n")
		}
		text.WriteString("\r\n")
		html.WriteString("</p>\r\n")
	}
	date := time.Date(2026, 11, 20, 9, 0, 0, 0, time.FixedZone("JST", 9*60*60)).Add(time.Duration(n%100000) * time.Second).Format(time.RFC1123Z)
	boundary := fmt.Sprintf("=_%016x", random.Uint64())
	var b bytes.Buffer
	for range 2 {
		fmt.Fprintf(&b, "Received: from mail%d.customer.test (mail%d.customer.test [192.0.2.%d])\r\n\tby relay.customer.test (Postfix) with ESMTPS id %012X\r\n\tfor <%s>; %s\r\n",
			random.IntN(9), random.IntN(9), random.IntN(250), random.Uint64()>>16, to, date)
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: <%s>\r\nSubject: =?UTF-8?B?%s?=\r\nDate: %s\r\nMessage-ID: <%s>\r\nMIME-Version: 1.0\r\n",
		from, to, base64.StdEncoding.EncodeToString([]byte(pick(products)+"の件 "+reference())), date, messageID)
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n", boundary)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: multipart/alternative; boundary=\"%s.a\"\r\n\r\n", boundary, boundary)
	fmt.Fprintf(&b, "--%s.a\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s", boundary, text.String())
	fmt.Fprintf(&b, "--%s.a\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<html><body>\r\n%s</body></html>\r\n--%s.a--\r\n", boundary, html.String(), boundary)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/pdf; name=\"%s.pdf\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"%s.pdf\"\r\n\r\n", boundary, reference(), reference())
	b.WriteString(encodedFile(random, postSize-b.Len()-len(boundary)))
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes()
}

func TestPostLooksLikeMail(t *testing.T) {
	seen := map[string]bool{}
	for n := range uint64(50) {
		raw := post(n, "Tanaka <tanaka@customer.test>", "support@desk.test", fmt.Sprintf("%d@customer.test", n))
		if len(raw) < postSize*95/100 || len(raw) > postSize*105/100 {
			t.Errorf("mail %d has %d bytes, want about %d", n, len(raw), postSize)
		}
		_, body, _ := strings.Cut(string(raw), "\r\n\r\n")
		if seen[body] {
			t.Errorf("mail %d is like one before it", n)
		}
		seen[body] = true
		for line := range strings.SplitSeq(string(raw), "\r\n") {
			if len(line) > 998 || strings.Contains(line, "{") {
				t.Errorf("mail %d has the line %.200q", n, line)
			}
		}
	}
}
