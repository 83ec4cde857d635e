package ui

import (
	"strings"

	"github.com/madoguchi/madoguchi/ui/locale"
)

// shortcut is something a key does. The same table makes the list of all keys,
// the entries of the palette, and what the keyboard listens to.
type shortcut struct {
	Do    string   // the action's name in keys.js
	Keys  []string // alternatives; "g m" is two keys one after the other, "mod" is Ctrl or ⌘
	Label string   // the key of its words
	Icon  string
	URL   string // where it leads, for those that only lead somewhere
	// Fixed ones are said but not listened to: the composer has them.
	Fixed bool
	// Ticket ones need an open ticket.
	Ticket bool
}

// shortcutGroup is a heading and the keys below it.
type shortcutGroup struct {
	Label string
	Items []shortcut
}

var shortcuts = []shortcutGroup{
	{"keys.group.move", []shortcut{
		{Do: "next", Keys: []string{"j"}, Label: "keys.next", Icon: "down"},
		{Do: "previous", Keys: []string{"k"}, Label: "keys.previous", Icon: "up"},
		{Do: "open", Keys: []string{"enter"}, Label: "keys.open", Fixed: true},
		{Do: "newest", Keys: []string{"shift g"}, Label: "keys.newest", Icon: "arrow-down", Ticket: true},
		{Do: "choose", Keys: []string{"x"}, Label: "keys.choose", Icon: "check"},
		{Do: "go", Keys: []string{"g m"}, Label: "view.mine", URL: "/inbox/mine", Icon: "person"},
		{Do: "go", Keys: []string{"g u"}, Label: "view.unassigned", URL: "/inbox/unassigned", Icon: "unassigned"},
		{Do: "go", Keys: []string{"g w"}, Label: "view.waiting", URL: "/inbox/waiting", Icon: "speech"},
		{Do: "go", Keys: []string{"g o"}, Label: "view.overdue", URL: "/inbox/overdue", Icon: "clock"},
		{Do: "go", Keys: []string{"g f"}, Label: "view.following", URL: "/inbox/following", Icon: "eye"},
		{Do: "go", Keys: []string{"g i"}, Label: "view.open", URL: "/inbox/open", Icon: "tray"},
		{Do: "go", Keys: []string{"g h"}, Label: "view.snoozed", URL: "/inbox/snoozed", Icon: "pause"},
		{Do: "go", Keys: []string{"g c"}, Label: "view.closed", URL: "/inbox/closed", Icon: "done"},
		{Do: "go", Keys: []string{"g d"}, Label: "view.drafts", URL: "/inbox/drafts", Icon: "file"},
		{Do: "go", Keys: []string{"g a"}, Label: "view.approval", URL: "/inbox/approval", Icon: "check"},
		{Do: "go", Keys: []string{"g @"}, Label: "view.mentions", URL: "/inbox/mentions", Icon: "at"},
		{Do: "go", Keys: []string{"g x"}, Label: "view.held", URL: "/inbox/held", Icon: "hand"},
		{Do: "go", Keys: []string{"g e"}, Label: "view.failed", URL: "/inbox/failed", Icon: "undelivered"},
		{Do: "go", Keys: []string{"g !"}, Label: "view.spam", URL: "/inbox/spam", Icon: "spam"},
		{Do: "go", Keys: []string{"c"}, Label: "compose.title", URL: "/compose", Icon: "compose"},
		{Do: "go", Keys: []string{"g n"}, Label: "notice.title", URL: "/notices", Icon: "bell"},
		{Do: "go", Keys: []string{"g s"}, Label: "nav.settings", URL: "/settings", Icon: "sliders"},
	}},
	{"keys.group.ticket", []shortcut{
		{Do: "reply", Keys: []string{"r"}, Label: "keys.reply", Icon: "speech", Ticket: true},
		{Do: "note", Keys: []string{"n"}, Label: "keys.note", Icon: "lock", Ticket: true},
		{Do: "assign", Keys: []string{"a"}, Label: "keys.assign", Icon: "person", Ticket: true},
		{Do: "tag", Keys: []string{"l"}, Label: "keys.tag", Icon: "tag", Ticket: true},
		{Do: "priority", Keys: []string{"p"}, Label: "keys.priority", Icon: "priority-high", Ticket: true},
		{Do: "hold", Keys: []string{"h", "s"}, Label: "keys.hold", Icon: "pause", Ticket: true},
		{Do: "close", Keys: []string{"e"}, Label: "keys.close", Icon: "check", Ticket: true},
		{Do: "follow", Keys: []string{"f"}, Label: "keys.follow", Icon: "eye", Ticket: true},
		{Do: "unread", Keys: []string{"u"}, Label: "keys.unread", Icon: "mail", Ticket: true},
		{Do: "spam", Keys: []string{"!"}, Label: "spam.mark", Icon: "spam", Ticket: true},
		{Do: "merge", Keys: []string{"m"}, Label: "keys.merge", Icon: "merge", Ticket: true},
		{Do: "draft", Keys: []string{"d"}, Label: "writing.task.draft", Icon: "sparkle", Ticket: true},
		{Do: "translate", Keys: []string{"t"}, Label: "writing.task.mail", Icon: "sparkle", Ticket: true},
		{Do: "summary", Keys: []string{"y"}, Label: "writing.task.summary", Icon: "sparkle", Ticket: true},
		{Do: "undo", Keys: []string{"z"}, Label: "keys.undo", Icon: "undo"},
		{Do: "panel", Keys: []string{"i"}, Label: "keys.panel", Icon: "panel", Ticket: true},
	}},
	{"keys.group.write", []shortcut{
		{Do: "send", Keys: []string{"mod enter"}, Label: "keys.send", Fixed: true},
		{Do: "send_close", Keys: []string{"mod shift enter"}, Label: "keys.send_close", Fixed: true},
	}},
	{"keys.group.find", []shortcut{
		{Do: "palette", Keys: []string{"mod k"}, Label: "keys.palette", Fixed: true},
		{Do: "find", Keys: []string{"/"}, Label: "keys.find", Icon: "find"},
		{Do: "help", Keys: []string{"?"}, Label: "keys.help", Icon: "keyboard"},
	}},
}

// spokenGroup is a group of shortcuts with its words.
type spokenGroup struct {
	Label string
	Items []spokenShortcut
}

type spokenShortcut struct {
	shortcut
	Name string
	// Also is the name in the other language, so that it is found without
	// changing the input method.
	Also string
}

// spoken are the shortcuts in one language.
func spoken(own, other locale.Printer) (groups []spokenGroup) {
	for _, group := range shortcuts {
		g := spokenGroup{Label: own.T(group.Label)}
		for _, s := range group.Items {
			g.Items = append(g.Items, spokenShortcut{s, own.T(s.Label), other.T(s.Label)})
		}
		groups = append(groups, g)
	}
	return groups
}

// keycap is a key as it is printed on a keyboard.
func keycap(key string) string {
	switch key {
	case "mod":
		return "Ctrl"
	case "shift":
		return "Shift"
	case "enter":
		return "Enter"
	}
	return strings.ToUpper(key)
}
