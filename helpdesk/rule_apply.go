package helpdesk

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// applyRules lets the rules act on a ticket that m has just opened.
func (c *command) applyRules(t *Ticket, m *Message) error {
	list, err := rulesOf(c)
	if err != nil || len(list) == 0 {
		return err
	}
	facts, err := c.clock().factsOf(t, m)
	if err != nil {
		return err
	}
	for _, rule := range list {
		if len(rule.When.ReplyTypes) > 0 { // asked once the model has read it
			continue
		}
		done, err := c.tryRule(rule, facts, t, m)
		if err != nil || done {
			return err
		}
	}
	return nil
}

// applyLateRules lets those rules act that wait for the reply type, once a
// ticket.
func (c *command) applyLateRules(t *Ticket, m *Message) error {
	if t.RulesDone || !t.Open || t.MergedInto != 0 || t.Withdrawn || t.Spam != nil {
		return nil
	}
	t.RulesDone = true
	list, err := rulesOf(c)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(r *AssignmentRule) bool { return len(r.When.ReplyTypes) == 0 })
	if len(list) == 0 {
		return nil
	}
	facts, err := c.clock().factsOf(t, m)
	if err != nil {
		return err
	}
	for _, rule := range list {
		if done, err := c.tryRule(rule, facts, t, m); err != nil || done {
			return err
		}
	}
	return nil
}

// tryRule lets a rule act if it fits, and says whether it was the last.
func (c *command) tryRule(r *AssignmentRule, f ruleFacts, t *Ticket, m *Message) (last bool, err error) {
	if failed := r.fails(f); failed != "" {
		c.trace.add(StepRuleNot, "rule", r.Name, "condition", string(failed))
		return false, nil
	}
	c.trace.add(StepRule, "rule", r.Name)
	return !r.GoOn, c.applyRule(r, t, m)
}

func (c *command) applyRule(r *AssignmentRule, t *Ticket, m *Message) error {
	acting, before := c.actor, c.last
	c.actor = System("rules")
	defer func() { c.actor = acting }()
	if tags := missing(t.Tags, r.Then.Tags); len(tags) > 0 {
		if err := c.retag(t, slices.Concat(t.Tags, tags)); err != nil {
			return err
		}
	}
	if priority, ok := ParsePriority(r.Then.Priority); ok {
		if err := c.prioritise(t, priority); err != nil {
			return err
		}
	}
	if err := c.applyStage(r, t); err != nil {
		return err
	}
	if r.Then.TeamID != "" {
		team, err := c.activeTeam(r.Then.TeamID)
		if err == nil && team != "" { // one that is gone takes no ticket from another
			err = c.assignTeam(t, team)
		}
		if err != nil {
			return err
		}
	}
	changed, following := c.last != before, slices.Clone(t.Followers)
	t.followed(r.Then.Followers...)
	if err := c.sayFollowers(r, t, m, missing(following, t.Followers)); err != nil {
		return err
	}
	assigned, err := c.applyAssignment(r, t, m)
	if err != nil || assigned || !changed {
		return err
	}
	_, err = c.record(Event{Kind: EventRuleApplied, Ticket: t.Number, Message: m.ID, Data: map[string]string{"rule": r.Name, "id": r.ID}})
	return err
}

// sayFollowers records whom a rule lets follow the ticket.
func (c *command) sayFollowers(r *AssignmentRule, t *Ticket, m *Message, added []string) error {
	if len(added) == 0 {
		return nil
	}
	var names []string
	for _, id := range added {
		user, err := optional(users.Get(c, key(id)))
		if err != nil {
			return err
		}
		if user != nil {
			names = append(names, user.Name)
		}
	}
	_, err := c.record(Event{Kind: EventTicketFollowed, Ticket: t.Number, Message: m.ID,
		Data: map[string]string{"rule": r.Name, "id": r.ID, "followers": strings.Join(names, ", "), "follower_ids": strings.Join(added, ",")}})
	return err
}

// applyStage moves the ticket into the rule's stage if its pipeline has one of
// that name.
func (c *command) applyStage(r *AssignmentRule, t *Ticket) error {
	if r.Then.Stage == "" {
		return nil
	}
	pipeline, err := pipelines.Get(c, key(t.PipelineID))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(pipeline.Stages, func(s Stage) bool { return strings.EqualFold(s.Name, r.Then.Stage) })
	if i < 0 {
		return nil
	}
	return c.moveTo(t, pipeline, pipeline.Stages[i])
}

