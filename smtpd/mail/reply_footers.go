package mail

// What telephones, mail programs, scanners, lists and companies put under a
// mail, per language, in lower case.

// footerPrefixes begin a line that a program appended.
var footerPrefixes = []string{
	"sent from my ", "sent from a ", "sent from an ", "sent from mail for ", "sent from [mail]", "sent from mail<", "sent from outlook", "sent from windows",
	"sent from yahoo", "sent from mailbox", "sent from gmail", "sent from proton", "sent from aol", "sent from samsung", "sent from galaxy", "sent from iphone",
	"sent from ipad", "sent from android", "sent from blackberry", "sent from nine", "sent from blue", "sent from spark", "sent from acompli", "sent from fastmail",
	"sent from edison", "sent from superhuman", "sent from airmail", "sent from mail.ru", "sent from mobile", "sent from phone", "sent from boxer",
	"sent from tuta", "sent from zoho", "sent from surface", "sent from the all new aol", "sent from a phone", "sent from cloudmagic", "sent from newton", "sent from hey",
	"sent via mobile", "sent via my ", "sent via blackberry", "sent via the samsung", "sent via android", "sent with airmail", "sent with proton", "sent with [proton",
	"sent with aquamail", "sent with mailbird", "sent with spark", "sent with unibox", "sent with blue", "sent with nine", "sent with k-9", "sent with tuta", "sent using ",
	"sent by galaxy", "sent by my ", "sent wirelessly", "sent on the go", "sent through my ", "sent while ", "sent, from my ", "from my iphone", "from my ipad", "from my android", "from my samsung",
	"get outlook for ", "get [outlook for ", "get bluemail", "get <https://", "typed on my ", "typed with my ", "written on my ", "envoyé avec la messagerie", "envoyé de mon ", "envoyé depuis ", "envoyé à partir ", "envoyé d'", "envoyé par ",
	"télécharger outlook", "obtenir outlook", "obtenez outlook", "von meinem ", "von meiner ", "gesendet von mein", "gesendet mit ", "gesendet vom ", "gesendet von ", "gesendet über ", "gesendet aus ", "diese nachricht wurde von mein", "outlook für ", "holen sie sich outlook",
	"enviado desde ", "enviado de meu", "enviado do ", "enviado via ", "enviado a partir ", "enviado por samsung", "enviado con ", "enviado com ", "enviado do meu", "enviat des de", "obtener outlook", "obter o outlook", "obtenha o outlook", "baixe o outlook",
	"inviato da ", "inviato dal ", "inviato con ", "scarica outlook", "ottieni outlook", "verzonden vanaf ", "verzonden met ", "verstuurd vanaf ", "verstuurd met ", "verzonden via ", "outlook voor ", "verstuurd via ", "download outlook", "outlook downloaden",
	"skickat från ", "skickat med ", "hämta outlook", "skaffa outlook", "sendt fra ", "sendt med ", "hent outlook", "skaff outlook", "få outlook", "lähetetty ", "hanki outlook", "wysłane z ", "wysłano z ", "pobierz outlook", "pobierz aplikację outlook", "odesláno z", "odeslané z", "odesláno ze", "stáhněte si outlook",
	"отправлено с ", "отправлено из ", "отправлено через ", "надіслано з ", "відправлено з ", "скачать outlook", "получите outlook", "poslano iz ", "poslano s ", "trimis de pe ", "trimis din ", "küldve ", "elküldve ",
	"iphone'umdan gönderildi", "android için", "ios için", "samsung mobil", "được gửi từ", "gửi từ ", "đã gửi từ", "dikirim dari ", "dihantar dari", "στάλθηκε από", "تم الإرسال من", "أُرسلت من", "أرسلت من", "נשלח מ", "ส่งจาก",
	"iphoneから送信", "ipadから送信", "iphone から送信", "androidから送信", "私のiphoneから", "ソフトバンクのiphone", "auのiphone", "ドコモのiphone", "xperiaから送信", "galaxyから送信", "スマートフォンから送信", "携帯から送信", "スマホから送信", "このメールはスマートフォン",
	"yahoo!メール", "yahoo!メールアプリ", "outlook for ios を入手", "outlook for android を入手", "ios 版 outlook", "ios版outlook", "android 版 outlook", "android版outlook", "windows 版のメール", "windows 10 版のメール", "gmailから送信", "outlook for mac", "outlook for ios を取得", "outlook for android を取得",
	"从我的 iphone", "从我的iphone", "發自我的", "发自我的", "发送自", "從我的", "从我的", "寄自", "傳送自", "發送自", "来自我的", "下载 outlook", "取得 outlook", "取得outlook", "获取 outlook", "获取outlook",
	"나의 iphone", "내 iphone", "나의 ipad", "내 ipad", "iphone에서 보냄", "내 삼성", "나의 삼성", "갤럭시에서", "삼성 갤럭시", "iphone에서", "outlook 다운로드",
	"someone from mobile", "virus-free", "virenfrei", "ウイルス フリー", "ウイルスフリー", "garanti sans virus", "libre de virus", "privo di virus", "livre de vírus", "virusvrij",
	"do you yahoo!?", "join the world's largest", "get your free email", "free email", "_______ do you", "best viewed with", "this message was sent from", "please consider the environment", "please think about the environment", "think green", "save a tree",
	"you received this message because you are subscribed", "you received this email because", "you are receiving this because", "to unsubscribe", "unsubscribe:", "unsubscribe from", "to post to this group", "to view this discussion on the web", "for more options, visit", "manage subscription", "if you no longer wish", "visit this group at",
	"___ sent", "mailing list", "list archives", "archives:", "reply to this email directly", "view this email in",
}

// footerSuffixes end such a line where the language puts its verb last.
var footerSuffixes = []string{
	"から送信", "から送信しています", "から送信されました", "から送信しました", "より送信", "から送りました", "からのメールです", "を使用して送信", "アプリから送信",
	"傳送", "发送", "에서 보냄", "에서 보냈습니다", "gönderildi", "gesendet", "verstuurd", "verzonden", "küldve", "から入手", "から自由に入手",
}

// footerParts stand anywhere in such a line.
var footerParts = []string{
	"checked for viruses by", "virus-free.www", "avast.com", "avg.com/email", "scanned by mimecast", "mailing list\n", "mailman/listinfo", "aka.ms/o0ukef", "aka.ms/ghei36", "aka.ms/aab9ysg",
	"auf viren geprüft", "auf viren untersucht", "vérifié par", "ウイルスチェック済", "ウイルスがないことを確認", "проверено на вирусы", "analizado en busca de virus", "controllato per individuare",
	"please excuse typo", "excuse brevity", "excuse any typos", "excuse the brevity", "mohon maaf atas",
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
