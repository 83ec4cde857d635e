package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestEveryCommandShowsAnExample(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Example == "" || c.Short == "" {
			t.Errorf("%s has no example or no description", c.CommandPath())
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(newRootCommand())
}

// typed are the commands of ours in a document: in a code span, or at the beginning of a line
// of a block, up to what the shell ends a command with.
var typed = regexp.MustCompile("(?m)(?:`|&& |^ *)(?:bin/)?madoguchi ([a-z][^`|&#\\n]*)")

// TestDocumentsNameCommandsThatExist looks up each command of the documents, with its flags.
func TestDocumentsNameCommandsThatExist(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("the documents: %v", err)
	}
	root := newRootCommand()
	for _, file := range append(files, "../../README.md", "../../README.ja.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range typed.FindAllStringSubmatch(string(text), -1) {
			words := strings.Fields(match[1])
			cmd, _, err := root.Find(words)
			if err != nil || cmd == root {
				t.Errorf("%s: there is no command madoguchi %s", filepath.Base(file), match[1])
				continue
			}
			for _, word := range words {
				name, isFlag := strings.CutPrefix(strings.Trim(word, "[]"), "--")
				if isFlag && name != "help" && !takesFlag(cmd, name) {
					t.Errorf("%s: %s has no flag --%s", filepath.Base(file), cmd.CommandPath(), name)
				}
			}
		}
	}
}

// takesFlag says whether a command, or one below it, has a flag.
func takesFlag(cmd *cobra.Command, name string) bool {
	return cmd.Flag(name) != nil || slices.ContainsFunc(cmd.Commands(), func(below *cobra.Command) bool { return takesFlag(below, name) })
}
