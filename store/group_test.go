package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/storetest"
)

var errDisk = errors.New("disk broke")

// held is an update that keeps a Group's committer busy, so that others queue.
type held struct {
	running, release chan struct{}
	done             chan error
}

func hold(g *store.Group, fn func(store.Tx) error) *held {
	h := &held{make(chan struct{}), make(chan struct{}), make(chan error, 1)}
	var once sync.Once
	go func() {
		h.done <- g.Update(context.Background(), func(tx store.Tx) error {
			once.Do(func() { close(h.running) })
			<-h.release
			return fn(tx)
		})
	}()
	<-h.running
	return h
}

func put(key, value string) func(store.Tx) error {
	return func(tx store.Tx) error { return tx.Put([]byte(key), []byte(value)) }
}

func contents(t *testing.T, e store.Engine) string {
	t.Helper()
	var found []string
	err := e.View(context.Background(), func(r store.Reader) error {
		for entry, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			found = append(found, string(entry.Key)+"="+string(entry.Value))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(found, " ")
}

// queue starts an update and returns once it stands in the queue behind h: its
// context tells by being asked, which Update does after it joined.
func queue(g *store.Group, fn func(store.Tx) error) chan error {
	ctx := &askedContext{Context: context.Background(), asked: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- g.Update(ctx, fn) }()
	<-ctx.asked
	return done
}

// askedContext tells when its Done is asked for.
type askedContext struct {
	context.Context
	asked chan struct{}
	once  sync.Once
}

func (c *askedContext) Done() <-chan struct{} {
	c.once.Do(func() { close(c.asked) })
	return c.Context.Done()
}

func TestGroupCommitsAQueueOnce(t *testing.T) {
	fault := storetest.NewFault(openBolt(t))
	g := store.NewGroup(fault)
	first := hold(g, put("first", "1"))
	var waiting []chan error
	for i := range 50 {
		waiting = append(waiting, queue(g, put(fmt.Sprintf("k%02d", i), "1")))
	}
	close(first.release)
	for _, done := range append(waiting, first.done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if fault.Commits() != 1 {
		t.Errorf("%d commits, want 1", fault.Commits())
	}
	if got := len(strings.Fields(contents(t, g))); got != 51 {
		t.Errorf("%d entries, want 51", got)
	}
}

func TestGroupBoundsABatchInBytes(t *testing.T) {
	fault := storetest.NewFault(openBolt(t))
	g := store.NewGroup(fault)
	large := string(make([]byte, 9<<20))
	first := hold(g, put("a", large))
	waiting := []chan error{queue(g, put("b", large)), queue(g, put("c", "1")), queue(g, put("d", "1"))}
	close(first.release)
	for _, done := range append(waiting, first.done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if fault.Commits() != 2 {
		t.Errorf("%d commits, want 2: the first two updates fill a batch", fault.Commits())
	}
}

func TestGroupMembersSeeThoseBeforeThemAndFailAlone(t *testing.T) {
	fault := storetest.NewFault(openBolt(t))
	for _, repeats := range []int{0, 2} {
		fault.Repeat(repeats)
		g := store.NewGroup(fault)
		first := hold(g, put("a", "1"))
		refused := errors.New("refused")
		fails := queue(g, func(tx store.Tx) error {
			return errors.Join(tx.Put([]byte("a"), []byte("wrong")), tx.Put([]byte("b"), nil), refused)
		})
		panics := make(chan any, 1)
		queuedPanic := make(chan struct{})
		go func() {
			defer func() { panics <- recover() }()
			ctx := &askedContext{Context: context.Background(), asked: queuedPanic}
			_ = g.Update(ctx, func(tx store.Tx) error {
				_ = tx.Put([]byte("a"), []byte("wrong"))
				panic("broken")
			})
		}()
		<-queuedPanic
		sees := queue(g, func(tx store.Tx) error {
			value, err := tx.Get([]byte("a"))
			var scanned []string
			for entry := range tx.Scan(store.Range{Reverse: true}) {
				scanned = append(scanned, string(entry.Key))
			}
			if !slices.Equal(scanned, []string{"a"}) {
				return fmt.Errorf("scanned %q", scanned)
			}
			return errors.Join(err, tx.Put([]byte("c"), value), tx.Delete([]byte("a")))
		})
		close(first.release)
		if err := errors.Join(<-first.done, <-sees); err != nil {
			t.Error(err)
		}
		if err := <-fails; !errors.Is(err, refused) {
			t.Errorf("got %v, want its own error", err)
		}
		if got := <-panics; got != "broken" {
			t.Errorf("recovered %v, want its own panic", got)
		}
		if got := contents(t, g); got != "c=1" {
			t.Errorf("stored %q, want c=1", got)
		}
		if err := g.Update(t.Context(), func(tx store.Tx) error { return tx.Delete([]byte("c")) }); err != nil {
			t.Error(err)
		}
	}
}

func TestGroupOutlivesAPanicOfTheOneThatCommits(t *testing.T) {
	g := store.NewGroup(openBolt(t))
	running, release := make(chan struct{}), make(chan struct{})
	recovered := make(chan any, 1)
	go func() {
		defer func() { recovered <- recover() }()
		_ = g.Update(context.Background(), func(tx store.Tx) error {
			close(running)
			<-release
			panic("broken")
		})
	}()
	<-running
	waiting := queue(g, put("a", "1"))
	close(release)
	if got := <-recovered; got != "broken" {
		t.Errorf("recovered %v", got)
	}
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	if got := contents(t, g); got != "a=1" {
		t.Errorf("stored %q", got)
	}
}

// The engine runs the batch once in vain. The leader panics in the second run,
// when others have joined already.
func TestGroupPutsMembersBackWhenTheirLeaderPanics(t *testing.T) {
	fault := storetest.NewFault(openBolt(t))
	fault.Repeat(1)
	g := store.NewGroup(fault)
	running, release := make(chan struct{}), make(chan struct{})
	recovered := make(chan any, 1)
	go func() {
		defer func() { recovered <- recover() }()
		runs := 0
		_ = g.Update(context.Background(), func(tx store.Tx) error {
			if runs++; runs == 2 {
				panic("broken")
			}
			close(running)
			<-release
			return tx.Put([]byte("leader"), nil)
		})
	}()
	<-running
	waiting := []chan error{queue(g, put("a", "1")), queue(g, put("b", "2"))}
	close(release)
	if got := <-recovered; got != "broken" {
		t.Errorf("recovered %v", got)
	}
	for _, done := range waiting {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := contents(t, g); got != "a=1 b=2" {
		t.Errorf("stored %q", got)
	}
}

func TestGroupFailedCommitFailsEveryMember(t *testing.T) {
	fault := storetest.NewFault(openBolt(t))
	g := store.NewGroup(fault)
	fault.FailCommit(1, errDisk)
	first := hold(g, put("a", "1"))
	refused := errors.New("refused")
	waiting := []chan error{
		queue(g, put("b", "1")),
		queue(g, func(store.Tx) error { return refused }),
		queue(g, put("c", "1")),
	}
	close(first.release)
	for _, done := range append(waiting, first.done) {
		if err := <-done; !errors.Is(err, errDisk) {
			t.Errorf("got %v, want the commit's error", err)
		}
	}
	if got := contents(t, g); got != "" {
		t.Errorf("stored %q, want nothing", got)
	}
	if err := g.Update(t.Context(), put("d", "1")); err != nil {
		t.Errorf("the next update: %v", err)
	}
}

// The heart of it: whatever commits fail, what is in the file afterwards is
// exactly what was acknowledged.
func TestGroupAcknowledgesWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	fault := storetest.NewFault(reopenBolt(t, path))
	g := store.NewGroup(fault)
	const writers, rounds = 16, 15
	for n := 2; n < writers*rounds; n += 3 {
		fault.FailCommit(n, errDisk)
	}
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	failed := 0
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				key := fmt.Sprintf("%02d-%02d", w, i)
				err := g.Update(t.Context(), func(tx store.Tx) error {
					return errors.Join(tx.Put([]byte(key), []byte("1")), tx.Put([]byte("x-"+key), []byte("1")))
				})
				mu.Lock()
				switch {
				case err == nil:
					acknowledged[key+"=1"], acknowledged["x-"+key+"=1"] = true, true
				case errors.Is(err, errDisk):
					failed++
				default:
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if failed == 0 || len(acknowledged) == 0 {
		t.Fatalf("%d failed, %d acknowledged: the test proves nothing", failed, len(acknowledged))
	}
	stored := strings.Fields(contents(t, reopenBolt(t, path)))
	for _, entry := range stored {
		if !acknowledged[entry] {
			t.Errorf("%s is stored but was not acknowledged", entry)
		}
		delete(acknowledged, entry)
	}
	for entry := range acknowledged {
		t.Errorf("%s was acknowledged but is not stored", entry)
	}
}

func TestGroupCancelledInTheBatchWaitsForTheOutcome(t *testing.T) {
	g := store.NewGroup(openBolt(t))
	first := hold(g, put("a", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	asked := &askedContext{Context: ctx, asked: make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		done <- g.Update(asked, func(tx store.Tx) error {
			cancel()
			return tx.Put([]byte("b"), []byte("1"))
		})
	}()
	<-asked.asked
	close(first.release)
	if err := errors.Join(<-first.done, <-done); err != nil {
		t.Errorf("an error for something committed: %v", err)
	}
	if got := contents(t, g); got != "a=1 b=1" {
		t.Errorf("stored %q", got)
	}
}

func TestGroupCloseCommitsTheQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	g := store.NewGroup(reopenBolt(t, path))
	first := hold(g, put("a", "1"))
	waiting := queue(g, put("b", "1"))
	closed := make(chan error, 1)
	go func() { closed <- g.Close() }()
	close(first.release)
	if err := errors.Join(<-first.done, <-waiting, <-closed); err != nil {
		t.Error(err)
	}
	if err := g.Update(t.Context(), put("c", "1")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if got := contents(t, reopenBolt(t, path)); got != "a=1 b=1" {
		t.Errorf("stored %q", got)
	}
}

func TestGroupTellsWaitersThatTheEngineIsClosed(t *testing.T) {
	bolt := openBolt(t)
	g := store.NewGroup(bolt)
	if err := bolt.Close(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := g.Update(t.Context(), put("a", "1")); !errors.Is(err, store.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		})
	}
	wg.Wait()
}

// brokenEngine panics when it should commit, as bbolt does over damaged pages.
type brokenEngine struct{ store.Engine }

func (e brokenEngine) Update(ctx context.Context, fn func(store.Tx) error) error {
	return e.Engine.Update(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		panic("page 7 is no leaf")
	})
}

func TestGroupTurnsAPanicOfTheEngineIntoAnError(t *testing.T) {
	g := store.NewGroup(brokenEngine{openBolt(t)})
	first := hold(g, put("a", "1"))
	waiting := queue(g, put("b", "1"))
	close(first.release)
	for _, done := range []chan error{first.done, waiting} {
		if err := <-done; !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "page 7") {
			t.Errorf("got %v, want ErrCorrupt with the panic's words", err)
		}
	}
}
