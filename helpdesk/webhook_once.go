package helpdesk

import (
	"context"

	"github.com/madoguchi/madoguchi/store"
)

// WebhookDeliveries returns up to limit deliveries to a webhook, the newest first.
func (d *Desk) WebhookDeliveries(ctx context.Context, a Actor, hook string, limit int) (list []WebhookDelivery, err error) {
	if err := a.may("read webhooks", PermitWebhooks); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		rng := store.Prefix(key(hook))
		rng.Reverse = true
		for delivery, err := range webhookDeliveries.ScanIndex(r, "hook", rng) {
			if err != nil || len(list) == limit {
				return err
			}
			list = append(list, *delivery)
		}
		return nil
	})
	return list, err
}

// TestWebhook sends a webhook an event that did not happen, once, and also while it
// is paused.
func (d *Desk) TestWebhook(ctx context.Context, a Actor, id string) (made *WebhookDelivery, err error) {
	if err := a.may("test a webhook", PermitWebhooks); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		w, err := c.webhook(id)
		if err != nil {
			return err
		}
		made, err = c.sendOnce(w, &Event{Kind: EventWebhookTest}, "")
		return err
	})
	return made, err
}

// RepeatWebhook sends what was sent to a webhook before once more, once, with the same message
// id; also while the webhook is paused.
func (d *Desk) RepeatWebhook(ctx context.Context, a Actor, hook, delivery string) (made *WebhookDelivery, err error) {
	if err := a.may("repeat what was sent to a webhook", PermitWebhooks); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		before, err := webhookDeliveries.Get(c, key(delivery))
		if err == nil && before.Hook != hook {
			return notFound("delivery to a webhook", delivery)
		}
		if before, err = found(before, err, "delivery to a webhook", delivery); err != nil {
			return err
		}
		w, err := c.webhook(before.Hook)
		if err != nil {
			return err
		}
		made, err = c.sendOnce(w, &Event{Kind: before.Kind, Seq: before.Seq, Ticket: before.Ticket}, before.MessageID)
		return err
	})
	return made, err
}

func (c *command) sendOnce(w *Webhook, e *Event, message string) (*WebhookDelivery, error) {
	delivery, err := c.newWebhookDelivery(w, e, true)
	if err != nil {
		return nil, err
	}
	if message != "" {
		delivery.MessageID = message
		if err := webhookDeliveries.Put(c, delivery); err != nil {
			return nil, err
		}
	}
	if err := webhooks.Put(c, w); err != nil {
		return nil, err
	}
	return delivery, c.setTimer(TimerWebhookOnce, delivery.ID, c.now)
}

// StartWebhookOnce begins the one attempt of a test or a repetition; nil where it is
// not there any more.
func (d *Desk) StartWebhookOnce(ctx context.Context, id string) (call *WebhookCall, err error) {
	err = d.update(ctx, System("webhooks"), func(c *command) error {
		call = nil
		delivery, err := optional(webhookDeliveries.Get(c, key(id)))
		if err != nil {
			return err
		}
		if delivery == nil {
			return c.clearTimer(TimerWebhookOnce, id)
		}
		w, err := c.webhook(delivery.Hook)
		if err != nil {
			return err
		}
		delivery.Tries++
		if err := webhookDeliveries.Put(c, delivery); err != nil {
			return err
		}
		call, err = c.webhookCall(w, delivery)
		return err
	})
	return call, err
}

// EndWebhookOnce writes down what became of it.
func (d *Desk) EndWebhookOnce(ctx context.Context, call *WebhookCall) error {
	return d.update(ctx, System("webhooks"), func(c *command) error {
		delivery, err := optional(webhookDeliveries.Get(c, key(call.Delivery.ID)))
		if err != nil || delivery == nil {
			return err
		}
		delivery.add(call.Attempt)
		delivery.State = WebhookFailed
		if call.Attempt.taken() {
			delivery.State = WebhookTaken
		}
		if err := webhookDeliveries.Put(c, delivery); err != nil {
			return err
		}
		return c.clearTimer(TimerWebhookOnce, delivery.ID)
	})
}
