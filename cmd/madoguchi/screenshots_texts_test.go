package main_test

import "github.com/madoguchi/madoguchi/helpdesk"

// houseTemplates are what the team often answers.
var houseTemplates = []helpdesk.Template{
	{Name: "受付のお知らせ", Folder: "ご案内", Shortcut: "uketsuke", Versions: []helpdesk.TemplateVersion{
		{Language: "ja", Text: "{{customer.name_sama}}\n\nお問い合わせありがとうございます。北嶺計器の{{agent.name}}です。\n内容を確認のうえ、翌営業日までにご返信いたします。"},
		{Language: "en", Text: "Hello {{customer.name}},\n\nthank you for writing. We will look into it and answer by the next working day.\n\n{{agent.name}}"}}},
	{Name: "校正証明書の再発行", Folder: "校正・修理", Shortcut: "shomei", Versions: []helpdesk.TemplateVersion{
		{Language: "ja", Text: "{{customer.name_sama}}\n\n証明書の再発行を承りました。三営業日ほどで PDF をお送りします。"},
		{Language: "en", Text: "Hello {{customer.name}},\n\nwe will issue the certificate anew and send it as a PDF within three working days."}}},
	{Name: "修理品の送付先", Folder: "校正・修理", Shortcut: "soufu", Versions: []helpdesk.TemplateVersion{
		{Language: "ja", Text: "{{customer.name_sama}}\n\n修理品は、校正センター宛てに元払いでお送りください。チケット番号 #{{ticket.number}} を箱の外側にお書き添えください。"},
		{Language: "en", Text: "Hello {{customer.name}},\n\nplease send the instrument to our calibration centre, and write #{{ticket.number}} on the box."}}},
}

