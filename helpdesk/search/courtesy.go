package search

import (
	"regexp"
	"strings"
)

// sentences are what stands between two full stops, or on a line.
var sentences = regexp.MustCompile(`[^。．！？!?\n]+[。．！？!?\n]*`)

// courtesies are sentences of letters that say nothing of their matter, folded:
// who is addressed, greetings, who writes, thanks, closings.
var courtesies = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`.{0,30}(?:様|さま|御中|各位|殿|担当者|担当)[、,:]?`,
	`(?:いつも|平素|毎度|日頃|先日).{0,20}(?:世話|ありがとう|有難う|有り難う|御礼|お礼|引き立て).*`,
	`.{0,12}お?(?:世話|疲れ様|疲れさま|つかれさま)(?:に|で)(?:なって|なり|ござい|す).*`,
	`はじめまして|初めまして|こんにちは|こんばんは|おはようございます|拝啓|前略|謹啓|敬具|草々|以上|突然の(?:ご?連絡|めーる).*`,
	`.{1,40}と申します|.{1,40}でございます|.{1,30}の[^、はがをも件]{1,12}です`,
	`(?:大変)?(?:お忙しい|ご多忙)(?:の)?(?:ところ|中|折).{0,14}`,
	`(?:以上|何卒|どうぞ|引き続き|今後とも|まずは|ご?(?:確認|検討|対応|回答|返信|返答|連絡|査収|教示|協力)(?:の(?:ほど|程))?(?:を|も)?|[、,])*(?:よろしく|宜しく)(?:お願い|御願い|おねがい)?.{0,12}`,
	`ご?(?:返信|回答|連絡|対応|返答|確認)を?お待ち.*|(?:取り急ぎ|とりいそぎ|まずは).{0,18}|ご(?:査収|確認)(?:ください|下さい).{0,4}`,
	`お手数を?(?:お?掛け|おかけ).{0,22}|(?:早速|迅速|丁寧)?.{0,6}(?:ご?(?:対応|返信|回答|連絡|返答|案内))?.{0,8}(?:ありがとう|有難う|有り難う|感謝).*|失礼(?:いた|致)?し.{0,6}`,
	`(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|greetings|to whom it may concern)\b.{0,40}`,
	`(?:i|we) hope .*(?:well|finds?|good|great).*|my name is .*|(?:many |a lot of )?thank(?:s| you).{0,60}|(?:best|kind|warm|with) (?:regards|wishes|kind regards).{0,30}|regards.{0,20}|cheers.{0,20}`,
	`(?:yours )?(?:sincerely|truly|faithfully)(?: yours)?.{0,30}|(?:i|we)? ?(?:am|are|'m|'re)? ?look(?:ing)? forward to.*|please (?:let me know|do not hesitate|feel free|advise).{0,60}|sent from my .*`,
}, `|`) + `)$`)

// softenings begin a sentence that goes on with its matter.
var softenings = regexp.MustCompile(`^(?:(?:大変)?(?:お忙しい|ご多忙)(?:の)?(?:ところ|中)|(?:大変)?(?:お手数(?:です|ですが|を(?:お?掛け|おかけ)[^、]{0,10})?|恐れ入ります|恐縮です|申し訳(?:ありません|ございません|ないのです))が?)[、,]?|^(?:could|would|can) you (?:please|kindly)? ?`)

// matter is a text without its courtesies.
func matter(text string) string {
	var kept strings.Builder
	for _, sentence := range sentences.FindAllString(text, -1) {
		bare := strings.Trim(Fold(sentence), " \t\r\n　。．！？!?.,、，")
		for before := ""; before != bare; { // one may stand after another
			before = bare
			bare = softenings.ReplaceAllString(bare, "")
		}
		if bare != "" && !courtesies.MatchString(bare) {
			kept.WriteString(sentence + "\n")
		}
	}
	return kept.String()
}
