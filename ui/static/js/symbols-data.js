// Characters that are hard to type, with the words by which they are found: the
// sign, then words in Japanese and English. A blank sign begins a group.
export const symbols = `
①|まる1 丸 circled one
②|まる2 丸 circled two
③|まる3 丸 circled three
④|まる4 丸 circled four
⑤|まる5 丸 circled five
⑥|まる6 丸 circled six
⑦|まる7 丸 circled seven
⑧|まる8 丸 circled eight
⑨|まる9 丸 circled nine
⑩|まる10 丸 circled ten
※|こめじるし 米印 注 note reference
→|やじるし 矢印 みぎ 右 arrow right
←|やじるし 矢印 ひだり 左 arrow left
↑|やじるし 矢印 うえ 上 arrow up
↓|やじるし 矢印 した 下 arrow down
⇒|やじるし 矢印 ならば arrow double right
⇔|やじるし 矢印 どうち arrow both
〒|ゆうびん 郵便 postal mail
〃|おなじ 同じ ditto
々|くりかえし 同じ repeat
〆|しめ 締 closing
㈱|かぶ 株式会社 company stock
㈲|ゆう 有限会社 company limited
㈹|だい 代表 representative
℡|でんわ 電話 tel telephone
№|ばんごう 番号 number
●|まる 丸 くろまる circle black
○|まる 丸 しろまる circle white
◎|にじゅうまる 二重丸 double circle
■|しかく 四角 square black
□|しかく 四角 square white
◆|ひしがた 菱形 diamond black
◇|ひしがた 菱形 diamond white
▲|さんかく 三角 triangle up
▼|さんかく 三角 triangle down
▶|さんかく 三角 triangle right play
★|ほし 星 star black
☆|ほし 星 star white
・|なかぐろ 中黒 dot middle
…|さんてん 三点リーダー ellipsis
―|ダッシュ だっしゅ dash
〜|から なみ 波 wave tilde
「|かぎかっこ 鉤 bracket
」|かぎかっこ 鉤 bracket
『|にじゅうかぎ 二重鉤 bracket
』|にじゅうかぎ 二重鉤 bracket
【|すみつき 隅付き 括弧 bracket
】|すみつき 隅付き 括弧 bracket
〈|やまかっこ 山 括弧 bracket
〉|やまかっこ 山 括弧 bracket
《|にじゅうやま 山 括弧 bracket
》|にじゅうやま 山 括弧 bracket
〔|きっこう 亀甲 括弧 bracket
〕|きっこう 亀甲 括弧 bracket
×|かける ばつ 掛 times multiply
÷|わる 割 divide
±|プラスマイナス ぷらす plus minus
≒|やく 約 nearly approximately
≠|ふとうごう 不等号 not equal
≦|いか 以下 less equal
≧|いじょう 以上 greater equal
∞|むげん 無限 infinity
½|にぶんのいち 半分 half
¼|よんぶんのいち quarter
℃|ど 度 温度 celsius degree
°|ど 度 角度 degree
㎡|へいほう 平方メートル square metre
㎥|りっぽう 立方メートル cubic metre
㎜|ミリ みり millimetre
㎝|センチ せんち centimetre
㎏|キロ きろ kilogram
µ|マイクロ まいくろ micro
Ω|オーム おーむ ohm
%|パーセント ぱーせんと percent
￥|えん 円 yen
€|ユーロ ゆーろ euro
£|ポンド ぽんど pound
$|ドル どる dollar
©|ちょさく 著作 copyright
®|とうろく 登録商標 registered
™|しょうひょう 商標 trademark
§|せつ 節 section
†|ダガー だがー dagger
✓|チェック ちぇっく check
☎|でんわ 電話 phone telephone
✉|メール めーる 手紙 mail letter
Ⅰ|ローマ 1 roman one
Ⅱ|ローマ 2 roman two
Ⅲ|ローマ 3 roman three
Ⅳ|ローマ 4 roman four
Ⅴ|ローマ 5 roman five
|
😊|えがお 笑顔 にこ smile happy
😀|えがお 笑顔 grin smile
😄|わらい 笑 laugh smile
😂|わらい なき 笑 joy laugh tears
🙂|えがお 微笑 slight smile
😉|ウインク ういんく wink
😅|あせ 汗 苦笑 sweat
😌|ほっと 安心 relieved
🥰|だいすき 愛 love hearts
😍|だいすき ハート love eyes
🤔|かんがえ 考 think
😢|かなしい 悲 cry sad
😭|なき 泣 号泣 cry
😓|あせ 汗 sweat sorry
😱|おどろき 驚 scream
😮|おどろき 驚 surprised
😴|ねる 眠 sleep
🙏|おねがい 感謝 願 please thanks pray
🙇|おじぎ 謝 礼 bow sorry
👍|いいね 了解 good thumbs up
👌|オーケー おーけー ok
👏|はくしゅ 拍手 clap
💪|ちから 力 strong muscle
🤝|あくしゅ 握手 handshake
👋|てをふる 手 wave hello bye
✌️|ピース ぴーす peace
☝️|ゆび 指 point up
👉|ゆび 指 point right
🎉|おいわい 祝 party celebrate
🎊|おいわい 祝 confetti
🎁|プレゼント 贈 present gift
💐|はな 花束 bouquet flowers
🌸|さくら 桜 cherry blossom
🍀|クローバー くろーばー clover luck
🌟|ほし 星 star glow
✨|きらきら 輝 sparkles
❤️|ハート はーと 愛 heart
💡|ひらめき 電球 idea bulb
🔥|ひ 火 炎 fire
☀️|はれ 晴 sun
☁️|くもり 曇 cloud
☔|あめ 雨 rain umbrella
❄️|ゆき 雪 snow
🎍|かどまつ 門松 正月 new year
📌|ピン ぴん 重要 pin
📎|クリップ くりっぷ 添付 clip attach
📄|しょるい 書類 document
📁|フォルダ ふぉるだ folder
📅|カレンダー かれんだー 日付 calendar date
🕘|とけい 時計 時間 clock time
📞|でんわ 電話 phone
📱|スマホ すまほ 携帯 mobile
💻|パソコン ぱそこん computer
📦|はこ 箱 荷物 package box
🚚|はいそう 配送 配達 truck delivery
✈️|ひこうき 飛行機 plane
🏠|いえ 家 home house
🏢|かいしゃ 会社 ビル office company
💰|おかね 金 money
💳|カード かーど card payment
🔑|かぎ 鍵 key
🔒|かぎ 鍵 lock
⚠️|ちゅうい 注意 警告 warning
❗|びっくり 重要 exclamation important
❓|はてな 質問 question
✅|チェック 完了 check done
❌|ばつ 不可 cross no
⭕|まる 可 circle yes
🆕|しん 新 new
🔄|こうしん 更新 refresh update
🔍|けんさく 検索 search
📢|おしらせ 知らせ announcement
☕|コーヒー こーひー coffee
🍵|おちゃ 茶 tea
`.trim().split("\n").map((row) => row.split("|"));
