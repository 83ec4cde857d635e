package ollamatest

import "fmt"

// Kinds of tokens, as llama.cpp numbers them (LLAMA_TOKEN_TYPE).
const (
	tokenNormal  int32 = 1
	tokenUnknown int32 = 2
	tokenControl int32 = 3
	tokenByte    int32 = 6
)

// vocabulary is a list of tokens of the SentencePiece kind: neighbours are
// joined as long as what they make together is a token too, the one with the
// highest score first.
type vocabulary struct {
	tokens []string
	scores []float32
	kinds  []int32
	number map[string]int
}

// Tokens that every vocabulary has.
const (
	tokenUnk       = "<unk>"
	tokenBegin     = "<s>"
	tokenEnd       = "<|end|>"
	tokenUser      = "<|user|>"
	tokenSystem    = "<|system|>"
	tokenAssistant = "<|assistant|>"
)

// newVocabulary has the control tokens, every byte and the printable ASCII
// characters, and the words given, with all that leads to them.
func newVocabulary(words []string) *vocabulary {
	v := &vocabulary{number: map[string]int{}}
	v.add(tokenUnk, 0, tokenUnknown)
	for _, name := range []string{tokenBegin, tokenEnd, tokenUser, tokenSystem, tokenAssistant} {
		v.add(name, 0, tokenControl)
	}
	for b := range 256 {
		v.add(fmt.Sprintf("<0x%02X>", b), 0, tokenByte)
	}
	for c := '!'; c <= '~'; c++ {
		v.add(string(c), -1000, tokenNormal)
	}
	v.add("▁", -1000, tokenNormal) // SentencePiece's space
	for _, word := range words {
		length := 0
		for i := range word {
			if i > 0 {
				v.add(word[:i], float32(length), tokenNormal)
			}
			length++
		}
		v.add(word, float32(length), tokenNormal)
	}
	return v
}

func (v *vocabulary) add(token string, score float32, kind int32) {
	if _, known := v.number[token]; known {
		return
	}
	v.number[token] = len(v.tokens)
	v.tokens, v.scores, v.kinds = append(v.tokens, token), append(v.scores, score), append(v.kinds, kind)
}

// chatTemplate puts a conversation into tokens.
const chatTemplate = `{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}` +
	`{% if add_generation_prompt %}<|assistant|>{% endif %}`

func (v *vocabulary) describe(f *ggufFile) {
	f.fact("tokenizer.ggml.model", "llama")
	f.fact("tokenizer.ggml.pre", "default")
	f.fact("tokenizer.ggml.tokens", v.tokens)
	f.fact("tokenizer.ggml.scores", v.scores)
	f.fact("tokenizer.ggml.token_type", v.kinds)
	f.fact("tokenizer.ggml.bos_token_id", uint32(v.number[tokenBegin]))
	f.fact("tokenizer.ggml.eos_token_id", uint32(v.number[tokenEnd]))
	f.fact("tokenizer.ggml.unknown_token_id", uint32(v.number[tokenUnk]))
	f.fact("tokenizer.ggml.add_bos_token", true)
	f.fact("tokenizer.ggml.add_eos_token", false)
	f.fact("tokenizer.ggml.add_space_prefix", false)
	f.fact("tokenizer.chat_template", chatTemplate)
}
