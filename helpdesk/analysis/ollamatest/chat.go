package ollamatest

import "slices"

// Chat describes a model with weights made by hand, of one layer. Its
// attention is blind to order (queries and keys are zero), so it averages over
// all that it reads: the words of each topic push the characters of that
// topic. What it says next depends otherwise on the last token alone.
type Chat struct {
	Topics []Topic
	// Default are characters in the order in which they are preferred where no
	// topic decides, the most preferred first.
	Default string
	// Text is what it says where no schema binds it, token by token.
	Text []string
	// Endless lets the text begin anew where it ends.
	Endless bool
}

// Topic is a set of words and what they lead to.
type Topic struct {
	Words []string
	Push  string // characters that answers of a schema begin with
}

// Deciding words of the model that Clerk returns. None of them is part of a
// prompt of ours, or the model would take every mail for one of them.
var (
	saleWords    = []string{"quotation", "upgrade", "お見積", "増席"}
	troubleWords = []string{"refund", "broken", "返金", "故障"}
)

// Clerk is a chat model that tells mails about sales from mails about trouble,
// and thanks in plain text.
func Clerk() Chat {
	return Chat{
		Topics: []Topic{
			{Words: saleWords, Push: "hpvta5"},   // high_value, positive, very_interested, true, answer_…
			{Words: troubleWords, Push: "ngtl1"}, // needs_attention, negative, none
		},
		Default: "snul2f",
		Text:    []string{"お問い合わせ", "いただき", "ありがとう", "ございます", "。"},
	}
}

// Sizes of the model.
const (
	chatWidth   = 64
	chatForward = 32 // of the feed-forward part, which does nothing
	chatContext = 131072
)

// Strengths: what the last token says goes before the topics, and these before
// the preferences. A topic is felt as its share of the words read.
const (
	lastTokenStrength = 1e6
	topicStrength     = 2e4
	closingStrength   = 4 // times as strong, for the quotation mark: texts stay empty
	never             = -50
)

// WriteTo writes the model to the path.
func (c Chat) WriteTo(path string) error {
	words := slices.Clone(c.Text)
	for _, t := range c.Topics {
		words = append(words, t.Words...)
	}
	v := newVocabulary(words)
	f := &ggufFile{}
	f.fact("general.architecture", "llama")
	f.fact("general.name", "a clerk made by hand")
	f.fact("llama.context_length", uint32(chatContext))
	f.fact("llama.embedding_length", uint32(chatWidth))
	f.fact("llama.block_count", uint32(1))
	f.fact("llama.feed_forward_length", uint32(chatForward))
	f.fact("llama.attention.head_count", uint32(1))
	f.fact("llama.attention.head_count_kv", uint32(1))
	f.fact("llama.attention.layer_norm_rms_epsilon", float32(1e-6))
	f.fact("llama.rope.dimension_count", uint32(chatWidth))
	f.fact("llama.vocab_size", uint32(len(v.tokens)))
	v.describe(f)
	c.weights(f, v)
	return f.writeTo(path)
}

// Directions of the model's inner vector.
const (
	always      = 0  // every token has it
	plain       = 1  // a token without a meaning of its own
	topics      = 2  // of the token itself
	topicShares = 10 // what attention found
	lasts       = 18 // one for each token that says what comes next
)

func (c Chat) weights(f *ggufFile, v *vocabulary) {
	follow := c.follow()
	embedding := f.matrix("token_embd.weight", chatWidth, len(v.tokens))
	for i, token := range v.tokens {
		embedding.set(i, always, 1)
		meaning := plain
		for t, topic := range c.Topics {
			if slices.Contains(topic.Words, token) {
				meaning = topics + t
			}
		}
		for at, step := range follow {
			if step.after == token {
				meaning = lasts + at
			}
		}
		embedding.set(i, meaning, 1)
	}
	f.ones("blk.0.attn_norm.weight", chatWidth)
	f.matrix("blk.0.attn_q.weight", chatWidth, chatWidth)
	f.matrix("blk.0.attn_k.weight", chatWidth, chatWidth)
	value := f.matrix("blk.0.attn_v.weight", chatWidth, chatWidth)
	out := f.matrix("blk.0.attn_output.weight", chatWidth, chatWidth)
	for t := range c.Topics {
		value.set(t, topics+t, 1)
		out.set(topicShares+t, t, 1)
	}
	f.ones("blk.0.ffn_norm.weight", chatWidth)
	f.matrix("blk.0.ffn_gate.weight", chatWidth, chatForward)
	f.matrix("blk.0.ffn_up.weight", chatWidth, chatForward)
	f.matrix("blk.0.ffn_down.weight", chatForward, chatWidth)
	f.ones("output_norm.weight", chatWidth)
	c.output(f.matrix("output.weight", chatWidth, len(v.tokens)), v, follow)
}

// output says which token comes next.
func (c Chat) output(output *tensor, v *vocabulary, follow []step) {
	for i := range v.tokens {
		output.set(i, always, never)
	}
	for c := '!'; c <= '~'; c++ {
		output.set(v.number[string(c)], always, 0)
	}
	for i, preferred := range c.Default {
		output.set(v.number[string(preferred)], always, float32(len(c.Default)-i))
	}
	quotation := v.number[`"`]
	output.set(quotation, always, float32(2*len(c.Default)))
	for t, topic := range c.Topics {
		for _, pushed := range topic.Push {
			output.set(v.number[string(pushed)], topicShares+t, topicStrength)
		}
		output.set(quotation, topicShares+t, closingStrength*topicStrength)
	}
	for at, step := range follow {
		for _, next := range step.next {
			output.set(v.number[next], lasts+at, lastTokenStrength)
		}
	}
}

// step is what comes after a token.
type step struct {
	after string
	next  []string
}

func (c Chat) follow() []step {
	list := []step{{"[", []string{"]"}}}
	for digit := '1'; digit <= '5'; digit++ {
		list = append(list, step{string(digit), []string{",", "}"}})
	}
	after := tokenAssistant
	for _, word := range c.Text {
		list = append(list, step{after, []string{word}})
		after = word
	}
	if c.Endless {
		return append(list, step{after, c.Text[:1]})
	}
	return append(list, step{after, []string{tokenEnd}})
}
