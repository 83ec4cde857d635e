package ui

import (
	"bytes"
	"errors"
	"html/template"
	"text/template/parse"

	"github.com/madoguchi/madoguchi/ui/locale"
)

// fixedWords are functions of templates that answer one argument always the same, with their
// answers as HTML.
type fixedWords map[string]func(string) template.HTML

func newFixedWords(speak locale.Printer, a *assets) fixedWords {
	return fixedWords{
		"t":     func(key string) template.HTML { return template.HTML(template.HTMLEscapeString(speak.T(key))) },
		"icon":  func(name string) template.HTML { return icon(a, name, "icon") },
		"small": func(name string) template.HTML { return icon(a, name, "icon small") },
	}
}

// fixWords puts answers where templates ask for them with a word of their own: that is every
// third question of a page, and each is a call by reflection. All of them stand in text or
// between the quotes of an attribute, where the same is escaped.
func fixWords(t *template.Template, words fixedWords) {
	for _, each := range t.Templates() {
		if each.Tree != nil {
			fix(each.Tree.Root, words.text)
		}
	}
}

// fixParts writes once what templates call without giving it anything, such as the list of
// keys, and puts it where they do: it is the same on every page. All of it stands between tags.
func fixParts(t *template.Template) error {
	written := map[string][]byte{}
	var failed error
	part := func(node parse.Node) ([]byte, bool) {
		called, ok := node.(*parse.TemplateNode)
		if !ok || called.Pipe != nil {
			return nil, false
		}
		if written[called.Name] == nil {
			var text bytes.Buffer
			failed = errors.Join(failed, t.ExecuteTemplate(&text, called.Name, nil))
			written[called.Name] = text.Bytes()
		}
		return written[called.Name], true
	}
	for _, each := range t.Templates() {
		if each.Tree != nil {
			fix(each.Tree.Root, part)
		}
	}
	return failed
}

// fix puts text in place of the nodes that it knows one for.
func fix(list *parse.ListNode, text func(parse.Node) (text []byte, known bool)) {
	if list == nil {
		return
	}
	for i, node := range list.Nodes {
		if fixed, ok := text(node); ok {
			list.Nodes[i] = &parse.TextNode{NodeType: parse.NodeText, Pos: node.Position(), Text: fixed}
			continue
		}
		switch node := node.(type) {
		case *parse.IfNode:
			fix(node.List, text)
			fix(node.ElseList, text)
		case *parse.RangeNode:
			fix(node.List, text)
			fix(node.ElseList, text)
		case *parse.WithNode:
			fix(node.List, text)
			fix(node.ElseList, text)
		}
	}
}

// text is what a node says that does nothing but call a function with a word.
func (w fixedWords) text(node parse.Node) ([]byte, bool) {
	action, ok := node.(*parse.ActionNode)
	if !ok || len(action.Pipe.Decl) > 0 || len(action.Pipe.Cmds) != 1 || len(action.Pipe.Cmds[0].Args) != 2 {
		return nil, false
	}
	called, isCall := action.Pipe.Cmds[0].Args[0].(*parse.IdentifierNode)
	word, isWord := action.Pipe.Cmds[0].Args[1].(*parse.StringNode)
	if !isCall || !isWord || w[called.Ident] == nil {
		return nil, false
	}
	return []byte(w[called.Ident](word.Text)), true
}
