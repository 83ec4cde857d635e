package ui_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestAPIDescriptionNamesEveryRoute(t *testing.T) {
	h := newAPIHouse(t)
	var routes []string
	for _, r := range h.web.APIRoutes() {
		path := regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.Path, "{$1}")
		routes = append(routes, r.Method+" "+strings.TrimPrefix(path, "/api/v1"))
	}
	described := slices.Sorted(maps.Keys(h.description.operations))
	slices.Sort(routes)
	if !slices.Equal(routes, described) {
		t.Errorf("routes\n%s\ndescribed\n%s", strings.Join(routes, "\n"), strings.Join(described, "\n"))
	}
}

// What the description shows must itself be as it says.
func TestAPIDescriptionExamples(t *testing.T) {
	d := newAPIHouse(t).description
	examples := 0
	var walk func(node any, at string)
	walk = func(node any, at string) {
		switch node := node.(type) {
		case map[string]any:
			if ref, ok := node["$ref"].(string); ok && d.resolve(node) == nil {
				t.Errorf("%s: %s leads nowhere", at, ref)
			}
			schema, isMedia := node["schema"].(map[string]any)
			if example, ok := node["example"]; ok && isMedia {
				examples++
				for _, problem := range d.validate(schema, plainJSON(t, example), at) {
					t.Error(problem)
				}
			}
			for key, value := range node {
				walk(value, at+"/"+key)
			}
		case []any:
			for i, value := range node {
				walk(value, fmt.Sprintf("%s/%d", at, i))
			}
		}
	}
	walk(d.root, "#")
	if examples < 10 {
		t.Errorf("%d examples; the description has lost them", examples)
	}
	for operation, o := range d.operations {
		if o["operationId"] == nil || o["summary"] == nil || o["responses"] == nil {
			t.Errorf("%s lacks an id, a summary or responses", operation)
		}
	}
}

// A checker that accepts everything would prove nothing.
func TestAPIDescriptionCheckerRefuses(t *testing.T) {
	d := newAPIHouse(t).description
	good := map[string]any{"id": "1", "name": "x", "email": "x@y", "company": "", "created_at": "2026-11-21T10:00:00Z", "last_seen_at": nil}
	schema := map[string]any{"$ref": "#/components/schemas/Contact"}
	if problems := d.validate(schema, good, "contact"); len(problems) > 0 {
		t.Errorf("a contact is refused: %q", problems)
	}
	for name, value := range map[string]any{"id": 1.0, "last_seen_at": "yesterday", "created_at": nil, "unknown": "x"} {
		bad := maps.Clone(good)
		bad[name] = value
		if len(d.validate(schema, bad, "contact")) != 1 {
			t.Errorf("a contact with %s = %v passes", name, value)
		}
	}
	bad := maps.Clone(good)
	delete(bad, "email")
	if len(d.validate(schema, bad, "contact")) != 1 {
		t.Error("a contact without an address passes")
	}
	if len(d.validate(map[string]any{"$ref": "#/components/schemas/DeliveryState"}, "lost", "state")) != 1 {
		t.Error("a state that is none passes")
	}
}

// apiDescription is the OpenAPI file as the server sends it.
type apiDescription struct {
	root       map[string]any
	operations map[string]map[string]any // by method and path
}

func readDescription(t *testing.T, server string) *apiDescription {
	t.Helper()
	var first []byte
	for _, path := range []string{"/openapi.yaml", "/api/v1/openapi.yaml"} {
		response, err := http.Get(server + path)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != 200 || response.Header.Get("Content-Type") != "application/yaml" {
			t.Fatalf("%s: %d %s, %v", path, response.StatusCode, response.Header.Get("Content-Type"), err)
		}
		if first != nil && !bytes.Equal(first, data) {
			t.Errorf("%s differs", path)
		}
		first = data
	}
	d := &apiDescription{operations: map[string]map[string]any{}}
	if err := yaml.Unmarshal(first, &d.root); err != nil {
		t.Fatal(err)
	}
	for path, item := range d.root["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			if method != "parameters" {
				d.operations[strings.ToUpper(method)+" "+path] = operation.(map[string]any)
			}
		}
	}
	return d
}

// check holds an answer against the description and returns its operation.
// Where there is none, the answer must be an error.
func (d *apiDescription) check(t *testing.T, method, path, request string, a answer) string {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	for operation, o := range d.operations {
		template := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(operation, `[^/]+`)
		if !regexp.MustCompile("^" + template + "$").MatchString(method + " " + path) {
			continue
		}
		if body := d.resolve(o["requestBody"]); body != nil && a.Status < 300 {
			d.checkJSON(t, operation+" request", body, "application/json", []byte(request))
		}
		response := d.resolve(o["responses"].(map[string]any)[fmt.Sprint(a.Status)])
		if response == nil {
			t.Errorf("%s: status %d is not described: %s", operation, a.Status, a.Body)
			return operation
		}
		d.checkJSON(t, operation, response, a.Header.Get("Content-Type"), a.Body)
		return operation
	}
	for _, problem := range d.validate(map[string]any{"$ref": "#/components/schemas/Error"}, decodeJSON(t, a.Body), method+" "+path) {
		t.Error(problem)
	}
	return ""
}

func (d *apiDescription) checkJSON(t *testing.T, what string, response map[string]any, contentType string, body []byte) {
	t.Helper()
	kind, _, _ := mime.ParseMediaType(contentType)
	content := response["content"].(map[string]any)
	media, ok := content[kind].(map[string]any)
	if _, anything := content["*/*"]; !ok && !anything {
		t.Errorf("%s: type %s is not described", what, contentType)
		return
	}
	if schema, ok := media["schema"].(map[string]any); ok {
		for _, problem := range d.validate(schema, decodeJSON(t, body), what) {
			t.Error(problem)
		}
	}
}

// resolve follows a reference within the file; nil where it leads nowhere.
func (d *apiDescription) resolve(node any) map[string]any {
	m, _ := node.(map[string]any)
	ref, ok := m["$ref"].(string)
	if !ok {
		return m
	}
	var at any = d.root
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		m, _ := at.(map[string]any)
		at = m[step]
	}
	return d.resolve(at)
}

func decodeJSON(t *testing.T, data []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(data, &value); err != nil {
		t.Errorf("%v: %s", err, data)
	}
	return value
}

// plainJSON turns what YAML read into what JSON would have.
func plainJSON(t *testing.T, value any) any {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return decodeJSON(t, data)
}
