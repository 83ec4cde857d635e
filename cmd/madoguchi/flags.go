package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// dataFlags are --data and --config, by which a command finds the data.
type dataFlags struct {
	data, config string
}

func (f *dataFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.data, "data", "", `data directory (default "`+defaultData+`", or what --config says)`)
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file that names the data directory")
}

// directory is the data directory meant: --data, or that of the configuration.
func (f *dataFlags) directory() (string, error) {
	if f.data != "" {
		return f.data, nil
	}
	c, err := readConfig(f.config)
	if err != nil {
		return "", err
	}
	return c.Server.Data, nil
}

// existingDirectory is directory for commands that want data that is there: one
// without is probably a slip, and no place for a new house.
func (f *dataFlags) existingDirectory() (string, error) {
	directory, err := f.directory()
	if err != nil {
		return "", err
	}
	_, err = os.Stat(storePath(directory))
	if errors.Is(err, fs.ErrPermission) {
		return "", unusable(directory, err)
	}
	if err != nil {
		return "", fmt.Errorf("there is no data in %s; name its directory with --data DIR, or begin there with madoguchi serve", directory)
	}
	return directory, nil
}

// operateOnExisting does something with data that there is, through the running server
// where there is one, until it is done or interrupted.
func (f *dataFlags) operateOnExisting(cmd *cobra.Command, do func(ctx context.Context, ops operations, directory string) error) error {
	directory, err := f.existingDirectory()
	if err != nil {
		return err
	}
	ctx, stop := untilInterrupted(cmd.Context())
	defer stop()
	return withOperations(ctx, cmd.ErrOrStderr(), directory, func(ops operations) error { return do(ctx, ops, directory) })
}

// configure has work without a running server go by the configuration file. A
// server has its own.
func (f *dataFlags) configure(ctx context.Context, ops operations) error {
	l, alone := ops.(*local)
	if !alone || f.config == "" {
		return nil
	}
	c, err := readConfig(f.config)
	if err != nil {
		return err
	}
	return l.configure(ctx, c)
}

// operate runs work on the data that the flags name.
func (f *dataFlags) operate(cmd *cobra.Command, work func(operations) error) error {
	directory, err := f.existingDirectory()
	if err != nil {
		return err
	}
	return withOperations(cmd.Context(), cmd.ErrOrStderr(), directory, work)
}

// operateOrBegin is operate for what a new house can begin with, before its server
// first runs.
func (f *dataFlags) operateOrBegin(cmd *cobra.Command, work func(operations) error) error {
	directory, err := f.directory()
	if err != nil {
		return err
	}
	return withOperations(cmd.Context(), cmd.ErrOrStderr(), directory, work)
}

// operateConfigured is operate for work that depends on the configuration: that of the
// running server, or else the file's.
func (f *dataFlags) operateConfigured(cmd *cobra.Command, work func(operations) error) error {
	c, err := readConfig(f.config)
	if err != nil {
		return err
	}
	directory, err := f.existingDirectory()
	if err != nil {
		return err
	}
	return withOperations(cmd.Context(), cmd.ErrOrStderr(), directory, func(ops operations) error {
		if l, alone := ops.(*local); alone {
			l.config = c
			l.config.Server.Data = directory
		}
		return work(ops)
	})
}

// untilInterrupted ends with the first SIGINT or SIGTERM. From then on a signal
// has its usual effect, so that a second one ends the process at once.
func untilInterrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// readPassword reads the file, or standard input for "-"; the line break at
// its end is no part of the password.
func readPassword(cmd *cobra.Command, file string) (string, error) {
	var text []byte
	var err error
	switch file {
	case "":
		return "", errors.New(`say where the password is read from: --password-file FILE, or --password-file - for standard input`)
	case "-":
		text, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), 64<<10))
	default:
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
