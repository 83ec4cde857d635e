package storetest

import (
	"encoding/gob"
	"os"
	"path/filepath"
	"testing"
)

// Record runs work, in a process of its own, on the files of a directory that prepare has
// made, and returns all that it did to them. work marks what it was told is durable.
func Record(t *testing.T, prepare func(t *testing.T, directory string), work func(t *testing.T, directory string, mark func(note string))) *Trace {
	t.Helper()
	if into := os.Getenv(diskChild); into != "" {
		record(t, into, prepare, work)
		return nil
	}
	path := filepath.Join(t.TempDir(), "trace")
	runChild(t, path)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	trace := new(Trace)
	if err := gob.NewDecoder(file).Decode(trace); err != nil {
		t.Fatal(err)
	}
	for _, o := range trace.Operations {
		if o.Kind == Unknown {
			t.Fatalf("what was written to %s could not be read", o.File)
		}
	}
	return trace
}

func record(t *testing.T, into string, prepare func(*testing.T, string), work func(*testing.T, string, func(string))) {
	t.Helper()
	directory, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, directory)
	d := NewDisk(t)
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if d.trace.Base[e.Name()], err = os.ReadFile(filepath.Join(directory, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	d.mu.Lock()
	d.recording = directory
	d.mu.Unlock()
	work(t, directory, func(note string) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.trace.Operations = append(d.trace.Operations, Operation{Kind: Mark, Note: note})
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.recording = ""
	file, err := os.Create(into)
	if err != nil {
		t.Fatal(err)
	}
	if err := gob.NewEncoder(file).Encode(d.trace); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
