package helpdesk

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// What the audit log says of hours, due times and rules: values as they were
// and are, in few words.

func (c *Calendar) described() string {
	if c == nil {
		return ""
	}
	var parts []string
	for day, spans := range c.Hours.Week {
		for _, s := range spans {
			parts = append(parts, time.Weekday(day).String()[:3]+" "+s.String())
		}
	}
	for _, d := range c.Hours.Days {
		parts = append(parts, fmt.Sprint(d.Date, " ", d.Name, d.Spans))
	}
	return strings.Join(append([]string{c.Hours.Zone, "holidays: " + yesNo(c.Hours.Holidays != "")}, parts...), ", ")
}

func (p *DuePolicy) described() string {
	if p == nil {
		return ""
	}
	if p.Never {
		return "never"
	}
	var parts []string
	for _, priority := range Priorities {
		if t := p.Times[priority]; t != (DueTimes{}) {
			parts = append(parts, fmt.Sprintf("%s: first %s, next %s, resolution %s", priority.Name(), t.First, t.Next, t.Resolution))
		}
	}
	return strings.Join(parts, "; ")
}

func (r *AssignmentRule) described() string {
	if r == nil {
		return ""
	}
	text, err := json.Marshal(struct {
		When     RuleConditions
		Then     RuleActions
		GoOn     bool
		Disabled bool
	}{r.When, r.Then, r.GoOn, r.Disabled})
	if err != nil {
		return err.Error()
	}
	return string(text)
}
