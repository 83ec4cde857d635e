package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
)

// serveFlags are the settings that the command line may override.
type serveFlags struct {
	config, data, smtp, http, resolver, smarthost string
}

func newServeCommand() *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: SMTP, the web inbox and everything behind them",
		Long: `Runs the server until it is told to stop (Ctrl+C, SIGTERM); what is in progress
is then finished first. SIGHUP reads the configuration file again. Without a
file it serves this machine alone, with its data in ./data.`,
		Example: `  madoguchi serve
  madoguchi serve --config /etc/madoguchi.toml
  madoguchi serve --data /tmp/try --smtp 127.0.0.1:2526 --http 127.0.0.1:8081`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&flags.config, "config", "", "configuration file (config.example.toml shows every key)")
	cmd.Flags().StringVar(&flags.data, "data", "", `data directory (default "`+defaultData+`")`)
	cmd.Flags().StringVar(&flags.smtp, "smtp", "", `address to receive mail on (default "127.0.0.1:2525")`)
	cmd.Flags().StringVar(&flags.http, "http", "", `address of the web inbox (default "127.0.0.1:8080")`)
	cmd.Flags().StringVar(&flags.resolver, "resolver", "", "name server to ask, host:port (default: the system's)")
	cmd.Flags().StringVar(&flags.smarthost, "smarthost", "", "server that takes all outgoing mail, host:port (default: each recipient's own)")
	return cmd
}

// read returns the configuration: the file's, under the flags.
func (f serveFlags) read() (config, error) {
	c, err := readConfig(f.config)
	if err != nil {
		return config{}, err
	}
	for _, override := range []struct {
		flag string
		key  *string
	}{
		{f.data, &c.Server.Data}, {f.smtp, &c.SMTP.Listen}, {f.http, &c.Web.Listen},
		{f.resolver, &c.DNS.Resolver}, {f.smarthost, &c.Outbound.Smarthost},
	} {
		if override.flag != "" {
			*override.key = override.flag
		}
	}
	return c, c.check(nil)
}

// serve runs the server until ctx ends or a signal comes. A second signal ends
// the process at once.
func serve(ctx context.Context, flags serveFlags, out, logs io.Writer) error {
	if os.Getenv("GOMEMLIMIT") == "" {
		defer runtime.KeepAlive(pace())
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + moreThreads)
	}
	c, err := flags.read()
	if err != nil {
		return err
	}
	ctx, stop := untilInterrupted(ctx)
	defer stop()
	opened := notifier{}.starting()
	s, err := newServer(ctx, c, logs)
	opened()
	if err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	return s.run(ctx, func(ctx context.Context) error {
		if err := s.announce(ctx, out); err != nil {
			return err
		}
		state := fmt.Sprintf("web %s, smtp %s", s.webURL(), s.smtpAddress())
		s.systemd.ready(state)
		for {
			select {
			case <-hangups:
				s.systemd.reloading()
				s.reload(ctx, flags)
				s.systemd.ready(state)
			case <-ctx.Done():
				return nil
			}
		}
	})
}

// announce prints the line by which one knows that everything listens and, as
// long as nobody has an account, the link that makes the first. Being told to
// stop meanwhile is no failure of the start.
func (s *server) announce(ctx context.Context, out io.Writer) error {
	ctx = context.WithoutCancel(ctx)
	fmt.Fprintf(out, "madoguchi ready: web %s  smtp %s\n", s.webURL(), s.smtpAddress())
	link, err := s.setupLink(ctx)
	if err != nil || link == "" {
		return err
	}
	fmt.Fprintf(out, "first start: open %s to make the first account (the link works once)\n", link)
	return nil
}

// setupLink makes a new link for the first account, "" where there is one
// already; links made before stop working.
func (s *server) setupLink(ctx context.Context) (string, error) {
	needs, err := s.desk.NeedsSetup(ctx)
	if err != nil || !needs {
		return "", err
	}
	secret, err := s.desk.SetupSecret(ctx)
	if err != nil || secret == "" {
		return "", err
	}
	return s.webURL() + "/setup?key=" + secret, nil
}
