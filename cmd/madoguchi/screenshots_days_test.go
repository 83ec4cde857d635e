package main_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// The people who write to the house. Nobody of them exists.
var (
	hayase   = correspondent{"早瀬 拓也", "t.hayase@aoba-seiyaku.example"}
	nogami   = correspondent{"野上 由紀", "nogami@minato-suido.example"}
	kuroda   = correspondent{"黒田 誠", "m.kuroda@tokiwa-foods.example"}
	sekine   = correspondent{"関根 美咲", "sekine@kitakami-univ.example"}
	iwase    = correspondent{"岩瀬 一真", "k.iwase@sanriku-denki.example"}
	ueda     = correspondent{"上田 さくら", "s.ueda@hinata-brewery.example"}
	hoshino  = correspondent{"星野 剛", "hoshino@nishiura-kensetsu.example"}
	outside  = correspondent{"早瀬 拓也", "hayase.takuya@freemail.example"}
	lindgren = correspondent{"Maja Lindgren", "maja.lindgren@fjordvatten.example"}
	okafor   = correspondent{"Chidi Okafor", "c.okafor@lagoonbrew.example"}
	brandt   = correspondent{"Jonas Brandt", "j.brandt@alpen-pumpen.example"}
)

// shown are the numbers of the tickets that have pictures of their own.
type shown struct {
	quote, bounced, held, files, html, urgent, long uint64
	// The mail that is set aside.
	forged string
	// The records whose settings are shown.
	alias, pipeline, user string
	// The session of somebody with an authenticator app.
	guarded string
}

// live writes the week, oldest first.
func (h *house) live() {
	h.lastWeek()
	h.yesterday()
	h.today()
}

func (h *house) lastWeek() {
	h.ago(6*day + 3*time.Hour)
	n := h.receive(incoming{from: okafor, alias: "overseas", subject: "HP-200 reads 0.4 kPa too high after warm-up", text: okaforText})
	h.ago(6*day + 2*time.Hour)
	m := h.reply(h.daniel, n, okaforAnswer, false)
	h.delivered(m)
	h.ago(5 * day)
	h.receive(incoming{from: okafor, answers: m, text: okaforThanks})
	h.sort(h.daniel, n, "Done", h.daniel.ID, "HP-200")

	h.ago(4*day + 6*time.Hour)
	n = h.receive(incoming{from: hoshino, alias: "support", subject: "第2工区の流量計 FM-3 の設置と試運転について", text: "西浦建設の星野です。設置の進み具合を、こちらで順次お知らせします。\n"})
	h.shown.long = n
	for point := range 8 {
		h.clock = h.clock.Add(70 * time.Minute)
		m = h.reply(h.ken, n, fmt.Sprintf("星野様\n\n%d 台目の結果を承知いたしました。次の機体もお願いいたします。\n\n小島", point+1), false)
		h.delivered(m)
		h.clock = h.clock.Add(40 * time.Minute)
		h.receive(incoming{from: hoshino, answers: m, text: fmt.Sprintf("%d 台目の設置が済みました。表示は正常です。\n\n星野\n", point+2)})
	}
	h.sort(h.ken, n, "確認中", h.ken.ID, "FM-3")

	h.ago(3*day + 5*time.Hour)
	n = h.receive(incoming{from: sekine, alias: "calibration", subject: "校正証明書の再発行について（TK-7 5台）", text: sekineText})
	h.ago(3*day + 4*time.Hour)
	h.delivered(h.reply(h.ken, n, sekineAnswer, true, helpdesk.Upload{Filename: "校正証明書_TK-7_再発行.pdf", ContentType: "application/pdf", Data: document(210)}))
}

// yesterday has a bounce, a stranger on a reply address, and a repair.
func (h *house) yesterday() {
	h.ago(day + 6*time.Hour)
	n := h.receive(incoming{from: hoshino, alias: "support", subject: "FM-3 取扱説明書（旧版）の送付のお願い", text: hoshinoText, proof: unknown})
	h.shown.bounced = n
	h.ago(day + 5*time.Hour)
	m := h.reply(h.ken, n, hoshinoAnswer, false)
	d := h.delivered(m)
	h.clock = h.clock.Add(4 * time.Minute)
	h.bounce(d, m, "5.2.2", "mailbox full, try again later")

	h.ago(day + 3*time.Hour)
	n = h.receive(incoming{from: hayase, alias: "support", subject: "DL-40 のクリーンルーム内での常設利用について", text: hayaseText})
	h.shown.held = n
	h.ago(day + 2*time.Hour)
	m = h.reply(h.ayumi, n, hayaseAnswer, false)
	h.delivered(m)
	h.sort(h.ayumi, n, "お客様待ち", h.ayumi.ID, "DL-40")
	h.ago(21 * time.Hour)
	h.receive(incoming{from: outside, answers: m, text: outsideText, proof: unknown})

	h.ago(20 * time.Hour)
	n = h.receive(incoming{from: ueda, alias: "calibration", subject: "落下させた圧力計 HP-200 の修理見積り", text: uedaText,
		files: []mail.Attachment{{Filename: "HP-200_外観1.png", ContentType: "image/png", Data: picture(96)}, {Filename: "HP-200_外観2.png", ContentType: "image/png", Data: picture(120)}}})
	h.shown.files = n
	h.note(h.ken, n, "筐体の割れのみなら部品在庫あり。センサー側の点検は火曜に空きがあります。")
	h.sort(h.ken, n, "見積中", h.ken.ID, "校正", "HP-200")
}

