package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// explainUse has root and everything below it refuse what was mistyped with what to
// type instead.
func explainUse(root *cobra.Command) {
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w%s; %s --help shows how it is used", err, nearestFlag(cmd, err), cmd.CommandPath())
	})
	explainArguments(root)
}

func explainArguments(cmd *cobra.Command) {
	for _, below := range cmd.Commands() {
		explainArguments(below)
	}
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check(cmd, args) == nil {
			return nil
		}
		_, takes, _ := strings.Cut(cmd.Use, " ")
		var said string
		switch {
		case len(args) > 0 && cmd.HasAvailableSubCommands():
			said = unknownBelow(cmd, args[0])
		case takes == "" || strings.HasPrefix(takes, "-"): // flags alone
			said = fmt.Sprintf("%s takes no argument, not %q", cmd.CommandPath(), strings.Join(args, " "))
		case len(args) == 0:
			said = fmt.Sprintf("%s is missing: %s %s", takes, cmd.CommandPath(), takes)
		default:
			said = fmt.Sprintf("%d arguments are too many (one with spaces goes into quotes): %s %s", len(args), cmd.CommandPath(), takes)
		}
		return fmt.Errorf("%s; %s --help has an example", said, cmd.CommandPath())
	}
}

// unknownCommand refuses the name of a command that a group does not have. Cobra does
// so for the first name alone, and shows help for the others as if all were well.
func unknownCommand(root *cobra.Command, args []string) error {
	group, rest, err := root.Find(args)
	if err != nil || group == root || group.Runnable() || len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
		return nil
	}
	return errors.New(unknownBelow(group, rest[0]))
}

// unknownBelow says that a group has no command of a name, and which it has.
func unknownBelow(group *cobra.Command, name string) string {
	var known []string
	for _, below := range group.Commands() {
		if below.IsAvailableCommand() {
			known = append(known, below.Name())
		}
	}
	return fmt.Sprintf("unknown command %q for %q%s", name, group.CommandPath(), didYouMean(name, known))
}

// nearestFlag names the flag that was probably meant by one that there is not.
func nearestFlag(cmd *cobra.Command, err error) string {
	name, unknown := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !unknown {
		return ""
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
	return didYouMean("--"+name, known)
}

// didYouMean names what of known was probably meant, or all of it.
func didYouMean(typed string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	nearest := slices.MinFunc(known, func(a, b string) int { return editDistance(typed, a) - editDistance(typed, b) })
	if editDistance(typed, nearest) <= max(2, len(typed)/3) {
		return fmt.Sprintf("; did you mean %q?", nearest)
	}
	return "; known here: " + strings.Join(known, ", ")
}
