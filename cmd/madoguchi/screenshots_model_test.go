package main_test

import "strings"

// finding is what the stand-in model says of the mails that hold a phrase.
type finding struct {
	phrase string
	answer map[string]any
}

// analysed answers for the model, by what a mail says.
func analysed(prompt string) map[string]any {
	for _, f := range findings() {
		if strings.Contains(prompt, f.phrase) {
			answer := plainAnswer()
			for name, value := range f.answer {
				answer[name] = value
			}
			return answer
		}
	}
	return plainAnswer()
}

// plainAnswer has every field of the schema, and says nothing remarkable.
func plainAnswer() map[string]any {
	none := []string{}
	return map[string]any{"reply_type": "standard", "key_insights": none, "opportunity_score": 1, "follow_up_needed": false, "product_interest": "none",
		"action_items": none, "product_usage": "", "monthly_volume": "", "challenges": none, "sentiment": "neutral", "urgency": "normal", "language": "ja", "summary": ""}
}

func findings() []finding {
	return []finding{
		{"第3工区の更新", map[string]any{"reply_type": "high_value", "opportunity_score": 5, "follow_up_needed": true, "product_interest": "very_interested", "sentiment": "positive",
			"key_insights": []string{"第3工区の更新で FM-3 を五十台導入する方向", "年一回の校正を五年分まとめて検討している"}, "action_items": []string{"五十台の見積書を送る", "RS-485 と無線の違いと費用差を示す", "DL-40 との連携を提案する"},
			"product_usage": "検針値を手入力で集計", "monthly_volume": "月に約三千件", "challenges": []string{"転記の誤りが多い"}, "summary": "流量計 FM-3 五十台と五年分の校正の見積り依頼。三月末までの納品を希望"}},
		{"防水等級は IP67", map[string]any{"reply_type": "high_value", "opportunity_score": 5, "follow_up_needed": true, "product_interest": "very_interested", "sentiment": "positive", "urgency": "high",
			"key_insights": []string{"防水等級は IP67、通信は RS-485 で確定", "見積書を本日中に希望"}, "action_items": []string{"本日中に見積書を送る", "残り十台の納期を生産管理に確かめる"},
			"product_usage": "検針値を手入力で集計", "monthly_volume": "月に約三千件", "summary": "仕様が固まり、FM-3 五十台の見積書を本日中に希望"}},
		{"三度目です", map[string]any{"reply_type": "needs_attention", "follow_up_needed": true, "sentiment": "negative", "urgency": "high",
			"key_insights": []string{"TK-7 の表示停止が先月から三度目", "回答がなければ全二十四台を他社製に替える意向"}, "action_items": []string{"原因と恒久対策を本日中に回答する", "交換機の到着予定を知らせる"},
			"product_usage": "殺菌槽の温度管理", "challenges": []string{"表示停止のたびにラインが止まる"}, "summary": "TK-7 の三度目の停止でラインが止まり、本日中の回答を強く求めている"}},
		{"firmware 2.3, the CSV", map[string]any{"follow_up_needed": true, "sentiment": "neutral", "urgency": "high", "language": "en", "opportunity_score": 2,
			"key_insights": []string{"The data is intact on the loggers; only the CSV export is cut off", "A report to the authority is due on Friday"}, "action_items": []string{"Offer a way back to firmware 2.2", "Say when 2.3.2 comes"},
			"product_usage": "Eleven DL-40 at water stations", "monthly_volume": "about 90,000 rows for each station", "challenges": []string{"CSV export stops at row 65,536"},
			"summary": "CSV export of the DL-40 is cut off at 65,536 rows since firmware 2.3; needs it by Friday"}},
		{"two HP-200 at the same time", map[string]any{"reply_type": "high_value", "follow_up_needed": true, "opportunity_score": 4, "product_interest": "interested", "sentiment": "positive", "language": "en",
			"key_insights": []string{"Wants to order soon"}, "action_items": []string{"Say how many gauges one DL-40 takes"}, "summary": "Asks before an order whether one DL-40 can log two gauges"}},
		{"spare membranes (part", map[string]any{"reply_type": "high_value", "follow_up_needed": true, "opportunity_score": 3, "product_interest": "interested", "language": "en", "summary": "Asks for the lead time of 12 membranes, needed before mid January"}},
		{"左側の樹脂", map[string]any{"follow_up_needed": true, "urgency": "high", "product_usage": "仕込み中の圧力管理", "action_items": []string{"見積りと日数を知らせる", "代替機を貸せるか確かめる"}, "summary": "落下で割れた HP-200 の修理見積りと代替機の貸し出しを希望"}},
		{"内部時計が", map[string]any{"follow_up_needed": true, "challenges": []string{"一日に二〜三分の時刻ずれ"}, "action_items": []string{"NTP の設定を確認してもらう"}, "summary": "DL-40 の時計が一日二〜三分遅れ、NTP の同期記録がない"}},
		{"発塵", map[string]any{"follow_up_needed": true, "opportunity_score": 3, "product_interest": "interested", "summary": "DL-40 をクリーンルームに常設するための発塵試験データを希望"}},
		{"お振込先口座", map[string]any{"reply_type": "needs_attention", "urgency": "high", "summary": "振込先の変更を求める内容。差出人の確認が必要"}},
		{"研究室名の表記", map[string]any{"follow_up_needed": true, "summary": "校正証明書五通の宛名の訂正と再発行の依頼"}},
		{"旧版の PDF", map[string]any{"follow_up_needed": true, "summary": "2014年製 FM-3 の取扱説明書を希望"}},
		{"fermenter 3", map[string]any{"follow_up_needed": true, "language": "en", "summary": "HP-200 drifts by 0.4 kPa after an hour of use"}},
		{"setting the zero point warm", map[string]any{"sentiment": "positive", "language": "en", "summary": "The zero point set warm solved it"}},
	}
}
