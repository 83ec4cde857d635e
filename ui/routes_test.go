package ui_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

// route is one that the server has, with its entry in the table.
type route struct {
	method, path string
	access
}

func (r route) String() string { return r.method + " " + r.path }

// tabled are the routes of a router with what the table says of them, those that
// would be in the way of others last. What only one of the two knows is an error.
func tabled(t *testing.T, routes []*echo.Route, table map[string]access) (list []route) {
	t.Helper()
	known := map[string]bool{}
	for _, r := range routes {
		if r.Path == "/api/*" || strings.HasPrefix(r.Method, "echo_") {
			continue // the API's own router is walked by itself; unknown addresses
		}
		name := r.Method + " " + r.Path
		a, ok := table[name]
		if !ok {
			t.Errorf("%s is in no table: say in routes_table_test.go who may use it", name)
			continue
		}
		known[name] = true
		list = append(list, route{r.Method, r.Path, a})
	}
	for name := range table {
		if !known[name] {
			t.Errorf("%s is in the table, and the server does not have it", name)
		}
	}
	slices.SortFunc(list, func(a, b route) int {
		if a.late != b.late {
			return map[bool]int{true: 1, false: -1}[a.late]
		}
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	})
	return list
}

// routedHouse has two tickets and a contact, and makes somebody for each set of
// permissions that tells something.
type routedHouse struct {
	*house
	message, contact string
	template, view   string
	roles            map[helpdesk.Permission]*helpdesk.CustomRole
	users            map[helpdesk.Permission]*helpdesk.User
}

// noBackups stand where a server keeps its backups: there are none.
type noBackups struct{}

func (noBackups) State() (ui.BackupState, error) { return ui.BackupState{}, nil }
func (noBackups) Ask()                           {}

