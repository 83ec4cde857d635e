// Command madoguchi is a self-hosted SMTP server with a built-in helpdesk.
//
// This package reads flags and files and wires the others together; one file a
// subcommand, no logic of its own.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"
)

// memoryProfileRate is how many bytes are allocated between two samples of the memory
// profile. Eight times the usual, since finding out who allocates took a fiftieth of the time
// that a mail takes.
const memoryProfileRate = 4 << 20

func main() {
	runtime.MemProfileRate = memoryProfileRate
	root := newRootCommand()
	err := unknownCommand(root, os.Args[1:])
	if err == nil {
		err = root.Execute()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "madoguchi:", err)
		os.Exit(1)
	}
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "madoguchi",
		Short: "A self-hosted SMTP server with a built-in helpdesk",
		Long: `Madoguchi receives mail for your addresses, makes a ticket of each matter,
and lets a team answer from a web inbox. One binary, one file to configure,
one directory to back up.`,
		Example: `  madoguchi serve              # start, and open the link it prints
  madoguchi send-test          # then send it a first mail
  madoguchi inspect mail.eml   # how one mail is understood, as JSON`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newServeCommand(), newSendTestCommand(),
		newUserCommand(), newAliasCommand(), newPipelineCommand(), newTokenCommand(), newSetupLinkCommand(),
		newBackupCommand(), newRestoreCommand(), newRecoverCommand(), newImportCommand(), newExportCommand(), newVerifyCommand(), newReindexCommand(), newVectorsCommand(), newAnalyseCommand(), newEvalCommand(),
		newDNSCommand(), newCheckCommand(), newCertificateCommand(), newQueueCommand(), newParkedCommand(),
		newInspectCommand(), newExplainCommand(), newReplayCommand(), newVersionCommand(),
	)
	explainUse(root)
	return root
}
