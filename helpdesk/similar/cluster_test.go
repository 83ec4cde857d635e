package similar

import (
	"math/rand/v2"
	"testing"
)

// Models put any two mails at another distance: what parts topics is found where
// all mails are alike too, and where none are.
func TestTopicsArePartedHoweverAlikeMailsAre(t *testing.T) {
	for _, common := range []float32{0, 0.6, 1.2} {
		r := rand.New(rand.NewPCG(5, 6))
		const dimensions, topics, mails, others = 256, 4, 25, 40
		base := random(r, dimensions)
		var written []mail
		var topicOf []int
		add := func(topic []float32, number int) {
			noise, v := random(r, dimensions), make([]float32, dimensions)
			for i := range v {
				v[i] = common*base[i] + noise[i]
				if topic != nil {
					v[i] += 1.4 * topic[i]
				}
			}
			made, _ := newVector(v)
			written, topicOf = append(written, mail{vector: made}), append(topicOf, number)
		}
		for n := range topics {
			middle := random(r, dimensions)
			for range mails {
				add(middle, n)
			}
		}
		for range others {
			add(nil, -1)
		}
		center(written)
		var list []vector
		for _, m := range written {
			list = append(list, m.vector)
		}
		groups, enough := cluster(list, leastByMeaning)
		groups = joinNear(list, groups, enough)
		if len(groups) < topics {
			t.Errorf("common %.1f: %d groups, from %.2f on", common, len(groups), enough)
			continue
		}
		for _, members := range groups[:topics] {
			of, strangers := topicOf[members[0]], 0
			for _, m := range members {
				if topicOf[m] != of {
					strangers++
				}
			}
			if of < 0 || len(members) < mails*4/5 || strangers*6 > len(members) {
				t.Errorf("common %.1f: a group of %d mails, from %.2f on", common, len(members), enough)
			}
		}
	}
}
