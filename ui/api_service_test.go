package ui_test

import (
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestAPIServices(t *testing.T) {
	h := newAPIHouse(t)
	aliases, err := h.Aliases(h.ctx(), h.actor())
	if err != nil {
		t.Fatal(err)
	}
	aliases[0].Language = "ja"
	if _, err := h.SaveAlias(h.ctx(), h.actor(), aliases[0]); err != nil {
		t.Fatal(err)
	}
	text, err := h.SaveTemplate(h.ctx(), h.actor(), helpdesk.Template{Name: "配送", Versions: []helpdesk.TemplateVersion{{Language: "ja", Text: "3日です"}}})
	if err != nil {
		t.Fatal(err)
	}
	service, err := h.SaveService(h.ctx(), h.actor(), helpdesk.Service{Name: "よくあるご質問", Language: "ja", Aliases: []string{aliases[0].ID}, Templates: []string{text.ID},
		Delay: 90 * time.Minute, Threshold: 80, SenderLimit: 1})
	if err != nil {
		t.Fatal(err)
	}
	listed := h.get("/services").at("services", 0)
	listed.want(t, object{"id": service.ID, "language": "ja", "delay_minutes": 90, "calendar": nil, "enabled": true})
	listed.at("templates", 0).want(t, object{"name": "配送"})

	receipt := h.post("support@example.jp", proven, "From: tamura@kyaku.example", "Subject: x", "", "いつ届きますか。")
	in, err := h.MatchInput(h.ctx(), "1")
	if err != nil || in == nil {
		t.Fatal(in, err)
	}
	if err := h.StoreMatch(h.ctx(), in, helpdesk.MatchChoice{Template: text.ID, Confidence: 90, Model: "m", Digest: "d", PromptVersion: "p"}, ""); err != nil {
		t.Fatal(err)
	}
	h.get("/tickets/1").at("ticket", "service").want(t, object{"service": service.ID, "state": "planned", "reason": nil, "template": text.ID, "confidence": 90,
		"model": "m", "digest": "d", "prompt_version": "p", "message": nil})
	if list := h.get("/tickets?view=planned")["tickets"].([]any); len(list) != 1 || receipt.Ticket != 1 {
		t.Errorf("%d tickets are planned", len(list))
	}
}
