package mail

// What mail systems write about mail they could not deliver, in lower case.

// bounceSubjects are parts of the subjects of bounces.
var bounceSubjects = []string{
	"undelivered mail", "undeliverable", "undeliverd", "undelivered", "delivery status notification", "delivery failure", "delivery failed", "delivery has failed", "delivery problem", "delivery error", "delivery report", "delivery delayed", "delivery notification", "delivery warning", "failed delivery",
	"mail delivery failed", "mail delivery failure", "mail delivery problem", "mail delivery system", "mail failure", "message delivery has been delayed", "failure notice", "failure delivery", "failed mail", "returned mail", "returned email", "returned message", "return mail", "mail could not be delivered", "could not be delivered", "couldn't be delivered", "could not send message", "cannot send message",
	"nondeliverable", "non-deliverable", "non delivery", "non-delivery", "not delivered", "unable to deliver", "user unknown", "unknown user", "mailbox unavailable", "address not found", "there was an error sending your mail", "mail system error", "mail error", "mail delivery status", "cannot be delivered", "warning: message", "warning: could not send", "delayed mail", "delivery to the following", "message blocked", "loop alert", "errors from", "blocked mail", "message not delivered", "rejected mail", "mail rejected", "bounced", "ndn:",
	"unzustellbar", "nicht zugestellt", "zustellung fehlgeschlagen", "zustellfehler", "mail delivery subsystem", "non remis", "échec de la remise", "non distribuable", "non distribué", "notification d'état de remise", "no se puede entregar", "no entregado", "devuelto", "mensaje no entregado", "non recapitabile", "mancata consegna", "não foi possível entregar", "não entregue", "onbestelbaar", "niet bezorgd", "olevererbart", "ej levererat", "kan ikke leveres", "toimittamaton", "niedostarczon", "nie dostarczon", "nedoručiteln", "не доставлено", "недоставленное", "не может быть доставлено", "teslim edilemedi",
	"配信不能", "配信エラー", "配信できません", "配信に失敗", "配信失敗", "配送エラー", "配送できません", "送信エラー", "送信できません", "送信失敗", "送信に失敗", "未達", "不達", "宛先不明", "届きません", "お届けできません", "エラーメール", "メールエラー", "メール容量", "退信", "无法投递", "無法遞送", "无法送达", "傳送失敗", "投递失败", "반송", "전송 실패", "배달되지 않",
}

// failurePhrase ties words of a report to a status; an empty status means that
// the words only say that something failed. The first that fits counts.
type failurePhrase struct{ words, status string }