// applyAssignment gives the ticket to one of the rule's people. Whom a person
// chose stays; where nobody is there, the ticket is everybody's, and says why.
func (c *command) applyAssignment(r *AssignmentRule, t *Ticket, m *Message) (assigned bool, err error) {
	if r.Then.Assign == AssignNobody || (t.AssigneeID != "" && t.AssigneeID != t.AutoAssignee) || t.Answered {
		return false, nil
	}
	user, skipped, err := c.choose(r)
	if err != nil {
		return false, err
	}
	if user == nil {
		var said []string
		for _, s := range skipped {
			said = append(said, s.User.Name+" "+string(s.Reason))
		}
		if err := c.assignBecause(t, "", "rule", r.Name); err != nil {
			return false, err
		}
		t.AutoAssignee = ""
		c.trace.add(StepRuleNobody, "rule", r.Name, "skipped", strings.Join(said, ", "))
		_, err = c.record(Event{Kind: EventRuleNobody, Ticket: t.Number, Message: m.ID,
			Data: map[string]string{"rule": r.Name, "id": r.ID, "skipped": strings.Join(said, ", ")}})
		return true, err
	}
	if err := rotations.Put(c, &rotation{RuleID: r.ID, Last: user.ID}); err != nil {
		return false, err
	}
	c.trace.add(StepRuleAssigned, "rule", r.Name, "name", user.Name)
	t.AutoAssignee = user.ID
	if t.AssigneeID == user.ID {
		return false, nil
	}
	return true, c.assignBecause(t, user.ID, "rule", r.Name)
}

// RuleTrial is a mail that rules are tried with: the one that opened a ticket,
// or one that was made up.
type RuleTrial struct {
	Ticket  uint64 // where not 0, the rest is its own
	AliasID string
	From    string
	Subject string
	Text    string
	// ReplyType is what the model is to have said, "" for nothing yet.
	ReplyType string
}

// RuleVerdict is what one rule would do.
type RuleVerdict struct {
	Rule   AssignmentRule
	Fails  RuleCondition // "" where it fits
	Asked  bool          // a rule ahead of it was the last one otherwise
	Late   bool          // it waits for what the model says
	Chosen *User         // nil where it assigns nobody
	Passed []Skipped
}

// TryRules says what each rule would do with a mail now. Nothing is changed.
func (d *Desk) TryRules(ctx context.Context, a Actor, trial RuleTrial) (verdicts []RuleVerdict, err error) {
	if err := a.may("try assignment rules", PermitRules); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		verdicts = nil
		facts, err := c.factsOfTrial(trial)
		if err != nil {
			return err
		}
		list, err := rulesOf(c)
		if err != nil {
			return err
		}
		over := false
		for _, rule := range list {
			verdict := RuleVerdict{Rule: *rule, Fails: rule.fails(facts), Asked: !over, Late: len(rule.When.ReplyTypes) > 0 && facts.replyType == ""}
			if verdict.Fails == "" && !over && rule.Then.Assign != AssignNobody {
				if verdict.Chosen, verdict.Passed, err = c.choose(rule); err != nil {
					return err
				}
			}
			over = over || verdict.Fails == "" && !rule.GoOn
			verdicts = append(verdicts, verdict)
		}
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		err = nil
	}
	return verdicts, err
}

func (c *command) factsOfTrial(trial RuleTrial) (ruleFacts, error) {
	if trial.Ticket == 0 {
		m := &Message{From: Address{Email: strings.ToLower(strings.TrimSpace(trial.From))}, Subject: trial.Subject + "\n" + trial.Text, At: c.now}
		t := &Ticket{AliasID: trial.AliasID, ReplyType: trial.ReplyType}
		if alias, err := optional(aliases.Get(c, key(trial.AliasID))); err != nil {
			return ruleFacts{}, err
		} else if alias != nil {
			t.PipelineID = alias.PipelineID
		}
		return c.clock().factsOf(t, m)
	}
	t, err := workable(c, trial.Ticket)
	if err != nil {
		return ruleFacts{}, err
	}
	m, err := firstMail(c, t.Number)
	if err != nil {
		return ruleFacts{}, err
	}
	if m == nil {
		return ruleFacts{}, invalid("ticket", "rule_no_mail", "ticket %d has no mail to try rules with", t.Number)
	}
	return c.clock().factsOf(t, m)
}
