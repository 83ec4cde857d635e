package helpdesk_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestWhatIsNotMatched(t *testing.T) {
	for name, c := range map[string]struct {
		lines  []string
		from   string
		model  bool // is asked
		reason helpdesk.AutoReplyReason
	}{
		"an automatic mail": {lines: []string{"Auto-Submitted: auto-generated"}},
		"a list":            {lines: []string{"List-Id: <x.b.example>"}},
		"a robot":           {from: "noreply@b.example"},
		"ourselves":         {from: "support@example.jp"},
		"nothing fits":      {model: true, reason: helpdesk.UnmatchedNone},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServed(t)
			number := s.ask(cmp.Or(c.from, "a@b.example"), c.lines...).Ticket
			if asked := s.match("", 90); (asked == 1) != c.model {
				t.Errorf("the model was asked %d times", asked)
			}
			if c.reason != "" {
				s.stands(number, helpdesk.AutoReplyUnmatched, c.reason)
				if !slices.Equal(s.listed(helpdesk.ViewUnmatched), []uint64{number}) {
					t.Error("it is no failed match")
				}
			} else if v := s.ticket(number).AutoReply; v != nil {
				t.Errorf("automatic answer %+v", v)
			}
			s.pass(48 * time.Hour)
			if sent := s.answer(); len(sent) != 0 {
				t.Errorf("sent %v", sent)
			}
		})
	}
}

func TestMailInAnotherLanguageIsNotMatched(t *testing.T) {
	s := newServed(t)
	number := s.post("support@example.jp", "From: a@b.example", "Test-DMARC: pass", "Subject: Parcel", "", "Hello, please tell me when the parcel will arrive at our office.").Ticket
	if s.match(s.shipping.ID, 99) != 0 {
		t.Error("the model was asked")
	}
	s.stands(number, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedLanguage)
}

// A model can say whatever it likes: it chooses among what it was asked about,
// and only when it is sure enough.
func TestModelOnlyChooses(t *testing.T) {
	s := newServed(t)
	secret := s.template(s.admin, helpdesk.Template{Name: "社外秘", Versions: versions("ja", "パスワードは…")})
	for template, want := range map[string]helpdesk.AutoReplyReason{
		secret.ID: helpdesk.UnmatchedTemplateGone, "../../etc": helpdesk.UnmatchedTemplateGone, s.alias.ID: helpdesk.UnmatchedTemplateGone,
	} {
		number := s.ask("a@b.example").Ticket
		s.match(template, 100)
		s.stands(number, helpdesk.AutoReplyUnmatched, want)
	}
	number := s.ask("c@d.example").Ticket
	s.match(s.shipping.ID, 79)
	if v := s.stands(number, helpdesk.AutoReplyUnmatched, helpdesk.UnmatchedDoubt); v.TemplateName != "配送について" || v.Confidence != 79 {
		t.Errorf("the closest: %+v", v)
	}
}

// A template that was changed since is matched anew: what leaves is what was
// chosen.
func TestChangedTemplateIsMatchedAgain(t *testing.T) {
	s := newServed(t)
	number := s.ask("a@b.example").Ticket
	s.match(s.shipping.ID, 91)
	s.pass(time.Hour)
	s.shipping.Versions[0].Text = "本日は休業です。"
	s.template(s.admin, *s.shipping)
	s.pass(17 * time.Hour)
	if sent := s.answer(); len(sent) != 0 {
		t.Fatalf("sent %v", sent)
	}
	if s.match(s.shipping.ID, 95) != 1 {
		t.Fatal("the model was not asked again")
	}
	v := s.stands(number, helpdesk.AutoReplyPlanned, "")
	if !v.Due.Equal(s.now.Add(time.Hour)) {
		t.Errorf("people have until %v to look, it is %v", v.Due, s.now)
	}
	s.pass(time.Hour)
	if sent := s.answer(); !strings.Contains(parse(sent["a@b.example"]).Text, "休業") {
		t.Errorf("sent %v", sent)
	}
	if err := s.DeleteTemplate(t.Context(), s.admin, s.shipping.ID); err != nil {
		t.Fatal(err)
	}
	if services, err := s.Services(t.Context(), s.admin); err != nil || len(services[0].Templates) != 1 {
		t.Errorf("a deleted template is still in %+v, %v", services, err)
	}
}

func TestSpamByMistakeIsMatchedAgain(t *testing.T) {
	s := newServed(t)
	number := s.ask("a@b.example").Ticket
	s.match(s.shipping.ID, 91)
	s.MarkSpam(t.Context(), s.admin, number, helpdesk.BlockNobody)
	s.stands(number, helpdesk.AutoReplyStopped, helpdesk.StoppedSpam)
	s.MarkNotSpam(t.Context(), s.admin, number)
	if s.match(s.shipping.ID, 91) != 1 {
		t.Error("not matched again")
	}
	s.stands(number, helpdesk.AutoReplyPlanned, "")
}
