package mail

import (
	"encoding/json"
	"strings"
)

// notification is what Amazon SES tells by way of a mail from SNS.
type notification struct {
	kind      string // Bounce, Complaint, Delivery
	bounces   []Bounce
	messageID string // of the mail it is about
}

// sesMessage is the JSON of a notification, and of the envelope around it.
type sesMessage struct {
	Type             string
	Message          string
	NotificationType string `json:"notificationType"`
	EventType        string `json:"eventType"`
	Bounce           struct {
		BounceType        string `json:"bounceType"`
		BouncedRecipients []struct {
			EmailAddress   string `json:"emailAddress"`
			Status         string `json:"status"`
			Action         string `json:"action"`
			DiagnosticCode string `json:"diagnosticCode"`
		} `json:"bouncedRecipients"`
	} `json:"bounce"`
	Mail struct {
		Headers []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"headers"`
		CommonHeaders struct {
			MessageID string `json:"messageId"`
		} `json:"commonHeaders"`
	} `json:"mail"`
}

// readNotification reads the text of a mail as a notification of Amazon SES.
func readNotification(text string) (notification, bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") || len(text) > 1<<20 {
		return notification{}, false
	}
	// SNS wraps long lines in the middle of strings.
	text = strings.NewReplacer("\r", "", "\n ", "", "\n", "").Replace(text)
	message, ok := decodeSES(text)
	if ok && message.Type == "Notification" {
		message, ok = decodeSES(message.Message)
	}
	if message.NotificationType == "" {
		message.NotificationType = message.EventType
	}
	if !ok || message.NotificationType == "" {
		return notification{}, false
	}
	n := notification{kind: message.NotificationType, messageID: bareID(message.Mail.CommonHeaders.MessageID)}
	for _, h := range message.Mail.Headers {
		if strings.EqualFold(h.Name, "Message-ID") {
			n.messageID = bareID(h.Value)
		}
	}
	if n.kind != "Bounce" {
		return n, true
	}
	for _, r := range message.Bounce.BouncedRecipients {
		b := Bounce{Recipient: recipientAddress(r.EmailAddress), Action: actionFailed, Reason: shortLine(strings.TrimPrefix(r.DiagnosticCode, "smtp;"))}
		reported := findStatus(r.Status)
		if reported == "" && message.Bounce.BounceType == "Transient" {
			b.Action, reported = actionDelayed, "4.0.0"
		}
		b.Status = betterStatus(reported, b.Reason, b.Action)
		if n.bounces = append(n.bounces, b); len(n.bounces) >= maxBounces {
			break
		}
	}
	return n, true
}

// decodeSES decodes the first JSON value of text; words may follow it.
func decodeSES(text string) (m sesMessage, ok bool) {
	return m, json.NewDecoder(strings.NewReader(text)).Decode(&m) == nil
}