var failurePhrases = []failurePhrase{
	{"user unknown", "5.1.1"}, {"unknown user", "5.1.1"}, {"no such user", "5.1.1"}, {"no such recipient", "5.1.1"}, {"no such mailbox", "5.1.1"}, {"no such address", "5.1.1"}, {"no mailbox here by that name", "5.1.1"}, {"unknown recipient", "5.1.1"}, {"recipient unknown", "5.1.1"},
	{"recipient name is not recognized", "5.1.1"}, {"not listed in public name", "5.1.1"}, {"user not found", "5.1.1"}, {"recipient not found", "5.1.1"}, {"address not found", "5.1.1"}, {"mailbox not found", "5.1.1"}, {"account not found", "5.1.1"}, {"does not exist", "5.1.1"}, {"doesn't exist", "5.1.1"}, {"doesn't have a", "5.1.1"}, {"may not exist", "5.1.1"},
	{"invalid recipient", "5.1.1"}, {"invalid address", "5.1.1"}, {"invalid user", "5.1.1"}, {"invalid mailbox", "5.1.1"}, {"no valid recipient", "5.1.1"}, {"not a known user", "5.1.1"}, {"not a valid", "5.1.1"}, {"unrouteable address", "5.1.1"}, {"unroutable address", "5.1.1"}, {"is not a registered", "5.1.1"}, {"not our customer", "5.1.1"}, {"address rejected", "5.1.1"}, {"recipient rejected", "5.1.1"}, {"user is not found", "5.1.1"}, {"no account by that name", "5.1.1"}, {"mailbox unavailable", "5.2.0"},
	{"宛先が存在しません", "5.1.1"}, {"宛先不明", "5.1.1"}, {"アドレスが見つから", "5.1.1"}, {"メールアドレスは存在しません", "5.1.1"}, {"ユーザーが存在しません", "5.1.1"}, {"ユーザが見つかりません", "5.1.1"}, {"アドレスが存在し", "5.1.1"}, {"存在しない", "5.1.1"}, {"not existing", "5.1.1"}, {"empfänger unbekannt", "5.1.1"}, {"утилизатор не найден", "5.1.1"}, {"пользователь не найден", "5.1.1"},
	{"malformed address", "5.1.3"}, {"bad address syntax", "5.1.3"}, {"syntax error", "5.5.2"}, {"incorrectly constructed", "5.1.3"},
	{"mailbox is full", "5.2.2"}, {"mailbox full", "5.2.2"}, {"full mailbox", "5.2.2"}, {"mailfolder is full", "5.2.2"}, {"folder is full", "5.2.2"}, {"quota", "5.2.2"}, {"exceeds allowed size", "5.2.2"}, {"insufficient storage", "5.2.2"}, {"out of storage", "5.2.2"}, {"exceeded the local limit", "5.2.2"}, {"over its disk", "5.2.2"}, {"容量を超え", "5.2.2"}, {"容量オーバー", "5.2.2"}, {"メールボックスがいっぱい", "5.2.2"}, {"メールボックスの容量", "5.2.2"}, {"inbox is full", "5.2.2"}, {"postfach voll", "5.2.2"}, {"boîte pleine", "5.2.2"},
	{"account has been disabled", "5.2.1"}, {"disabled or discontinued", "5.2.1"}, {"account is disabled", "5.2.1"}, {"account disabled", "5.2.1"}, {"account suspended", "5.2.1"}, {"has been suspended", "5.2.1"}, {"mailbox disabled", "5.2.1"}, {"mailbox temporarily disabled", "5.2.1"}, {"inactive", "5.2.1"}, {"not accepting", "5.2.1"},
	{"size limit", "5.3.4"}, {"too large", "5.3.4"}, {"too big", "5.3.4"}, {"message size exceeds", "5.3.4"}, {"larger than", "5.3.4"}, {"サイズが大きすぎ", "5.3.4"}, {"サイズ制限", "5.3.4"},
	{"host unknown", "5.1.2"}, {"unknown host", "5.1.2"}, {"host not found", "5.1.2"}, {"domain not found", "5.1.2"}, {"couldn't find any host", "5.1.2"}, {"could not be found", "5.1.2"}, {"domain does not exist", "5.1.2"}, {"name service error", "5.4.4"}, {"bad destination", "5.1.2"}, {"no route to host", "4.4.1"}, {"mx record", "5.4.4"},
	{"too many hops", "5.4.6"}, {"hop count exceeded", "5.4.6"}, {"routing loop", "5.4.6"}, {"mail loop", "5.4.6"}, {"mail forwarding loop", "5.4.6"}, {"loops back to myself", "5.4.6"}, {"duplicated message-id", "5.4.6"},
	{"timed out", "4.4.7"}, {"timeout exceeded", "4.4.7"}, {"time out", "4.4.7"}, {"too long", "4.4.7"}, {"connection refused", "4.4.1"}, {"unable to connect", "4.4.1"}, {"could not connect", "4.4.1"}, {"did not accept our requests to connect", "4.4.1"}, {"retry time", "4.4.7"}, {"queue expired", "4.4.7"}, {"expired", "4.4.7"}, {"given up", "4.4.7"}, {"giving up", "4.4.7"}, {"deferred", "4.4.1"}, {"has been delayed", "4.4.7"}, {"not yet been delivered", "4.4.7"}, {"delay reason", "4.4.7"}, {"遅延", "4.4.7"}, {"for 4 days", "4.4.7"}, {"for 5 days", "4.4.7"},
	{"relay", "5.7.1"}, {"spam", "5.7.1"}, {"blocked", "5.7.1"}, {"blacklist", "5.7.1"}, {"blocklist", "5.7.1"}, {"block list", "5.7.1"}, {"access denied", "5.7.1"}, {"rejected", "5.7.1"}, {"policy", "5.7.1"}, {"not authorized", "5.7.1"}, {"permission to post", "5.7.1"}, {"permission", "5.7.1"}, {"投稿する権限", "5.7.1"}, {"refused", "5.7.1"}, {"virus", "5.7.1"}, {"forbidden", "5.7.1"}, {"authentication", "5.7.1"}, {"unauthenticated", "5.7.1"}, {"prohibited", "5.7.1"}, {"受信拒否", "5.7.1"}, {"拒否", "5.7.1"},
	{"could not be delivered", ""}, {"couldn't be delivered", ""}, {"cannot be delivered", ""}, {"can not be delivered", ""}, {"not be delivered", ""}, {"was not delivered", ""}, {"not delivered", ""}, {"undeliverable", ""}, {"unable to deliver", ""}, {"able to deliver your message", ""}, {"delivery to the following", ""}, {"delevery to the following", ""}, {"failed permanently", ""}, {"delivery failed", ""}, {"delivery has failed", ""}, {"permanent error", ""}, {"permanent fatal errors", ""}, {"delivery problems", ""}, {"delivery errors", ""}, {"following address failed", ""}, {"did not reach", ""}, {"an error occurred while trying to deliver", ""}, {"an error has occurred while attempting to deliver", ""}, {"error delivering", ""}, {"trouble delivering", ""}, {"failed to deliver", ""}, {"transcript of session", ""}, {"returned to sender", ""}, {"delivery attempt", ""}, {"failure reasons", ""}, {"temporary failure", ""}, {"permanent failure", ""},
	{"could not deliver", ""}, {"couldn't deliver", ""}, {"failed recipient", ""}, {"did not receive", ""}, {"has been returned", ""}, {"non-delivery report", ""}, {"has been postponed", ""}, {"n'a pas pu etre", ""},
	{"nicht zugestellt", ""}, {"не может быть доставлено", ""}, {"не доставлено", ""}, {"n'a pas pu être", ""}, {"no se ha podido entregar", ""}, {"no se pudo entregar", ""}, {"non è stato possibile", ""}, {"não foi possível entregar", ""}, {"kon niet worden", ""}, {"kunne ikke leveres", ""}, {"kunde inte levereras", ""}, {"配信できません", ""}, {"配信されません", ""}, {"配送できません", ""}, {"送信できません", ""}, {"送信に失敗", ""}, {"配信に失敗", ""}, {"お届けできません", ""}, {"届けられません", ""}, {"送達できません", ""}, {"エラーのため", ""}, {"连接失败", ""}, {"无法投递", ""}, {"无法送达", ""}, {"無法遞送", ""}, {"배달되지", ""}, {"전송하지 못", ""},
}

