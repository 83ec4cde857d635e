package helpdesk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestServicesThatCannotBe(t *testing.T) {
	s := newServed(t)
	english, err := s.SaveAlias(t.Context(), s.admin, helpdesk.Alias{Address: "en@example.jp", Name: "Desk", Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	checked, err := s.SaveAlias(t.Context(), s.admin, helpdesk.Alias{Address: "two@example.jp", Name: "二人", Language: "ja", Approval: true})
	if err != nil {
		t.Fatal(err)
	}
	own := s.template(s.admin, helpdesk.Template{Name: "私の", OwnerID: s.user.ID, Versions: versions("ja", "x")})
	signed := s.template(s.admin, helpdesk.Template{Name: "署名つき", Versions: versions("ja", "{{agent.name}}です")})
	foreign := s.template(s.admin, helpdesk.Template{Name: "English", Versions: versions("en", "x")})
	for name, c := range map[string]struct {
		change func(*helpdesk.Service)
		field  string
	}{
		"no name":             {func(x *helpdesk.Service) { x.Name = " " }, "name"},
		"no language":         {func(x *helpdesk.Service) { x.Language = "" }, "language"},
		"no templates":        {func(x *helpdesk.Service) { x.Templates = nil }, "templates"},
		"no aliases":          {func(x *helpdesk.Service) { x.Aliases = nil }, "aliases"},
		"a delay of a year":   {func(x *helpdesk.Service) { x.Delay = 365 * 24 * time.Hour }, "delay"},
		"a threshold of 0":    {func(x *helpdesk.Service) { x.Threshold = 0 }, "threshold"},
		"no limit":            {func(x *helpdesk.Service) { x.SenderLimit = 0 }, "sender_limit"},
		"an own template":     {func(x *helpdesk.Service) { x.Templates = []string{own.ID} }, "templates"},
		"an agent's name":     {func(x *helpdesk.Service) { x.Templates = []string{signed.ID} }, "templates"},
		"another language":    {func(x *helpdesk.Service) { x.Templates = []string{foreign.ID} }, "templates"},
		"an English alias":    {func(x *helpdesk.Service) { x.Aliases = []string{english.ID} }, "aliases"},
		"an alias of two":     {func(x *helpdesk.Service) { x.Aliases = []string{checked.ID} }, "aliases"},
		"a taken name":        {func(x *helpdesk.Service) { x.ID, x.Name = "", "よくあるご質問" }, ""},
		"a taken alias":       {func(x *helpdesk.Service) { x.ID, x.Name = "", "もう一つ" }, ""},
		"unknown hours":       {func(x *helpdesk.Service) { x.CalendarID = "nothing" }, ""},
		"too many templates":  {func(x *helpdesk.Service) { x.Templates = strings.Split("a b c d e f g h i j k", " ") }, "templates"},
		"an unknown template": {func(x *helpdesk.Service) { x.Templates = []string{"nothing"} }, ""},
	} {
		wanted := s.wanted()
		wanted.ID = s.service.ID
		c.change(&wanted)
		_, err := s.SaveService(t.Context(), s.admin, wanted)
		if refused, ok := err.(*helpdesk.Error); !ok || refused.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	events, err := s.Events(t.Context(), s.admin, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(events, func(e helpdesk.Event) bool { return e.Kind == helpdesk.EventServiceSaved })
	if i < 0 || !strings.Contains(events[i].Data["service.after"], "請求書") {
		t.Errorf("the audit log does not say what was saved")
	}
}

// A dry run asks about real mails, says what people did, and sends nothing.
func TestTrialComparesWithPeople(t *testing.T) {
	s := newServed(t)
	s.save(func(x *helpdesk.Service) { x.Disabled = true })
	answers := map[string]string{}
	for i, with := range [][]string{{s.shipping.ID}, {s.invoices.ID}, {}, nil} {
		receipt := s.ask([]string{"a@b.example", "c@d.example", "e@f.example", "g@h.example"}[i])
		if with != nil {
			m, err := s.Reply(t.Context(), s.admin, helpdesk.Reply{Ticket: receipt.Ticket, Text: "はい", Templates: with})
			if err != nil {
				t.Fatal(err)
			}
			answers[receipt.MessageID] = m.ID
		}
	}
	s.post("support@example.jp", "From: en@b.example", "Test-DMARC: pass", "Subject: x", "", "Hello, when will the parcel arrive at our office please?")
	s.post("support@example.jp", "From: robot@b.example", "Auto-Submitted: auto-generated", "Subject: x", "", "y")
	if _, err := s.StartTrial(t.Context(), s.admin, s.service.ID, 0); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
		t.Errorf("no mails: %v", err)
	}
	trial, err := s.StartTrial(t.Context(), s.admin, s.service.ID, 100)
	if err != nil || len(trial.Mails) != 4 {
		t.Fatalf("trial %+v, %v", trial, err)
	}
	for range 10 {
		claimed, _, err := s.ClaimDue(t.Context(), helpdesk.TimerTrial, 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if len(claimed) == 0 {
			break
		}
		in, err := s.TrialInput(t.Context(), claimed[0].ID)
		if err != nil || in == nil {
			t.Fatal(in, err)
		}
		if err := s.StoreTrial(t.Context(), in, helpdesk.MatchChoice{Template: s.shipping.ID, Confidence: 85}, ""); err != nil {
			t.Fatal(err)
		}
	}
	trial, err = s.Trial(t.Context(), s.admin, s.service.ID)
	want := helpdesk.TrialSummary{Mails: 4, Asked: 4, Matched: 4, Same: 1, Another: 1, Free: 1, Unanswered: 1}
	if err != nil || trial.EndedAt.IsZero() || trial.Summary(80) != want {
		t.Errorf("summary %+v, %v; want %+v", trial.Summary(80), err, want)
	}
	if strict := trial.Summary(90); strict.Matched != 0 || strict.Doubt != 4 {
		t.Errorf("at 90 %%: %+v", strict)
	}
	s.pass(48 * time.Hour)
	if sent := s.answer(); len(sent) != 0 {
		for to, raw := range sent {
			if strings.Contains(raw, "Auto-Submitted") {
				t.Errorf("answered %s", to)
			}
		}
	}
	if _, err := s.StartTrial(t.Context(), s.admin, s.service.ID, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.StopTrial(t.Context(), s.admin, s.service.ID); err != nil {
		t.Fatal(err)
	}
	if trial, _ = s.Trial(t.Context(), s.admin, s.service.ID); !trial.Stopped || len(trial.Mails) != 2 {
		t.Errorf("stopped: %+v", trial)
	}
}
