package mail

// What telephones, mail programs, scanners, lists and companies put under a
// mail, per language, in lower case.

// sentFromMy begin a line that a telephone adds; whatever device follows.
var sentFromMy = []string{
	"sent from my ", "sent from a ", "sent from an ", "sent via my ", "sent by my ", "sent wirelessly", "sent on the go", "typed on my ", "written on my ", "sent, from my ", "sent via the samsung ",
}

// excuses may follow a device in such a line, after a comma.
var excuses = []string{"excuse", "typo", "brevity", "apolog", "sorry", "autocorrect", "short", "brief"}

// footerPrefixes begin a line that a program appended, if a word of
// footerDevices follows.
var footerPrefixes = []string{
	"sent from ", "sent via ", "sent with ", "sent by ", "sent using ", "sent through ", "from my ", "typed with ",
	"envoyé de", "envoyé d'", "envoyé à partir", "envoyé avec", "envoyé par", "gesendet ", "diese nachricht wurde von mein",
	"enviado ", "enviat ", "inviato d", "inviato con", "verzonden ", "verstuurd ",
	"skickat från", "skickat med", "sendt fra", "sendt med", "lähetetty ", "wysłane z", "wysłano z", "odesláno z", "odeslané z", "odoslané z", "provenance ",
	"отправлено ", "надіслано ", "відправлено ", "poslano ", "trimis ", "küldve", "elküldve", "được gửi từ", "gửi từ", "đã gửi từ", "dikirim dari", "dihantar dari", "στάλθηκε από", "αποστολή από",
	"تم الإرسال من", "أُرسلت من", "أرسلت من", "נשלח מ", "ส่งจาก", "从我的", "發自", "发自", "发送自", "從我的", "寄自", "傳送自", "發送自", "来自我的", "來自我的",
}

// getApplication begin a line that advertises one of applications.
var getApplication = []string{
	"get ", "download ", "télécharge", "obten", "holen sie sich ", "laden sie ", "obter ", "baixe ", "scarica ", "ottieni ", "hämta ", "skaffa ", "hent ", "skaff ", "få ", "hanki ", "pobierz ", "stáhn", "získ", "скача", "получит", "tải ", "下载", "下載", "取得", "获取", "獲取",
}

var applications = []string{"outlook", "bluemail", "blue mail", "yahoo", "k-9", "spark mail"}

// footerDevices are telephones and mail programs, as programs name themselves.
var footerDevices = []string{
	"iphon", "ipad", "ipod", "android", "samsung", "galaxy", "blackberry", "windows", "outlook", "yahoo", "gmail", "gmx", "web.de", "t-online", "aol", "proton", "tuta", "airmail", "mailbox", "spark", "k-9", "bluemail", "blue mail", "zoho", "fastmail", "superhuman",
	"acompli", "edison", "cloudmagic", "aquamail", "mailbird", "unibox", "surface", "xperia", "huawei", "xiaomi", "oneplus", "htc", "nokia", "lumia", "motorola", "mail for", "mail voor", "mail pour", "mail para", "mail für", "mail.ru", "[mail]", "thunderbird",
	"mobile", "phone", "handy", "mobil", "móvil", "movil", "celular", "cellulare", "téléphone", "telefon", "teléfono", "telefoon", "smartphone", "tablet", "puhelim", "телефон", "смартфон", "device", "appareil", "gerät", "messagerie orange", "mail orange", "яндекс", "pixel", "aquos", "arrows", "rakuten", "スマートフォン", "スマホ", "携帯", "メール", "手机", "手機", "điện thoại", "apple mail",
}

// footerSuffixes end such a line where the language puts its verb last; a device
// stands before.
var footerSuffixes = []string{
	"から送信", "から送信しています", "から送信されました", "から送信しました", "からの送信", "から送りました", "を使用して送信", "で送信", "を入手", "を入手する", "をダウンロード", "を取得", "傳送", "传送", "发送", "發送", "發出", "에서 보냄", "에서 보냈습니다", "에서 전송", "다운로드", "gönderildi", "outlook für ios beziehen", "outlook für android beziehen", "outlook voor ios downloaden", "outlook voor android downloaden", "geschickt", "gesendet",
}

// footerLines are whole lines that programs append.
var footerLines = map[string]bool{
	"someone from mobile": true, "sent via mobile": true, "sent from mobile": true, "sent by mobile": true, "sent from phone": true, "do you yahoo!?": true, "virus-free": true, "ウイルス フリー": true, "ウイルスフリー": true,
}

// footerParts stand anywhere in a short line of a scanner, a list or an editor.
var footerParts = []string{
	"sent from the all new aol app", "checked for viruses by", "virus-free. www", "virus-free.www", "www.avast.com", "www.avg.com", "scanned by mimecast", "mailman/listinfo", "aka.ms/o0ukef", "aka.ms/ghei36", "aka.ms/aab9ysg", "auf viren geprüft", "auf viren untersucht", "ウイルスチェック済", "ウイルスに感染していないことを確認", "проверено на вирусы", "analizado en busca de virus", "controllato per individuare",
	"please excuse typo", "please excuse any typo", "please excuse my brevity", "please excuse brevity", "please consider the environment before", "please think about the environment before", "think before you print", "you received this message because you are subscribed to", "you are receiving this because you", "reply to this email directly",
}