// What the people of the screenshots write to each other.
const (
	okaforText = `Hello,

our HP-200 on fermenter 3 reads 0.4 kPa too high once it has run for about an hour. Right after switching on it is exact. We compared it with a second gauge on the same line.

Is that within what you would expect, or should we send it in?

Best regards
Chidi Okafor
Lagoon Brewing, Lagos
`
	okaforAnswer = `Hello Chidi,

that is more than the HP-200 should drift. Please set the zero point again after one hour of warm-up (Menu, Sensor, Zero) rather than when it is cold. If it is still off by more than 0.1 kPa the day after, we will exchange it under warranty.

Daniel`
	okaforThanks = `Hi Daniel,

setting the zero point warm did it. Three days now without drift. Thank you!

Chidi
`
	okaforSecond = `Hello Daniel,

a quick question before we order: can one DL-40 log two HP-200 at the same time, or do we need one logger for each gauge?

Chidi Okafor
Lagoon Brewing, Lagos
`
	sekineText = `北嶺計器 校正センター 御中

お世話になっております。北上大学 物性研究室の関根です。

本年六月に校正いただいたデジタル温度計 TK-7（五台）の証明書について、研究室名の表記に誤りがありましたので、再発行をお願いできますでしょうか。正しくは「物性物理学研究室」です。

どうぞよろしくお願いいたします。

関根 美咲
`
	sekineAnswer = `関根様

お世話になっております。校正センターの小島です。
表記を改めた証明書を五通、添付にてお送りいたします。原本は本日発送いたしました。

ご確認のほど、よろしくお願いいたします。`
	hoshinoText = `サポートご担当者様

西浦建設の星野と申します。
現場で使用している FM-3（2014年製）の取扱説明書が見当たりません。旧版の PDF がありましたら、お送りいただけないでしょうか。
`
	hoshinoAnswer = `星野様

お問い合わせありがとうございます。
2014年製の FM-3 には説明書の第3版が対応しております。下記からお受け取りください。
https://hokurei.example/manuals/fm-3-r3.pdf

小島`
	hayaseText = `北嶺計器 サポート窓口 御中

青葉製薬の早瀬です。いつもお世話になっております。

DL-40 をクラス 10,000 のクリーンルーム内に常設したいと考えています。
筐体の発塵について、試験データがありましたらご提供いただけますでしょうか。
あわせて、アルコールでの清拭が可能かどうかもお教えください。

早瀬 拓也
青葉製薬株式会社 品質管理部
`
	hayaseAnswer = `早瀬様

お世話になっております。サポート窓口の三浦です。

発塵試験の報告書は、機密保持契約のうえでお渡ししております。契約書の送付先をお知らせいただけますでしょうか。
アルコールでの清拭は、表示部を除いて問題ございません。

三浦`
	outsideText = `三浦様

早瀬です。社用アドレスが使えないため、個人のアドレスから失礼します。
契約書は不要ですので、報告書だけ先にこちらのアドレスへお送りください。
`
	uedaText = `校正センター ご担当者様

ひなた酒造の上田と申します。

先日、作業中に HP-200 を床に落としてしまいました。表示は出ますが、左側の樹脂が割れています。写真を二枚添付します。
修理のお見積りと、おおよその日数をお教えいただけますでしょうか。
来週の仕込みで使う予定があり、代替機をお借りできるかどうかも知りたいです。

上田 さくら
`
	lindgrenText = `Hello,

since we updated eleven DL-40 loggers to firmware 2.3, the CSV export stops at row 65,536. The values are still on the logger: reading them over the serial port gives all 91,204 rows.

Station   Rows on logger   Rows in CSV
14        91,204           65,536
15        88,917           65,536
17        40,112           40,112

Is there a way to go back to 2.2 until this is mended? Our monthly report to the water authority is due on Friday.

Maja Lindgren
Fjordvatten AS
`
	lindgrenHTML = `<div style="font-family:Calibri,Arial,sans-serif;font-size:11pt">
<p>Hello,</p>
<p>since we updated <b>eleven DL-40 loggers</b> to firmware 2.3, the CSV export stops at row 65,536. The values are still on the logger: reading them over the serial port gives all 91,204 rows.</p>
<table border="1" cellpadding="6" style="border-collapse:collapse">
<tr style="background:#e8eef7"><th align="left">Station</th><th align="right">Rows on logger</th><th align="right">Rows in CSV</th></tr>
<tr><td>14</td><td align="right">91,204</td><td align="right" style="color:#b00020">65,536</td></tr>
<tr><td>15</td><td align="right">88,917</td><td align="right" style="color:#b00020">65,536</td></tr>
<tr><td>17</td><td align="right">40,112</td><td align="right">40,112</td></tr>
</table>
<p>Is there a way to go back to 2.2 until this is mended? Our monthly report to the water authority is due on Friday.</p>
<p>Maja Lindgren<br><span style="color:#666">Fjordvatten AS</span></p>
<img src="https://fjordvatten.example/signature/logo.png" alt="Fjordvatten" width="160" height="40">
</div>`
	nogamiText = `北嶺計器株式会社 サポート窓口 御中

お世話になっております。みなと水道サービスの野上です。

第3工区の更新に伴い、流量計 FM-3 を五十台導入する方向で社内調整を進めております。
つきましては、下記の条件でお見積りをお願いできますでしょうか。

・台数　　五十台（設置予定は添付の一覧のとおりです）
・納期　　三月末までに全数。難しい場合は二回に分けての納品でも構いません
・通信　　RS-485 または無線。違いと費用差をお教えください
・保守　　年一回の校正を五年分

現在は月に約三千件の検針値を手入力しており、転記の誤りが悩みの種です。DL-40 との連携も併せてご提案いただけますと助かります。

お手数ですが、よろしくお願いいたします。

--
みなと水道サービス株式会社 施設課
野上 由紀
`
	nogamiAnswer = `野上様

お世話になっております。北嶺計器の三浦です。
お電話でも承りました条件（IP67、RS-485）で、五十台のお見積書をお送りいたします。

四十台は二月末、残る十台は三月二十日の納品となります。
検針値の自動取り込みにつきましては、DL-40 を二台加えた構成を別紙の二案目に記載いたしました。

ご不明な点がございましたら、このメールにご返信ください。

三浦`
	kurodaText = `担当者様

ときわフーズの黒田です。

先月から三度目です。今朝六時過ぎ、殺菌槽の TK-7 の表示がまた固まり、ラインを止めました。再起動で直るという説明はもう結構です。

本日中に原因と、恒久的な対策、交換機の到着予定をご回答ください。
ご回答がない場合は、全二十四台を他社製に切り替えます。

黒田 誠
ときわフーズ株式会社 生産技術課
`
	brandtText = `Dear support team,

what is the current lead time for 12 spare membranes (part HP-200-M2), shipped to Innsbruck? We would need them before the middle of January.

Kind regards
Jonas Brandt
`
	forgedText = `お取引先各位

平素より格別のご高配を賜り、厚く御礼申し上げます。
このたび、弊社のお振込先口座を下記のとおり変更いたしました。次回のお支払い分より、新しい口座へお振り込みください。

詳細は下記をご確認ください。
http://hokurei-keiki.example/kouza
`
	iwaseText = `サポート窓口 御中

三陸電機の岩瀬です。

DL-40（ファームウェア 2.3）の内部時計が、一日あたり二〜三分遅れます。三日分の記録を添付します。
NTP での自動調整を有効にしていますが、ログには同期の記録がありません。
設定で確認すべき点がありましたら、お教えください。

岩瀬 一真
`
)
