package ui_test

import (
	"net/http"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestAPITemplates(t *testing.T) {
	h := newAPIHouse(t)
	made := h.call("POST", "/templates", object{"name": "営業時間", "folder": "ご案内", "shortcut": "hours", "aliases": []string{"support@example.jp"},
		"versions": []object{
			{"language": "ja", "html": "<p><b>{{customer.name_sama}}</b></p><script>x</script>"},
			{"language": "en", "text": "Hello {{customer.name}}", "attachments": []object{{"filename": "a.txt", "content_type": "text/plain", "data": "YQ=="}}}}}).ok(http.StatusCreated)
	template := made.at("template")
	id := template["id"].(string)
	template.want(t, object{"name": "営業時間", "folder": "ご案内", "shortcut": "hours", "own": false, "uses": 0, "last_used_at": nil})
	template.at("versions", 0).want(t, object{"html": "<p><b>{{customer.name_sama}}</b></p>", "text": "{{customer.name_sama}}"})
	file := template.at("versions", 1).at("attachments", 0)
	file.want(t, object{"filename": "a.txt", "size": 1})

	changed := h.call("PUT", "/templates/"+id, object{"name": "営業時間", "versions": []object{
		{"language": "en", "text": "Hi", "attachments": []object{{"id": file["id"], "filename": "a.txt"}}}}}).ok(http.StatusOK)
	changed.at("template", "versions", 0).at("attachments", 0).want(t, object{"id": file["id"], "size": 1})
	h.get("/templates/"+id).at("template").want(t, object{"folder": ""})

	h.call("POST", "/templates", object{"name": "x", "versions": []object{{"language": "en", "text": "a\n{{nobody}}"}}}).
		refused(http.StatusBadRequest, helpdesk.CodeInvalid, "text", "line 2, column 1: there is no variable {{nobody}}")
	h.call("POST", "/templates", object{"name": "営業時間", "versions": []object{{"language": "en", "text": "a"}}}).refused(http.StatusConflict, helpdesk.CodeConflict, "", "already")

	agent, err := h.CreateUser(h.ctx(), h.actor(), helpdesk.NewUser{Email: "hayashi@example.jp", Name: "林 大地", Password: "correct horse battery", Role: helpdesk.RoleAgent})
	if err != nil {
		t.Fatal(err)
	}
	back := h.as(h.tokenOf(agent, helpdesk.ScopeWrite))
	h.call("PUT", "/templates/"+id, object{"name": "x", "versions": []object{{"language": "en", "text": "a"}}}).refused(http.StatusForbidden, helpdesk.CodeForbidden, "", "templates.shared")
	h.call("DELETE", "/templates/"+id, nil).refused(http.StatusForbidden, helpdesk.CodeForbidden, "", "templates.shared")
	own := h.call("POST", "/templates", object{"name": "mine", "own": true, "versions": []object{{"language": "en", "text": "a"}}}).ok(http.StatusCreated).at("template")
	if list := h.get("/templates")["templates"].([]any); len(list) != 2 {
		t.Errorf("the agent sees %d templates", len(list))
	}
	back()
	h.call("GET", "/templates/"+own["id"].(string), nil).refused(http.StatusNotFound, helpdesk.CodeNotFound, "", "template")
	h.call("DELETE", "/templates/"+id, nil).ok(http.StatusOK)
	if list := h.get("/templates")["templates"].([]any); len(list) != 0 {
		t.Errorf("%d templates are left", len(list))
	}
}
