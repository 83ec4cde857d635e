package mail

import "testing"

func TestSplitReplyWithinALine(t *testing.T) {
	for text, want := range map[string]string{
		"Thanks! On Sat, Nov 21, 2026 at 3:59 PM Desk <support@madoguchi.example> wrote:\n\n> Sent today.\n":                        "Thanks!",
		"Thanks, it works again! On Sat, Nov 21, 2026 at 3:59 PM Support Desk\n<support@madoguchi.example> wrote:\n\nSent today.\n": "Thanks, it works again!",
		"Yes--- On Sat, Nov 21, 2026 at 3:59 PM, support@madoguchi.example wrote:\n> Sent today.\n":                                 "Yes",
		"了解しました。2026年11月21日(土) 10:00 窓口 <support@madoguchi.example>:\n> 本日発送しました。\n":                                                "了解しました。",
		"Danke! Am Sa., 21. Nov. 2026 um 10:00 Uhr schrieb Desk <support@madoguchi.example>:\nHeute verschickt.\n":                  "Danke!",
		// What people write themselves stays whole.
		"Bob told me: On Monday 3 we meet anna@customer.example:\nfirst\nsecond\n": "Bob told me: On Monday 3 we meet anna@customer.example:\nfirst\nsecond",
		"来週です。2026年11月21日 10:00 から、担当 taro@customer.example:\n一郎\n":                "来週です。2026年11月21日 10:00 から、担当 taro@customer.example:\n一郎",
		"参加者は次のとおりです。On 2026 taro@customer.example:\n一郎\n":                         "参加者は次のとおりです。On 2026 taro@customer.example:\n一郎",
	} {
		if got := SplitReply(&Message{Text: text}); got.New != want {
			t.Errorf("new words of %q\n%q\nwant\n%q", text, got.New, want)
		}
		if got := join(FoldText(text)); got != text {
			t.Errorf("the segments are\n%q\nof\n%q", got, text)
		}
	}
}
