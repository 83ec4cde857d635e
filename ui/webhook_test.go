package ui_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestWebhooksAreMadeInTheSettings makes one, sees its secret once, and does with it
// what its buttons offer.
func TestWebhooksAreMadeInTheSettings(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	b.get("/settings/webhooks").want(http.StatusOK).shows("Webhook はまだありません")
	b.get("/settings/webhooks/new").want(http.StatusOK).shows("ticket.created").hides("一時停止")
	b.post("/settings/webhooks/new", "name", "倉庫", "url", "http://example.com", "kind", "ticket.created", "action", "save").
		want(http.StatusUnprocessableEntity).shows("https://", `value="倉庫"`)
	made := b.post("/settings/webhooks/new", "name", "倉庫", "url", "https://warehouse.example/hook?key=1", "kind", "ticket.created", "kind", "message.received", "action", "save").
		want(http.StatusOK).shows("今だけ表示", "whsec_", "稼働中")
	secret := regexp.MustCompile(`whsec_[A-Za-z0-9+/=]{40,}`).FindString(html.UnescapeString(made.body)) // + is escaped
	if secret == "" {
		t.Fatal("no secret is shown")
	}
	list, err := h.Webhooks(h.ctx(), h.admin.Actor())
	if err != nil || len(list) != 1 || list[0].Secrets[0].Value != "" {
		t.Fatalf("%+v, %v", list, err)
	}
	path := "/settings/webhooks/" + list[0].ID
	b.get(path).want(http.StatusOK).hides("whsec_").shows("まだ何も送っていません", "一時停止")
	b.get("/settings/webhooks").shows("倉庫", "warehouse.example", "2 種類").hides("key=1")
	b.post(path, "action", "test").want(http.StatusSeeOther)
	b.get(path).shows("webhook.test", "再送待ち")
	deliveries, err := h.WebhookDeliveries(h.ctx(), h.admin.Actor(), list[0].ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.EndWebhookOnce(h.ctx(), &helpdesk.WebhookCall{Delivery: deliveries[0], Attempt: helpdesk.WebhookAttempt{At: time.Now(), Status: 404, Head: "<b>no such page</b>"}}); err != nil {
		t.Fatal(err)
	}
	b.get(path).shows("404 &lt;b&gt;no such page&lt;/b&gt;", "失敗", "1 回のみ")
	b.post(path, "action", "repeat:"+deliveries[0].ID).want(http.StatusSeeOther)
	b.post(path, "action", "pause").want(http.StatusSeeOther)
	b.get(path).shows("一時停止中", "続きから再開", "今から再開")
	b.post(path, "action", "resume").want(http.StatusSeeOther)
	again := b.post(path, "action", "secret").want(http.StatusOK).shows("whsec_", "以前の鍵")
	if strings.Contains(html.UnescapeString(again.body), secret) {
		t.Error("the secret of before is shown again")
	}
	if again.Header.Get("Cache-Control") != "no-store" {
		t.Error("a page with a secret may be kept")
	}
	b.post(path, "action", "skip").want(http.StatusConflict)
	b.post(path, "action", "delete").want(http.StatusSeeOther)
	b.get(path).want(http.StatusNotFound)

	// What happened is in the audit log, without the secret.
	b.get("/settings/audit?kind=webhook").shows("Webhook を保存", "Webhook を一時停止", "Webhook の署名の鍵を変更", "Webhook を削除", "倉庫").hides("whsec_")
	if strings.Contains(h.log.String(), "whsec_") {
		t.Error("the log has a secret")
	}
	agent := h.user("agent@example.jp", "担当", helpdesk.RoleAgent)
	h.as(agent).get("/settings/webhooks").want(http.StatusForbidden)
	h.as(agent).get("/settings/profile").hides("/settings/webhooks")
}

// TestAFailingWebhookSaysWhyFirst shows what the receiver answered beside since when it
// fails, above the long list of events, and what a redirect asks for.
func TestAFailingWebhookSaysWhyFirst(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	b.post("/settings/webhooks/new", "name", "倉庫", "url", "https://warehouse.example/hook", "kind", "ticket.created", "action", "save").want(http.StatusOK)
	list, err := h.Webhooks(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	h.receive(letter{from: "ito@toi.example", subject: "在庫の件", text: "教えてください。"})
	call, err := h.NextWebhook(h.ctx(), list[0].ID, nil, false)
	if err != nil || call == nil {
		t.Fatalf("%+v, %v", call, err)
	}
	call.Attempt = helpdesk.WebhookAttempt{At: time.Now(), Status: http.StatusFound}
	if _, err := h.NextWebhook(h.ctx(), list[0].ID, call, false); err != nil {
		t.Fatal(err)
	}
	page := b.get("/settings/webhooks/" + list[0].ID).want(http.StatusOK).shows("直近の結果：302（別のアドレスへの転送")
	if why, events := strings.Index(page.body, "直近の結果"), strings.Index(page.body, "webhook-kinds"); why > events {
		t.Error("why it fails stands below the list of events")
	}

	// Why there was no answer at all is said in the reader's language.
	for _, c := range []struct{ found, japanese string }{
		{"no answer within 15s", "直近の結果：15秒以内に応答がありませんでした。"},
		{"connect to 10.0.0.7:443: refused: not an address of the public internet; name the network in [webhooks] allow_networks where it is one of the house's own",
			"直近の結果：10.0.0.7:443 は内部のネットワークのアドレスのため"},
		{"dial tcp 203.0.113.9:443: connect: connection refused", "直近の結果：203.0.113.9:443 に接続を拒否されました。"},
		{"dial tcp: lookup warehouse.example on 127.0.0.53:53: no such host", "直近の結果：warehouse.example が DNS に見つかりません。"},
		{"something nobody has met", "直近の結果：something nobody has met"},
	} {
		call.Attempt = helpdesk.WebhookAttempt{At: time.Now(), Error: c.found}
		if _, err := h.NextWebhook(h.ctx(), list[0].ID, call, false); err != nil {
			t.Fatal(err)
		}
		b.get("/settings/webhooks/" + list[0].ID).want(http.StatusOK).shows(c.japanese)
	}
}
