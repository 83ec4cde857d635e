package store_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

type team struct {
	ID      uint64
	Members []string
}

func rememberedTeams() *store.Table[team] {
	return store.NewTable(store.Spec[team]{Name: "team", Version: 1, Key: func(t *team) []byte { return store.Key{}.Uint64(t.ID) },
		Clone: func(t *team) *team { return &team{t.ID, slices.Clone(t.Members)} }})
}

// What a caller does with a record reaches nobody else, and what is read is always what
// is stored: in the transaction that wrote it, after it was rolled back, and once it is
// committed.
func TestRememberedRecordsAreWhatIsStored(t *testing.T) {
	e, teams, undone := openBolt(t), rememberedTeams(), errors.New("undone")
	expect := func(r store.Reader, id uint64, member string) {
		t.Helper()
		for range 2 {
			got, err := teams.Get(r, store.Key{}.Uint64(id))
			if err != nil || len(got.Members) != 1 || got.Members[0] != member {
				t.Fatalf("team %d is %v, %v, not of %s", id, got, err, member)
			}
			got.Members[0] = "somebody else"
		}
	}
	for id := range uint64(200) { // more than are remembered
		update(t, e, func(tx store.Tx) error { return teams.Put(tx, &team{id, []string{"hanako"}}) })
		err := e.Update(t.Context(), func(tx store.Tx) error {
			expect(tx, id, "hanako")
			if err := teams.Put(tx, &team{id, []string{"ichiro"}}); err != nil {
				return err
			}
			expect(tx, id, "ichiro")
			return undone
		})
		if err != undone {
			t.Fatal(err)
		}
		view(t, e, func(r store.Reader) error { expect(r, id, "hanako"); expect(r, id/2, "hanako"); return nil })
	}
}