func newRoutedHouse(t *testing.T) *routedHouse {
	t.Helper()
	h := &routedHouse{roles: map[helpdesk.Permission]*helpdesk.CustomRole{}, users: map[helpdesk.Permission]*helpdesk.User{}}
	h.house, _ = newSearchableHouse(t, func(o *ui.Options) {
		o.Secure, o.Backups = true, noBackups{}
		o.RotateKeys = func(ctx context.Context, a helpdesk.Actor, domain string) error { return h.RotateDKIM(ctx, a, domain) }
		o.CheckDomain = func(context.Context, string) []ui.DomainPart { return nil }
		o.Check = func(context.Context) ([]ui.Finding, error) { return nil, nil }
	})
	first := h.receive(letter{subject: "見積のお願い", text: "お願いします", html: "<p>お願いします</p>", files: []file{{name: "a.png", contentType: "image/png", data: "x"}}})
	h.receive(letter{from: "kojima@kyaku.example", subject: "別の件", text: "別の件です"})
	m, err := h.Message(h.ctx(), h.admin.Actor(), first.MessageID)
	if err != nil {
		t.Fatal(err)
	}
	h.message = m.Message.ID
	ticket, err := h.Ticket(h.ctx(), h.admin.Actor(), 1)
	if err != nil {
		t.Fatal(err)
	}
	h.contact = ticket.Row.Ticket.ContactID
	text := helpdesk.NewLocalized("ja", "<p>お世話になっております。</p>")
	template, err := h.SaveTemplate(h.ctx(), h.admin.Actor(), helpdesk.Template{Name: "挨拶",
		Versions: []helpdesk.TemplateVersion{{Language: "ja", Text: text.Text, HTML: text.HTML}}})
	if err != nil {
		t.Fatal(err)
	}
	view, err := h.SaveView(h.ctx(), h.admin.Actor(), helpdesk.SavedView{Name: "みんなの一覧", View: helpdesk.ViewOpen, Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	h.template, h.view = template.ID, view.ID
	return h
}

// without is a user who may do all but p.
func (h *routedHouse) without(p helpdesk.Permission) *helpdesk.User {
	h.t.Helper()
	if h.users[p] != nil {
		return h.users[p]
	}
	role := helpdesk.CustomRole{Name: "role of " + string(p)}
	for row := range helpdesk.Permissions() {
		if row.Permission != p {
			role.Permissions = append(role.Permissions, row.Permission)
		}
	}
	saved, err := h.SaveRoles(h.ctx(), h.admin.Actor(), role)
	if err != nil {
		h.t.Fatal(err)
	}
	h.roles[p] = &saved[0]
	h.users[p] = h.user(string(p)+"@example.jp", string(p), helpdesk.Role(saved[0].ID))
	return h.users[p]
}

// alone turns without's user into one who may read and what r takes.
func (h *routedHouse) alone(r route) *helpdesk.User {
	h.t.Helper()
	p := r.needs
	u := h.without(p)
	if only := append([]helpdesk.Permission{helpdesk.PermitRead, p}, r.also...); !slices.Equal(h.roles[p].Permissions, only) {
		h.roles[p].Permissions = only
		if _, err := h.SaveRoles(h.ctx(), h.admin.Actor(), *h.roles[p]); err != nil {
			h.t.Fatal(err)
		}
	}
	return u
}

// address fills in a route's parameters with what is there.
func (h *routedHouse) address(r route) string {
	path := strings.NewReplacer(":number", "1", ":index", "0", ":view", "open", ":scope", "house", ":owner", "ticket", ":size", "192.png",
		":domain", "example.jp", ":name", "heap", "/static/*", "/static/missing.css").Replace(r.path)
	id := "01JCZ0000000000000000000AB"
	switch {
	case strings.Contains(r.path, "/messages/:id"):
		id = h.message
	case strings.Contains(r.path, "/contacts/:id"):
		id = h.contact
	case strings.HasPrefix(r.path, "/api/v1/templates"):
		id = h.template
	case strings.HasPrefix(r.path, "/api/v1/views"), strings.HasPrefix(r.path, "/views"):
		id = h.view
	case strings.HasPrefix(r.path, "/settings/") && !strings.Contains(r.path, "/queue/"):
		id = "new"
	}
	return strings.NewReplacer(":id", id, ":contact", h.contact).Replace(path) + r.query
}

// use asks for a route as its table entry says.
func (h *routedHouse) use(b *browser, r route) *page {
	h.t.Helper()
	switch {
	case r.part != "":
		return b.fragment(h.address(r), r.part)
	case r.method == http.MethodGet:
		return b.get(h.address(r))
	case r.json != "":
		return b.do(r.method, h.address(r), strings.NewReader(r.json), "application/json")
	case r.file == "":
		return b.do(r.method, h.address(r), strings.NewReader(pairs(r.form).Encode()), "application/x-www-form-urlencoded")
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(r.form); i += 2 {
		form.WriteField(r.form[i], r.form[i+1])
	}
	w, err := form.CreateFormFile(r.file, "a.json")
	if err != nil {
		h.t.Fatal(err)
	}
	io.WriteString(w, `{"templates":[{"name":"x","versions":[{"language":"ja","text":"y"}]}]}`)
	form.Close()
	return b.do(r.method, h.address(r), &body, form.FormDataContentType())
}

func pairs(list []string) url.Values {
	form := url.Values{}
	for i := 0; i+1 < len(list); i += 2 {
		form.Add(list[i], list[i+1])
	}
	return form
}

func (h *routedHouse) lastSeq() uint64 {
	h.t.Helper()
	seq, err := h.LastSeq(h.ctx())
	if err != nil {
		h.t.Fatal(err)
	}
	return seq
}

// refused checks that an answer is a refusal, and that nothing came of it.
func (h *routedHouse) refused(r route, who string, b *browser, status int) {
	h.t.Helper()
	before := h.lastSeq()
	if a := h.use(b, r); a.StatusCode != status {
		h.t.Errorf("%s for %s: status %d, want %d", r, who, a.StatusCode, status)
	}
	if after := h.lastSeq(); after != before {
		h.t.Errorf("%s was refused to %s and left %d events", r, who, after-before)
	}
}

// served checks that whoever may use a route gets an answer, and that looking at
// something changes nothing.
func (h *routedHouse) served(r route, who string, b *browser) {
	h.t.Helper()
	before := h.lastSeq()
	a := h.use(b, r)
	if a.StatusCode == http.StatusUnauthorized || a.StatusCode == http.StatusForbidden || a.StatusCode >= http.StatusInternalServerError ||
		strings.HasPrefix(a.Header.Get("Location"), "/login") {
		h.t.Errorf("%s for %s: status %d %s", r, who, a.StatusCode, plain(a.body))
	}
	if after := h.lastSeq(); r.method == http.MethodGet && !r.logs && after != before {
		h.t.Errorf("%s changed something for %s", r, who)
	}
}

// TestEveryRouteAsksForItsPermission asks for every route of the server: without a
// login, with all permissions but the needed one, with that one alone, and as each
// built-in role.
func TestEveryRouteAsksForItsPermission(t *testing.T) {
	h := newRoutedHouse(t)
	routes := tabled(t, h.web.Handler().(*echo.Echo).Routes(), routeAccess)
	from := map[helpdesk.Permission]helpdesk.Role{}
	for row := range helpdesk.Permissions() {
		from[row.Permission] = row.From
	}
	order := []helpdesk.Role{helpdesk.RoleAgent, helpdesk.RoleSupervisor, helpdesk.RoleAdmin}
	browsers := map[string]*browser{"agent": h.as(h.user("agent@example.jp", "担当", helpdesk.RoleAgent)),
		"supervisor": h.as(h.user("supervisor@example.jp", "監督", helpdesk.RoleSupervisor)), "admin": h.as(h.admin)}
	as := func(u *helpdesk.User) *browser {
		if browsers[u.ID] == nil {
			browsers[u.ID] = h.as(u)
		}
		return browsers[u.ID]
	}
	for _, r := range routes {
		if r.needs == public || r.needs == anybody {
			continue
		}
		without := h.without(r.needs)
		h.refused(r, "a role without "+string(r.needs), as(without), http.StatusForbidden)
		for _, role := range order {
			if slices.Index(order, role) < slices.Index(order, from[r.needs]) {
				h.refused(r, string(role), browsers[string(role)], http.StatusForbidden)
			}
		}
	}
	nobody := h.browser()
	for _, r := range routes {
		if r.needs == public {
			continue
		}
		before := h.lastSeq()
		r.part = "" // a script is told apart below
		if a := h.use(nobody, r); a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/login") || a.body != "" {
			t.Errorf("%s without a login: status %d, leads to %q", r, a.StatusCode, a.Header.Get("Location"))
		}
		nobody.header.Set("HX-Request", "true")
		if a := h.use(nobody, r); a.StatusCode != http.StatusUnauthorized || a.body != "" {
			t.Errorf("%s without a login, by a script: status %d", r, a.StatusCode)
		}
		nobody.header.Del("HX-Request")
		if h.lastSeq() != before {
			t.Errorf("%s without a login left events", r)
		}
	}
	for _, r := range routes {
		switch r.needs {
		case public:
			continue // what they ask for is a key, a seal or nothing
		case anybody:
			if r.path != "/live" {
				h.served(r, "agent", browsers["agent"])
			}
			continue
		}
		h.served(r, "a role with "+string(r.needs)+" and reading", as(h.alone(r)))
		if !strings.HasPrefix(r.path, "/debug/pprof/") { // one reading of a second is enough
			for _, role := range order[slices.Index(order, from[r.needs]):] {
				h.served(r, string(role), browsers[string(role)])
			}
		}
	}
}

// TestNoOtherSiteMakesABrowserAct sends what another site makes the browser of an
// admin send: nothing that changes anything is taken.
func TestNoOtherSiteMakesABrowserAct(t *testing.T) {
	h := newRoutedHouse(t)
	unsafe := 0
	for _, r := range tabled(t, h.web.Handler().(*echo.Echo).Routes(), routeAccess) {
		if r.method == http.MethodGet || r.path == helpdesk.OptOutPath+":token" {
			continue // mail programs post there from their own sites; the token in the address decides, no session
		}
		unsafe++
		for _, header := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}}} {
			b := h.browser()
			if unsafe == 1 || r.path == "/login" {
				b = h.as(h.admin)
			}
			b.header = header
			h.refused(r, fmt.Sprint("another site with ", header), b, http.StatusForbidden)
		}
	}
	if unsafe < 80 {
		t.Errorf("%d routes that change something; the walk has lost them", unsafe)
	}
}

