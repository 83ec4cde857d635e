package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Trial is a dry run of a service: what it would have answered to mails that
// were received, beside what people answered. It changes nothing and sends
// nothing.
type Trial struct {
	ServiceID string
	StartedAt time.Time
	StartedBy string    // a user's id
	EndedAt   time.Time `cbor:",omitzero"` // zero while it runs
	Stopped   bool      // by somebody, before its end
	Mails     []TrialMail
}

// TrialMail is one mail of a trial.
type TrialMail struct {
	Message string
	Ticket  uint64
	Asked   bool
	// Template is the id of the one that the model chose, "" for none; Problem is
	// why it chose nothing.
	Template   string `cbor:",omitempty"`
	Confidence int    `cbor:",omitempty"`
	Problem    string `cbor:",omitempty"`
	// Answered says that a person answered, and Used with which templates.
	Answered bool     `cbor:",omitempty"`
	Used     []string `cbor:",omitempty"`
}

// Limits of a trial.
const (
	MaxTrialMails = 200
	trialWork     = 20_000 // messages that are looked at
)

var trials = store.NewTable(store.Spec[Trial]{Name: "trial", Version: 1,
	Key: func(t *Trial) []byte { return key(t.ServiceID) }})

// ServiceQuestion is the question that a service asks about a text, for those
// who try it out.
func (d *Desk) ServiceQuestion(ctx context.Context, a Actor, id, subject, text string) (q *MatchQuestion, err error) {
	if err := a.may("try a service out", PermitRules); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		s, err := services.Get(r, key(id))
		if s, err = found(s, err, "service", id); err != nil {
			return err
		}
		q = &MatchQuestion{Subject: subject, Text: text}
		return s.offer(r, q, nil)
	})
	return q, err
}

// StartTrial runs a service over the newest mails that opened tickets on its
// aliases, up to limit; an earlier trial is replaced.
func (d *Desk) StartTrial(ctx context.Context, a Actor, id string, limit int) (trial *Trial, err error) {
	if err := a.may("try a service out", PermitRules); err != nil {
		return nil, err
	}
	if limit < 1 || limit > MaxTrialMails {
		return nil, invalid("mails", "trial_mails", "%d mails is not between 1 and %d", limit, MaxTrialMails)
	}
	err = d.update(ctx, a, func(c *command) error {
		s, err := services.Get(c, key(id))
		if s, err = found(s, err, "service", id); err != nil {
			return err
		}
		trial = &Trial{ServiceID: id, StartedAt: c.now, StartedBy: a.UserID}
		if trial.Mails, err = trialMails(c, s, limit); err != nil {
			return err
		}
		if len(trial.Mails) == 0 {
			return conflict("trial_empty", "no mail has opened a ticket on the aliases of %q yet", s.Name)
		}
		if err := c.setTimer(TimerTrial, id, c.now); err != nil {
			return err
		}
		return trials.Put(c, trial)
	})
	return trial, err
}

// trialMails are the newest mails that the service could have answered.
func trialMails(r store.Reader, s *Service, limit int) (list []TrialMail, err error) {
	looked := 0
	rng := store.Prefix(key(string(MessagePosted)))
	rng.Reverse = true
	for m, err := range messages.ScanIndex(r, "mail", rng) {
		if err != nil {
			return nil, err
		}
		if looked++; looked > trialWork || len(list) == limit {
			break
		}
		if !m.answerable() || m.Reason != ReasonNew && m.Reason != ReasonForward {
			continue
		}
		t, err := tickets.Get(r, key(m.Ticket))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(s.Aliases, t.AliasID) || t.Spam != nil {
			continue
		}
		fits, err := s.speaks(r, m, t.AliasID)
		if err != nil {
			return nil, err
		}
		if fits {
			list = append(list, TrialMail{Message: m.ID, Ticket: m.Ticket})
		}
	}
	return list, nil
}

// speaks reports whether a mail is in the service's language.
func (s *Service) speaks(r store.Reader, m *Message, aliasID string) (bool, error) {
	alias, err := optional(aliases.Get(r, key(aliasID)))
	if err != nil {
		return false, err
	}
	language, err := messageLanguage(r, m, alias)
	return baseLanguage(language) == baseLanguage(s.Language), err
}

// StopTrial ends a service's trial with what it has found.
func (d *Desk) StopTrial(ctx context.Context, a Actor, id string) error {
	if err := a.may("try a service out", PermitRules); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		t, err := optional(trials.Get(c, key(id)))
		if err != nil || t == nil || !t.EndedAt.IsZero() {
			return err
		}
		t.EndedAt, t.Stopped = c.now, true
		if err := c.clearTimer(TimerTrial, id); err != nil {
			return err
		}
		return trials.Put(c, t)
	})
}

func (c *command) endTrial(id string) error {
	if err := c.clearTimer(TimerTrial, id); err != nil {
		return err
	}
	return trials.Delete(c, key(id))
}

