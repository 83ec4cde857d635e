package similar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
)

// Namer names what texts have in common, in a language (ISO 639-1). The texts are
// a stranger's; what it returns is shown as text.
type Namer interface {
	Name(ctx context.Context, texts []string, language string) (name, model string, err error)
}

// Topics works out what the mails of a week are about.
type Topics struct {
	index *Index
	desk  *helpdesk.Desk
	namer Namer // nil: topics are called by their words
	log   *slog.Logger
}

// NewTopics returns what works out topics, by the vectors of the index where most
// mails have one, else by their words.
func NewTopics(index *Index, desk *helpdesk.Desk, namer Namer, log *slog.Logger) *Topics {
	return &Topics{index: index, desk: desk, namer: namer, log: log}
}

// Bounds of the work.
const (
	weekMails      = 10_000 // read of the week; what is more is passed over, evenly
	beforeMails    = 20_000
	clusteredMails = 1_200 // compared each with each; the others are put to what is found
	wordsOfMail    = 400   // characters
	maxTopics      = 20
	leastTickets   = 3 // that make a topic
	weeksBefore    = 4
	daysOfWeek     = 7
	namingTime     = 15 * time.Minute // for all names
	namingTexts    = 8
)

// Work makes the report for now, in the place of today's, and sets the timer of
// the next.
func (t *Topics) Work(ctx context.Context, _ string) error {
	report, err := t.report(ctx)
	if err != nil {
		return fmt.Errorf("work out the topics of the week: %w", err)
	}
	return t.desk.StoreTopics(context.WithoutCancel(ctx), *report)
}

// week is what is compared: seven whole days and today so far are not mixed, so
// it ends with yesterday's last moment unless the house is younger.
type week struct {
	zone  *time.Location
	from  time.Time // the first day
	to    time.Time
	weeks int // before
}

func (w *week) day(at time.Time) int {
	for d := daysOfWeek - 1; d > 0; d-- {
		if !at.Before(w.from.AddDate(0, 0, d)) {
			return d
		}
	}
	return 0
}

// weekBefore is which of the weeks before a time is in, the oldest 0.
func (w *week) weekBefore(at time.Time) int {
	for n := 1; n <= w.weeks; n++ {
		if !at.Before(w.from.AddDate(0, 0, -daysOfWeek*n)) {
			return w.weeks - n
		}
	}
	return -1
}

// newWeek are the last seven days, today among them: what rises today is seen
// today.
func (t *Topics) newWeek(ctx context.Context) (*week, error) {
	zone, err := t.desk.House(ctx)
	if err != nil {
		return nil, err
	}
	first, err := t.desk.FirstMail(ctx)
	if err != nil {
		return nil, err
	}
	now := t.desk.Now().In(zone)
	end := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, zone)
	w := &week{zone: zone, from: end.AddDate(0, 0, -daysOfWeek), to: end}
	for w.weeks < weeksBefore && !first.IsZero() && !first.After(w.from.AddDate(0, 0, -daysOfWeek*(w.weeks+1)+1)) {
		w.weeks++
	}
	return w, nil
}

// mail is one mail that is compared.
type mail struct {
	helpdesk.CustomerWords
	text   string // subject and matter, shortened
	vector vector
	topic  int // -1: none
}

func (t *Topics) report(ctx context.Context) (*helpdesk.TopicReport, error) {
	w, err := t.newWeek(ctx)
	if err != nil {
		return nil, err
	}
	mails, count, err := t.mails(ctx, w.from, w.to, weekMails)
	if err != nil {
		return nil, err
	}
	before, _, err := t.mails(ctx, w.from.AddDate(0, 0, -daysOfWeek*w.weeks), w.from, beforeMails)
	if err != nil {
		return nil, err
	}
	report := &helpdesk.TopicReport{Day: w.to.AddDate(0, 0, -1).Format(time.DateOnly), From: w.from.UTC(), To: w.to.UTC(), Zone: w.zone.String(),
		Mails: count, Read: len(mails), Weeks: w.weeks, By: string(ByMeaning)}
	if report.Model, err = t.byMeaning(ctx, mails, before); err != nil {
		return nil, err
	}
	least := leastByMeaning
	if report.Model == "" {
		report.By, least = string(ByWords), leastByWords
		byWords(mails, before)
	} else {
		center(mails, before)
	}
	found := findTopics(mails, float32(least))
	found.assign(mails)
	found.assign(before)
	t.fill(report, w, found, mails, before)
	if err := t.keepNames(ctx, report, found); err != nil {
		return nil, err
	}
	t.name(ctx, report, found, mails)
	return report, nil
}

// mails reads what customers wrote in a time; where it is more than most, evenly
// less.
func (t *Topics) mails(ctx context.Context, from, to time.Time, most int) (list []mail, count int, err error) {
	every := 1
	err = t.desk.WordsBetween(ctx, from, to, func(w helpdesk.CustomerWords) bool {
		count++
		if count%every != 0 {
			return ctx.Err() == nil
		}
		words := []rune(Matter(w.Text))
		text := strings.TrimSpace(w.Subject + "\n" + string(words[:min(len(words), wordsOfMail)]))
		w.Text = ""
		list = append(list, mail{CustomerWords: w, text: text, topic: -1})
		if len(list) > most {
			for i := range len(list) / 2 {
				list[i] = list[2*i+1]
			}
			list, every = list[:len(list)/2], every*2
		}
		return ctx.Err() == nil
	})
	return list, count, errors.Join(err, ctx.Err())
}

// languageOf is what most of the texts are written in.
func languageOf(texts []string) string {
	counts := map[string]int{}
	best := ""
	for _, text := range texts {
		language := helpdesk.DetectLanguage(text)
		if counts[language]++; counts[language] > counts[best] || best == "" {
			best = language
		}
	}
	return best
}

// termsOf are the words that set members apart from all mails, at most three.
func termsOf(members []int, mails []mail) []string {
	const most = 3
	everywhere, here, written := map[string]int{}, map[string]int{}, map[string]string{}
	inside := map[int]bool{}
	for _, i := range members {
		inside[i] = true
	}
	for i := range mails {
		for _, word := range search.Words(mails[i].text) {
			folded := search.Fold(word)
			everywhere[folded]++
			if inside[i] {
				here[folded]++
				written[folded] = word
			}
		}
	}
	words := slices.Sorted(func(yield func(string) bool) {
		for w := range here {
			if !yield(w) {
				return
			}
		}
	})
	slices.SortStableFunc(words, func(a, b string) int {
		return int(1000 * (weigh(here[b], everywhere[b], len(members), len(mails), b) - weigh(here[a], everywhere[a], len(members), len(mails), a)))
	})
	var chosen []string
	for _, w := range words {
		if len(chosen) == most {
			break
		}
		if !slices.ContainsFunc(chosen, func(c string) bool { c = search.Fold(c); return strings.Contains(c, w) || strings.Contains(w, c) }) && (here[w] > 1 || len(chosen) == 0) {
			chosen = append(chosen, written[w])
		}
	}
	return chosen
}

// weigh is how much a word tells a topic from all mails: how many of its mails
// have it beyond the share that all have, longer words a little more.
func weigh(here, everywhere, members, all int, word string) float64 {
	share, usual := float64(here)/float64(members), float64(everywhere)/float64(all)
	return (share - usual) * (1 + float64(min(len([]rune(word)), 8))/8)
}
