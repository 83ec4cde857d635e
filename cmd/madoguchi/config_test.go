package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// example reads config.example.toml as it is shipped.
func example(t *testing.T) string {
	t.Helper()
	document, err := os.ReadFile(filepath.Join("..", "..", "config.example.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(document)
}

var switchedOff = regexp.MustCompile(`(?m)^#([^# \n])`)

// switchedOn is the example with the tables that are only shown.
func switchedOn(t *testing.T) string { return switchedOff.ReplaceAllString(example(t), "$1") }

func TestExampleHoldsTheDefaults(t *testing.T) {
	got, err := parseConfig("", []byte(example(t)))
	if err != nil {
		t.Fatal(err)
	}
	if want := defaultConfig(); !reflect.DeepEqual(got, want) {
		t.Errorf("config.example.toml and the code differ:\nfile %+v\ncode %+v", got, want)
	}
}

func TestExampleShowsEveryKey(t *testing.T) {
	document := switchedOn(t)
	if _, err := parseConfig("config.example.toml", []byte(document)); err != nil {
		t.Fatalf("the example with its tables switched on: %v", err)
	}
	shown := map[string]bool{}
	for _, key := range fileKeys([]byte(document)) {
		shown[regexp.MustCompile(`\[\d+\]`).ReplaceAllString(key.name(), "")] = true
	}
	for _, key := range everyKey(reflect.TypeFor[config](), "") {
		if !shown[key] {
			t.Errorf("config.example.toml does not show %s", key)
		}
	}
}

// everyKey lists the keys that the type takes, dotted.
func everyKey(of reflect.Type, prefix string) (keys []string) {
	if of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || of == reflect.TypeFor[duration]() {
		return nil
	}
	for field := range of.Fields() {
		if name := field.Tag.Get("toml"); name != "" {
			keys = append(keys, prefix+name)
			keys = append(keys, everyKey(field.Type, prefix+name+".")...)
		}
	}
	return keys
}

func TestExampleValuesArriveWhereTheyBelong(t *testing.T) {
	c, err := parseConfig("", []byte(switchedOn(t)))
	if err != nil {
		t.Fatal(err)
	}
	if c.Helpdesk.TokenLifetime.Duration != 90*24*time.Hour || c.SMTP.MaxMessageBytes != 35<<20 {
		t.Errorf("token_lifetime %v, max_message_bytes %v", c.Helpdesk.TokenLifetime, c.SMTP.MaxMessageBytes)
	}
	if len(c.Pipelines) != 1 || len(c.Pipelines[0].Stages) != 3 || c.Pipelines[0].Stages[2].Kind != "closed" {
		t.Errorf("pipelines: %+v", c.Pipelines)
	}
	if len(c.Aliases) != 1 || c.Aliases[0].Address != "support@example.com" || len(c.DKIM) != 1 {
		t.Errorf("aliases: %+v, dkim: %+v", c.Aliases, c.DKIM)
	}
	if a := c.Aliases[0]; len(a.Signatures) != 2 || len(a.Acknowledgements) != 2 || !strings.HasPrefix(a.Signatures["en"], "<p>") {
		t.Errorf("texts by language: %q, %q", a.Signatures, a.Acknowledgements)
	}
}

func TestConfigNamesWhatIsWrongAndWhere(t *testing.T) {
	tests := map[string]struct{ document, want string }{
		"unknown key": {
			"[smtp]\nlisten = \":25\"\nread_timout = \"5m\"\n",
			`m.toml:3: smtp.read_timout: unknown key; did you mean "read_timeout"?`},
		"a blank in the server's name":      {"[server]\nhostname = \"mail.example.com\u3000\"", `m.toml:2: server.hostname: "mail.example.com\u3000" is not the name of a server; write it like "mail.example.com"`},
		"a line break in the server's name": {"[server]\nhostname = \"mail.example.com\\r\\nX\"", `m.toml:2: server.hostname: "mail.example.com\r\nX" is not the name of a server; write it like "mail.example.com"`},
		"the server's name":                 {"[server]\nhostname = \"https://mail.example.com\"", `m.toml:2: server.hostname: "https://mail.example.com" is not the name of a server; write it like "mail.example.com"`},
		"unknown key, nothing like it": {
			"[log]\nfruit = 1\n",
			"m.toml:2: log.fruit: unknown key; known here: level, format"},
		"unknown table": {
			"\n[stmp]\nlisten = \":25\"\n",
			`m.toml:2: stmp: unknown key; did you mean "smtp"?`},
		"unknown key of the second alias": {
			"[[alias]]\naddress = \"a@example.com\"\n[[alias]]\naddress = \"b@example.com\"\npipelin = \"x\"\n",
			`m.toml:5: alias[1].pipelin: unknown key; did you mean "pipeline"?`},
		"unknown key in an inline table": {
			"[[pipeline]]\nname = \"p\"\nstages = [{ name = \"a\", kind = \"open\" }, { name = \"b\", knd = \"closed\" }]\n",
			`m.toml:3: pipeline[0].stages[1].knd: unknown key; did you mean "kind"?`},
		"number for text":      {"[smtp]\nlisten = 25\n", "m.toml:2: smtp.listen: must be text in quotes, not a whole number"},
		"number for duration":  {"[smtp]\nread_timeout = 300\n", `m.toml:2: smtp.read_timeout: must be a duration in quotes, such as "10s", "5m" or "90d", not a whole number`},
		"text for number":      {"[smtp]\nmax_recipients = \"many\"\n", "m.toml:2: smtp.max_recipients: must be a whole number, not text"},
		"text for truth":       {"[ai]\nenabled = \"yes\"\n", "m.toml:2: ai.enabled: must be true or false, not text"},
		"list for table":       {"smtp = []\n", "m.toml:1: smtp: must be a table, not a list"},
		"duration":             {"[helpdesk]\n\nundo_window = \"10 seconds\"\n", `m.toml:3:15: "10 seconds" is no duration; write a number with its unit`},
		"size":                 {"[smtp]\nmax_message_bytes = \"lots\"\n", `m.toml:2:21: "lots" is no size`},
		"no TOML":              {"[smtp]\nlisten = \n", "m.toml:2"},
		"key twice":            {"[smtp]\nlisten = \":25\"\nlisten = \":26\"\n", "m.toml:3:1: key listen is already defined"},
		"address without port": {"[web]\nlisten = \"localhost\"\n", `m.toml:2: web.listen: "localhost" is not an address to listen on`},
		"TLS without files":    {"[smtp]\ntls = \"files\"\n", "smtp.tls_cert: is missing"},
		"files without TLS":    {"[smtp]\ntls_cert = \"c.pem\"\n", `smtp.tls: smtp.tls_cert and smtp.tls_key are only read with tls = "files"`},
		"sign-on, no address":  {"[oidc]\nissuer = \"https://login.example.com\"\nclient_id = \"desk\"\n", "m.toml:2: oidc.issuer: needs web.url beside it"},
		"sign-on in clear":     {"[web]\nurl = \"https://desk.example.com\"\n[oidc]\nissuer = \"http://login.example.com\"\nclient_id = \"desk\"\n", "m.toml:4: oidc.issuer: \"http://login.example.com\" is not https"},
		"sign-on, no client":   {"[web]\nurl = \"https://desk.example.com\"\n[oidc]\nissuer = \"https://login.example.com\"\n", "oidc.client_id: is missing"},
		"sign-on, nobody in":   {"[oidc]\nonly = true\n", "m.toml:2: oidc.only: there is no oidc.issuer"},
		"log level":            {"[log]\nlevel = \"loud\"\n", `m.toml:2: log.level: "loud" is not known; write one of "debug", "info", "warn", "error"`},
		"negative size":        {"[smtp]\nmax_message_bytes = -1\n", "m.toml:2: smtp.max_message_bytes: must be more than nothing"},
		"alias twice": {
			"[[alias]]\naddress = \"a@example.com\"\n[[alias]]\naddress = \"A@example.com\"\n",
			`m.toml:4: alias[1].address: "A@example.com" is declared twice`},
		"alias that takes reports": {
			"[reports]\ndmarc = \"reports@example.com\"\n[[alias]]\naddress = \"Reports@example.com\"\n",
			`m.toml:4: alias[0].address: "Reports@example.com" takes reports ([reports])`},
		"no address": {"[[alias]]\naddress = \"support\"\n", `m.toml:2: alias[0].address: "support" is not a mail address`},
		"pipeline that begins closed": {
			"[[pipeline]]\nname = \"p\"\nstages = [{ name = \"a\", kind = \"closed\" }]\n",
			`m.toml:3: pipeline[0].stages: needs a first stage of kind "open"`},
		"stage kind": {
			"[[pipeline]]\nname = \"p\"\nstages = [{ name = \"a\", kind = \"opened\" }, { name = \"b\", kind = \"closed\" }]\n",
			`m.toml:3: pipeline[0].stages[0].kind: "opened" is not known`},
		"reopening into a closed stage": {
			"[[pipeline]]\nname = \"p\"\nreopen_stage = \"b\"\nstages = [{ name = \"a\", kind = \"open\" }, { name = \"b\", kind = \"closed\" }]\n",
			`m.toml:3: pipeline[0].reopen_stage: "b" is not one of this pipeline's open stages`},
		"dkim without key": {"[[dkim]]\ndomain = \"example.com\"\nselector = \"m\"\n", "m.toml:1: dkim[0].key_file: is missing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parseConfig("m.toml", []byte(test.document))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestConfigNamesEveryProblemAtOnce(t *testing.T) {
	_, err := parseConfig("m.toml", []byte("[smtp]\nlsten = \":25\"\n[web]\nlisten = 8080\n[log]\nlvel = \"info\"\n"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"m.toml:2: smtp.lsten", "m.toml:4: web.listen", "m.toml:6: log.lvel"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not name %s", err, want)
		}
	}
}

func TestConfigWithoutFile(t *testing.T) {
	c, err := readConfig("")
	if err != nil {
		t.Fatal(err)
	}
	if c.SMTP.Listen != "127.0.0.1:2525" || c.Web.Listen != "127.0.0.1:8080" || c.Server.Data != "./data" {
		t.Errorf("without a file: %+v", c)
	}
	if err := c.check(nil); err != nil {
		t.Errorf("the defaults do not pass their own check: %v", err)
	}
	if _, err := readConfig(filepath.Join(t.TempDir(), "absent.toml")); err == nil || !strings.Contains(err.Error(), "there is no configuration file") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestDurationsAndSizesReadBack(t *testing.T) {
	for _, text := range []string{"10s", "1m30s", "5m", "2h", "90d", "1h30m", "0s", "250ms"} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.String() != text {
			t.Errorf("%q reads as %v (%v)", text, d, err)
		}
	}
	for _, bad := range []string{"", "5", "-5s", "1.5d", "d", "d5h", "9999999999d", "5 m"} {
		var d duration
		if err := d.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is read as %v", bad, d)
		}
	}
	for text, want := range map[string]byteSize{"25MB": 25e6, "25MiB": 25 << 20, "512": 512, "1 GB": 1e9, "64KiB": 64 << 10, "10B": 10} {
		var b byteSize
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%q reads as %d (%v), want %d", text, b, err, want)
		}
	}
	for _, bad := range []string{"", "MB", "-5MB", "1.5MB", "99999999999GB", "5XB"} {
		var b byteSize
		if err := b.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is read as %d", bad, b)
		}
	}
}
