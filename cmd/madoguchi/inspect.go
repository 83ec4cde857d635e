package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

func newInspectCommand() *cobra.Command {
	var envelope inspectionEnvelope
	var file string
	cmd := &cobra.Command{
		Use:   "inspect FILE|-",
		Short: "Show how a mail is understood, as one JSON object",
		Long: `Reads one mail as it came over the wire (an .eml file, or - for standard input)
and prints what Madoguchi makes of it: addresses, decoded text, the new words of
a reply, attachments, whether it is a bounce or an automatic answer, and every
place where the declared character set was not the one used. Any bytes give an
answer; a file that cannot be read is an error.

With the session it came in (--remote-ip, --helo, --mail-from) its sender is
authenticated too, by asking DNS; with --config as the listener would do it, which
believes the forwarders named there (ARC).`,
		Example: `  madoguchi inspect mail.eml
  madoguchi inspect - < mail.eml | jq .reply_text
  madoguchi inspect mail.eml --remote-ip 192.0.2.7 --helo mx.example.org --mail-from hana@example.org`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := readConfig(file)
			if err != nil {
				return err
			}
			raw, err := readMail(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			found := inspect(raw)
			if found.Authentication, err = envelope.authenticate(cmd, raw, c); err != nil {
				return err
			}
			return printInspection(cmd.OutOrStdout(), found)
		},
	}
	envelope.register(cmd)
	cmd.Flags().StringVar(&file, "config", "", "configuration file that names the resolver and trusted forwarders")
	return cmd
}

// readMail reads the named file, or standard input for "-".
func readMail(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		raw, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("read mail from standard input: %w", err)
		}
		return raw, nil
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read mail: %w", err)
	}
	return raw, nil
}

func printInspection(w io.Writer, i inspection) error {
	if err := printJSON(w, i); err != nil {
		return fmt.Errorf("write inspection: %w", err)
	}
	return nil
}

// printJSON writes v for programs and people alike.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// inspection is the JSON contract of the command: fields may be added, never
// renamed. Lists are never null.
type inspection struct {
	Subject           string                 `json:"subject"`
	From              string                 `json:"from"`
	FromName          string                 `json:"from_name"`
	ReplyTo           string                 `json:"reply_to"`
	To                []string               `json:"to"`
	Cc                []string               `json:"cc"`
	Date              string                 `json:"date"` // RFC 3339, empty when unreadable
	MessageID         string                 `json:"message_id"`
	InReplyTo         string                 `json:"in_reply_to"`
	References        []string               `json:"references"`
	Text              string                 `json:"text"`
	HTML              string                 `json:"html"`
	SafeHTML          string                 `json:"safe_html"`
	ReplyText         string                 `json:"reply_text"`
	Attachments       []inspectionAttachment `json:"attachments"`
	IsAutoReply       bool                   `json:"is_auto_reply"`
	IsBounce          bool                   `json:"is_bounce"`
	Bounces           []inspectionBounce     `json:"bounces"`
	IsReport          bool                   `json:"is_report"`
	SuppressAutoReply bool                   `json:"suppress_auto_reply"`
	IsList            bool                   `json:"is_list"`
	CharsetNotes      []string               `json:"charset_notes"`
	Defects           []string               `json:"defects"`
	// Signed and Encrypted name the scheme the mail claims, which is not verified.
	Signed    string `json:"signed,omitempty"`
	Encrypted string `json:"encrypted,omitempty"`
	// Calendar is the invitation the mail carries, if any.
	Calendar *inspectionCalendar `json:"calendar,omitempty"`
	// Authentication is there when a session was given.
	Authentication *inspectionAuthentication `json:"authentication,omitempty"`
}

type inspectionAttachment struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	SHA256      string `json:"sha256"`
	ContentID   string `json:"content_id"`
	Risk        string `json:"risk,omitempty"` // executable, macro
}

type inspectionCalendar struct {
	Method    string   `json:"method"`
	Summary   string   `json:"summary"`
	Start     string   `json:"start"` // RFC 3339, or a date for whole days
	End       string   `json:"end"`
	Location  string   `json:"location"`
	Status    string   `json:"status"`
	Organizer string   `json:"organizer"`
	Attendees []string `json:"attendees"`
}

type inspectionBounce struct {
	Recipient string `json:"recipient"`
	Status    string `json:"status"`
	Reason    string `json:"reason"`
}

// inspect reads one mail into the contract's fields.
func inspect(raw []byte) inspection {
	m := mail.Parse(raw)
	class := mail.Classify(m, false)
	i := inspection{
		Subject:      m.Subject,
		From:         m.From.Address,
		FromName:     m.From.Name,
		To:           bareAddresses(m.To),
		Cc:           bareAddresses(m.Cc),
		MessageID:    m.MessageID,
		References:   listOf(m.References),
		Text:         m.Text,
		HTML:         m.HTML,
		SafeHTML:     mail.SanitizeHTML(m.HTML, mail.SanitizeOptions{}).HTML,
		ReplyText:    mail.SplitReply(m).New,
		Attachments:  make([]inspectionAttachment, 0, len(m.Attachments)),
		Bounces:      make([]inspectionBounce, 0, len(class.Bounces)),
		CharsetNotes: listOf(m.CharsetNotes),
		Defects:      listOf(m.Defects),

		IsAutoReply:       class.AutoReply,
		IsBounce:          class.Bounce,
		IsReport:          class.Report,
		IsList:            class.List,
		SuppressAutoReply: class.SuppressAutoReply,

		Signed: string(m.Protection.Signed), Encrypted: string(m.Protection.Encrypted),
		Calendar: inspectCalendar(m.Calendar),
	}
	for _, b := range class.Bounces {
		i.Bounces = append(i.Bounces, inspectionBounce{Recipient: b.Recipient, Status: b.Status, Reason: b.Reason})
	}
	if len(m.ReplyTo) > 0 {
		i.ReplyTo = m.ReplyTo[0].Address
	}
	if len(m.InReplyTo) > 0 {
		i.InReplyTo = m.InReplyTo[0]
	}
	if !m.Date.IsZero() {
		i.Date = m.Date.Format(time.RFC3339)
	}
	for _, a := range m.Attachments {
		i.Attachments = append(i.Attachments, inspectionAttachment{
			Filename: a.Filename, ContentType: a.ContentType,
			Size: a.Size, SHA256: a.SHA256, ContentID: a.ContentID, Risk: string(a.Risk),
		})
	}
	return i
}

func inspectCalendar(found *mail.Invitation) *inspectionCalendar {
	if found == nil {
		return nil
	}
	c := &inspectionCalendar{
		Method: found.Method, Summary: found.Summary, Location: found.Location, Status: found.Status,
		Organizer: found.Organizer.Address, Attendees: make([]string, 0, len(found.Attendees)),
	}
	layout := time.RFC3339
	if found.AllDay {
		layout = time.DateOnly
	}
	if !found.Start.IsZero() {
		c.Start = found.Start.Format(layout)
	}
	if !found.End.IsZero() {
		c.End = found.End.Format(layout)
	}
	for _, a := range found.Attendees {
		c.Attendees = append(c.Attendees, a.Address.Address)
	}
	return c
}

func bareAddresses(addresses []mail.Address) []string {
	bare := make([]string, 0, len(addresses))
	for _, a := range addresses {
		bare = append(bare, a.Address)
	}
	return bare
}

// listOf returns s, or an empty list where it is nil, so that JSON has [] and
// never null.
func listOf(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