// TestEveryAPIRouteAsksForItsScope asks for every route of the API without a token,
// with tokens of each scope of an admin, and with a token whose user's role lacks
// the permission.
func TestEveryAPIRouteAsksForItsScope(t *testing.T) {
	h := newRoutedHouse(t)
	routes := tabled(t, h.web.APIRoutes(), apiScopes)
	scopes := []helpdesk.Scope{helpdesk.ScopeRead, helpdesk.ScopeWrite, helpdesk.ScopeAdmin}
	needed := map[helpdesk.Permission]helpdesk.Scope{}
	for row := range helpdesk.Permissions() {
		needed[row.Permission] = row.Scope
	}
	token := func(u *helpdesk.User, s helpdesk.Scope) *browser {
		made, err := h.CreateToken(h.ctx(), h.admin.Actor(), u.ID, s)
		if err != nil {
			t.Fatal(err)
		}
		b := h.browser()
		b.header.Set("Authorization", "Bearer "+made)
		return b
	}
	ask := func(b *browser, r route) *page {
		body := r.json
		if body == "" && r.method != http.MethodGet {
			body = "{}"
		}
		return b.do(r.method, h.address(r), strings.NewReader(body), "application/json")
	}
	tokens := map[helpdesk.Scope]*browser{}
	for _, s := range scopes {
		tokens[s] = token(h.admin, s)
	}
	strangers := map[string]*browser{"nobody": h.browser(), "a wrong token": h.browser(), "a login's cookie": h.as(h.admin)}
	strangers["a wrong token"].header.Set("Authorization", "Bearer mdg_wrong")
	lacking := map[helpdesk.Permission]*browser{}
	for _, r := range routes {
		if r.needs == public {
			continue
		}
		for who, b := range strangers {
			if a := ask(b, r); a.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s for %s: status %d", r, who, a.StatusCode)
			}
		}
		if lacking[r.needs] == nil && r.needs != anybody {
			lacking[r.needs] = token(h.without(r.needs), helpdesk.ScopeAdmin)
		}
		if r.needs == anybody { // what is one's own takes a scope alone
			needed[anybody] = helpdesk.ScopeWrite
			if r.method == http.MethodGet {
				needed[anybody] = helpdesk.ScopeRead
			}
		} else if a := ask(lacking[r.needs], r); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s for a user without %s: status %d %s", r, r.needs, a.StatusCode, a.body)
		}
		for _, s := range scopes {
			enough := slices.Index(scopes, s) >= slices.Index(scopes, needed[r.needs])
			if needed[r.needs] == helpdesk.ScopeInbound {
				enough = s == helpdesk.ScopeAdmin
			}
			if a := ask(tokens[s], r); a.StatusCode == http.StatusForbidden == enough || a.StatusCode >= 500 && a.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%s with scope %s: status %d %s", r, s, a.StatusCode, a.body)
			}
		}
	}
}
