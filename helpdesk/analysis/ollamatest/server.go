package ollamatest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Names of the models that a started server has.
const (
	ClerkModel   = "clerk"   // chats, see Clerk
	EndlessModel = "endless" // its plain text ends only where it is told to
	ThinkerModel = "thinker" // the clerk, who is said to think
	SorterModel  = "sorter"  // makes vectors, see WriteEmbedding
)

// templates of Ollama; that of the thinker names what Ollama takes as a sign of
// a model that thinks.
const (
	plainTemplate    = `{{- range .Messages }}<|{{ .Role }}|>{{ .Content }}<|end|>{{ end }}<|assistant|>`
	thinkingTemplate = `{{- range .Messages }}<|{{ .Role }}|>{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}<|end|>{{ end }}<|assistant|>`
)

// Start starts a real Ollama that has the models, and stops it with the test. A
// machine without one skips the test and says why.
func Start(t testing.TB) (address string) {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the real Ollama")
	}
	home, built, err := Home()
	if err != nil || !built {
		t.Skipf("THE REAL OLLAMA DID NOT RUN: none is built in %s (make ollama builds it in some minutes) %v", home, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	listener.Close()
	said := &tail{}
	command := exec.CommandContext(t.Context(), filepath.Join(home, "bin", "ollama"), "serve")
	command.Env = append(os.Environ(), "OLLAMA_HOST="+host, "OLLAMA_MODELS="+t.TempDir(), "HOME="+t.TempDir(),
		"OLLAMA_NO_CLOUD=1", "OLLAMA_NUM_PARALLEL=1", "OLLAMA_MAX_LOADED_MODELS=4",
		// Threads of llama.cpp wait for each other busily: where other tests run
		// beside it, several are far slower than one.
		"LLAMA_ARG_THREADS=1", "LLAMA_ARG_THREADS_BATCH=1", "OMP_NUM_THREADS=1")
	command.Stdout, command.Stderr = said, said
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) } // so that it stops its llama-servers
	command.WaitDelay = 20 * time.Second
	if err := command.Start(); err != nil {
		t.Fatalf("start ollama: %v", err)
	}
	t.Cleanup(func() {
		command.Process.Signal(syscall.SIGTERM)
		command.Wait() // its exit says nothing: a signal ended it
		if t.Failed() {
			t.Logf("the end of what ollama logged:\n%s", said)
		}
	})
	address = "http://" + host
	await(t, address)
	createAll(t, address)
	return address
}

// await waits until the server answers.
func await(t testing.TB, address string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		response, err := http.Get(address + "/api/version")
		if err == nil {
			response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("ollama does not answer: %v", err)
		}
		time.Sleep(50 * time.Millisecond) // another process; nothing tells that it listens
	}
}

func createAll(t testing.TB, address string) {
	t.Helper()
	directory := t.TempDir()
	endless := Clerk()
	endless.Endless = true
	for _, m := range []struct {
		name, template string
		write          func(string) error
	}{
		{ClerkModel, plainTemplate, Clerk().WriteTo}, {EndlessModel, plainTemplate, endless.WriteTo},
		{ThinkerModel, thinkingTemplate, Clerk().WriteTo}, {SorterModel, "", WriteEmbedding},
	} {
		path := filepath.Join(directory, m.name+".gguf")
		if err := m.write(path); err != nil {
			t.Fatal(err)
		}
		if err := create(address, m.name, m.template, path); err != nil {
			t.Fatalf("give ollama the model %s: %v", m.name, err)
		}
	}
}

// create gives the server a model file under a name.
func create(address, name, template, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	if err := post(address+"/api/blobs/"+digest, content); err != nil {
		return err
	}
	request := map[string]any{"model": name, "files": map[string]string{name + ".gguf": digest}, "stream": false}
	if template != "" {
		request["template"] = template
	}
	encoded, err := json.Marshal(request)
	if err != nil {
		return err
	}
	return post(address+"/api/create", encoded)
}

func post(url string, body []byte) error {
	response, err := http.Post(url, "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		return errors.Join(fmt.Errorf("%s: %s", response.Status, said), err)
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const tailSize = 8 << 10

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = append(w.kept, p...)
	w.kept = w.kept[max(len(w.kept)-tailSize, 0):]
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.kept)
}
