package similar

import (
	"context"
	"errors"
	"hash/fnv"
	"math"
	"slices"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/store"
)

// What the mails of one topic have in common at least.
const (
	leastByMeaning = 0.2
	leastByWords   = 0.15
)

// byMeaning gives the mails their vectors and returns the model's name; "" where
// less than nine in ten have one. The others are in no topic.
func (t *Topics) byMeaning(ctx context.Context, lists ...[]mail) (model string, err error) {
	have, all := 0, 0
	err = t.index.db.View(ctx, func(r store.Reader) error {
		model, have, all = "", 0, 0
		list, err := answering(r)
		if err != nil || len(list) == 0 {
			return err
		}
		model = list[0].Model
		for _, mails := range lists {
			for i := range mails {
				if err := ctx.Err(); err != nil {
					return err
				}
				all++
				v, found, err := vectorOf(r, list[0], mails[i].Message)
				if errors.Is(err, store.ErrCorrupt) {
					continue
				}
				if err != nil {
					return err
				}
				if found {
					have++
					mails[i].vector = v
				}
			}
		}
		return nil
	})
	if err != nil || have*10 < all*9 {
		return "", err
	}
	return model, nil
}

// manyMails are enough to tell what mails have in common from what one topic has.
const manyMails = 100

// center takes out of all vectors what they have in common, where they are many:
// that they are mails to one support team is most of what a model says of some.
// What is left parts topics.
func center(lists ...[]mail) {
	var mean []float32
	count := float32(0)
	for _, mails := range lists {
		for i := range mails {
			v := mails[i].vector
			if v.steps == nil {
				continue
			}
			if mean == nil {
				mean = make([]float32, len(v.steps))
			}
			for d, s := range v.steps {
				mean[d] += float32(s) * v.step
			}
			count++
		}
	}
	if count < manyMails {
		return
	}
	for _, mails := range lists {
		for i := range mails {
			v := mails[i].vector
			rest := make([]float32, len(v.steps))
			for d, s := range v.steps {
				rest[d] = float32(s)*v.step - mean[d]/count
			}
			mails[i].vector, _ = newVector(rest)
		}
	}
}

// wordDimensions are as many as a vector of words is hashed into.
const wordDimensions = 1024

// byWords gives the mails vectors of their terms (tf-idf, hashed). The root of the
// rarity counts: in a week's mails, rare is what one customer said.
func byWords(lists ...[]mail) {
	in, all := map[string]int{}, 0
	for _, mails := range lists {
		for i := range mails {
			all++
			known := map[string]bool{}
			for term := range search.Terms(mails[i].text) {
				if !known[term] {
					known[term] = true
					in[term]++
				}
			}
		}
	}
	for _, mails := range lists {
		for i := range mails {
			mails[i].vector = vectorOfWords(mails[i].text, in, all)
		}
	}
}

func vectorOfWords(text string, in map[string]int, all int) vector {
	counts := map[string]int{}
	for term := range search.Terms(text) {
		counts[term]++
	}
	sum := make([]float32, wordDimensions)
	for term, n := range counts {
		if in[term] < 2 || all > 10 && in[term]*10 > all*7 { // says nothing, or is everywhere
			continue
		}
		h := fnv.New64a()
		h.Write([]byte(term))
		hash := h.Sum64()
		weight := float32((1 + math.Log(float64(n))) * math.Sqrt(math.Log(float64(all)/float64(in[term])+1)))
		sum[hash%wordDimensions] += weight * float32(int(hash>>40&1)*2-1)
	}
	v, _ := newVector(sum)
	return v
}

// foundTopics are groups of mails, each with its middle.
type foundTopics struct {
	middles []vector
	reach   []float32 // how near to the middle a mail of the topic is
}

// findTopics groups the mails, of many an even part.
func findTopics(mails []mail, least float32) *foundTopics {
	var part []vector
	var numbers []uint64
	with := 0
	for i := range mails {
		if mails[i].vector.steps != nil {
			with++
		}
	}
	step := max(1, (with+clusteredMails-1)/clusteredMails)
	for i, n := 0, 0; i < len(mails); i++ {
		if mails[i].vector.steps == nil {
			continue
		}
		if n%step == 0 {
			part, numbers = append(part, mails[i].vector), append(numbers, mails[i].Ticket)
		}
		n++
	}
	groups, enough := cluster(part, least)
	found := &foundTopics{}
	for _, members := range joinNear(part, groups, enough) {
		tickets := map[uint64]bool{}
		for _, m := range members {
			tickets[numbers[m]] = true
		}
		if len(tickets) < leastTickets || len(found.middles) == maxTopics {
			continue
		}
		middle, reach := middleOf(part, members)
		found.middles, found.reach = append(found.middles, middle), append(found.reach, max(reach, enough))
	}
	return found
}

