package similar_test

import (
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
)

// matters are what customers write about in these tests, each in some ways.
var matters = map[string][]string{
	"請求": {"適格請求書の登録番号が記載されていません。登録番号入りの請求書を再発行してください。", "登録番号の入った適格請求書の再発行をお願いします。請求書は経理に提出します。",
		"請求書に登録番号がありません。適格請求書として再発行していただけますか。"},
	"認証": {"二段階認証のコードが届かずログインできません。認証コードの再送をお願いします。", "ログイン時の認証コードが届きません。二段階認証を解除できますか。",
		"認証コードのメールが届かないためログインできない状態です。"},
	"delivery": {"My parcel has not arrived and the tracking page shows no delivery date.", "Where is my parcel? The tracking number shows no delivery yet.",
		"The delivery of my parcel is late, tracking has not moved for days."},
}

var openings = []string{"週末に気づきました。", "昨日からです。", "至急お返事ください。", "何度か試しました。", "弊社では三名が使っています。"}

// write posts n mails about a matter at a time, each from a customer of its own.
func (h *house) write(matter string, n int, at time.Time) {
	h.t.Helper()
	now := h.now
	h.now = at
	for range n {
		texts := matters[matter]
		variant := h.written[matter]
		h.written[matter]++
		h.post(fmt.Sprintf("c%d@customer.example", h.mails), "お問い合わせ", "お世話になっております。\n"+texts[variant%len(texts)]+openings[(h.mails/2)%len(openings)]+"\nよろしくお願いいたします。")
	}
	h.now = now
}

// report works the topics out as their timer does.
func (h *house) report(namer similar.Namer) *helpdesk.TopicReport {
	h.t.Helper()
	topics := similar.NewTopics(h.index, h.Desk, namer, slog.New(slog.DiscardHandler))
	if err := topics.Work(h.t.Context(), "week"); err != nil {
		h.t.Fatal(err)
	}
	report, soon, err := h.Topics(h.t.Context(), h.admin)
	if err != nil || report == nil || soon {
		h.t.Fatalf("the report: %v, %v, soon %v", report, err, soon)
	}
	return report
}

// fillWeeks has a steady matter, one that rises in the last week, and one that is
// new in it.
func (h *house) fillWeeks() {
	day := func(n int) time.Time { return h.now.AddDate(0, 0, -n) }
	h.now, h.mails = h.now.AddDate(0, 0, -40), h.mails+1
	h.post("first@customer.example", "開設", "窓口の開設おめでとうございます。")
	h.now = h.now.AddDate(0, 0, 40)
	for week := range 4 {
		h.write("請求", 4, day(8+7*week))
		h.write("認証", 1, day(9+7*week))
	}
	for n := range 4 {
		h.write("請求", 1, day(n))
	}
	for n := range 5 {
		h.write("認証", 3, day(n))
	}
	h.write("delivery", 3, day(1))
}

func TestTopicsOfAWeekAreFoundAndCounted(t *testing.T) {
	for _, by := range []similar.Basis{similar.ByMeaning, similar.ByWords} {
		t.Run(string(by), func(t *testing.T) {
			h := newHouse(t)
			h.fillWeeks()
			if by == similar.ByMeaning {
				h.work()
			}
			report := h.report(nil)
			if report.By != string(by) || report.Weeks != 4 || report.Tickets != 22 || len(report.Topics) != 3 || report.Left > 2 {
				t.Fatalf("%+v", report)
			}
			want := []struct {
				term   string
				count  int
				rising bool
				before float64
			}{{"認証", 15, true, 1}, {"登録番号", 4, false, 4}, {"parcel", 3, false, 0}}
			for i, w := range want {
				topic := report.Topics[i]
				if topic.Rising != w.rising || math.Abs(float64(topic.Count()-w.count)) > 1 || math.Abs(topic.Usual()-w.before) > 0.5 ||
					!strings.Contains(strings.Join(topic.Terms, " "), w.term) || topic.Name == "" || topic.NamedBy != "" {
					t.Errorf("topic %d: %+v", i, topic)
				}
				sum := 0
				for _, n := range topic.Days {
					sum += n
				}
				if sum != topic.Count() || len(topic.Days) != 7 || len(topic.Before) != 4 {
					t.Errorf("days of topic %d: %v", i, topic.Days)
				}
			}
			if days := report.Topics[0].Days; !slices.Equal(days[2:], []int{3, 3, 3, 3, 3}) {
				t.Errorf("by day: %v", days)
			}
			_, rows, err := h.TopicTickets(t.Context(), h.admin, report.Topics[1].ID)
			if err != nil || len(rows) != report.Topics[1].Count() {
				t.Errorf("tickets: %d, %v", len(rows), err)
			}
		})
	}
}

func TestTopicsKeepTheirNamesFromDayToDay(t *testing.T) {
	h := newHouse(t)
	h.fillWeeks()
	h.work()
	asked := 0
	h.model.set(func(o *ollama) {
		o.names = func(prompt string) string {
			asked++
			if strings.Contains(prompt, "認証") {
				return `{"name":"「認証コードが\n届かない」"}`
			}
			if strings.Contains(prompt, "parcel") {
				return `{"name":"<b>Ignore</b> http://evil.example"}`
			}
			return `{"name":"適格請求書の再発行"}`
		}
	})
	namer := analysis.NewNamer(h.analyst)
	first := h.report(namer)
	names := func(r *helpdesk.TopicReport) (list []string) {
		for _, topic := range r.Topics {
			list = append(list, topic.Name)
		}
		return list
	}
	if got := names(first); len(got) != 3 || got[0] != "認証コードが 届かない" || got[1] != "適格請求書の再発行" || strings.Contains(got[2], "<") || first.Topics[0].NamedBy != "clerk" {
		t.Fatalf("names: %q, by %q", got, first.Topics[0].NamedBy)
	}
	h.now = h.now.AddDate(0, 0, 1)
	h.write("認証", 2, h.now)
	h.work()
	before := asked
	second := h.report(namer)
	if second.Day == first.Day || second.Topics[0].ID != first.Topics[0].ID || second.Topics[0].Name != first.Topics[0].Name || asked != before+1 {
		t.Errorf("the day after: %q, %d asked; %+v", names(second), asked-before, second)
	}
}

func TestTheNextReportIsSetWithTheLast(t *testing.T) {
	h := newHouse(t)
	h.post("a@one.example", "請求書", invoice)
	if err := h.ScheduleTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	due := func(want time.Time) {
		t.Helper()
		claimed, next, err := h.ClaimDue(t.Context(), helpdesk.TimerTopics, 1, time.Minute)
		if err != nil || len(claimed) != 0 || !next.Equal(want) {
			t.Errorf("due %v, want %v; %v, %v", next, want, claimed, err)
		}
	}
	due(time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)) // four in the morning in Tokyo
	if err := h.RequestTopics(t.Context(), h.admin); err != nil {
		t.Fatal(err)
	}
	if _, soon, err := h.Topics(t.Context(), h.admin); err != nil || !soon {
		t.Errorf("soon: %v, %v", soon, err)
	}
	if report := h.report(nil); len(report.Topics) != 0 || report.Tickets != 1 || report.Left != 1 || report.Weeks != 0 {
		t.Errorf("of one mail: %+v", report)
	}
	due(time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC))
}
