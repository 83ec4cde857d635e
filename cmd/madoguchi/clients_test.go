package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// httpClients are the files that make a client of their own for HTTP: the guarded
// one, which everything that strangers or colleagues name goes through, and those
// whose server only the operator names. docs/security.md says why of each.
var httpClients = map[string]string{
	"helpdesk/fetch/network.go":     "the guard itself",
	"helpdesk/analysis/analysis.go": "Ollama",
	"helpdesk/signon/client.go":     "the sign-on provider",
	"smtpd/rspamd/rspamd.go":        "rspamd",
	"cmd/madoguchi/checkup.go":      "madoguchi check",
	"cmd/madoguchi/remote.go":       "the socket in the data directory",
}

// Whatever asks over HTTP does so by the guard in helpdesk/fetch, or is on the list.
func TestEveryFetchIsGuarded(t *testing.T) {
	found := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, "../../"))
		if strings.HasSuffix(filepath.Dir(name), "test") { // packages for tests
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if makesClient(file) {
			found[name] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range found {
		if httpClients[name] == "" {
			t.Errorf("%s asks over HTTP with a client of its own: use fetch.Network, or say in docs/security.md why not, and here", name)
		}
	}
	document, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(httpClients)) {
		if !found[name] {
			t.Errorf("%s makes no client any more", name)
		}
		if !strings.Contains(string(document), "`"+filepath.Dir(name)+"`") {
			t.Errorf("docs/security.md does not say why %s asks as it does", filepath.Dir(name))
		}
	}
}

// makesClient reports whether a file makes a client or a transport, or uses those
// of the standard library.
func makesClient(file *ast.File) (does bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			does = does || isOf(n.Type, "http", "Client", "Transport")
		case *ast.SelectorExpr:
			does = does || isOf(n, "http", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm")
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "new" && len(n.Args) == 1 {
				does = does || isOf(n.Args[0], "http", "Client", "Transport")
			}
		}
		return true
	})
	return does
}

// isOf reports whether an expression is one of the names of a package.
func isOf(e ast.Expr, pkg string, names ...string) bool {
	selector, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	of, ok := selector.X.(*ast.Ident)
	return ok && of.Name == pkg && slices.Contains(names, selector.Sel.Name)
}
