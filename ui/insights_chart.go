package ui

import (
	"strconv"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// stackedChart is how many mails of each kind came, over time: a bar a day, a
// week or a month.
type stackedChart struct {
	Words  string // the chart in a sentence
	Legend []chartKey
	Lines  []chartLine
	Bars   []chartBar
	Days   []chartDay
	Rows   []chartRow // the table behind it
}

type chartKey struct{ Label, Tone string }

type chartLine struct {
	Label    string
	Y, TextY int
}

type chartBar struct {
	X, Y, Width, Height int
	Tone, Label         string
}

type chartDay struct {
	X     int
	Label string
}

type chartRow struct {
	Label string
	Cells []string
}

// The drawing, in its own units.
const (
	chartLeft, chartRight = 40, 712
	chartTop, chartBottom = 12, 180
)

// stacked are the kinds from the ground up, with their tones.
var stacked = []struct{ value, tone string }{{"needs_attention", "bad"}, {"high_value", "value"}, {"standard", "plain"}}

// span is a bar's time.
type span struct {
	label string
	helpdesk.InsightDay
}

// spans joins days to weeks or months where there are many.
func (view *insightsView) spans(days []helpdesk.InsightDay) (list []span) {
	for i := range days {
		at, err := time.Parse(time.DateOnly, days[i].Day)
		if err != nil {
			continue
		}
		label, first := view.day(at), true
		switch {
		case len(days) > 200:
			label, first = at.Format("2006-01"), at.Day() == 1
		case len(days) > 45:
			first = at.Weekday() == time.Monday
		}
		if first || len(list) == 0 {
			list = append(list, span{label: label})
		}
		last := &list[len(list)-1]
		last.Merge(&days[i])
	}
	return list
}

// day is a day without its year, as numbers.
func (view *insightsView) day(at time.Time) string {
	return view.T("insights.date", int(at.Month()), at.Day())
}

func (view *insightsView) typesChart(in *helpdesk.Insights) stackedChart {
	c := stackedChart{}
	for _, kind := range stacked {
		c.Legend = append(c.Legend, chartKey{view.T("analysis.reply_type." + kind.value), kind.tone})
	}
	list := view.spans(in.Days)
	most := 4
	for _, s := range list {
		most = max(most, s.Mails)
	}
	step := roundStep(most)
	top := (most + step - 1) / step * step
	height := func(n int) int { return n * (chartBottom - chartTop) / top }
	for n := 0; n <= top; n += step {
		c.Lines = append(c.Lines, chartLine{view.Number(n), chartBottom - height(n), chartBottom - height(n) + 4})
	}
	slot := float64(chartRight-chartLeft) / float64(max(len(list), 1))
	width := max(min(int(slot*0.64), 32), 2)
	every := (len(list) + 13) / 14
	for i, s := range list {
		middle := chartLeft + int(slot*(float64(i)+0.5))
		ground := 0
		row := chartRow{Label: s.label}
		for _, kind := range stacked {
			n := s.Counts[helpdesk.FindingReplyType][kind.value]
			row.Cells = append(row.Cells, view.Number(n))
			if n > 0 {
				low, high := chartBottom-height(ground), chartBottom-height(ground+n)
				c.Bars = append(c.Bars, chartBar{middle - width/2, high, width, max(low-high, 1), kind.tone,
					s.label + " · " + view.T("analysis.reply_type."+kind.value) + " " + view.Number(n)})
			}
			ground += n
		}
		row.Cells = append(row.Cells, view.Number(s.Mails))
		c.Rows = append(c.Rows, row)
		if every > 0 && i%every == 0 {
			c.Days = append(c.Days, chartDay{middle, s.label})
		}
	}
	counts := in.Total.Counts[helpdesk.FindingReplyType]
	c.Words = view.T("insights.types_words", view.Number(in.Total.Mails), view.Number(counts["needs_attention"]), view.Number(counts["high_value"]))
	return c
}

// roundStep is a round number that leaves four lines or fewer below most.
func roundStep(most int) int {
	for step := 1; ; step *= 10 {
		for _, factor := range []int{1, 2, 5} {
			if most <= step*factor*4 {
				return step * factor
			}
		}
	}
}

// sharesView is how the values of a finding are spread.
type sharesView struct {
	Title, Words string
	Height       int
	Rows         []shareRow
}

type shareRow struct {
	Label, Tone   string
	Count, Before string
	Y, TextY      int
	Width         int
}

const (
	shareHeight = 24
	shareWidth  = 140
)

func (view *insightsView) shares(f helpdesk.Finding, in *helpdesk.Insights) sharesView {
	s := sharesView{Title: view.findingLabel(f)}
	counts := in.Total.Counts[f]
	most, often, sum, weighed := 1, "", 0, 0
	for _, value := range f.Choices() {
		n := counts[value]
		if n > counts[often] {
			often = value
		}
		most, sum = max(most, n), sum+n
		if score, err := strconv.Atoi(value); err == nil {
			weighed += score * n
		}
	}
	for i, value := range f.Choices() {
		row := shareRow{Label: view.findingWord(f, value), Tone: shareTone(f, value), Count: view.Number(counts[value]), Before: view.Number(in.Before.Counts[f][value]),
			Y: i*shareHeight + 8, TextY: i*shareHeight + 16, Width: counts[value] * shareWidth / most}
		if counts[value] > 0 {
			row.Width = max(row.Width, 3)
		}
		s.Rows = append(s.Rows, row)
	}
	s.Height = len(s.Rows) * shareHeight
	switch {
	case sum == 0:
		s.Words = view.T("insights.no_mails")
	case f == helpdesk.FindingOpportunity:
		s.Words = view.T("insights.average", strconv.FormatFloat(float64(weighed)/float64(sum), 'f', 1, 64))
	default:
		s.Words = view.T("insights.most", view.findingWord(f, often), percent(counts[often], sum))
	}
	return s
}

func shareTone(f helpdesk.Finding, value string) string {
	switch {
	case f == helpdesk.FindingSentiment && moods[value] != "":
		return moods[value]
	case f == helpdesk.FindingOpportunity && value >= "4", value == "interested", value == "very_interested":
		return "value"
	}
	return "plain"
}