// Trial returns a service's newest trial, nil where there is none.
func (d *Desk) Trial(ctx context.Context, a Actor, id string) (t *Trial, err error) {
	if err := a.mayRead("trials of services"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) (err error) {
		t, err = optional(trials.Get(r, key(id)))
		return err
	})
	return t, err
}

// TrialInput is the next question of a trial.
type TrialInput struct {
	Service   string    // id
	StartedAt time.Time // of the trial that asks
	Message   string
	MatchQuestion
}

// TrialInput returns the next question for a claimed TimerTrial, whose id is a
// service's; nil where there is none, and then it has ended the timer.
func (d *Desk) TrialInput(ctx context.Context, id string) (in *TrialInput, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		in = nil
		t, err := optional(trials.Get(r, key(id)))
		if err != nil || t == nil || !t.EndedAt.IsZero() {
			return err
		}
		i := slices.IndexFunc(t.Mails, func(m TrialMail) bool { return !m.Asked })
		if i < 0 {
			return nil
		}
		s, err := services.Get(r, key(id))
		if err != nil {
			return err
		}
		in, err = trialQuestion(r, t, s, t.Mails[i].Message)
		return err
	})
	if err != nil || in != nil {
		return in, err
	}
	return nil, d.update(ctx, System("service"), func(c *command) error { return c.clearTimer(TimerTrial, id) })
}

func trialQuestion(r store.Reader, t *Trial, s *Service, message string) (*TrialInput, error) {
	m, err := messages.Get(r, key(message))
	if err != nil {
		return nil, err
	}
	in := &TrialInput{Service: s.ID, StartedAt: t.StartedAt, Message: message}
	in.MatchQuestion, err = questionOf(r, &occurrence{service: s, mails: []*Message{m}}, nil)
	return in, err
}

// StoreTrial stores what a model answered to a question of a trial, or the
// problem why it did not, and asks the next one.
func (d *Desk) StoreTrial(ctx context.Context, in *TrialInput, choice MatchChoice, problem string) error {
	return d.update(ctx, Actor{Kind: ActorModel, Name: choice.Model}, func(c *command) error {
		t, err := optional(trials.Get(c, key(in.Service)))
		if err != nil || t == nil || !t.EndedAt.IsZero() || !t.StartedAt.Equal(in.StartedAt) {
			return err
		}
		i := slices.IndexFunc(t.Mails, func(m TrialMail) bool { return m.Message == in.Message })
		if i < 0 {
			return fmt.Errorf("store a trial: message %s is not in it", in.Message)
		}
		m := &t.Mails[i]
		m.Asked, m.Template, m.Confidence, m.Problem = true, choice.Template, choice.Confidence, problem
		if m.Answered, m.Used, err = answerOf(c, m.Message); err != nil {
			return err
		}
		if slices.ContainsFunc(t.Mails, func(m TrialMail) bool { return !m.Asked }) {
			err = c.setTimer(TimerTrial, in.Service, c.now)
		} else {
			t.EndedAt = c.now
			err = c.clearTimer(TimerTrial, in.Service)
		}
		if err != nil {
			return err
		}
		return trials.Put(c, t)
	})
}

// answerOf is whether a person answered after a message, and with which
// templates.
func answerOf(r store.Reader, message string) (answered bool, used []string, err error) {
	m, err := messages.Get(r, key(message))
	if err != nil {
		return false, nil, err
	}
	found, err := tallyOf(r, m.Ticket)
	if err != nil {
		return false, nil, err
	}
	for _, other := range found.thread {
		if other.Seq > m.Seq && other.answers() {
			return true, other.Templates, nil
		}
	}
	return false, nil, nil
}

// TrialSummary counts a trial by a threshold, in percent.
type TrialSummary struct {
	Mails, Asked  int
	Matched       int // would be answered
	Doubt         int // a template, but not sure enough
	None, Failed  int
	Same, Another int // of the matched: people answered with the same template, or with another
	Free          int // without any template
	Unanswered    int // not at all yet
}

// Summary counts what the trial has found so far.
func (t *Trial) Summary(threshold int) (s TrialSummary) {
	s.Mails = len(t.Mails)
	for _, m := range t.Mails {
		if !m.Asked {
			continue
		}
		s.Asked++
		switch {
		case m.Problem != "":
			s.Failed++
		case m.Template == "":
			s.None++
		case m.Confidence < threshold:
			s.Doubt++
		default:
			s.Matched++
			s.compare(m)
		}
	}
	return s
}

func (s *TrialSummary) compare(m TrialMail) {
	switch {
	case !m.Answered:
		s.Unanswered++
	case slices.Contains(m.Used, m.Template):
		s.Same++
	case len(m.Used) > 0:
		s.Another++
	default:
		s.Free++
	}
}