// delayPhrases say that delivery is still being tried.
var delayPhrases = []string{
	"has been delayed", "has been postponed", "not yet been delivered", "delivery attempts will continue", "will be retried", "will continue to try", "do not need to resend", "warning message only", "still trying", "配信が遅延", "配送が遅れ", "再送を試み", "delayed 24 hours", "could not send message for past", "temporarily delayed", "noch nicht zugestellt",
}

// originalMarks are parts of the lines that announce the returned mail.
var originalMarks = []string{
	"below this line is a copy", "this is a copy of", "original message follows", "original message is following", "header of the original message", "original message -", "original message:", "unsent message follows", "message headers follow", "below is a copy of the original", "included is a copy of the message", "returned message", "-original mail info", "message header follows", "undelivered message follows", "text of your message", "returned text follows", "original mail as follows", "original message header", "copy of the original message", "copy of your message", "the message that caused this", "original message text", "rejected message",
}

// contactMarks are parts of lines that name whom to ask, not who failed.
var contactMarks = []string{
	"contact", "assistance", "support", "please send", "please write", "questions", "help", "mail from", "envelope-from", "sender", "from:", "from <", "reply-to", "return-path", "message-id:", "ご連絡", "お問い合わせ", "message from", "postmaster at", "report to", "abuse",
}

// recipientMarks are parts of lines that name a recipient among other words.
var recipientMarks = []string{
	"recipient", "rcpt to", "deliver", "unknown user", "user unknown", "mailbox", "reject", "generated by", "generated from", "expanded from", "failed", "duplicated message-id", "address", "addressed", "宛先", "あて先", "送信先", "arrive", "did not reach", "sent to", "could not be sent", "user ", "... ", "error",
}