// listPrefixes begin the line of a list or a bulk mailer, if it also has an
// address to go to.
var listPrefixes = []string{
	"to unsubscribe", "unsubscribe:", "unsubscribe from", "to post to this", "to view this discussion", "for more options", "manage subscription", "manage your subscription", "if you no longer wish", "visit this group", "list archives", "archives:", "view this email in", "this message was sent from", "配信停止", "配信解除", "購読解除",
}

// contactWords mark a line of a signature.
var contactWords = []string{
	"tel:", "tel.", "tel ", "tel/", "tel(", "tel・", "tel-", "fax", "phone", "mobile:", "mobil:", "mobile ", "cell:", "mail:", "e-mail", "email:", "mail :", "url:", "url :", "http://", "https://", "www.", "@", "〒",
	"株式会社", "(株)", "㈱", "有限会社", "(有)", "㈲", "合同会社", "一般社団法人", "財団法人", "事務所", "営業所", "事業部", "法人", "大学", "病院", "研究所", "学校", "市役所", "協会", "組合",
	"電話", "携帯", "住所", "ファックス", "メール:", "所在地", "直通", "内線", "営業時間", "定休日",
	"電話番号", "传真", "傳真", "手机", "邮箱", "電郵", "有限公司", "地址", "전화", "휴대폰", "팩스", "주식회사", "gmbh", "ltd", "inc.", "llc", "s.a.", "b.v.", "s.r.l", "ag ", "телефон", "тел.", "téléphone", "telefon", "telefono", "teléfono", "mailing list", "linkedin", "facebook", "twitter", "instagram",
}

// noticePrefixes begin a paragraph of legal notice, whatever it goes on to say.
var noticePrefixes = []string{
	"confidentiality notice", "disclaimer:", "notice of confidentiality", "privileged and confidential", "vertraulichkeitshinweis", "aviso de confidencialidad", "avis de confidentialité",
	"this email and any files transmitted", "this e-mail and any files transmitted", "this email and any attachments", "this e-mail and any attachments", "this message and any attachments",
}

// disclaimerPrefixes begin one if a word of disclaimerParts follows.
var disclaimerPrefixes = []string{
	"this email", "this e-mail", "this message", "this mail", "the information contained in", "the information in this", "the contents of this", "this electronic", "this communication", "any views or opinions",
	"confidential", "disclaimer", "important notice", "notice:", "legal notice", "caution:", "if you are not the intended", "if you have received this",
	"diese e-mail", "diese nachricht", "der inhalt dieser", "ce message", "ce courriel", "cet e-mail", "les informations contenues", "este mensaje", "este correo", "la información contenida", "aviso legal", "esta mensagem", "este email", "este e-mail", "as informações contidas",
	"questo messaggio", "questa e-mail", "le informazioni contenute", "ai sensi del", "dit bericht", "deze e-mail", "de informatie", "detta meddelande", "denne e-mail", "denne e-post", "ta wiadomość", "treść tej wiadomości", "это сообщение", "настоящее сообщение", "данное сообщение", "bu e-posta", "bu mesaj",
	"このメール", "本メール", "本電子メール", "この電子メール", "このeメール", "本eメール", "当メール", "※本メール", "※このメール", "*本メール", "【機密", "【注意】", "本邮件", "此邮件", "本電子郵件", "本信件", "本郵件", "이 메일", "이 이메일", "본 메일", "본 이메일",
}

// disclaimerParts are what such a notice is about.
var disclaimerParts = []string{
	"confidential", "intended recipient", "intended solely", "privileged", "notify the sender", "unauthorized", "unauthorised", "vertraulich", "confidentiel", "confidencial", "riservat", "confidenzial", "vertrouwelijk", "konfidentiell", "fortrolig", "poufn", "конфиденциальн", "gizli",
	"機密", "宛先以外", "誤って受信", "誤って届", "誤送信", "破棄", "保密", "機密資料", "기밀", "비밀",
}

// closings begin the formula that ends a letter.
var closings = []string{
	"regards", "best", "kind regards", "warm regards", "cheers", "thanks", "thank you", "thx", "sincerely", "yours", "many thanks", "br,", "rgds", "all the best", "take care",
	"mit freundlichen", "viele grüße", "liebe grüße", "beste grüße", "freundliche grüße", "gruß", "mfg", "vg", "lg", "cordialement", "bien à vous", "merci", "bonne journée", "salutations", "saludos", "un saludo", "gracias", "atentamente", "atenciosamente", "obrigado", "abraços", "att,", "cordiali saluti", "grazie", "distinti saluti", "saluti",
	"met vriendelijke", "groeten", "groetjes", "bedankt", "mvh", "med vänlig", "vänliga hälsningar", "hälsningar", "med venlig", "venlig hilsen", "hilsen", "vennlig hilsen", "ystävällisin", "terveisin", "kiitos", "pozdrawiam", "z poważaniem", "s pozdravem", "děkuji", "с уважением", "спасибо", "з повагою", "saygılarımla", "teşekkürler", "trân trọng",
	"よろしく", "宜しく", "以上", "敬具", "草々", "ありがとう", "有難う", "何卒", "お願い", "此致", "谢谢", "謝謝", "祝好", "감사합니다", "고맙습니다",
}
