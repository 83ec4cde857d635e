package ui_test

import (
	"net/http"
	"testing"
	"time"
)

func TestATicketIsPutOnHoldAndTakenBack(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	b.header.Set("Cookie", "zone=Asia%2FTokyo")
	tokyo := time.FixedZone("", 9*3600)
	b.get("/inbox/mine/1").shows("3時間後", "明日の朝", "1週間後", "お客様から返信があるまで").hides(`id="on-hold"`)
	own := time.Now().In(tokyo).Add(50 * time.Hour).Format("2006-01-02T15:04")
	b.post("/tickets/1/snooze", "until", "own", "own", own, "note", "部品の入荷待ち", "back", "/inbox/unassigned/1").
		want(http.StatusSeeOther).leads("/inbox/unassigned/1?held=1")
	b.get("/inbox/unassigned/1?held=1").shows("まで保留にしています", "部品の入荷待ち", `class="toast"`, "保留を解除").hides(`id="row-1"`)
	b.get("/inbox/snoozed").shows(`id="row-1"`)
	b.post("/tickets/1/wake", "back", "/inbox/unassigned/1").want(http.StatusSeeOther).leads("/inbox/unassigned/1")
	b.get("/inbox/unassigned/1").shows(`id="row-1"`, "<b>佐藤 遥さん</b>が保留を解除しました").hides(`id="on-hold"`)

	b.post("/tickets/1/snooze", "until", "reply").want(http.StatusSeeOther)
	b.get("/inbox/open/1").shows("お客様から返信があるまで保留にしています")
	b.post("/tickets/1/snooze", "until", "2020-01-01T00:00:00Z").want(http.StatusUnprocessableEntity).shows("過ぎています")
	b.post("/tickets/1/snooze", "until", "own", "own", "soon").want(http.StatusUnprocessableEntity).shows("日時「soon」を読み取れません")
}

func TestPaletteOffersWhatTheReaderHas(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "温度計の校正", text: "本文"})
	b := h.as(h.admin)
	b.get("/palette").shows(`data-href="/inbox/snoozed"`, `data-also="On hold"`, `data-href="/settings/users"`, `data-do="hold"`, "サポート")
	b.get("/palette/find?q=%E6%A0%A1%E6%AD%A3").shows(`data-href="/inbox/open/1"`, "温度計の校正", "#1")
	b.get("/palette/find?q=%EF%BC%83%EF%BC%91").shows(`data-href="/inbox/open/1"`) // ＃１
	b.get("/palette/find?q=nothing+such").hides("data-href")
}
