package ui

import (
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
			words.fix(each.Tree.Root)
		}
	}
}

func (w fixedWords) fix(list *parse.ListNode) {
	if list == nil {
		return
	}
	for i, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.ActionNode:
			if answer, ok := w.answer(node.Pipe); ok {
				list.Nodes[i] = &parse.TextNode{NodeType: parse.NodeText, Pos: node.Pos, Text: []byte(answer)}
			}
		case *parse.IfNode:
			w.fix(node.List)
			w.fix(node.ElseList)
		case *parse.RangeNode:
			w.fix(node.List)
			w.fix(node.ElseList)
		case *parse.WithNode:
			w.fix(node.List)
			w.fix(node.ElseList)
		}
	}
}

// answer is what a pipeline says that does nothing but call a function with a word.
func (w fixedWords) answer(pipe *parse.PipeNode) (template.HTML, bool) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 2 {
		return "", false
	}
	called, isCall := pipe.Cmds[0].Args[0].(*parse.IdentifierNode)
	word, isWord := pipe.Cmds[0].Args[1].(*parse.StringNode)
	if !isCall || !isWord || w[called.Ident] == nil {
		return "", false
	}
	return w[called.Ident](word.Text), true
}
