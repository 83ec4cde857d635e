package search

import (
	"encoding/binary"
	"hash/fnv"
	"sync"
)

// wordCounts remembers in how many living documents of a segment the words of clauses
// stand, which says how rare they are. Whoever knows that needs to look only at the documents
// of tickets that fulfil the other clauses: on the second page, in a list that is
// shown again, for words that many search for.
type wordCounts struct {
	mu    sync.Mutex
	known map[uint64]wordCount // by the words' digest
}

// wordCount is of the segment when it had so many dead documents.
type wordCount struct{ dead, documents int }

// maxCounts is how many clauses a segment remembers, in some 40 KiB.
const maxCounts = 1000

func (c *wordCounts) get(words uint64, dead int) (documents int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.known[words]
	return found.documents, ok && found.dead == dead
}

func (c *wordCounts) put(words uint64, dead, documents int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[uint64]wordCount{}
	}
	for other := range c.known {
		if len(c.known) < maxCounts {
			break
		}
		delete(c.known, other)
	}
	c.known[words] = wordCount{dead, documents}
}

// digest tells the words of clauses apart, and the fields in which they are looked for.
func (c *clause) digest() uint64 {
	var all []byte
	for _, f := range c.fields {
		all = append(all, byte(f))
	}
	for _, t := range c.tokens {
		end := byte(0) // no word has it
		if t.prefix {
			end = 1
		}
		all = binary.AppendUvarint(append(append(append(all, 0xff), t.text...), end), uint64(t.offset))
	}
	sum := fnv.New64a()
	sum.Write(all)
	return sum.Sum64()
}
