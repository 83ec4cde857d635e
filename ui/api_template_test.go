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

// Two programs that change the same template know of each other where they say what they have read.
func TestAPITemplateIsNotOverwritten(t *testing.T) {
	h := newAPIHouse(t)
	body := func(text string) object {
		return object{"name": "営業時間", "versions": []object{{"language": "ja", "text": text}}}
	}
	made := h.call("POST", "/templates", body("初め"))
	path, read := "/templates/"+made.ok(http.StatusCreated).at("template")["id"].(string), made.Header.Get("ETag")
	if again := h.call("GET", path, nil).Header.Get("ETag"); again != read || len(read) < 10 {
		t.Errorf("read as %s, made as %s", again, read)
	}
	mine := h.call("PUT", path, body("先"), "If-Match", read)
	mine.ok(http.StatusOK)
	late := h.call("PUT", path, body("後"), "If-Match", read)
	late.refused(http.StatusPreconditionFailed, "precondition_failed", "", "changed meanwhile")
	if now := mine.Header.Get("ETag"); now == read || late.Header.Get("ETag") != now || h.call("GET", path, nil).Header.Get("ETag") != now {
		t.Errorf("it is %s, was %s, and the refused is told %s", now, read, late.Header.Get("ETag"))
	}
	h.get(path).at("template", "versions", 0).want(t, object{"text": "先"})
	// A proxy that compresses makes the tag weak. Whoever names none, or whatever there is, replaces it.
	h.call("PUT", path, body("後"), "If-Match", "W/"+late.Header.Get("ETag")).ok(http.StatusOK)
	h.call("PUT", path, body("いつでも"), "If-Match", "*").ok(http.StatusOK)
	h.call("PUT", path, body("いつでも")).ok(http.StatusOK)
	h.call("PUT", path, body("x"), "If-Match", "none").refused(http.StatusBadRequest, helpdesk.CodeInvalid, "If-Match", "entity tag")
}