// joinNear joins groups of which one's middle would itself be put to the other:
// they are one topic that is written about in several ways.
func joinNear(list []vector, groups [][]int, enough float32) [][]int {
	groups = slices.DeleteFunc(groups, func(g []int) bool { return len(g) < leastTickets })
	middles, reach := make([]vector, len(groups)), make([]float32, len(groups))
	for i, members := range groups {
		middles[i], reach[i] = middleOf(list, members)
	}
	for i := 0; i < len(groups); i++ {
		for j := i + 1; j < len(groups); j++ {
			if product(middles[i], middles[j]) < max(enough, min(reach[i], reach[j])) {
				continue
			}
			groups[i] = append(groups[i], groups[j]...)
			middles[i], reach[i] = middleOf(list, groups[i])
			groups, middles, reach = slices.Delete(groups, j, j+1), slices.Delete(middles, j, j+1), slices.Delete(reach, j, j+1)
			j = i // what is joined may reach further
		}
	}
	slices.SortStableFunc(groups, func(a, b []int) int { return len(b) - len(a) })
	return groups
}

// middleOf is the direction between vectors, and how near to it all but one in
// twenty of them are. Each is compared with the middle of the others, since it
// is near to one that it made itself.
func middleOf(list []vector, members []int) (vector, float32) {
	sum := make([]float32, len(list[members[0]].steps))
	for _, m := range members {
		for i, s := range list[m].steps {
			sum[i] += float32(s) * list[m].step
		}
	}
	middle, ok := newVector(sum)
	if !ok || len(members) < 2 {
		return list[members[0]], 1
	}
	var square float64
	for _, x := range sum {
		square += float64(x) * float64(x)
	}
	scores := make([]float32, len(members))
	for n, m := range members {
		var with float64
		for i, s := range list[m].steps {
			with += float64(sum[i]) * float64(s) * float64(list[m].step)
		}
		scores[n] = float32((with - 1) / math.Sqrt(max(square-2*with+1, 1e-9)))
	}
	slices.Sort(scores)
	return middle, scores[len(scores)/20]
}

// assign puts each mail to the topic whose middle it is nearest to.
func (f *foundTopics) assign(mails []mail) {
	for i := range mails {
		if mails[i].vector.steps == nil {
			continue
		}
		best := float32(-1)
		for topic, middle := range f.middles {
			if score := product(middle, mails[i].vector); score >= f.reach[topic] && score > best {
				best, mails[i].topic = score, topic
			}
		}
	}
}

// fill counts tickets: by day in the week, by week before it. A ticket counts
// once for each topic, at its first mail about it.
func (t *Topics) fill(report *helpdesk.TopicReport, w *week, found *foundTopics, mails, before []mail) {
	topics := make([]helpdesk.Topic, len(found.middles))
	for i := range topics {
		topics[i].Days, topics[i].Before = make([]int, daysOfWeek), make([]int, w.weeks)
	}
	type once struct {
		topic, week int
		ticket      uint64
	}
	counted := map[once]bool{}
	all, inTopic := map[uint64]bool{}, map[uint64]bool{}
	for _, m := range mails {
		all[m.Ticket] = true
		if m.topic < 0 || counted[once{m.topic, -1, m.Ticket}] {
			continue
		}
		counted[once{m.topic, -1, m.Ticket}], inTopic[m.Ticket] = true, true
		topic := &topics[m.topic]
		topic.Days[w.day(m.At)]++
		topic.Tickets = slices.Insert(topic.Tickets, 0, m.Ticket)
	}
	for _, m := range before {
		n := w.weekBefore(m.At)
		if m.topic < 0 || n < 0 || counted[once{m.topic, n, m.Ticket}] {
			continue
		}
		counted[once{m.topic, n, m.Ticket}] = true
		topics[m.topic].Before[n]++
	}
	report.Tickets, report.Left = len(all), len(all)-len(inTopic)
	chances := make([]float64, len(topics))
	for i := range topics {
		chances[i] = chanceOf(topics[i].Count(), topics[i].Before)
	}
	believed := discoveries(chances)
	for i := range topics {
		topic := &topics[i]
		topic.Chance = chances[i]
		topic.Rising = believed[i] && topic.Count() >= risingLeast && float64(topic.Count()) >= risingTimes*topic.Usual()
		topic.Terms = termsOf(membersOf(mails, i), mails)
	}
	report.Topics = topics
}

func membersOf(mails []mail, topic int) (members []int) {
	for i := range mails {
		if mails[i].topic == topic {
			members = append(members, i)
		}
	}
	return members
}
