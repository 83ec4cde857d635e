package evaluation

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	p := &printer{tabs: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), languages: r.languages()}
	p.line("model\t%s", strings.TrimSpace(r.Model+" "+short(r.Digest)))
	p.line("prompt\t%s", r.PromptVersion)
	p.line("mails\t%d of %s, %d without an answer", r.Mails, r.Set, len(r.Failed))
	p.findings(r)
	p.kinds(r)
	for _, s := range r.Scores {
		if s.Kind == helpdesk.FindingChoice && s.Judged > 0 {
			p.confusion(string(s.Finding), s.Confusion, s.Finding.Choices())
		}
	}
	p.matching(&r.Matching)
	p.speed(r)
	p.failures(r.Failed)
	if p.err == nil {
		p.err = p.tabs.Flush()
	}
	return p.err
}

// PrintMistakes writes where the model and the set do not agree, a line each.
func (r *Report) PrintMistakes(w io.Writer) error {
	for _, m := range r.Mistakes {
		if _, err := fmt.Fprintf(w, "%s\t%s\texpected %s\tgot %s\n", m.Mail, m.Finding, cmp.Or(m.Expected, "nothing"), cmp.Or(m.Got, "nothing")); err != nil {
			return err
		}
	}
	return nil
}

func short(digest string) string { return digest[:min(len(digest), 12)] }

// otherLanguages stands for those with too few mails for a column.
const (
	otherLanguages  = "others"
	mailsForAColumn = 10
	mailsForALine   = 3 // of a kind
)

// languages are those in which something was judged, the most frequent first.
func (r *Report) languages() []string {
	count := map[string]int{}
	for _, s := range r.Scores {
		for language, share := range s.ByLanguage {
			count[language] = max(count[language], share.Judged)
		}
	}
	list := slices.SortedFunc(maps.Keys(count), func(a, b string) int { return cmp.Or(count[b]-count[a], cmp.Compare(a, b)) })
	few := slices.IndexFunc(list, func(language string) bool { return count[language] < mailsForAColumn })
	if few < 0 || few == len(list)-1 {
		return list
	}
	return append(list[:few], otherLanguages)
}

// printer keeps the first error.
type printer struct {
	tabs      *tabwriter.Writer
	languages []string
	err       error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.tabs, format+"\n", args...)
	}
}

func percent(s Share) string {
	if s.Judged == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f%%", s.Percent())
}

func (p *printer) findings(r *Report) {
	p.line("\nfinding\tright\tof\t%s\talways the same\t", strings.Join(p.languages, "\t"))
	for _, s := range r.Scores {
		if s.Judged == 0 {
			continue
		}
		var remark, constant string
		if s.Constant > 0 {
			constant = percent(Share{s.Constant, s.Judged})
		}
		switch {
		case s.Finding == helpdesk.FindingOpportunity:
			remark = fmt.Sprintf("%d%% at most one beside", 100*s.WithinOne/s.Judged)
		case s.ToName > 0:
			remark = fmt.Sprintf("%d of %d things named", s.Named, s.ToName)
			if s.Invented > 0 {
				remark += fmt.Sprintf(", something in %d mails where there is nothing", s.Invented)
			}
		}
		p.line("%s\t%s\t%d\t%s\t%s\t%s", s.Finding, percent(s.Share), s.Judged, p.byLanguage(s.ByLanguage), constant, remark)
	}
}

func (p *printer) byLanguage(shares map[string]Share) string {
	cells := make([]string, len(p.languages))
	for i, language := range p.languages {
		of := shares[language]
		if language == otherLanguages {
			for name, share := range shares {
				if !slices.Contains(p.languages, name) {
					of.Right, of.Judged = of.Right+share.Right, of.Judged+share.Judged
				}
			}
		}
		cells[i] = percent(of)
	}
	return strings.Join(cells, "\t")
}

// kinds shows what the model is bad at first. Kinds of a mail or two are in the
// JSON alone.
func (p *printer) kinds(r *Report) {
	kinds := slices.SortedFunc(maps.Keys(r.ByKind), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.ByKind[a].Percent(), r.ByKind[b].Percent()), cmp.Compare(a, b))
	})
	kinds = slices.DeleteFunc(kinds, func(kind string) bool { return r.ByKind[kind].Mails < mailsForALine })
	if len(kinds) == 0 {
		return
	}
	p.line("\nkind of mail\tmails\tchoices right")
	for _, kind := range kinds {
		p.line("%s\t%d\t%s", kind, r.ByKind[kind].Mails, percent(r.ByKind[kind].Share))
	}
}

// confusion shows a row for what a mail is, and columns for what it was taken
// for.
func (p *printer) confusion(title string, table map[string]map[string]int, order []string) {
	columns := slices.Clone(order)
	for _, row := range table {
		for got := range row {
			if !slices.Contains(columns, got) {
				columns = append(columns, got)
			}
		}
	}
	slices.Sort(columns[len(order):])
	p.line("\n%s is … and was taken for\t%s", title, strings.Join(columns, "\t"))
	rows := slices.Clone(columns)
	for _, is := range rows {
		if table[is] == nil {
			continue
		}
		cells := make([]string, len(columns))
		for i, got := range columns {
			cells[i] = "·"
			if n := table[is][got]; n > 0 {
				cells[i] = fmt.Sprint(n)
			}
		}
		p.line("%s\t%s", is, strings.Join(cells, "\t"))
	}
}

func (p *printer) speed(r *Report) {
	p.line("\nspeed\thalf within\t90%% within\tprompt tokens/s\tanswer tokens/s\tanswers\tin all")
	for _, s := range []struct {
		name string
		Speed
	}{{"reading", r.Reading}, {"matching", r.Matching.Speed}} {
		if s.Answers > 0 {
			p.line("%s\t%s\t%s\t%.1f\t%.1f\t%d\t%d tokens", s.name, seconds(s.P50), seconds(s.P90), s.PromptRate, s.AnswerRate, s.Answers, s.PromptTokens+s.AnswerTokens)
		}
	}
}

func seconds(s float64) string {
	if s < 1 {
		return fmt.Sprintf("%.0f ms", 1000*s)
	}
	return fmt.Sprintf("%.1f s", s)
}

func (p *printer) failures(list []Failure) {
	if len(list) == 0 {
		return
	}
	p.line("\nwithout an answer")
	for _, f := range list {
		p.line("%s\t%s", f.Mail, f.Error)
	}
}
