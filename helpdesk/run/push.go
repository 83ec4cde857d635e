package run

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	webpush "github.com/SherClockHolmes/webpush-go"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/fetch"
)

// PushDesk is what pushing needs of the helpdesk.
type PushDesk interface {
	PushKeys(ctx context.Context) (*helpdesk.PushKeys, error)
	StartPush(ctx context.Context, id string) (*helpdesk.Push, error)
	EndPush(ctx context.Context, id string) error
	DropPush(ctx context.Context, subscription string) error
}

// Pusher tells browsers of notices through their push services: encrypted for
// the one browser (RFC 8291), signed as ours (RFC 8292).
type Pusher struct {
	Desk  PushDesk
	Words helpdesk.NoticeWords
	// Network is how push services are reached; browsers name them, so only
	// public addresses will do.
	Network fetch.Network
	// Subscriber is whom a push service may write to: a mailto: or https: address
	// (RFC 8292, section 2.1).
	Subscriber string
	Now        func() time.Time

	client *http.Client
}

// How a message is treated by push services (RFC 8030, section 5).
const (
	pushLifetime = 12 * time.Hour // it is told later than that to nobody
	pushesAtOnce = 8
	// maxPushWords bounds the text: one record has 4,096 bytes, and 300
	// characters are more than any system shows.
	maxPushWords = 300
)

// payload is what the service worker gets.
type payload struct {
	Title  string `json:"title"`
	Body   string `json:"body"`
	Tag    string `json:"tag"`
	URL    string `json:"url"`
	Unread bool   `json:"unread"`
}

// NewPusher returns p ready for use by many goroutines.
func NewPusher(p Pusher) *Pusher {
	p.client = p.Network.Client(pushesAtOnce)
	return &p
}

// Push is the work of a push timer.
func (p *Pusher) Push(ctx context.Context, id string) error {
	push, err := p.Desk.StartPush(ctx, id)
	if err != nil {
		return err
	}
	if push == nil {
		return p.Desk.EndPush(ctx, id)
	}
	status, err := p.send(ctx, push)
	if err != nil {
		return err
	}
	switch {
	case status == http.StatusNotFound || status == http.StatusGone:
		if err := p.Desk.DropPush(ctx, push.Subscription.ID); err != nil {
			return err
		}
	case status == http.StatusTooManyRequests || status >= 500:
		return fmt.Errorf("the push service answered %d", status)
	case status >= 300 && status != http.StatusRequestEntityTooLarge:
		// It does not want this message, and will want it no more later: the
		// notice is in the web all the same.
		return p.Desk.EndPush(ctx, id)
	}
	return p.Desk.EndPush(ctx, id)
}

func (p *Pusher) send(ctx context.Context, push *helpdesk.Push) (status int, err error) {
	keys, err := p.Desk.PushKeys(ctx)
	if err != nil {
		return 0, err
	}
	title, body := p.Words(push.Locale, push.Notice)
	n := push.Notice.Notice
	message, err := json.Marshal(payload{Title: cut(title), Body: cut(body), Tag: "ticket-" + strconv.FormatUint(n.Ticket, 10), URL: pathOf(n), Unread: true})
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.Network.Limit())
	defer cancel()
	urgency := webpush.UrgencyNormal
	if n.Kind == helpdesk.NoticeOverdue || n.Kind == helpdesk.NoticeMention {
		urgency = webpush.UrgencyHigh
	}
	s := push.Subscription
	response, err := webpush.SendNotificationWithContext(ctx, message, &webpush.Subscription{Endpoint: s.Endpoint, Keys: webpush.Keys{Auth: s.Auth, P256dh: s.P256DH}},
		&webpush.Options{HTTPClient: p.client, Subscriber: p.Subscriber, TTL: int(pushLifetime.Seconds()), Urgency: urgency,
			// One message a ticket waits at the service, the newest (RFC 8030, section 5.4).
			Topic:          "t" + strconv.FormatUint(n.Ticket, 10),
			VAPIDPublicKey: keys.Public, VAPIDPrivateKey: keys.Private, VapidExpiration: p.Now().Add(pushLifetime)})
	if err != nil {
		return 0, fmt.Errorf("reach the push service: %w", err)
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10)) // so that the connection can be used again
	return response.StatusCode, nil
}

// pathOf is where a notice leads.
func pathOf(n helpdesk.Notice) string {
	if n.Ticket == 0 {
		return "/compose" // a new mail that is not sent
	}
	return "/tickets/" + strconv.FormatUint(n.Ticket, 10)
}

func cut(s string) string {
	if runes := []rune(s); len(runes) > maxPushWords {
		return string(runes[:maxPushWords-1]) + "…"
	}
	return s
}
