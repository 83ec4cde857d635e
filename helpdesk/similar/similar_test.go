package similar_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
)

const (
	invoice  = "適格請求書の登録番号が記載されていません。経理に提出できないため、登録番号入りの請求書を再発行してください。"
	invoice2 = "請求書に登録番号が見当たりません。登録番号入りの適格請求書を再発行していただけますか。経理から求められています。"
	login    = "ログイン画面でパスワードを入力しても先に進めません。二段階認証のコードも届かない状態が続いています。"
)

func TestTicketsAboutTheSameAreFoundWhereTheyAreNow(t *testing.T) {
	h := newHouse(t)
	h.post("a@one.example", "請求書", invoice)
	h.post("b@two.example", "ログインできない", login)
	h.work()
	asked := h.post("c@three.example", "適格請求書について", invoice2)
	h.work()
	found := h.similar(asked.Ticket)
	if found.By != similar.ByMeaning || !slices.Equal(found.Numbers(), []uint64{1}) || found.Tickets[0].Score < 0.5 || found.Tickets[0].Score > 1.01 {
		t.Fatalf("similar: %+v", found)
	}
	if s := h.status(); s.Vectors != 3 || s.Dimensions != 256 || s.Model != "vectors" || s.Digest != "sha-1" || s.Next != "" || s.Trouble != "" {
		t.Errorf("status: %+v", s)
	}

	h.now = h.now.Add(time.Hour) // what was found is no longer remembered
	other := h.post("d@four.example", "その他", "営業時間を教えてください。土曜日も開いていますか。")
	if _, err := h.Merge(t.Context(), h.admin, 1, other.Ticket); err != nil {
		t.Fatal(err)
	}
	h.work()
	if found := h.similar(asked.Ticket); !slices.Equal(found.Numbers(), []uint64{other.Ticket}) {
		t.Errorf("after merging: %+v", found)
	}
	h.now = h.now.Add(time.Hour)
	if _, err := h.MarkSpam(t.Context(), h.admin, other.Ticket, helpdesk.BlockNobody); err != nil {
		t.Fatal(err)
	}
	h.work()
	if found := h.similar(asked.Ticket); len(found.Tickets) != 0 {
		t.Errorf("spam is found: %+v", found)
	}
}

func TestSpamMakesNoVectorUntilItIsNone(t *testing.T) {
	h := newHouse(t)
	h.post("a@one.example", "請求書", invoice)
	if _, err := h.MarkSpam(t.Context(), h.admin, 1, helpdesk.BlockNobody); err != nil {
		t.Fatal(err)
	}
	h.work()
	if s := h.status(); s.Vectors != 0 {
		t.Fatalf("of spam: %+v", s)
	}
	if _, err := h.MarkNotSpam(t.Context(), h.admin, 1); err != nil {
		t.Fatal(err)
	}
	h.work()
	if s := h.status(); s.Vectors != 1 {
		t.Errorf("of what is none: %+v", s)
	}
}

func TestWordsAreComparedWithoutVectors(t *testing.T) {
	h := newHouse(t)
	h.post("a@one.example", "請求書", invoice)
	h.post("b@two.example", "ログインできない", login)
	asked := h.post("c@three.example", "適格請求書について", invoice2)
	h.followWords()
	found := h.similar(asked.Ticket)
	if found.By != similar.ByWords || len(found.Tickets) == 0 || found.Tickets[0].Ticket != 1 {
		t.Fatalf("by words: %+v", found)
	}
	h.model.set(func(o *ollama) { o.status = http.StatusServiceUnavailable })
	err := h.tryWork()
	var later interface{ RetryAfter() time.Duration }
	if !errors.As(err, &later) || later.RetryAfter() <= 0 {
		t.Fatalf("while the model is busy: %v", err)
	}
	if found := h.similar(asked.Ticket); found.By != similar.ByWords || h.status().Trouble == "" {
		t.Errorf("while the model is busy: %+v, %+v", found, h.status())
	}
	h.model.set(func(o *ollama) { o.status = 0 })
	h.work()
	if found := h.similar(asked.Ticket); found.By != similar.ByMeaning || h.status().Trouble != "" || h.status().Vectors != 3 {
		t.Errorf("after it is back: %+v, %+v", found, h.status())
	}
}

