package outbound

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
)

// transact sends the mail and returns the server's answer to it.
func (c *conversation) transact(ctx context.Context, e *envelope) (string, *Error) {
	arguments, refusal := c.mailArguments(e)
	if refusal != nil {
		return "", refusal
	}
	if _, _, err := c.command(250, "MAIL FROM:<%s>%s", e.from, arguments); err != nil {
		return "", c.refused(ctx, "MAIL", err)
	}
	if _, _, err := c.command(25, "RCPT TO:<%s>", e.to); err != nil {
		return "", c.refused(ctx, "RCPT", err)
	}
	if _, _, err := c.command(354, "DATA"); err != nil {
		return "", c.refused(ctx, "DATA", err)
	}
	if err := c.write(e.mail.Raw); err != nil {
		return "", c.refused(ctx, "DATA", err)
	}
	c.wait(finalFactor * c.sender.timeout())
	code, text, err := c.client.Text.ReadResponse(250)
	if err != nil {
		failure := c.refused(ctx, "end of mail", err)
		// The server may have taken the mail: another must not get it now.
		failure.tryNext = false
		return "", failure
	}
	return cleanReply(fmt.Sprintf("%d %s", code, text)), nil
}

// mailArguments returns the parameters of MAIL, or why this server cannot take
// the mail.
func (c *conversation) mailArguments(e *envelope) (string, *Error) {
	arguments := ""
	if offered, limit := c.client.Extension("SIZE"); offered {
		// RFC 1870: no number, or zero, is no limit that is known.
		if bytes, err := strconv.ParseUint(limit, 10, 63); err == nil && bytes > 0 && uint64(e.size) > bytes {
			return "", c.unable("5.3.4", "the mail has %d bytes, the server takes %d at most", e.size, bytes)
		}
		arguments += " SIZE=" + strconv.Itoa(e.size)
	}
	// A server that lacks 8BITMIME gets the mail all the same, as is usual:
	// recoding it would break its signature, and next to none mind.
	if offered, _ := c.client.Extension("8BITMIME"); offered && e.eightBit {
		arguments += " BODY=8BITMIME"
	}
	if e.utf8 {
		if offered, _ := c.client.Extension("SMTPUTF8"); !offered {
			return "", c.unable("5.6.7", "the mail needs SMTPUTF8 for an address or header that is not ASCII, and the server lacks it")
		}
		arguments += " SMTPUTF8"
	}
	return arguments, nil
}

func (c *conversation) unable(enhanced, format string, values ...any) *Error {
	e := permanent(enhanced, format, values...)
	e.Host, e.Command = c.target.host, "MAIL"
	return e
}

// command sends a line and reads its answer, which must begin with the digits
// of expected.
func (c *conversation) command(expected int, format string, values ...any) (int, string, error) {
	c.wait(c.sender.timeout())
	if err := c.client.Text.PrintfLine(format, values...); err != nil {
		return 0, "", err
	}
	return c.client.Text.ReadResponse(expected)
}

// write sends the mail with its dots doubled and its lines ending in CRLF.
func (c *conversation) write(raw []byte) error {
	body := c.client.Text.DotWriter()
	_, err := body.Write(raw)
	if closeErr := body.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		return nil
	}
	// A server that had enough often says why before it closes.
	c.wait(min(c.sender.timeout(), quitTimeout))
	if _, _, replyErr := c.client.Text.ReadResponse(250); replyErr != nil {
		if reply, ok := errors.AsType[*textproto.Error](replyErr); ok {
			return reply
		}
	}
	return err
}

// refused is failure for the commands of a transaction. A smarthost that wants
// a login, or another one, is a fault of the configuration and never permanent.
func (c *conversation) refused(ctx context.Context, command string, err error) *Error {
	e := c.failure(ctx, command, err)
	if c.smarthost != nil {
		switch e.Code {
		case 530, 534, 535, 538:
			e.Permanent = false
		}
	}
	return e
}
