package store

import "bytes"

// place is where in a write set the last write of a table or an index went. Most of them
// are written in the order of their keys, or in reverse, or the same key again and again:
// the next write then goes beside the last, and need not be searched for among all others.
type place struct {
	node   *writeNode           // the last write
	before [maxTower]*writeNode // before it on each floor, those above its own perhaps by far; nil is the beginning
	beside bool                 // it went beside the one before it
}

// setBeside is set where writes of many updates are collected: it looks beside the last of
// the same table or index first.
func (s *writeSet) setBeside(c change) {
	p, n := s.place(c.key), s.node(c)
	var before [maxTower]*writeNode
	if !p.beside || !p.find(s, n, &before) {
		s.search(c.key, c.number, &before)
		p.beside = p.node != nil && (before[0] == p.node || before[0] == p.before[0])
	}
	s.insert(n, &before)
	p.node, p.before = n, before
}

// find finds what a node goes behind, on each of its floors, unless that is far.
func (p *place) find(s *writeSet, n *writeNode, before *[maxTower]*writeNode) bool {
	const far = 8 // as many steps as a search often takes
	behind := p.node.isBefore(n.key, n.number)
	if first := p.before[0]; !behind && first != nil && !first.isBefore(n.key, n.number) {
		return false
	}
	*before = p.before
	if behind {
		for floor := range p.node.next {
			before[floor] = p.node
		}
	}
	steps := 0
	for floor := range n.next {
		for {
			next := s.link(before[floor], floor).Load()
			if next == nil || !next.isBefore(n.key, n.number) {
				break
			}
			if steps++; steps > far {
				return false
			}
			before[floor] = next
		}
	}
	return true
}

// place is that of the table or index that a key is of.
func (s *writeSet) place(key []byte) *place {
	prefix := names(key)
	if p := s.places[string(prefix)]; p != nil {
		return p
	}
	if s.places == nil {
		s.places = make(map[string]*place)
	}
	p := new(place)
	s.places[string(prefix)] = p
	return p
}

// names are those that a key begins with, t/table/ or i/table/index/; nil without them.
func names(key []byte) []byte {
	count := 2
	if len(key) > 0 && key[0] == 'i' {
		count = 3
	}
	end := 0
	for range count {
		slash := bytes.IndexByte(key[end:], '/')
		if slash < 0 {
			return nil
		}
		end += slash + 1
	}
	return key[:end]
}
