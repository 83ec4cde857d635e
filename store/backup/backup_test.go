package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/store/backup"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// content is size bytes that cannot be compressed, the same for the same seed.
func content(seed uint64, size int) []byte {
	data := make([]byte, size)
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	source.Read(data)
	return data
}

func from(data []byte) func(context.Context, io.Writer) error {
	return func(_ context.Context, w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	}
}

func create(t *testing.T) *backup.Directory {
	t.Helper()
	d, err := backup.Create(filepath.Join(t.TempDir(), "backups"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func take(t *testing.T, d *backup.Directory, at time.Time, data []byte) backup.Copy {
	t.Helper()
	c, err := d.Take(t.Context(), at, "1.0", from(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func read(t *testing.T, d *backup.Directory, id string) ([]byte, error) {
	t.Helper()
	r, err := d.Read(id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// size is what a directory takes on disk.
func size(t *testing.T, d *backup.Directory) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(d.Path(), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		sum += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// What did not change is not copied again, and every copy is what it was.
func TestCopiesShareWhatTheyHaveInCommon(t *testing.T) {
	d := create(t)
	first := content(1, 3<<20+777)
	second := slices.Clone(first)
	copy(second[1<<20:], content(2, 40<<10))
	second = append(second, content(3, 10<<10)...)
	a := take(t, d, noon, first)
	b := take(t, d, noon.Add(time.Hour), second)
	c := take(t, d, noon.Add(time.Hour), second) // the same second: it has a name of its own
	if a.New < int64(len(first)) || b.New > 120<<10 || c.New != 0 || b.ID == c.ID {
		t.Errorf("written: %d, then %d, then %d; ids %s %s", a.New, b.New, c.New, b.ID, c.ID)
	}
	for id, want := range map[string][]byte{a.ID: first, b.ID: second, c.ID: second} {
		if got, err := read(t, d, id); err != nil || !bytes.Equal(got, want) {
			t.Errorf("copy %s: %d bytes, want %d (%v)", id, len(got), len(want), err)
		}
	}
	again, err := backup.Open(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	list, err := again.List()
	if err != nil || len(list) != 3 || list[0].ID != a.ID || list[0].Size != int64(len(first)) || list[0].Program != "1.0" {
		t.Errorf("list: %+v, %v", list, err)
	}
	if _, err := read(t, d, "20200101T000000Z"); !errors.Is(err, backup.ErrNone) {
		t.Errorf("a copy that is not there: %v", err)
	}
	if _, err := read(t, d, "../packs/x"); !errors.Is(err, backup.ErrNone) {
		t.Errorf("a name that leads elsewhere: %v", err)
	}
}

// A copy that was broken off is no copy, and what it had is not copied again.
func TestBrokenOffCopyIsGoneOnWith(t *testing.T) {
	d := create(t)
	data := content(4, 4<<20)
	broken := errors.New("the line was cut")
	_, err := d.Take(t.Context(), noon, "1.0", func(_ context.Context, w io.Writer) error {
		if _, err := w.Write(data[:3<<20]); err != nil {
			return err
		}
		return broken
	}, nil)
	if !errors.Is(err, broken) {
		t.Fatalf("take: %v", err)
	}
	if list, err := d.List(); err != nil || len(list) > 0 {
		t.Fatalf("a half copy is listed: %v, %v", list, err)
	}
	if _, err := d.Newest(); !errors.Is(err, backup.ErrNone) {
		t.Errorf("newest of none: %v", err)
	}
	partials, _ := filepath.Glob(filepath.Join(d.Path(), "packs", "*.partial"))
	if len(partials) != 1 {
		t.Fatalf("left: %v", partials)
	}
	// As a power cut leaves it: its end is not what was written.
	file, err := os.OpenFile(partials[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, _ := file.Stat()
	if _, err := file.WriteAt(make([]byte, 5000), info.Size()-5000); err != nil {
		t.Fatal(err)
	}
	file.Close()
	c := take(t, d, noon, data)
	if c.New > 1<<20+200<<10 {
		t.Errorf("%d bytes were written, though 3 of 4 MiB were there", c.New)
	}
	if got, err := read(t, d, c.ID); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the copy differs (%v)", err)
	}
	if left, _ := filepath.Glob(filepath.Join(d.Path(), "*", "*.partial")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A copy is whole only if every block is: each byte that is changed, cut off or lost is found.
func TestCheckFindsDamage(t *testing.T) {
	data := content(5, 300<<10)
	damages := map[string]func(path string) error{
		"a changed byte in a pack": func(path string) error {
			return edit(only(t, path, "packs/*.pack"), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		},
		"a pack that was cut short": func(path string) error {
			return edit(only(t, path, "packs/*.pack"), func(b []byte) []byte { return b[:len(b)/2] })
		},
		"a pack that is gone": func(path string) error { return os.Remove(only(t, path, "packs/*.pack")) },
		"a changed byte in the list": func(path string) error {
			return edit(only(t, path, "copies/*.copy"), func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
		},
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			c := take(t, d, noon, data)
			if err := d.Check(t.Context(), c.ID, noon, nil); err != nil {
				t.Fatal(err)
			}
			if list, _ := d.List(); !list[0].Verified.Equal(noon) {
				t.Errorf("not noted as verified: %+v", list)
			}
			if err := damage(d.Path()); err != nil {
				t.Fatal(err)
			}
			if err := d.Check(t.Context(), c.ID, noon, nil); !errors.Is(err, backup.ErrDamaged) {
				t.Errorf("check: %v", err)
			}
		})
	}
}

func only(t *testing.T, path, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(path, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

func edit(path string, change func([]byte) []byte) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, change(data), 0o600)
}

func TestCreateRefusesOtherDirectories(t *testing.T) {
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, "letters.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Create(path); err == nil || !strings.Contains(err.Error(), "letters.txt") {
		t.Errorf("create: %v", err)
	}
	if _, err := backup.Open(path); !errors.Is(err, backup.ErrNone) {
		t.Errorf("open: %v", err)
	}
	if err := os.WriteFile(filepath.Join(path, "madoguchi-backup.json"), []byte(`{"format":9,"block_size":16384}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Create(path); !errors.Is(err, backup.ErrNewer) {
		t.Errorf("a newer one: %v", err)
	}
}

// Two at once would undo each other's work; a reader's packs must not go.
func TestOneWorksAtATime(t *testing.T) {
	d := create(t)
	c := take(t, d, noon, content(6, 50<<10))
	_, err := d.Take(t.Context(), noon, "1.0", func(ctx context.Context, w io.Writer) error {
		_, err := d.Take(ctx, noon, "1.0", from([]byte("x")), nil)
		return err
	}, nil)
	if !errors.Is(err, backup.ErrBusy) {
		t.Errorf("take during take: %v", err)
	}
	r, err := d.Read(c.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := d.Rotate(t.Context(), backup.Keep{}, time.UTC); !errors.Is(err, backup.ErrBusy) {
		t.Errorf("rotate during a read: %v", err)
	}
	if _, err := d.Read(c.ID); err != nil {
		t.Errorf("read during a read: %v", err)
	}
}

func TestChoose(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*60*60)
	var list []backup.Copy
	for day := range 120 { // one a day at 3:30 in Tokyo, which is the day before in UTC
		at := time.Date(2026, 7, 25, 3, 30, 0, 0, tokyo).AddDate(0, 0, day).UTC()
		list = append(list, backup.Copy{ID: fmt.Sprint(day), At: at, Verified: at})
	}
	days := func(list []backup.Copy) (days []string) {
		for _, c := range list {
			days = append(days, c.At.In(tokyo).Format("01-02"))
		}
		return days
	}
	stay, leave := backup.Keep{Daily: 3, Weekly: 3, Monthly: 4}.Choose(list, tokyo)
	// 2026-11-21 is a Saturday, the last of 120 days.
	if want := []string{"08-31", "09-30", "10-31", "11-08", "11-15", "11-19", "11-20", "11-21"}; !slices.Equal(days(stay), want) {
		t.Errorf("stay %v, want %v", days(stay), want)
	}
	if len(stay)+len(leave) != len(list) {
		t.Errorf("%d stay, %d go, of %d", len(stay), len(leave), len(list))
	}
	// Since the 15th nothing could be verified: the last good one outlives everything.
	for i := range list {
		if list[i].At.In(tokyo).After(time.Date(2026, 8, 15, 12, 0, 0, 0, tokyo)) {
			list[i].Verified = time.Time{}
		}
	}
	list[50].Fault = errors.New("cannot be read")
	stay, _ = backup.Keep{Daily: 1}.Choose(list, tokyo)
	if want := []string{"08-15", "09-13", "11-21"}; !slices.Equal(days(stay), want) {
		t.Errorf("stay %v, want the last good one, the damaged one and the newest: %v", days(stay), want)
	}
}

// Rotating frees the space of what no copy needs, and nothing else.
func TestRotateFreesSpace(t *testing.T) {
	d := create(t)
	common := content(7, 1<<20)
	var last []byte
	for day := range 5 {
		last = slices.Concat(common, content(uint64(20+day), 2<<20))
		c := take(t, d, noon.AddDate(0, 0, day), last)
		if err := d.Check(t.Context(), c.ID, noon, nil); err != nil {
			t.Fatal(err)
		}
	}
	before := size(t, d)
	gone, err := d.Rotate(t.Context(), backup.Keep{Daily: 1}, time.UTC)
	if err != nil || len(gone) != 4 {
		t.Fatalf("rotate: %v, %v", gone, err)
	}
	if after := size(t, d); before < 11<<20 || after > 3<<20+300<<10 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
	list, err := d.List()
	if err != nil || len(list) != 1 {
		t.Fatalf("list: %v, %v", list, err)
	}
	if got, err := read(t, d, ""); err != nil || !bytes.Equal(got, last) {
		t.Errorf("the one that stayed differs (%v)", err)
	}
	if gone, err := d.Rotate(t.Context(), backup.Keep{}, time.UTC); err != nil || len(gone) > 0 {
		t.Errorf("the last one went: %v, %v", gone, err)
	}
}
