package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/ui"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// explanation is what becomes, or became, of a mail, as it crosses the control
// socket and as --json prints it. Fields may be added, never renamed.
type explanation struct {
	File      string            `json:"file,omitempty"` // where a rehearsed mail was read
	Outcome   outcome           `json:"outcome"`
	Message   string            `json:"message,omitempty"` // its ID here, where it is stored
	Ticket    uint64            `json:"ticket,omitempty"`
	State     string            `json:"state,omitempty"`
	Reason    string            `json:"reason,omitempty"`
	Refusal   string            `json:"refusal,omitempty"`
	From      string            `json:"from"`
	Subject   string            `json:"subject"`
	MessageID string            `json:"message_id"`
	Why       string            `json:"why"` // Reason or Refusal as a sentence
	Steps     []explanationStep `json:"steps"`
}

type explanationStep struct {
	Key  string            `json:"key"`
	Data map[string]string `json:"data"`
	Text string            `json:"text"`
}

// outcome sums up what becomes of a mail.
type outcome string

const (
	outcomeNew       outcome = "new"       // a new ticket
	outcomeJoins     outcome = "joins"     // a ticket that is there
	outcomeHeld      outcome = "held"      // waits for an agent's decision
	outcomeSetAside  outcome = "set_aside" // in quarantine
	outcomeReport    outcome = "report"    // a report on a domain
	outcomeRelayed   outcome = "relayed"   // an agent's answer, sent on
	outcomeRefused   outcome = "refused"   // no recipient, or of no use
	outcomeDuplicate outcome = "duplicate" // here already
	outcomeStored    outcome = "stored"    // not rehearsed: it is here
)

// rehearsal asks what would become of a mail.
type rehearsal struct {
	To  []string // envelope recipients; those its header names where empty
	Raw []byte
	// Session is how it is said to come in, as JSON across the control socket.
	Session rehearsalSession
}

// rehearsalSession is the SMTP session of a mail to be tried. Its verdict is
// found by the command, not by the server, so that a dry run asks no DNS in its
// place; nil where no session is given.
type rehearsalSession struct {
	RemoteIP       string                   `json:"remote_ip,omitempty"`
	HELO           string                   `json:"helo,omitempty"`
	MailFrom       string                   `json:"mail_from,omitempty"`
	Authentication *helpdesk.Authentication `json:"authentication,omitempty"`
}

// Explain implements operations.
func (l *local) Explain(ctx context.Context, what string) ([]explanation, error) {
	found, err := l.desk.FindMessages(ctx, l.actor, what)
	if err != nil {
		return nil, err
	}
	list := make([]explanation, 0, len(found))
	for _, m := range found {
		e, err := l.desk.Explain(ctx, l.actor, m.ID)
		if err != nil {
			return nil, err
		}
		described, err := describeExplanation(e)
		if err != nil {
			return nil, err
		}
		described.Outcome = outcomeStored
		list = append(list, described)
	}
	return list, nil
}

// Rehearse implements operations.
func (l *local) Rehearse(ctx context.Context, r rehearsal) (explanation, error) {
	parsed := mail.Parse(r.Raw)
	if len(r.To) == 0 {
		r.To = recipientsNamed(parsed)
	}
	in := helpdesk.Incoming{Raw: r.Raw, Message: parsed, Envelope: helpdesk.Envelope{Recipients: r.To, MailFrom: returnPath(parsed)}}
	if s := r.Session; s.Authentication != nil {
		in.Authentication = *s.Authentication
		in.Envelope.MailFrom, in.Envelope.HELO, in.Envelope.RemoteIP = s.MailFrom, s.HELO, s.RemoteIP
	}
	e, err := l.desk.Rehearse(ctx, in)
	if err != nil {
		return explanation{}, err
	}
	return describeExplanation(e)
}

