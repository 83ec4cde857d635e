package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// testMail is what send-test sends, and where.
type testMail struct {
	server, from, to, subject, language string
	web                                 string // of the server, where known
}

func newSendTestCommand() *cobra.Command {
	var (
		data dataFlags
		test testMail
	)
	cmd := &cobra.Command{
		Use:   "send-test",
		Short: "Send a first mail to the running server",
		Long: `Sends a mail as a customer might write it, over SMTP, to the server that runs on
the data directory and its first alias; or to the ones that are named.`,
		Example: `  madoguchi send-test
  madoguchi send-test --lang ja --from you@example.org
  madoguchi send-test --smtp mx.example.com:25 --to support@example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if test.language != "" && test.language != "ja" && test.language != "en" {
				return fmt.Errorf(`--lang %q is not known; write "ja" or "en"`, test.language)
			}
			if err := test.complete(cmd.Context(), &data); err != nil {
				return err
			}
			answer, err := test.send(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "sent %q\nfrom %s to %s through %s\nthe server said: %s\n\n%s\n",
				test.subject, test.from, test.to, test.server, answer, test.next())
			return nil
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&test.server, "smtp", "", "server to send through, host:port (default: the one that runs on the data)")
	cmd.Flags().StringVar(&test.to, "to", "", "address to send to (default: its first alias)")
	cmd.Flags().StringVar(&test.from, "from", "", "address to send from (default: an invented customer)")
	cmd.Flags().StringVar(&test.subject, "subject", "", "subject (default: a customer's)")
	cmd.Flags().StringVar(&test.language, "lang", "", "ja or en (default: the alias's language, or this terminal's)")
	return cmd
}

// complete fills in what no flag named, by asking the running server.
func (t *testMail) complete(ctx context.Context, data *dataFlags) error {
	if t.server == "" || t.to == "" {
		directory, err := data.directory()
		if err != nil {
			return err
		}
		server, err := dialControl(ctx, directory)
		if errors.Is(err, errNobodyListens) {
			return fmt.Errorf("no server runs on the data in %s: start one (madoguchi serve), name its directory with --data, or name both --smtp ADDR and --to ADDRESS", directory)
		}
		if err != nil {
			return err
		}
		defer server.Close()
		if err := t.ask(ctx, server); err != nil {
			return err
		}
	}
	if t.language == "" {
		t.language = terminalLanguage()
	}
	sample := testTexts[t.language]
	if t.from == "" {
		t.from = sample.from.Address
	}
	if t.subject == "" {
		t.subject = sample.subject
	}
	return nil
}

func (t *testMail) ask(ctx context.Context, server operations) error {
	state, err := server.Status(ctx)
	if err != nil {
		return err
	}
	t.web = state.Web
	if t.server == "" {
		t.server = state.SMTP
	}
	if t.to != "" {
		return nil
	}
	aliases, err := server.Aliases(ctx)
	if err != nil {
		return err
	}
	first := slices.IndexFunc(aliases, func(a aliasInfo) bool { return !a.Disabled })
	if first < 0 {
		return fmt.Errorf(`no address takes mail yet: open the setup link that the server printed when it started (%s), or type: madoguchi alias add support@example.com --name "Example Support"`, state.Web)
	}
	t.to = aliases[first].Address
	if t.language == "" {
		t.language = aliases[first].Language
	}
	return nil
}

func terminalLanguage() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			if strings.HasPrefix(value, "ja") {
				return "ja"
			}
			return "en"
		}
	}
	return "en"
}

// testTexts are invented customers. Their domain can never exist (RFC 2606,
// section 2), so an answer to them reaches nobody.
var testTexts = map[string]struct {
	from    mail.Address
	subject string
	text    string
}{
	"ja": {
		mail.Address{Name: "佐藤 美咲", Address: "misaki.sato@customer.example"},
		"届いた湯呑みの色について（ご注文番号 20451）",
		`ご担当者様

いつもお世話になっております。先週そちらで湯呑みを購入した佐藤と申します。

本日、商品を受け取りました。ありがとうございます。
藍色を二つ注文したつもりでしたが、一つは白磁でした。
注文番号は 20451 です。

贈り物にするため、できれば金曜日までに藍色と交換していただけますでしょうか。
白いほうは未使用ですので、すぐにお返しできます。

お手数をおかけしますが、よろしくお願いいたします。

--
佐藤 美咲
`,
	},
	"en": {
		mail.Address{Name: "Alice Hartley", Address: "alice.hartley@customer.example"},
		"One of my cups is the wrong colour (order 20451)",
		`Hello,

I bought two indigo cups from you last week, and they arrived today: beautifully
packed, thank you. But only one of them is indigo. The other is plain white.

The order number is 20451. They are a present, so it would help me a lot if the
right one could be here by Friday. The white one is unused and ready to go back.

Could you tell me how we do this best?

Kind regards
Alice

--
Alice Hartley
`,
	},
}

// compose writes the mail.
func (t *testMail) compose(now time.Time) ([]byte, error) {
	sample := testTexts[t.language]
	from := mail.Address{Address: t.from}
	if t.from == sample.from.Address {
		from.Name = sample.from.Name
	}
	return mail.Compose(mail.Draft{
		From: from, To: []mail.Address{{Address: t.to}},
		Subject: t.subject, Text: sample.text, Date: now,
		MessageID: strings.ToLower(ulid.Make().String()) + "@customer.example",
	})
}

// send hands the mail to the server and returns what it answered.
func (t *testMail) send(ctx context.Context) (answer string, err error) {
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	raw, err := t.compose(time.Now())
	if err != nil {
		return "", fmt.Errorf("write the mail: %w", err)
	}
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", t.server)
	if err != nil {
		return "", fmt.Errorf("reach the mail server: %w; does it run, and listen there?", err)
	}
	defer context.AfterFunc(ctx, func() { connection.Close() })()
	client := smtp.NewClient(connection)
	defer client.Close()
	if err := client.Hello("localhost"); err != nil {
		return "", fmt.Errorf("greet the mail server at %s: %w", t.server, err)
	}
	if err := client.Mail(t.from, &smtp.MailOptions{Size: int64(len(raw))}); err != nil {
		return "", fmt.Errorf("the server does not take mail from %s: %w", t.from, err)
	}
	if err := client.Rcpt(t.to, nil); err != nil {
		return "", fmt.Errorf("the server does not take mail for %s: %w; madoguchi alias list shows what it takes", t.to, err)
	}
	data, err := client.Data()
	if err != nil {
		return "", fmt.Errorf("send the mail: %w", err)
	}
	if _, err := data.Write(raw); err != nil {
		return "", fmt.Errorf("send the mail: %w", err)
	}
	response, err := data.CloseWithResponse()
	if err != nil {
		return "", fmt.Errorf("the server did not take the mail: %w", err)
	}
	client.Quit() // the mail is taken; how the session ends changes nothing
	return response.StatusText, nil
}

// next says what to do now.
func (t *testMail) next() string {
	where := "the inbox"
	if t.web != "" {
		where = t.web
	}
	if t.from == testTexts[t.language].from.Address {
		return "Open " + where + " and answer it. Its customer is invented, so the answer will not\narrive anywhere: --from with an address of your own lets you receive it."
	}
	return "Open " + where + " and answer it; the answer goes to " + t.from + "."
}
