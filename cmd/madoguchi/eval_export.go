package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis/evaluation"
)

// exportCorrections writes the corrected mails as a set. A file takes its name
// when it is whole, and is its owner's alone: customers' mails are in it.
func (f *evalFlags) exportCorrections(ctx context.Context, stdout, notes io.Writer) error {
	directory, err := f.data.existingDirectory()
	if err != nil {
		return err
	}
	return withOperations(ctx, notes, directory, func(ops operations) error {
		if f.export == "-" {
			return ops.Corrections(ctx, stdout)
		}
		partial, err := os.CreateTemp(filepath.Dir(f.export), "."+filepath.Base(f.export)+".partial-*") // mode 0600
		if err != nil {
			return fmt.Errorf("export corrections: %w", err)
		}
		counter := &lineCounter{w: partial}
		err = errors.Join(ops.Corrections(ctx, counter), partial.Sync(), partial.Close())
		if err == nil && counter.lines == 0 {
			err = errors.New("nobody has corrected an analysis yet; there is nothing to export")
		}
		if err == nil {
			err = os.Rename(partial.Name(), f.export)
		}
		if err != nil {
			os.Remove(partial.Name())
			return fmt.Errorf("export corrections: %w", err)
		}
		fmt.Fprintf(stdout, "wrote %s to %s\n", amount(counter.lines, "mail", "mails"), f.export)
		return nil
	})
}

// lineCounter counts the lines that pass.
type lineCounter struct {
	w     io.Writer
	lines int
}

func (c *lineCounter) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == '\n' {
			c.lines++
		}
	}
	return c.w.Write(p)
}

// Corrections implements operations.
func (l *local) Corrections(ctx context.Context, w io.Writer) error {
	buffered := bufio.NewWriter(w)
	err := l.desk.Corrections(ctx, l.actor, func(c helpdesk.CorrectedMail) error {
		return evaluation.WriteMail(buffered, evaluation.Corrected(c))
	})
	return errors.Join(err, buffered.Flush())
}

// Corrections implements operations.
func (r *remote) Corrections(ctx context.Context, w io.Writer) error {
	response, err := r.send(ctx, http.MethodGet, "/corrections", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}
