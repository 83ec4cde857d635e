package ollamatest

import (
	"hash/fnv"
	"math/rand/v2"
)

// Sizes of the embedding model.
const (
	embeddingContext = 2048
	// EmbeddingWidth is how many numbers a vector of the embedding model has.
	EmbeddingWidth = 128
)

// WriteEmbedding writes an embedding model to the path: a BERT with one layer that
// changes nothing, whose vector of a text is the mean of pseudo-random vectors of its characters
// and pairs of letters. Texts that share words are near each other.
func WriteEmbedding(path string) error {
	tokens := embeddingTokens()
	f := &ggufFile{}
	f.fact("general.architecture", "bert")
	f.fact("general.name", "a sorter made by hand")
	f.fact("bert.context_length", uint32(embeddingContext))
	f.fact("bert.embedding_length", uint32(EmbeddingWidth))
	f.fact("bert.block_count", uint32(1))
	f.fact("bert.feed_forward_length", uint32(EmbeddingWidth))
	f.fact("bert.attention.head_count", uint32(1))
	f.fact("bert.attention.layer_norm_epsilon", float32(1e-12))
	f.fact("bert.attention.causal", false)
	f.fact("bert.pooling_type", uint32(1)) // the mean
	f.fact("bert.vocab_size", uint32(len(tokens)))
	kinds := make([]int32, len(tokens))
	for i := range kinds {
		kinds[i] = tokenNormal
		if i < len(bertControl) {
			kinds[i] = tokenControl
		}
	}
	f.fact("tokenizer.ggml.model", "bert")
	f.fact("tokenizer.ggml.pre", "default")
	f.fact("tokenizer.ggml.tokens", tokens)
	f.fact("tokenizer.ggml.token_type", kinds)
	f.fact("tokenizer.ggml.token_type_count", uint32(2))
	for i, name := range []string{"padding", "unknown", "cls", "seperator", "mask"} { // "seperator" is how the format spells it
		f.fact("tokenizer.ggml."+name+"_token_id", uint32(i))
	}
	embedding := f.matrix("token_embd.weight", EmbeddingWidth, len(tokens))
	for i, token := range tokens[len(bertControl):] {
		hashed(embedding.values[(i+len(bertControl))*EmbeddingWidth:][:EmbeddingWidth], token)
	}
	f.matrix("position_embd.weight", EmbeddingWidth, embeddingContext)
	f.matrix("token_types.weight", EmbeddingWidth, 2)
	norm(f, "token_embd_norm")
	for _, part := range []string{"attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down"} {
		f.matrix("blk.0."+part+".weight", EmbeddingWidth, EmbeddingWidth)
		f.matrix("blk.0."+part+".bias", EmbeddingWidth, 1)
	}
	norm(f, "blk.0.attn_output_norm")
	norm(f, "blk.0.layer_output_norm")
	return f.writeTo(path)
}

func norm(f *ggufFile, name string) {
	f.ones(name+".weight", EmbeddingWidth)
	f.matrix(name+".bias", EmbeddingWidth, 1)
}

// bertControl are the first tokens, in the order in which the facts name them.
var bertControl = []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}

// embeddingTokens are letters, digits and pairs of letters, at the beginning
// of a word ("▁") and within one, and the characters of Japanese.
func embeddingTokens() []string {
	tokens := append([]string(nil), bertControl...)
	add := func(token string) { tokens = append(tokens, "▁"+token, token) }
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	for _, a := range letters {
		add(string(a))
		for _, b := range letters {
			add(string(a) + string(b))
		}
	}
	for _, block := range [][2]rune{{0x3041, 0x30FF}, {0x4E00, 0x9FA5}} { // kana, kanji
		for c := block[0]; c <= block[1]; c++ {
			add(string(c))
		}
	}
	return tokens
}

// hashed fills a vector with numbers that follow from the token alone.
func hashed(vector []float32, token string) {
	h := fnv.New64a()
	h.Write([]byte(token))
	source := rand.New(rand.NewPCG(h.Sum64(), 1))
	for i := range vector {
		vector[i] = float32(source.NormFloat64())
	}
}