func TestOneTextThatTheModelFailsOnHoldsUpNoOther(t *testing.T) {
	h := newHouse(t)
	h.model.set(func(o *ollama) { o.poison, o.limit = "呪文", 400 })
	h.post("a@one.example", "請求書", invoice)
	h.post("b@two.example", "呪文", "この呪文を読むと数にならない。")
	h.post("c@three.example", "長い", strings.Repeat("とても長い文章です。", 130))
	h.work()
	if s := h.status(); s.Vectors != 2 || s.Refused != 1 || s.Trouble != "" {
		t.Fatalf("status: %+v", s)
	}
	asked := len(h.model.texts())
	h.post("d@four.example", "次", login)
	h.work()
	if s := h.status(); s.Vectors != 3 || len(h.model.texts()) != asked+1 {
		t.Errorf("the failing text is asked for again: %+v, %d texts more", s, len(h.model.texts())-asked)
	}
}

func TestAModelThatMakesNoVectorsIsNamed(t *testing.T) {
	for name, change := range map[string]func(*ollama){
		"not_implemented": func(o *ollama) { o.status = http.StatusNotImplemented },
		"zeros":           func(o *ollama) { o.zeros = true },
		"missing":         func(o *ollama) { o.digest = "" },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.model.set(change)
			h.post("a@one.example", "請求書", invoice)
			err := h.tryWork()
			if err == nil || !strings.Contains(err.Error(), `"vectors"`) || h.status().Vectors != 0 || h.status().Refused != 0 {
				t.Errorf("%v, %+v", err, h.status())
			}
		})
	}
}

func TestAnotherModelTakesOverWhenItsHistoryIsWhole(t *testing.T) {
	for name, change := range map[string]func(*ollama){
		"digest":     func(o *ollama) { o.digest, o.dimensions = "sha-2", 128 },
		"dimensions": func(o *ollama) { o.dimensions = 128 },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			for i := range 40 {
				h.post(fmt.Sprintf("c%d@one.example", i), fmt.Sprintf("品番 %d", i*7919), fmt.Sprintf("品番 %d の在庫について教えてください。", i*7919))
			}
			h.post("a@one.example", "請求書", invoice)
			h.work()
			h.model.set(change)
			h.withModel() // another day: nothing of the model is remembered
			asked := h.post("c@three.example", "適格請求書について", invoice2)
			for {
				more, err := h.index.Work(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				s := h.status()
				if s.Next == "" && s.Dimensions == 128 && !more {
					break
				}
				if s.Dimensions == 256 && s.Vectors < 41 {
					t.Fatalf("the vectors in use are gone before the others are there: %+v", s)
				}
				h.verify()
			}
			if s := h.status(); s.Vectors != 42 || s.Refused != 0 {
				t.Errorf("status: %+v", s)
			}
			if found := h.similar(asked.Ticket); found.By != similar.ByMeaning || !slices.Equal(found.Numbers(), []uint64{41}) {
				t.Errorf("similar: %+v", found)
			}
		})
	}
}

func TestHistoryComesFromTheNewestBackwards(t *testing.T) {
	h := newHouse(t)
	for i := range 50 {
		h.post("a@one.example", fmt.Sprintf("件名 %02d", i), fmt.Sprintf("本文 %02d", i))
	}
	more, err := h.index.Work(t.Context())
	if err != nil || !more {
		t.Fatal(more, err)
	}
	texts := h.model.texts()
	if len(texts) == 0 || len(texts) >= 50 || !strings.Contains(texts[0], "件名 49") {
		t.Fatalf("%d texts, the first %q", len(texts), texts[0])
	}
	h.post("a@one.example", "最新", "たった今のご相談です")
	if _, err := h.index.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	if newest := h.model.texts()[len(texts)]; !strings.Contains(newest, "最新") {
		t.Errorf("before news goes %q", newest)
	}
	if s := h.status(); s.Next != "vectors" || s.Done == 0 || s.Done >= s.Total {
		t.Errorf("progress: %+v", s)
	}
	h.work()
	if s := h.status(); s.Vectors != 51 || s.Next != "" {
		t.Errorf("status: %+v", s)
	}
}

func TestFailedCommitsLoseNoVector(t *testing.T) {
	h := newHouse(t)
	for i := range 60 {
		h.post("a@one.example", fmt.Sprintf("件名 %02d", i), fmt.Sprintf("本文 %02d", i))
	}
	failing := errors.New("the disk is full")
	for n := 0; ; n++ {
		if n%3 == 1 {
			h.fault.FailCommit(1, failing)
		}
		more, err := h.index.Work(t.Context())
		if err != nil && !errors.Is(err, failing) {
			t.Fatal(err)
		}
		if n%5 == 2 {
			h.withModel() // the program was killed
		}
		if !more && err == nil {
			break
		}
	}
	if s := h.status(); s.Vectors != 60 {
		t.Errorf("status: %+v", s)
	}
}
