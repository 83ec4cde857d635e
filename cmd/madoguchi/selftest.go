package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// selfTestConfig is how often the server sends itself a mail.
type selfTestConfig struct {
	Every  duration `toml:"every"`
	Within duration `toml:"within"`
}

func (k *checker) selfTest(c selfTestConfig) {
	if c.Every.Duration == 0 {
		return
	}
	if c.Every.Duration < 10*time.Second {
		k.add("self_test.every", `%s is too often; write at least "10s", or "0s" for never`, c.Every)
	}
	if c.Within.Duration <= 0 || c.Within.Duration >= c.Every.Duration {
		k.add("self_test.within", `must be more than nothing and less than self_test.every, such as "1m"`)
	}
}

// testItself is the work of the self test's timer. What goes wrong is no failure of
// the timer: it is an alarm, and the next test comes at its time.
func (s *server) testItself(ctx context.Context, _ string) error {
	c, system := s.config.SelfTest, helpdesk.System("self test")
	if c.Every.Duration <= 0 {
		return s.desk.ScheduleSelfTest(ctx, 0)
	}
	began := time.Now()
	err := s.sendItself(ctx, c.Within.Duration)
	if ctx.Err() != nil { // the program stops
		return ctx.Err()
	}
	took := time.Since(began)
	if err != nil {
		s.log.WarnContext(ctx, "self test", "took", took, "error", err)
		err = s.desk.RaiseAlarm(ctx, system, helpdesk.AlarmSelfMail, s.config.hostname(), helpdesk.FoundIn(err))
	} else {
		s.log.InfoContext(ctx, "self test", "took", took)
		err = s.desk.EndAlarm(ctx, system, helpdesk.AlarmSelfMail, s.config.hostname())
	}
	return errors.Join(err, s.desk.NextSelfTest(ctx, c.Every.Duration))
}

// sendItself sends a mail to the server's own listener, as any other server would,
// and reads it back from the store.
func (s *server) sendItself(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	began := time.Now()
	local, err := s.desk.BeginSelfTest(ctx)
	if err != nil {
		return fmt.Errorf("begin the self test: %w", err)
	}
	address := local + "@" + s.config.hostname()
	if err := s.handIn(ctx, address); err != nil {
		if ctx.Err() != nil {
			return helpdesk.Found("self_late", "it was not taken within %s: %v", within, err)
		}
		return err
	}
	return s.desk.FinishSelfTest(ctx, address, time.Since(began))
}

// handIn delivers the self test's mail over SMTP.
func (s *server) handIn(ctx context.Context, address string) error {
	listener := s.smtpAddress()
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", listener)
	if err != nil {
		return helpdesk.Found("self_reach", "reach the listener at %s: %v", listener, err)
	}
	defer context.AfterFunc(ctx, func() { connection.Close() })()
	if s.wantsProxyHeader(connection.LocalAddr()) {
		if _, err := connection.Write([]byte("PROXY UNKNOWN\r\n")); err != nil {
			return helpdesk.Found("self_greet", "say who connects to %s: %v", listener, err)
		}
	}
	client, err := s.greetItself(connection)
	if err != nil {
		return helpdesk.Found("self_greet", "greet the listener at %s: %v", listener, err)
	}
	defer client.Close()
	return s.submitItself(client, address)
}

// greetItself begins a session, with TLS where the listener offers it. Whether the
// certificate fits a name is looked at by the check-up; here the mail is what counts.
func (s *server) greetItself(connection net.Conn) (*smtp.Client, error) {
	if s.config.SMTP.TLS != tlsOff {
		return smtp.NewClientStartTLS(connection, &tls.Config{InsecureSkipVerify: true})
	}
	client := smtp.NewClient(connection)
	return client, client.Hello(s.config.hostname())
}

func (s *server) submitItself(client *smtp.Client, address string) error {
	hostname := s.config.hostname()
	if err := client.Mail("postmaster@"+hostname, nil); err != nil {
		return helpdesk.Found("self_refused", "the listener refuses the sender: %v", err)
	}
	if err := client.Rcpt(address, nil); err != nil {
		return helpdesk.Found("self_refused", "the listener refuses the recipient: %v", err)
	}
	data, err := client.Data()
	if err != nil {
		return helpdesk.Found("self_refused", "send the mail: %v", err)
	}
	mail := "From: Madoguchi <postmaster@" + hostname + ">\r\nTo: <" + address + ">\r\nSubject: Self test\r\nMessage-ID: <" + address + ">\r\nDate: " +
		time.Now().Format(time.RFC1123Z) + "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Transfer-Encoding: 8bit\r\n\r\nこのメールは、サーバーが自分宛てに送ったものです。\r\n"
	if _, err := data.Write([]byte(mail)); err != nil {
		return helpdesk.Found("self_refused", "send the mail: %v", err)
	}
	if err := data.Close(); err != nil {
		return helpdesk.Found("self_refused", "the listener does not take the mail: %v", err)
	}
	client.Quit() // it is taken; how the session ends changes nothing
	return nil
}

// wantsProxyHeader reports whether our own listener expects a proxy's word from us.
func (s *server) wantsProxyHeader(from net.Addr) bool {
	c := s.config.Proxy
	at, err := netip.ParseAddrPort(from.String())
	return err == nil && c.Missing == missingRefuse && slices.Contains(c.Listeners, proxySMTP) &&
		slices.ContainsFunc(networksOf(c.Trusted), func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) })
}

// takeItself takes the self test's mail off the desk's way: the listener gives it
// here in place of a ticket. It reports whether the mail is the self test's.
func (i intake) takeItself(ctx context.Context, recipients []string, in helpdesk.Incoming) (bool, error) {
	if len(recipients) != 1 || !strings.HasPrefix(recipients[0], "self-test+") {
		return false, nil
	}
	ours, err := i.desk.IsSelfTest(ctx, recipients[0])
	if err != nil || !ours {
		return false, err
	}
	return true, i.desk.ReceiveSelfTest(ctx, recipients[0], in)
}
