package ui_test

import (
	"net/http"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// An agent sees what a finding rests on, corrects it, and ticks action items off.
func TestAnalysisIsCorrectedInTheWeb(t *testing.T) {
	h := newReadyHouse(t)
	receipt := h.receive(letter{subject: "請求書", text: "急ぎです。請求書を送ってください。"})
	if err := h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: receipt.MessageID, Model: "m", PromptVersion: "reply-2", ReplyType: "needs_attention",
		Sentiment: "negative", Urgency: "normal", Opportunity: 1, ProductInterest: "none", Language: "ja", ActionItems: []string{"請求書を送る", "電話する"},
		Evidence: map[helpdesk.Finding][]string{helpdesk.FindingReplyType: {"<b>急ぎ</b>"}}}); err != nil {
		t.Fatal(err)
	}
	b, path := h.as(h.admin), "/messages/"+receipt.MessageID
	b.get("/inbox/open/1").want(http.StatusOK).shows(`data-quote="&lt;b&gt;急ぎ&lt;/b&gt;"`, "<blockquote>&lt;b&gt;急ぎ&lt;/b&gt;</blockquote>", "根拠なし", "請求書を送る",
		path+"/analysis?back=%2Finbox%2Fopen%2F1")
	b.fragment(path+"/analysis", "picker").want(http.StatusOK).shows(`<option value="needs_attention" selected>`, "請求書を送る\n電話する</textarea>").hides("<html")
	b.post(path+"/analysis", "reply_type", "boss").want(http.StatusUnprocessableEntity).shows("のいずれかを選んでください")
	b.post(path+"/analysis", "reply_type", "high_value", "sentiment", "negative", "action_items", "請求書を送る\r\n電話する").want(http.StatusSeeOther)
	b.get("/inbox/open/1").shows("修正済み", "の「<b>種類</b>」を「<b>要対応</b>」から「<b>高価値</b>」に修正しました")
	b.post(path+"/actions", "item", "電話する", "done", "1").want(http.StatusSeeOther)
	b.get("/inbox/open/1").shows(`name="done" value="1" checked`)
}

// What could not be analysed can be read again, or filled in by hand.
func TestFailedAnalysisOffersAWayOn(t *testing.T) {
	h := newReadyHouse(t)
	receipt := h.receive(letter{subject: "請求書", text: "急ぎです。請求書を送ってください。"})
	if err := h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: receipt.MessageID, Model: "m", Error: "the model's answer does not fit, twice"}); err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	b.get("/inbox/open/1").shows("分析できませんでした", "/messages/"+receipt.MessageID+"/analysis/again", "手で入力")
	b.post("/messages/"+receipt.MessageID+"/analysis/again", "back", "/inbox/open/1").want(http.StatusSeeOther)
	if waiting, _, err := h.AnalysisQueue(h.ctx()); err != nil || waiting != 1 {
		t.Errorf("%d wait, %v", waiting, err)
	}
}

// A model that quotes nothing is said to once, not beside each of its findings.
func TestModelThatQuotesNothingIsSaidOnce(t *testing.T) {
	h := newReadyHouse(t)
	receipt := h.receive(letter{subject: "請求書", text: "急ぎです。"})
	if err := h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: receipt.MessageID, Model: "m", PromptVersion: "reply-2", ReplyType: "needs_attention",
		Sentiment: "negative", Urgency: "high", Opportunity: 1, ProductInterest: "none", Language: "ja"}); err != nil {
		t.Fatal(err)
	}
	h.as(h.admin).get("/inbox/open/1").want(http.StatusOK).shows("本文中の根拠は示されていません").hides(`class="unproven"`)
}
