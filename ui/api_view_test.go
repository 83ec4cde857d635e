package ui_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestAPIViewsNarrowAndCount(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	h.post("support@example.jp", helpdesk.Authentication{}, "From: other@customer.example", "Subject: Other", "", "Hello")
	h.change("/tickets/2", object{"tags": []string{"請求"}, "assignee": "sato@example.jp", "priority": "high"})
	wanted := object{"name": " 請求の 返信待ち ", "view": "waiting", "sort": "waiting", "filter": object{"tag": []string{"請求"}, "assignee": []string{"sato@example.jp", "me"}, "stage": []string{"受付"}, "priority": []string{"high"}}}
	view := h.create("/views", wanted).at("view")
	view.want(t, object{"name": "請求の 返信待ち", "owner": "sato@example.jp", "shared": false, "view": "waiting", "count": nil})
	view.at("filter").want(t, object{"tag": []any{"請求"}, "assignee": []any{"sato@example.jp", "me"}, "stage": []any{"受付"}, "priority": []any{"high"}})
	id := view["id"].(string)
	views := h.get("/views")
	views.at("saved", 0).want(t, object{"id": id, "count": 1})
	views.at("views", 2).want(t, object{"view": "waiting", "count": 2})

	numbers := func(query string) (list []any) {
		t.Helper()
		for _, ticket := range h.get("/tickets?" + query).list("tickets") {
			list = append(list, ticket.(map[string]any)["number"])
		}
		return list
	}
	for query, want := range map[string]int{
		"view=" + id: 1, "view=" + id + "&tag=none": 0, "view=all": 2, "tag=%E8%AB%8B%E6%B1%82": 1, "assignee=none": 1, "assignee=me&assignee=none": 2,
		"stage=%E5%8F%97%E4%BB%98": 2, "pipeline=%E3%82%B5%E3%83%9D%E3%83%BC%E3%83%88": 2, "alias=support@example.jp": 2, "priority=high": 1, "waiting=true": 2, "view=spam": 0, "sort=waiting": 2,
	} {
		if got := numbers(query); len(got) != want {
			t.Errorf("%s: %v, want %d", query, got, want)
		}
	}
	if _, err := h.MarkSpam(h.ctx(), h.actor(), 2, helpdesk.BlockSender("")); err != nil {
		t.Fatal(err)
	}
	h.get("/tickets?view=spam").at("tickets", 0).want(t, object{"number": 2, "spam": true})
	for query, field := range map[string]string{"view=nothing": "view", "assignee=x@example.jp": "assignee", "pipeline=x": "pipeline", "stage=x": "stage", "team=x": "team", "priority=x": "priority", "waiting=1": "waiting", "sort=x": "sort"} {
		h.call("GET", "/tickets?"+query, nil).refused(400, helpdesk.CodeInvalid, field, "")
	}

	// A view asks for what it was saved with: a stage of one pipeline, and a team
	// also once that is gone.
	team, err := h.SaveTeam(h.ctx(), h.actor(), helpdesk.Team{Name: "請求"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := h.SavePipeline(h.ctx(), h.actor(), helpdesk.Pipeline{Name: "返品", Stages: []helpdesk.Stage{{Name: "受付", Kind: helpdesk.StageOpen}, {Name: "済", Kind: helpdesk.StageClosed}}})
	if err != nil {
		t.Fatal(err)
	}
	for what, filter := range map[string]helpdesk.Filter{"stage": {Stages: []string{other.Stages[0].ID}}, "team": {Teams: []string{team.ID}}} {
		v, err := h.SaveView(h.ctx(), h.actor(), helpdesk.SavedView{Name: what, View: helpdesk.ViewAll, Filter: filter})
		if err != nil {
			t.Fatal(err)
		}
		if what == "team" {
			if err := h.DeleteTeam(h.ctx(), h.actor(), team.ID); err != nil {
				t.Fatal(err)
			}
		}
		if got := numbers("view=" + v.ID); len(got) != 0 {
			t.Errorf("a view of another %s has %v", what, got)
		}
	}

	// What is one's own is nobody else's.
	hanako, err := h.CreateUser(h.ctx(), h.actor(), helpdesk.NewUser{Email: "hanako@example.jp", Name: "Hanako", Role: helpdesk.RoleAgent, Password: "correct horse battery"})
	if err != nil {
		t.Fatal(err)
	}
	back := h.as(h.tokenOf(hanako, helpdesk.ScopeWrite))
	if saved := h.get("/views").list("saved"); len(saved) != 0 {
		t.Errorf("somebody else has %v", saved)
	}
	h.call("DELETE", "/views/"+id, nil).refused(404, helpdesk.CodeNotFound, "", "")
	h.call("POST", "/views", object{"name": "x", "shared": true}).refused(403, helpdesk.CodeForbidden, "", "")
	back()
	h.call("DELETE", "/views/"+id, nil).ok(200).at("view").want(t, object{"id": id})
	h.call("GET", "/tickets?view="+id, nil).refused(400, helpdesk.CodeInvalid, "view", "saved view")
}

func TestAPIRulesAndHours(t *testing.T) {
	h := newAPIHouse(t)
	aliases, err := h.Aliases(h.ctx(), h.actor())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.SaveRule(h.ctx(), h.actor(), helpdesk.AssignmentRule{Name: "請求は佐藤", When: helpdesk.RuleConditions{Aliases: []string{aliases[0].ID}, Keywords: []string{"請求"}},
		Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: []string{h.admin.ID}, Tags: []string{"請求"}}}); err != nil {
		t.Fatal(err)
	}
	rule := h.get("/rules").at("rules", 0)
	rule.want(t, object{"name": "請求は佐藤", "enabled": true, "go_on": false})
	rule.at("when").want(t, object{"aliases": []any{"support@example.jp"}, "keywords": []any{"請求"}, "hours": ""})
	rule.at("then").want(t, object{"assign": "round_robin", "among": []any{"sato@example.jp"}, "tags": []any{"請求"}, "team": nil})

	standard := h.get("/hours").at("hours", 0)
	standard.want(t, object{"id": "standard", "time_zone": "Asia/Tokyo"})
	wanted := object{"time_zone": "Europe/Berlin", "holidays": "", "week": object{"mon": []string{"09:00-12:00", "13:00-18:30"}}, "days": []object{{"date": "2026-12-29", "name": "年末", "hours": []string{}}}}
	changed := h.call("PUT", "/hours/standard", wanted).ok(200).at("hours")
	changed.want(t, object{"time_zone": "Europe/Berlin"})
	changed.at("week").want(t, object{"mon": []any{"09:00-12:00", "13:00-18:30"}, "tue": []any{}})
	h.get("/hours").at("hours", 0, "days", 0).want(t, object{"date": "2026-12-29", "name": "年末", "hours": []any{}})
	h.call("PUT", "/hours/nothing", object{"name": "x", "time_zone": "Asia/Tokyo", "week": object{"mon": []string{"9:00-18:00"}}}).refused(404, helpdesk.CodeNotFound, "", "calendar")
	for field, body := range map[string]object{"week.mon": {"time_zone": "Asia/Tokyo", "week": object{"mon": []string{"morning"}}}, "days[0].date": {"time_zone": "Asia/Tokyo", "week": object{}, "days": []object{{"date": "soon", "name": "", "hours": []string{}}}}} {
		h.call("PUT", "/hours/standard", body).refused(400, helpdesk.CodeInvalid, field, "write it like")
	}
}

func TestAPISearchTellsWhatItFound(t *testing.T) {
	h, index := newSearchableHouse(t)
	h.receive(letter{from: "a@kyaku.example", name: "青木", subject: "お問い合わせ", text: "温度計のデータについて教えてください。"})
	index()
	token, err := h.CreateToken(h.ctx(), h.admin.Actor(), h.admin.ID, helpdesk.ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	request, _ := http.NewRequestWithContext(h.ctx(), "GET", h.http.URL+"/api/v1/tickets?q=%E3%81%A7%E3%83%BC%E3%81%9F", nil) // でーた
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Tickets []struct {
			Highlights []struct {
				Text  string
				Match bool
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || len(answer.Tickets) != 1 {
		t.Fatalf("%+v, %v", answer, err)
	}
	matched := ""
	for _, piece := range answer.Tickets[0].Highlights {
		if piece.Match {
			matched += piece.Text
		}
	}
	if matched != "データ" {
		t.Errorf("highlights %+v", answer.Tickets[0].Highlights)
	}
}
