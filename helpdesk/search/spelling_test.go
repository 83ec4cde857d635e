package search_test

import (
	"slices"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
)

// A number is written in as many ways as there are forms to write it into.
func TestNumbersAreFoundHoweverTheyAreGrouped(t *testing.T) {
	h := newHouse(t)
	h.post(letter{text: "電話は 090-1234-5678 です。注文番号 AB-12345"})   // 1
	h.post(letter{text: "電話：０９０１２３４５６７８、注文番号：AB12345"})          // 2
	h.post(letter{text: "電話 090ー1234ー5678 まで"})                  // 3
	h.post(letter{text: "代表 (06) 6123-4567、夜間は 0120-123-456"})   // 4
	h.post(letter{text: "代表 0661234567、夜間は 0120123456", to: ""}) // 5
	h.post(letter{text: "電話は 090-1234-5679 です。注文番号 AB-12346 等"}) // 6
	h.follow()
	for query, want := range map[string][]uint64{
		"090-1234-5678": {1, 2, 3},
		"09012345678":   {1, 2, 3},
		"０９０ー１２３４ー５６７８":             {1, 2, 3},
		`"090-1234-5678"`:           {1, 2, 3},
		"-090-1234-5678 電話":         {6},
		"06-6123-4567":              {4, 5},
		"0661234567":                {4, 5},
		"0120123456":                {4, 5},
		"AB-12345":                  {1, 2},
		"ab12345":                   {1, 2},
		"0661234567 OR AB12346":     {4, 5, 6},
		"0120-123-456 OR 代表 OR 等":   {4, 5, 6},
		"<mail-4@customer.example>": {4},
		"mail-4@customer.example":   {4},
	} {
		if got := h.find(query); !sameNumbers(got, want) {
			t.Errorf("%s finds %v, want %v", query, got, want)
		}
	}
	hits := h.search(search.Query{Text: "090-1234-5678"}).Hits
	for _, hit := range hits {
		if !slices.ContainsFunc(hit.Snippet, func(r search.Run) bool { return r.Match }) {
			t.Errorf("ticket %d does not show what was found: %v", hit.Row.Ticket.Number, hit.Snippet)
		}
	}
}

func TestOrJoinsFiltersToo(t *testing.T) {
	h := newHouse(t)
	for range 3 {
		h.post(letter{})
	}
	for number, tag := range map[uint64]string{1: "返品", 2: "請求"} {
		if _, err := h.Change(t.Context(), h.admin, number, helpdesk.Change{Tags: &[]string{tag}}); err != nil {
			t.Fatal(err)
		}
	}
	h.follow()
	for query, want := range map[string][]uint64{"tag:返品 OR tag:請求": {1, 2}, "hello or": {}, "tag:返品 OR": {1}} {
		if got := h.find(query); !sameNumbers(got, want) {
			t.Errorf("%s finds %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{"hello OR tag:返品", "hello OR -text", "after:2026 OR hello"} {
		if _, err := h.index.Search(t.Context(), h.admin, search.Query{Text: query}); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// Foreign names have a dot, a space or nothing between their parts, and family names old characters.
func TestNamesAreFoundHoweverTheyAreWritten(t *testing.T) {
	h := newHouse(t)
	h.post(letter{text: "ジョン・スミスと申します。"})     // 1
	h.post(letter{text: "ジョン スミスと申します。"})     // 2
	h.post(letter{text: "ジョンスミスと申します。"})      // 3
	h.post(letter{text: "𠮷田、曾根、藪内、舘野、渕上です。"}) // 4
	h.post(letter{text: "吉田、曽根、薮内、館野、淵上です。"}) // 5
	h.follow()
	for query, want := range map[string][]uint64{
		"ジョン・スミス": {1, 2, 3}, "ｼﾞｮﾝ･ｽﾐｽ": {1, 2, 3}, "ジョンスミス": {1, 2, 3}, `"ジョン スミス"`: {1, 2, 3},
		"吉田": {4, 5}, "𠮷田": {4, 5}, "曽根 藪内 館野 渕上": {4, 5},
	} {
		if got := h.find(query); !sameNumbers(got, want) {
			t.Errorf("%s finds %v, want %v", query, got, want)
		}
	}
}

func sameNumbers(got, want []uint64) bool {
	return slices.Equal(slices.Sorted(slices.Values(got)), want)
}
