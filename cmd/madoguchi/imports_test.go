package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/madoguchi/madoguchi"

// allowedImports is the package table of docs/architecture.md: what each
// package may import of this module. "all" is for the wiring alone, and a
// package that is not here is not part of the architecture.
var allowedImports = map[string][]string{
	"cmd/madoguchi":                {"all"},
	"smtpd":                        {"smtpd/mail", "smtpd/auth", "smtpd/dnsbl", "smtpd/rspamd"},
	"smtpd/mail":                   {},
	"smtpd/report":                 {},
	"smtpd/auth":                   {},
	"smtpd/outbound":               {"smtpd/mail", "smtpd/mtasts", "smtpd/dane"},
	"smtpd/dane":                   {},
	"smtpd/mtasts":                 {},
	"smtpd/acme":                   {},
	"smtpd/acme/acmetest":          {},
	"smtpd/tlsrpt":                 {},
	"smtpd/check":                  {},
	"smtpd/proxied":                {},
	"smtpd/dnsbl":                  {},
	"smtpd/dnstest":                {},
	"smtpd/rspamd":                 {},
	"store":                        {},
	"store/backup":                 {},
	"store/storetest":              {"store"},
	"helpdesk":                     {"helpdesk/hours", "store", "smtpd/mail", "smtpd/report"},
	"helpdesk/hours":               {},
	"helpdesk/card":                {"helpdesk/fetch"},
	"helpdesk/fetch":               {},
	"helpdesk/fetch/fetchtest":     {"helpdesk/fetch", "smtpd/dnstest"},
	"helpdesk/migrate":             {"helpdesk", "smtpd/mail"},
	"helpdesk/run":                 {"helpdesk", "helpdesk/fetch", "smtpd/outbound", "smtpd/auth", "store/backup", "smtpd/tlsrpt"},
	"helpdesk/analysis":            {"helpdesk"},
	"helpdesk/analysis/evaluation": {"helpdesk", "helpdesk/analysis"},
	"helpdesk/analysis/ollamatest": {},
	"helpdesk/search":              {"helpdesk", "store"},
	"helpdesk/signon":              {},
	"helpdesk/similar":             {"helpdesk", "helpdesk/search", "store"},
	"ui":                           {"helpdesk", "helpdesk/card", "helpdesk/fetch", "helpdesk/hours", "helpdesk/search", "helpdesk/signon", "helpdesk/similar", "ui/locale"},
	"ui/browsertest":               {},
	"ui/locale":                    {},
}

// confined libraries are known to one package each, so that replacing one
// touches one package.
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

func TestImportsFollowThePackageTable(t *testing.T) {
	packages := goPackages(t)
	if len(packages) < 2 {
		t.Fatalf("go list found %d packages; the test would prove nothing", len(packages))
	}
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		allowed, known := allowedImports[name]
		if !known {
			t.Errorf("%s is not in the package table: add it there with its one responsibility, or put its code where it belongs", name)
			continue
		}
		for _, imported := range p.Imports {
			ours, found := strings.CutPrefix(imported, module+"/")
			if found && !slices.Contains(allowed, ours) && !slices.Contains(allowed, "all") {
				t.Errorf("%s imports %s; the table allows it only %v", name, ours, allowed)
			}
		}
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
