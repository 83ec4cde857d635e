package helpdesk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// importPipeline is the one that an imported ticket names, else that of its alias.
func (c *command) importPipeline(t ImportedTicket, alias *Alias, done *ImportOutcome) (*Pipeline, error) {
	usual, err := pipelines.Get(c, key(alias.PipelineID))
	if err != nil || t.Pipeline == "" || strings.EqualFold(usual.Name, t.Pipeline) {
		return usual, err
	}
	for pipeline, err := range pipelines.Scan(c, store.Range{}) {
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(pipeline.Name, t.Pipeline) {
			return pipeline, nil
		}
	}
	done.Left = append(done.Left, fmt.Sprintf("its pipeline %q, which is none here: it is in %q", t.Pipeline, usual.Name))
	return usual, nil
}

// importStage is the stage of an imported ticket: the one of the name that it gives, else the first of
// its kind.
func importStage(t ImportedTicket, pipeline *Pipeline, done *ImportOutcome) Stage {
	kind := StageClosed
	if t.Open {
		kind = StageOpen
	}
	for _, stage := range pipeline.Stages {
		if stage.Kind == kind && t.Stage != "" && strings.EqualFold(stage.Name, t.Stage) {
			return stage
		}
	}
	stage, found := pipeline.FirstOf(kind)
	if t.Open || !found {
		stage = pipeline.Stages[0]
	}
	switch {
	case !t.Open && !found:
		done.Left = append(done.Left, fmt.Sprintf("that it is closed: pipeline %q has no closed stage", pipeline.Name))
	case t.Stage != "":
		done.Left = append(done.Left, fmt.Sprintf("its stage %q, which pipeline %q does not have: it is in %q", t.Stage, pipeline.Name, stage.Name))
	}
	return stage
}

// importWays are the addresses of this house by which an imported ticket came; its alias at least.
func (c *command) importWays(t ImportedTicket, alias *Alias) (ways []string, err error) {
	for _, address := range t.Aliases {
		address = mailboxOf(address)
		known, err := optional(aliases.First(c, "address", key(address)))
		if err != nil {
			return nil, err
		}
		if known != nil && !slices.Contains(ways, address) {
			ways = append(ways, address)
		}
	}
	if len(ways) == 0 {
		ways = []string{alias.Address}
	}
	return ways, nil
}

// importPrevious is the ticket that an imported one continues, 0 for none that is here.
func (c *command) importPrevious(t ImportedTicket) (uint64, error) {
	if t.Previous == "" {
		return 0, nil
	}
	item, err := optional(importedItems.Get(c, key(t.Source, importedTicketItem, t.Previous)))
	if err != nil || item == nil {
		return 0, err
	}
	return item.Ticket, nil
}

// importedAs is what an entry of a source became, "" for none.
func (c *command) importedAs(t ImportedTicket, entry string) (string, error) {
	if entry == "" {
		return "", nil
	}
	item, err := optional(importedItems.Get(c, key(t.Source, importedEntryItem, entry)))
	if err != nil || item == nil {
		return "", err
	}
	return item.Item, nil
}

// importLogged writes what came another way than by mail, as it was written down.
func (c *command) importLogged(ticket *Ticket, t ImportedTicket, e importEntry, done *ImportOutcome) error {
	if e.From.Email == "" {
		contact, err := contacts.Get(c, key(ticket.ContactID))
		if err != nil {
			return err
		}
		e.From = Address{Name: contact.Name, Email: contact.Email}
	}
	m := &Message{ID: c.desk.newID(), Ticket: ticket.Number, Direction: Inbound, Channel: e.Channel, Kind: KindPerson, State: MessagePosted, Reason: ReasonLogged,
		From: e.From, Subject: e.Subject, Date: e.At, At: e.At, Snippet: snippet(e.Text), NeverAnswer: true}
	if !slices.Contains(Channels, m.Channel) {
		m.Channel = "other"
	}
	author, err := optional(users.First(c, "email", key(strings.ToLower(e.Author.Email))))
	if err != nil {
		return err
	}
	if author != nil {
		m.AuthorID = author.ID
	} else if e.Author.Email != "" {
		done.Left = append(done.Left, fmt.Sprintf("that %s wrote down message %s, who is no user here", e.Author.Email, e.ID))
	}
	if m.Seq, err = c.record(Event{Kind: EventMessageImported, Ticket: ticket.Number, Message: m.ID, Data: map[string]string{"from": m.From.Email}}); err != nil {
		return err
	}
	if e.Answered {
		m.Settled = m.Seq
	} else {
		ticket.WaitingSince = earlier(ticket.WaitingSince, m.At)
	}
	if err := bodies.Put(c, &Body{MessageID: m.ID, Text: e.Text, ReplyText: e.Text}); err != nil {
		return err
	}
	if err := messages.Put(c, m); err != nil {
		return err
	}
	done.Messages++
	return importedItems.Put(c, &importedItem{Source: t.Source, Kind: importedEntryItem, ID: e.ID, Ticket: ticket.Number, Item: m.ID})
}
