package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/madoguchi/madoguchi"

// confined libraries are known to one package each, so that replacing one
// touches one package; docs/dependencies.md says it of most of them.
var confined = map[string][]string{
	"go.etcd.io/bbolt":                      {"store"},
	"github.com/fxamacker/cbor/v2":          {"store"},
	"github.com/ollama/ollama":              {"helpdesk/analysis"},
	"github.com/labstack/echo/v4":           {"ui"},
	"github.com/SherClockHolmes/webpush-go": {"helpdesk/run"},
	"github.com/coreos/go-oidc/v3":          {"helpdesk/signon"},
	"github.com/go-webauthn/webauthn":       {"helpdesk"},
	"github.com/mileusna/useragent":         {"ui"},
	"github.com/spf13/cobra":                {"cmd/madoguchi"},
	"github.com/pelletier/go-toml":          {"cmd/madoguchi", "ui/locale"},
	"github.com/caddyserver/certmagic":      {"smtpd/acme"},
	"github.com/emersion/go-msgauth":        {"smtpd/auth"},
	"github.com/pires/go-proxyproto":        {"smtpd/proxied"},
	"github.com/emersion/go-smtp":           {"smtpd", "smtpd/outbound", "cmd/madoguchi"},
	"blitiri.com.ar/go/spf":                 {"smtpd/auth"},
	"github.com/emersion/go-message":        {"smtpd/mail"},
	"github.com/microcosm-cc/bluemonday":    {"smtpd/mail"},
	"github.com/mholt/acmez/v3":             {"smtpd/acme"},
	"go.uber.org/zap":                       {"smtpd/acme"},
	"github.com/prometheus/client_golang":   {"cmd/madoguchi"},
	"github.com/abadojack/whatlanggo":       {"helpdesk"},
	"golang.org/x/image":                    {"ui"},
	"golang.org/x/oauth2":                   {"helpdesk/signon"},
}

// pure packages do no input or output: the same input gives the same answer.
var pure = map[string][]string{
	"smtpd/mail":     {"net", "net/http", "os", "log", "log/slog"},
	"helpdesk/hours": {"net", "net/http", "os", "log", "log/slog"},
	"ui/locale":      {"net", "net/http", "os"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

// goPackages lists the packages of this module with what they import
// themselves.
func goPackages(t *testing.T) []goPackage {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...")
	out, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("read what go list printed: %v", err)
		}
		packages = append(packages, p)
	}
}

func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// allowedImports reads the package table of docs/architecture.md: what each package
// may import of this module. "all" is for the wiring alone.
func allowedImports(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| package |")
	table, _, _ = strings.Cut(table, "\n\n")
	allowed := map[string][]string{}
	for _, row := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(row, "|")
		if len(cells) != 5 {
			t.Fatalf("%q is no row of the package table", row)
		}
		names := func(cell string) (list []string) {
			for _, quoted := range codeSpan.FindAllStringSubmatch(cell, -1) {
				list = append(list, quoted[1])
			}
			return list
		}
		imports := names(cells[3])
		if strings.TrimSpace(cells[3]) == "all" {
			imports = []string{"all"}
		}
		allowed[names(cells[1])[0]] = imports
	}
	return allowed
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// The table is the architecture, so it names what there is and no more.
func TestImportsFollowThePackageTable(t *testing.T) {
	table := allowedImports(t)
	for _, p := range goPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		allowed, known := table[name]
		if !known {
			t.Errorf("%s is not in the package table of docs/architecture.md: add it there with its one responsibility, or put its code where it belongs", name)
			continue
		}
		delete(table, name)
		var imports []string
		for _, imported := range p.Imports {
			if ours, found := strings.CutPrefix(imported, module+"/"); found {
				imports = append(imports, ours)
			}
		}
		slices.Sort(imports)
		if slices.Sort(allowed); !slices.Equal(allowed, imports) && !slices.Equal(allowed, []string{"all"}) {
			t.Errorf("%s imports %v of ours; docs/architecture.md says %v", name, imports, allowed)
		}
	}
	if len(table) > 0 {
		t.Errorf("docs/architecture.md has packages that are not there: %v", table)
	}
}

func TestImportsKeepLibrariesConfined(t *testing.T) {
	for _, p := range goPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imported := range p.Imports {
			for library, homes := range confined {
				if within(imported, library) && !slices.Contains(homes, name) {
					t.Errorf("%s imports %s, which belongs to %v alone", name, imported, homes)
				}
			}
			if slices.Contains(pure[name], imported) {
				t.Errorf("%s imports %s, but does no input or output", name, imported)
			}
		}
	}
}

var majorVersion = regexp.MustCompile(`/v[0-9]+$`)

// What is required by name has its reason beside it.
func TestImportsHaveTheirReasons(t *testing.T) {
	required, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	reasons, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(required), "require (\n")
	direct, _, found := strings.Cut(block, "\n)")
	if !found || strings.Contains(direct, "// indirect") {
		t.Fatalf("the first block of go.mod is not that of what we name ourselves:\n%s", direct)
	}
	for _, line := range strings.Split(direct, "\n") {
		if path := majorVersion.ReplaceAllString(strings.Fields(line)[0], ""); !strings.Contains(string(reasons), path) {
			t.Errorf("docs/dependencies.md does not say what %s is for", path)
		}
	}
}
