package ui

import (
	"context"
	"hash/fnv"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// page is what every page knows.
type page struct {
	*visit
	Title string
	Nav   *navigation // nil before login
	// Seq is the newest event when the page was made: where its stream begins.
	Seq   uint64
	Flash string // what just succeeded
}

// navigation is the leftmost pane.
type navigation struct {
	User      avatar
	UserName  string
	RoleName  string
	Views     []navItem
	More      []navItem // the views that are rarely looked at
	MoreOpen  bool      // one of these is the current place
	Pipelines []navItem
	Saved     []navItem // saved views
	Only      *onlyView
	Settings  bool // it is the current place
	Situation bool // the reader may watch the work of all
	Insights  bool // and read insights
	Away      awayView
	Contacts  bool // or the contacts are
	Current   string
	Text      string // what is being searched for
	Themes    []navItem
	Compact   bool
	KeysOff   bool
	Unread    int // notices
}

// MoreUnread reports whether there are more unread notices than are counted.
func (n *navigation) MoreUnread() bool { return n.Unread >= helpdesk.MaxUnread }

// MostUnread is how many the bell says at most, with a plus behind.
func (n *navigation) MostUnread() int { return helpdesk.MaxUnread - 1 }

type navItem struct {
	URL     string
	Label   string
	Icon    string
	Colour  int    // of a pipeline's dot, 1 to 5
	Count   string // "" for nothing to count
	Current bool
	Tone    string // "bad", "warn" where the count asks for a look
}

// views are the inbox's views in their order, with their icons.
var views = []struct {
	view helpdesk.View
	icon string
}{
	{helpdesk.ViewMine, "person"},
	{helpdesk.ViewUnassigned, "unassigned"},
	{helpdesk.ViewWaiting, "speech"},
	{helpdesk.ViewOverdue, "clock"},
	{helpdesk.ViewMentions, "at"},
	{helpdesk.ViewFollowing, "eye"},
	{helpdesk.ViewDrafts, "file"},
	{helpdesk.ViewApproval, "check"},
	{helpdesk.ViewPlanned, "sparkle"},
	{helpdesk.ViewUnmatched, "sparkle"},
	{helpdesk.ViewOpen, "tray"},
	{helpdesk.ViewSnoozed, "pause"},
	{helpdesk.ViewHeld, "hand"},
	{helpdesk.ViewFailed, "undelivered"},
	{helpdesk.ViewSpam, "spam"},
	{helpdesk.ViewClosed, "done"},
}

// rarely tells of a view that is folded away while nothing in it asks for a
// look: chrome is quiet.
func rarely(v helpdesk.View) bool {
	switch v {
	case helpdesk.ViewFollowing, helpdesk.ViewSnoozed, helpdesk.ViewHeld, helpdesk.ViewFailed, helpdesk.ViewSpam, helpdesk.ViewClosed:
		return true
	}
	return false
}

// whenThere tells of a view that is folded away while it is empty.
func whenThere(v helpdesk.View) bool {
	switch v {
	case helpdesk.ViewDrafts, helpdesk.ViewApproval, helpdesk.ViewPlanned, helpdesk.ViewUnmatched:
		return true
	}
	return false
}

// knownView reports whether an address may name a view: one of the navigation,
// or all tickets, which saved views are made of.
func knownView(v helpdesk.View) bool {
	if v == helpdesk.ViewAll {
		return true
	}
	for _, known := range views {
		if known.view == v {
			return true
		}
	}
	return false
}

// newPage fills what every page knows. current is the view shown ("open"), a
// pipeline ("pipeline:" and its id), or "settings".
func (s *Server) newPage(ctx context.Context, v *visit, title, current string) (page, error) {
	p := page{visit: v, Title: title}
	var err error
	if p.Seq, err = s.desk.LastSeq(ctx); err != nil {
		return p, err
	}
	p.Nav, err = s.navigation(ctx, v, current)
	return p, err
}

func (s *Server) navigation(ctx context.Context, v *visit, current string) (*navigation, error) {
	preference, err := s.desk.Preference(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	counts, err := s.desk.Counts(ctx, v.actor(), preference.Only...)
	if err != nil {
		return nil, err
	}
	saved, err := s.desk.SavedViews(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	count := func(n int) string { return v.countUpTo(n, counts.Capped) }
	nav := &navigation{User: newAvatar(v.User.ID, v.User.Name), UserName: v.User.Name, RoleName: v.roleName(v.User),
		Current: current, Settings: current == "settings", Contacts: current == "contacts", Situation: v.may(helpdesk.PermitSupervise), Insights: v.may(helpdesk.PermitInsights),
		Away: v.newAway(v.User, nil), Themes: v.Look.themes(v), Compact: v.Look.Density == "compact", KeysOff: v.Look.Keys == "off"}
	if _, nav.Unread, err = s.desk.Notices(ctx, v.actor(), 0); err != nil {
		return nil, err
	}
	nav.fillViews(v, counts)
	if v.may(helpdesk.PermitQuarantine) {
		waiting, err := s.desk.QuarantineCount(ctx, v.actor(), counts.Capped)
		if err != nil {
			return nil, err
		}
		nav.quarantine(v, count(waiting))
	}
	for _, p := range pipelines {
		nav.Pipelines = append(nav.Pipelines, navItem{URL: "/inbox/open?pipeline=" + p.ID, Label: p.Name, Colour: colourOf(p.Position),
			Current: current == "pipeline:"+p.ID, Count: count(counts.Pipelines[p.ID])})
	}
	nav.fillSaved(v, saved, counts)
	nav.Only = newOnly(v, aliases, preference.Only)
	return nav, nil
}

// fillViews sorts the inbox's views into those that show and those that are folded away.
func (n *navigation) fillViews(v *visit, counts helpdesk.Counts) {
	for _, known := range views {
		item := navItem{URL: "/inbox/" + string(known.view), Label: v.T("view." + string(known.view)), Icon: known.icon,
			Current: n.Current == string(known.view), Count: v.countUpTo(counts.Views[known.view], counts.Capped)}
		switch {
		case known.view == helpdesk.ViewClosed:
			item.Count = "" // it only ever grows
		case (known.view == helpdesk.ViewFailed || known.view == helpdesk.ViewOverdue) && item.Count != "":
			item.Tone = "bad"
		case (known.view == helpdesk.ViewHeld || known.view == helpdesk.ViewMentions || known.view == helpdesk.ViewUnmatched) && item.Count != "":
			item.Tone = "warn"
		}
		if (rarely(known.view) || item.Count == "" && whenThere(known.view)) && item.Tone == "" {
			n.More, n.MoreOpen = append(n.More, item), n.MoreOpen || item.Current
			continue
		}
		n.Views = append(n.Views, item)
	}
}

func (n *navigation) fillSaved(v *visit, saved []helpdesk.SavedView, counts helpdesk.Counts) {
	for _, x := range saved {
		item := navItem{URL: placeOfView(x).address(0), Label: x.Name, Icon: "view", Current: n.Current == "saved:"+x.ID}
		if x.Shared || x.TeamID != "" {
			item.Icon = "view-shared"
		}
		if x.Text == "" { // a search counts nothing
			item.Count = v.countUpTo(counts.Saved[x.ID], counts.Capped)
		}
		n.Saved = append(n.Saved, item)
	}
}

// countUpTo says a number, "" for none, that is known up to a limit; 0 is no limit.
func (v *visit) countUpTo(n, limit int) string {
	switch {
	case n == 0:
		return ""
	case limit > 0 && n >= limit:
		return v.Number(n) + "+"
	}
	return v.Number(n)
}

// count is the number beside the current entry, "" where there is none.
func (n *navigation) count() string {
	for _, item := range slices.Concat(n.Views, n.More, n.Pipelines, n.Saved) {
		if item.Current {
			return item.Count
		}
	}
	return ""
}

// colourOf gives the nth pipeline one of five colours.
func colourOf(n int) int { return n%5 + 1 }

// avatar stands for a person in the space of one character.
type avatar struct {
	Initial string
	Colour  int // 1 to 5; 0 is nobody in particular
	Name    string
}

func newAvatar(id, name string) avatar {
	a := avatar{Initial: "?", Name: name}
	for _, r := range strings.TrimLeftFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		a.Initial = string(unicode.ToUpper(r))
		break
	}
	sum := fnv.New32a()
	sum.Write([]byte(id))
	a.Colour = int(sum.Sum32()%5) + 1
	return a
}

// moment is a time as it is shown: in words, in full, and for machines.
type moment struct{ Text, Full, ISO string }

func shortMoment(p locale.Printer, t time.Time) moment {
	return moment{p.Short(t), p.Full(t), isoTime(t)}
}

func longMoment(p locale.Printer, t time.Time) moment {
	return moment{p.Long(t), p.Full(t), isoTime(t)}
}

func isoTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// option is one choice of a menu.
type option struct {
	Value, Label string
	Selected     bool
}

// badge is a word on a coloured ground.
type badge struct{ Tone, Text string }

// domainOf is the part of a mail address after the @.
func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}
