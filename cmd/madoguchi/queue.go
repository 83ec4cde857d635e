package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// queueInfo is what waits to leave, as it crosses the control socket and as
// --json prints it. Fields may be added, never renamed.
type queueInfo struct {
	Total        int            `json:"total"`
	Destinations map[string]int `json:"destinations"`
	Deliveries   []queuedMail   `json:"deliveries"`
	Paused       []string       `json:"paused"`
	Next         string         `json:"next"` // for --after, "" at the end
}

type queuedMail struct {
	ID       string    `json:"id"`
	Ticket   uint64    `json:"ticket"`
	To       string    `json:"to"`
	State    string    `json:"state"`
	Attempts int       `json:"attempts"`
	Queued   time.Time `json:"queued"`
	Next     time.Time `json:"next"`
	Said     string    `json:"said"` // by the other side, at the newest attempt
}

// queueQuestion asks for the queue of one domain, or the whole for "".
type queueQuestion struct {
	Domain string `json:"domain"`
	Limit  int    `json:"limit"`
	After  string `json:"after"` // where the list before ended, "" for the beginning
}

// maxQueueList is how many deliveries are listed at once.
const maxQueueList = 1000

// queueChange is something to be done to a delivery, or to a destination.
type queueChange struct {
	What string `json:"what"` // "retry", "cancel", "pause" or "resume"
	Of   string `json:"of"`   // a delivery's ID, or its beginning; or a domain
}

func newQueueCommand() *cobra.Command {
	var (
		data     dataFlags
		question queueQuestion
		asJSON   bool
	)
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "Show the mail that waits to leave; retry, cancel, pause",
		Long: `Lists the deliveries that are yet to leave, the next one first, with what the other
side said at the last attempt. Where there are more than it lists, the last line says how
to see the next ones. A delivery is named by its ID, or the beginning of it,
as the list shows it. Mail to a paused domain stays in the queue until it is resumed.`,
		Example: `  madoguchi queue
  madoguchi queue --domain example.com
  madoguchi queue retry 01KB
  madoguchi queue pause example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if question.Limit < 1 || question.Limit > maxQueueList {
				return fmt.Errorf("--limit %d: it lists from 1 to %d at once; what comes after is listed with --after", question.Limit, maxQueueList)
			}
			return data.operate(cmd, func(ops operations) error {
				q, err := ops.Queue(cmd.Context(), question)
				if err != nil {
					return err
				}
				return printQueue(cmd.OutOrStdout(), q, question, asJSON)
			})
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&question.Domain, "domain", "", "only mail to this domain")
	cmd.Flags().IntVar(&question.Limit, "limit", 200, fmt.Sprintf("how many to list, at most %d", maxQueueList))
	cmd.Flags().StringVar(&question.After, "after", "", "go on where a list ended, as its last line says")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	cmd.AddCommand(
		newQueueChangeCommand("retry ID", "Try a deferred delivery again at once", "madoguchi queue retry 01KBZW3F"),
		newQueueChangeCommand("cancel ID", "Take a delivery out of the queue for good; its ticket says that it failed", "madoguchi queue cancel 01KBZW3F"),
		newQueueChangeCommand("pause DOMAIN", "Keep mail to a domain in the queue", "madoguchi queue pause example.com"),
		newQueueChangeCommand("resume DOMAIN", "Let mail to a domain leave again", "madoguchi queue resume example.com"),
	)
	return cmd
}

func newQueueChangeCommand(use, short, example string) *cobra.Command {
	var data dataFlags
	what, _, _ := strings.Cut(use, " ")
	cmd := &cobra.Command{
		Use: use, Short: short, Example: "  " + example, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return data.operate(cmd, func(ops operations) error {
				done, err := ops.ChangeQueue(cmd.Context(), queueChange{What: what, Of: args[0]})
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), done)
				return nil
			})
		},
	}
	data.register(cmd)
	return cmd
}

func printQueue(out io.Writer, q queueInfo, question queueQuestion, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(q)
	}
	if q.Total == 0 {
		fmt.Fprintln(out, "nothing waits to leave")
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, m := range q.Deliveries {
		about := "notice" // to a colleague, about no ticket
		if m.Ticket != 0 {
			about = fmt.Sprintf("#%d", m.Ticket)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\tnext %s\t%s\t%s\n", m.ID, about, m.To, m.State, m.Next.Local().Format(time.DateTime), amount(m.Attempts, "try", "tries"), m.Said)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if q.Next != "" {
		fmt.Fprintf(out, "%s; the next ones: madoguchi queue%s\n", remaining(q, question), question.next(q.Next))
	}
	for _, domain := range q.Paused {
		fmt.Fprintf(out, "paused: %s (%d waiting)\n", domain, q.Destinations[domain])
	}
	return nil
}

// remaining says how many are not listed, or, on a later page, that there are more.
func remaining(q queueInfo, question queueQuestion) string {
	if question.After != "" {
		return fmt.Sprintf("and more, of %d in all", q.Total)
	}
	return fmt.Sprintf("and %d more", q.Total-len(q.Deliveries))
}

// next are the flags that list what comes after.
func (q queueQuestion) next(after string) string {
	flags := " --after " + after
	if q.Domain != "" {
		flags = " --domain " + q.Domain + flags
	}
	if q.Limit != 200 {
		flags = fmt.Sprintf(" --limit %d%s", q.Limit, flags)
	}
	return flags
}

// Queue lists what waits to leave.
func (l *local) Queue(ctx context.Context, question queueQuestion) (queueInfo, error) {
	q, err := l.desk.Queue(ctx, l.actor, helpdesk.QueueQuery{Domain: question.Domain, Limit: question.Limit, After: question.After})
	if err != nil {
		return queueInfo{}, err
	}
	info := queueInfo{Total: q.Total, Destinations: q.Destinations, Deliveries: []queuedMail{}, Paused: []string{}, Next: q.Next}
	for _, d := range q.Deliveries {
		info.Deliveries = append(info.Deliveries, queuedMail{ID: d.ID, Ticket: d.Ticket, To: d.Recipient, State: string(d.State), Attempts: len(d.Attempts),
			Queued: d.CreatedAt, Next: d.NextAt, Said: d.Said()})
	}
	for _, p := range q.Pauses {
		info.Paused = append(info.Paused, p.Domain)
	}
	return info, nil
}

// ChangeQueue does one thing to the queue and says in a line what was done.
func (l *local) ChangeQueue(ctx context.Context, change queueChange) (string, error) {
	switch change.What {
	case "pause":
		return "mail to " + change.Of + " is paused", l.desk.PauseDestination(ctx, l.actor, change.Of)
	case "resume":
		return "mail to " + change.Of + " leaves again", l.desk.ResumeDestination(ctx, l.actor, change.Of)
	}
	d, err := l.desk.QueuedDelivery(ctx, l.actor, change.Of)
	if helpdesk.CodeOf(err) == helpdesk.CodeNotFound {
		err = fmt.Errorf("%w; madoguchi queue lists them", err)
	}
	if err != nil {
		return "", err
	}
	if change.What == "cancel" {
		return "cancelled " + d.ID + " to " + d.Recipient, l.desk.CancelDelivery(ctx, l.actor, d.ID)
	}
	return "trying " + d.ID + " to " + d.Recipient + " again", l.desk.RetryDelivery(ctx, l.actor, d.ID)
}
