package locale_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/ui/locale"
)

func load(t *testing.T) *locale.Catalogues {
	t.Helper()
	c, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var verb = regexp.MustCompile(`%(\[\d+\])?[a-z]`)

func TestCataloguesSayTheSame(t *testing.T) {
	c := load(t)
	ja, en := c.Keys(locale.Japanese), c.Keys(locale.English)
	for _, key := range en {
		if form, one := strings.CutSuffix(key, ".one"); one {
			if !slices.Contains(en, form+".other") {
				t.Errorf("%s has no .other", key)
			}
			continue // Japanese has no singular
		}
		if !slices.Contains(ja, key) {
			t.Errorf("%s is missing in Japanese", key)
			continue
		}
		english, _ := c.Lookup(locale.English, key)
		japanese, _ := c.Lookup(locale.Japanese, key)
		if strings.TrimSpace(english) == "" || strings.TrimSpace(japanese) == "" {
			t.Errorf("%s is empty", key)
		}
		if a, b := arguments(t, key, english), arguments(t, key, japanese); !slices.Equal(a, b) {
			t.Errorf("%s takes %v in English and %v in Japanese", key, a, b)
		}
	}
	for _, key := range ja {
		if !slices.Contains(en, key) {
			t.Errorf("%s is missing in English", key)
		}
	}
}

// TestAuditNamesEveryField looks for the label of each field whose change is logged.
func TestAuditNamesEveryField(t *testing.T) {
	c := load(t)
	files, err := filepath.Glob("../../helpdesk/*.go")
	if err != nil {
		t.Fatal(err)
	}
	field := regexp.MustCompile(`change\{"(\w+)"`)
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range field.FindAllSubmatch(source, -1) {
			found++
			if _, ok := c.Lookup(locale.Japanese, "audit.field."+string(match[1])); !ok {
				t.Errorf("%s: nothing says what %q is", file, match[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d fields were found", found)
	}
}

// arguments are the verbs of a sentence, sorted and once each. All of them are
// numbered: the order of words is not that of the other language.
func arguments(t *testing.T, key, sentence string) []string {
	t.Helper()
	var list []string
	for _, v := range verb.FindAllString(strings.ReplaceAll(sentence, "%%", ""), -1) {
		if !strings.HasPrefix(v, "%[") {
			t.Errorf("%s has the unnumbered argument %s", key, v)
		}
		list = append(list, v)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestCountsAreNumbers: the count of a sentence with a plural is its first argument,
// and one that is to be a string was shown as "%!s(int=3)".
func TestCountsAreNumbers(t *testing.T) {
	c := load(t)
	for _, key := range c.Keys(locale.English) {
		stem, one := strings.CutSuffix(key, ".one")
		if !one {
			continue
		}
		for _, l := range locale.Languages() {
			for _, form := range []string{".one", ".other"} {
				if said, _ := c.Lookup(l, stem+form); strings.Contains(said, "%[1]s") {
					t.Errorf("%s: %s%s takes its count as a string: %s", l, stem, form, said)
				}
			}
		}
	}
}

// composed are the starts of keys that the web puts together with a value.
var composed = []string{
	"defect",
	"defect.place",
	"bulk_reply.state",
	"erase.state",
	"audit.area",
	"audit.event",
	"audit.field",
	"audit.value",
	"field.kind",
	"field.owner",
	"field.title",
	"alarm.kind",
	"alarm.say",
	"reports.tls.policy",
	"reports.tls.result",
	"reports.tls.advice",
	"webhook.state", "webhook.why",
	"token.scope",
	"token.scope_short",
	"token.ends",
	"webhook.fate",
	"webhook.group",
	"similar.by",
	"topics.by",
	"after_close",
	"away",
	"away.mail",
	"access.by",
	"analysis.finding", "analysis.unread",
	"analysis.follow_up",
	"analysis.interest",
	"analysis.reply_type",
	"analysis.sentiment",
	"analysis.urgency",
	"auto_reply.stopped",
	"auto_reply.why",
	"band",
	"channel",
	"card.problem",
	"contact.section",
	"contact.sort",
	"delivery", "delivery.why", "delivery.kept", "delivery.own",
	"quarantine.spf", "quarantine.dkim", "quarantine.dmarc",
	"check.area",
	"queue.state",
	"ledger.place",
	"ledger.reason",
	"ledger.kind",
	"quarantine.why", "quarantine.report",
	"reports.advice",
	"quarantine.state",
	"quarantine.policy",
	"quarantine.proof",
	"quarantine.risk",
	"quarantine.vouched",
	"check.say",
	"check.state",
	"domain.group",
	"domain.key",
	"domain.part",
	"domain.phase",
	"domain.say",
	"domain.state",
	"domain.why",
	"detail",
	"due.what",
	"duetimes.says",
	"draft.mail",
	"draft.note",
	"draft.reply",
	"draft.returned",
	"error",
	"error.title",
	"event",
	"explain.answer",
	"reanalysis.state",
	"explain.condition",
	"explain.delivery",
	"explain.effect",
	"explain.state",
	"explain.step",
	"explain.timer",
	"file.risk",
	"file.warning",
	"filter",
	"holiday",
	"invitation.method",
	"invitation.participation",
	"invitation.repeats",
	"keys",
	"keys.group",
	"kind",
	"language",
	"list.empty",
	"list.hint",
	"message.fold",
	"notice.channel",
	"notice.kind",
	"priority",
	"permission.group",
	"permission.hint",
	"permission.name",
	"reason",
	"role",
	"rules.hours",
	"rules.method",
	"rules.reply_type",
	"rules.then",
	"rules.when",
	"service.trial",
	"settings.analysis.mend",
	"settings.analysis.problem",
	"settings.group",
	"settings.page",
	"settings.system",
	"settings.system.hint",
	"sort",
	"stage",
	"find",
	"time.month",
	"template.variable",
	"time.weekday",
	"toast",
	"trust",
	"unavailable",
	"view",
	"warning",
	"writing.task",
	"writing.title",
	"writing.task",
	"writing.title",
}

func isComposed(key string) bool {
	end := strings.LastIndexByte(key, '.')
	return end > 0 && slices.Contains(composed, key[:end])
}

// TestEveryKeyIsUsedAndThere reads the web's own files for the keys that they name.
func TestEveryKeyIsUsedAndThere(t *testing.T) {
	c := load(t)
	used := map[string]bool{}
	uses := []*regexp.Regexp{
		regexp.MustCompile(`\{\{[^}]*?\b[tn] "([a-z_.]+)"`), // {{t "key"}}
		regexp.MustCompile(`\(t "([a-z_.]+)"`),
		regexp.MustCompile(`\.[TN]\("([a-z_.]+)"[,)]`), // p.T("key", …)
		regexp.MustCompile(`Key: "([a-z_.]+)"`),
		regexp.MustCompile(`invalid\("[a-z]+", "([a-z_.]+)"`),
	}
	var files []string
	for _, pattern := range []string{"../*.go", "../templates/*.html", "*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no files at %s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "api_") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range uses {
			for _, found := range use.FindAllStringSubmatch(string(data), -1) {
				key := found[1]
				used[key] = true
				if !there(c, key) && !strings.HasSuffix(key, ".") {
					t.Errorf("%s says %q, which no catalogue has", file, key)
				}
			}
		}
	}
	if len(used) < 150 {
		t.Fatalf("only %d keys found: the patterns no longer fit the code", len(used))
	}
	for _, key := range c.Keys(locale.Japanese) {
		plain := strings.TrimSuffix(key, ".other")
		if !used[key] && !used[plain] && !isComposed(key) && !isComposed(plain) {
			t.Errorf("nothing says %q", key)
		}
	}
}

func there(c *locale.Catalogues, key string) bool {
	_, plain := c.Lookup(locale.Japanese, key)
	_, counted := c.Lookup(locale.Japanese, key+".other")
	return plain || counted
}

func TestTimesAsEachLanguageSaysThem(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 9, 30, 0, 0, tokyo) // a Saturday
	c := load(t)
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, tokyo)
	}
	tests := []struct {
		t              time.Time
		ja, en         string
		longJa, longEn string
	}{
		{at(11, 21, 8, 54), "8:54", "8:54", "今日 8:54", "today 8:54"},
		{at(11, 21, 0, 0), "0:00", "0:00", "今日 0:00", "today 0:00"},
		{at(11, 20, 23, 59), "昨日", "Yesterday", "昨日 23:59", "yesterday 23:59"},
		{at(11, 18, 9, 12), "水曜", "Wed", "11月18日 9:12", "18 Nov 9:12"},
		{at(11, 15, 9, 12), "日曜", "Sun", "11月15日 9:12", "15 Nov 9:12"},
		{at(11, 14, 9, 12), "11月14日", "14 Nov", "11月14日 9:12", "14 Nov 9:12"},
		{at(11, 22, 9, 20), "11月22日", "22 Nov", "明日 9:20", "tomorrow 9:20"},
		{time.Date(2025, 3, 1, 12, 0, 0, 0, tokyo), "2025年3月1日", "1 Mar 2025", "2025年3月1日 12:00", "1 Mar 2025 12:00"},
		{time.Time{}, "", "", "", ""},
	}
	ja, en := c.Printer(locale.Japanese, tokyo, now), c.Printer(locale.English, tokyo, now)
	for _, test := range tests {
		if got := ja.Short(test.t.UTC()); got != test.ja {
			t.Errorf("%v is %q, want %q", test.t, got, test.ja)
		}
		if got := en.Short(test.t.UTC()); got != test.en {
			t.Errorf("%v is %q, want %q", test.t, got, test.en)
		}
		if a, b := ja.Long(test.t), en.Long(test.t); a != test.longJa || b != test.longEn {
			t.Errorf("%v at length is %q and %q, want %q and %q", test.t, a, b, test.longJa, test.longEn)
		}
	}
	if got := ja.Full(at(11, 21, 8, 54)); got != "2026年11月21日（土曜） 08:54:00 JST" {
		t.Errorf("in full: %q", got)
	}
	if got := en.Full(at(11, 21, 8, 54)); got != "Sat 21 Nov 2026, 08:54:00 JST" {
		t.Errorf("in full: %q", got)
	}
}

func TestCountsDurationsAndSizes(t *testing.T) {
	c := load(t)
	ja, en := c.Printer(locale.Japanese, time.UTC, time.Time{}), c.Printer(locale.English, time.UTC, time.Time{})
	for _, test := range []struct{ got, want string }{
		{en.N("time.hours", 1), "1 hour"}, {en.N("time.hours", 2), "2 hours"}, {en.N("time.hours", 0), "0 hours"}, {ja.N("time.hours", 1), "1時間"},
		{en.Duration(59 * time.Second), "59 seconds"}, {en.Duration(90 * time.Minute), "1 hour"}, {ja.Duration(47 * time.Hour), "47時間"}, {ja.Duration(72 * time.Hour), "3日"},
		{en.Size(999), "999 B"}, {en.Size(48_200), "48 KB"}, {en.Size(1_240_000), "1.2 MB"}, {en.Size(3_000_000_000), "3.0 GB"},
		{en.Size(999_499), "999 KB"}, {en.Size(999_500), "1.0 MB"}, {en.Size(999_949_999), "999.9 MB"}, {en.Size(999_950_000), "1.0 GB"},
		{en.Number(0), "0"}, {en.Number(999), "999"}, {en.Number(1000), "1,000"}, {en.Number(1234567), "1,234,567"}, {en.Number(-4200), "-4,200"},
		{en.T("no.such.key"), "no.such.key"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func TestMatchChoosesALanguageWeSpeak(t *testing.T) {
	for header, want := range map[string]locale.Language{
		"":                       locale.Japanese,
		"ja-JP,ja;q=0.9,en;q=.8": locale.Japanese,
		"en-US,en;q=0.9,ja;q=.5": locale.English,
		"fr,de;q=0.5":            locale.English,
		"fr,ja;q=0.5":            locale.Japanese,
		"*":                      locale.English,
		";;;":                    locale.Japanese,
	} {
		if got := locale.Match(header); got != want {
			t.Errorf("Match(%q) = %s, want %s", header, got, want)
		}
	}
}