// recipientsNamed are the addresses to which a mail was delivered, as far as
// its header tells: the traces of delivery, then those it was written to.
func recipientsNamed(m *mail.Message) (list []string) {
	add := func(address string) {
		address = strings.ToLower(strings.Trim(strings.TrimSpace(address), "<>"))
		if address != "" && !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	for _, f := range m.Header {
		switch strings.ToLower(f.Name) {
		case "delivered-to", "x-original-to", "envelope-to", "x-envelope-to":
			add(f.Value)
		}
	}
	for _, a := range slices.Concat(m.To, m.Cc) {
		add(a.Address)
	}
	return list
}

// returnPath is the envelope sender that the last server noted, or "".
func returnPath(m *mail.Message) string {
	for _, f := range m.Header {
		if strings.EqualFold(f.Name, "Return-Path") {
			return strings.Trim(strings.TrimSpace(f.Value), "<>")
		}
	}
	return ""
}

func describeExplanation(e helpdesk.Explanation) (explanation, error) {
	catalogues, err := locale.Load()
	if err != nil {
		return explanation{}, err
	}
	p := catalogues.Printer(locale.English, nil, time.Now())
	out := explanation{Outcome: outcomeOf(e), Message: e.Message, Ticket: e.Ticket, State: string(e.State), Reason: string(e.Reason),
		Refusal: e.Refusal, From: e.From, Subject: e.Subject, MessageID: e.MessageID, Why: e.Refusal,
		Steps: make([]explanationStep, 0, len(e.Steps))}
	if out.Why == "" {
		out.Why = p.T("reason." + out.Reason)
	}
	for _, step := range e.Steps {
		out.Steps = append(out.Steps, explanationStep{string(step.Key), step.Data, ui.DescribeStep(p, step)})
	}
	return out, nil
}

func outcomeOf(e helpdesk.Explanation) outcome {
	switch {
	case e.Duplicate:
		return outcomeDuplicate
	case e.Refusal != "" || e.State == helpdesk.MessageRefused:
		return outcomeRefused
	case e.State == helpdesk.MessageHeld:
		return outcomeHeld
	case e.State == helpdesk.MessageQuarantined:
		return outcomeSetAside
	case e.State == helpdesk.MessageReport:
		return outcomeReport
	case e.State == helpdesk.MessageRelayed:
		return outcomeRelayed
	case slices.ContainsFunc(e.Steps, func(s helpdesk.Step) bool { return s.Key == helpdesk.StepPlacedNew }):
		return outcomeNew
	}
	return outcomeJoins
}

// summary says the outcome in a few words.
func (e explanation) summary() string {
	switch e.Outcome {
	case outcomeNew:
		return "new ticket"
	case outcomeJoins:
		return fmt.Sprintf("joins ticket #%d", e.Ticket)
	case outcomeHeld:
		return fmt.Sprintf("held at ticket #%d", e.Ticket)
	case outcomeRelayed:
		return fmt.Sprintf("sent on as the agent's reply on ticket #%d", e.Ticket)
	case outcomeSetAside:
		return "quarantined"
	case outcomeReport:
		return "kept as a report on a domain"
	case outcomeDuplicate:
		if e.Ticket == 0 {
			return "here already, in quarantine"
		}
		return fmt.Sprintf("here already, on ticket #%d", e.Ticket)
	case outcomeStored:
		if e.Ticket == 0 {
			return "in quarantine"
		}
		return fmt.Sprintf("on ticket #%d (%s)", e.Ticket, e.State)
	}
	return "refused"
}

// print writes e as a text for people.
func (e explanation) print(w io.Writer) {
	title := "Mail " + e.File
	if e.Outcome == outcomeStored {
		title = "Message " + e.Message
	}
	fmt.Fprintln(w, printable(title))
	for _, line := range [][2]string{{"From", e.From}, {"Subject", e.Subject}, {"Message-ID", e.MessageID}} {
		if line[1] != "" {
			fmt.Fprintf(w, "  %-12s%s\n", line[0], printable(line[1]))
		}
	}
	fmt.Fprintf(w, "  %-12s%s: %s\n", "Outcome", e.summary(), printable(e.Why))
	for i, step := range e.Steps {
		fmt.Fprintf(w, "  %3d. %s\n", i+1, printable(step.Text))
	}
}

// printable keeps what a mail says from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), " "))
}
