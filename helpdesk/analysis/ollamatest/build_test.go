package ollamatest_test

import (
	"flag"
	"log/slog"
	"os"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk/analysis/ollamatest"
)

var build = flag.Bool("build", false, "build the real Ollama that tests use, unless it is built (make ollama)")

func TestBuild(t *testing.T) {
	if !*build {
		t.Skip("SKIPPED, not passed: building takes minutes and is asked for with -build (make ollama)")
	}
	if err := ollamatest.Build(t.Context(), slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		t.Fatalf("THE REAL OLLAMA CANNOT BE HAD: %v", err)
	}
}