// today is what the team works on: the tickets on top of the list.
func (h *house) today() {
	h.ago(5*time.Hour + 10*time.Minute)
	n := h.receive(incoming{from: lindgren, alias: "overseas", subject: "DL-40: export stops at row 65,536 since firmware 2.3", text: lindgrenText, html: lindgrenHTML,
		files: []mail.Attachment{{Filename: "station-14.csv", ContentType: "text/csv", Data: []byte(strings.Repeat("2026-11-20T04:10:00Z;14;7.31;0.42\n", 900))},
			{Filename: "export-dialog.png", ContentType: "image/png", Data: picture(160)}}})
	h.shown.html = n
	h.ago(4*time.Hour + 30*time.Minute)
	h.note(h.daniel, n, "Reproduced on the bench with 2.3.1. The row counter is 16 bits wide in the new CSV writer; fixed in the branch for 2.3.2.")
	h.sort(h.daniel, n, "In progress", h.daniel.ID, "DL-40", "firmware")

	h.ago(3*time.Hour + 20*time.Minute)
	n = h.receive(incoming{from: nogami, alias: "support", subject: "流量計 FM-3 五十台のお見積りと納期について", text: nogamiText,
		files: []mail.Attachment{{Filename: "設置予定一覧_第3工区.xlsx", ContentType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Data: document(48)}}})
	h.shown.quote = n
	h.sort(h.mari, n, "確認中", h.ayumi.ID, "見積", "FM-3")
	h.note(h.mari, n, "@三浦 歩 年度内納品が条件とのこと。生産管理には四十台まで確認済み、残り十台は回答待ちです。")
	h.ago(2*time.Hour + 5*time.Minute)
	h.call(h.mari, n, "野上様よりお電話。防水等級は IP67 で確定、通信は RS-485 を希望。見積書は本日中に欲しいとのこと。")
	h.ago(48 * time.Minute)
	m := h.reply(h.ayumi, n, nogamiAnswer, false, helpdesk.Upload{Filename: "御見積書_FM-3_50台.pdf", ContentType: "application/pdf", Data: document(182)})
	h.delivered(m, greylisted)
	for _, wait := range []time.Duration{42 * time.Minute, 30 * time.Minute, 9 * time.Minute} {
		h.ago(wait)
		h.delivered(m, greylisted)
	}

	h.ago(95 * time.Minute)
	h.receive(incoming{from: brandt, alias: "overseas", subject: "Lead time for 12 spare HP-200 membranes", text: brandtText, proof: unknown})
	h.ago(64 * time.Minute)
	n = h.receive(incoming{from: kuroda, alias: "support", subject: "【至急】TK-7 の表示が三度目の停止、ラインが止まっています", text: kurodaText})
	h.shown.urgent = n
	h.sort(h.mari, n, "確認中", h.mari.ID, "TK-7")
	h.ago(31 * time.Minute)
	h.receive(incoming{from: correspondent{"北嶺計器 経理部", "keiri@hokurei-keiki.example"}, alias: "support", subject: "【重要】お振込先口座変更のお知らせ", text: forgedText, proof: refuted})
	h.shown.forged = h.setAside()
	h.read(n)
	h.ago(14 * time.Minute)
	h.receive(incoming{from: iwase, alias: "support", subject: "データロガー DL-40 の時刻が一日に数分ずれます", text: iwaseText,
		files: []mail.Attachment{{Filename: "時刻ずれ記録.csv", ContentType: "text/csv", Data: []byte(strings.Repeat("2026/11/20,09:00:00,08:57:41\n", 60))}}})
	h.ago(3 * time.Minute)
	h.receive(incoming{from: okafor, alias: "overseas", subject: "Can one DL-40 log two HP-200 at the same time?", text: okaforSecond})
}

var greylisted = helpdesk.Attempt{Host: "mx1.minato-suido.example", TLS: "TLS 1.3", Code: 451, Enhanced: "4.7.1", Text: "Greylisted, please try again later"}

// document is some bytes in the size of a file, in KiB.
func document(size int) []byte { return bytes.Repeat([]byte("measuring "), size*1024/10) }

// picture is a small image that is not all one colour.
func picture(side int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, side*2, side))
	for x := range side * 2 {
		for y := range side {
			img.Set(x, y, color.RGBA{uint8(60 + x*40/side), uint8(90 + y*60/side), uint8(x*y%97 + 60), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}
