package mail

// The words by which mail programs introduce a quote, per language. All are in
// lower case; they are compared with lines in lower case.

// attributionVerbs end, or stand within, a line such as "On … Taro wrote:".
var attributionVerbs = []string{
	"wrote", "writes", // English
	"schrieb", "hat geschrieben", // German
	"a écrit", "a ecrit", "écrivait", "a écris", // French
	"escribió", "escribio", "ha escrito", "va escriure", "ha escrit", "escribiu", // Spanish, Catalan, Galician
	"ha scritto", "scrisse", // Italian
	"escreveu",              // Portuguese
	"schreef", "geschreven", // Dutch
	"skrev", "skreiv", "skrifaði", // Swedish, Danish, Norwegian, Icelandic
	"kirjoitti", "kirjutas", // Finnish, Estonian
	"napisał", "napisała", "napisał(a)", "napisal", "pisze", "wiadomość napisana przez", // Polish
	"napsal", "napsala", "napsal(a)", "napísal", "napísala", "napísal(a)", // Czech, Slovak
	"написал", "написала", "написал(а)", "пишет", "писал", // Russian
	"пише", "написав", "написав(ла)", // Ukrainian
	"написа", "написао", "је написао", // Bulgarian, Serbian
	"je napisao", "je napisala", "je napisao/la", "je napisal", "je napisala/a", "napisala", // Croatian, Slovene
	"missatge de", "idatzi du", "sumulat", // Catalan, Basque, Filipino
	"a scris", "ezt írta", "írta", // Romanian, Hungarian
	"yazdı", "yazmış", // Turkish
	"đã viết", "viết", // Vietnamese
	"έγραψε", "rašė", "parašė", "rakstīja", // Greek, Lithuanian, Latvian
	"menulis", "เขียนว่า", "เขียน", "ने लिखा", "लिखा", // Indonesian and Malay, Thai, Hindi
	"كتب", "كتبت", "כתב", "כתבה", "כתב/ה", "نوشت", // Arabic, Hebrew, Persian
	"写道", "寫道", "写到", "寫到", "写信给", // Chinese
	"작성", "썼습니다", "보냄", // Korean
	"のメール", "からのメール", "のメッセージ", "書きました", "書かれました", // Japanese
}

// attributionOpeners are the first words of such a line.
var attributionOpeners = map[string]bool{
	"on": true, "at": true, "le": true, "am": true, "el": true, "il": true, "em": true, "op": true, "den": true,
	"dnia": true, "dne": true, "dňa": true, "w": true, "vào": true, "ngày": true, "på": true,
	"dana": true, "la": true, "pe": true, "în": true, "tarih": true, "pada": true, "στις": true, "на": true, "в": true,
	"у": true, "dia": true, "data": true, "date": true, "lúc": true, "kl": true,
	"quoting": true, "zitat": true, "citando": true,
	"في": true, "ב": true, "בתאריך": true, "در": true, "เมื่อ": true, "els": true,
}

// weekdays and months shortened to what every mail program's form of them
// begins with; a line may begin with one.
var dayAndMonthPrefixes = []string{
	"mon", "tue", "wed", "thu", "fri", "sat", "sun",
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
	"mo.", "di.", "mi.", "do.", "fr.", "sa.", "so.", "lun", "mardi", "mer", "jeu", "ven", "sam", "dim", "jue", "vie", "sáb", "dom",
	"gio", "sab", "seg", "ter", "qua", "qui", "sex", "maa", "din", "woe", "don", "vri", "zat", "zon",
	"mån", "tis", "ons", "tor", "fre", "lör", "sön", "man", "tir", "lør", "søn", "tiis", "kes", "pon", "wto", "śro", "czw", "pią", "sob", "nie",
	"po ", "út ", "st ", "čt ", "pá ", "so ", "ne ", "понед", "вторн", "среда", "четве", "пятни", "суббо", "воскр",
	"пн", "вт", "ср", "чт", "пт", "сб", "вс", "нд", "pzt", "sal", "çar", "per", "cum", "cmt", "paz",
	"在", "于", "於", "日期", "오전", "오후",
}

// dividers stand, between decoration, before the whole text of an earlier mail.
var dividers = map[string]bool{
	"original": true, "original message": true, "original email": true, "original mail": true, "original text": true, "original appointment": true,
	"forwarded message": true, "forwarded mail": true, "forwarded by": true, "forward message": true, "begin forwarded message": true,
	"reply message": true, "previous message": true, "start of forwarded message": true, "message follows": true,
	"ursprüngliche nachricht": true, "originalnachricht": true, "original-nachricht": true, "weitergeleitete nachricht": true,
	"anfang der weitergeleiteten nachricht": true, "ursprüngliche mail": true, "original nachricht": true, "weitergeleitete e-mail": true,
	"message d'origine": true, "message d’origine": true, "message original": true, "message initial": true, "message transféré": true,
	"début du message réexpédié": true, "début du message transféré": true, "message transmis": true, "e-mail d'origine": true,
	"mensaje original": true, "mensaje reenviado": true, "inicio del mensaje reenviado": true, "mensaje enviado": true,
	"messaggio originale": true, "messaggio inoltrato": true, "inizio messaggio inoltrato": true, "messaggio originario": true,
	"mensagem original": true, "mensagem encaminhada": true, "mensagem reencaminhada": true, "início da mensagem encaminhada": true,
	"oorspronkelijk bericht": true, "doorgestuurd bericht": true, "begin doorgestuurd bericht": true, "origineel bericht": true,
	"oprindelig meddelelse": true, "oprindelig besked": true, "oprindelig mail": true, "videresendt besked": true, "videresendt mail": true,
	"original meddelelse": true, "videresendt meddelelse": true, "start på videresendt besked": true,
	"opprinnelig melding": true, "opprinnelig e-post": true, "original melding": true, "videresendt melding": true, "videresendt e-post": true,
	"ursprungligt meddelande": true, "ursprungligt mejl": true, "ursprungligt e-postmeddelande": true, "originalmeddelande": true, "vidarebefordrat meddelande": true, "vidarebefordrat brev": true,
	"alkuperäinen viesti": true, "välitetty viesti": true, "edelleenlähetetty viesti": true, "algne kiri": true,
	"wiadomość oryginalna": true, "oryginalna wiadomość": true, "wiadomość przekazana": true, "przekazana wiadomość": true, "oryginalny e-mail": true,
	"původní zpráva": true, "přeposlaná zpráva": true, "původní e-mail": true, "pôvodná správa": true, "preposlaná správa": true,
	"исходное сообщение": true, "пересылаемое сообщение": true, "пересланное сообщение": true, "оригинальное сообщение": true,
	"конец пересылаемого сообщения": true, "начало переадресованного сообщения": true, "переслане повідомлення": true, "вихідне повідомлення": true,
	"originální zpráva": true, "originalna poruka": true, "izvorna poruka": true, "proslijeđena poruka": true, "mesaj original": true,
	"mesajul original": true, "mesaj redirecționat": true, "eredeti üzenet": true, "továbbított üzenet": true, "αρχικό μήνυμα": true,
	"orijinal mesaj": true, "özgün ileti": true, "yönlendirilen ileti": true, "iletilen mesaj": true, "yönlendirilmiş ileti": true,
	"thư gốc": true, "thư đã chuyển tiếp": true, "tin nhắn gốc": true, "pesan asli": true, "pesan terusan": true,
	"الرسالة الأصلية": true, "رسالة أصلية": true, "رسالة معاد توجيهها": true, "ההודעה המקורית": true, "הודעה מקורית": true, "הודעה שהועברה": true,
	"元のメッセージ": true, "元のメール": true, "オリジナルメッセージ": true, "オリジナル メッセージ": true, "転送メッセージ": true, "転送されたメッセージ": true,
	"転送メール": true, "元メール": true, "返信元メッセージ": true, "返信元": true, "以下、元のメール": true, "以下元メール": true, "受信メール": true, "引用元メッセージ": true,
	"メッセージを転送": true, "ここから転送": true, "転送ここから": true, "以下転送": true, "以下、転送": true, "以下引用": true, "以下、引用": true,
	"treść przekazanej wiadomości": true, "początek przekazywanej wiadomości": true, "wiadomość przesłana dalej": true, "välitetty viesti alkaa": true, "välitetty viesti / fwd.msg": true,
	"iletilmiş mesaj": true, "iletilen ileti": true, "ileti başlangıcı": true, "перенаправлене повідомлення": true, "перенаправленное сообщение": true, "початок листа, що пересилається": true,
	"início da mensagem reencaminhada": true, "továbbított levél kezdete": true, "vidarebefordrat mejl": true, "započni proslijeđenu poruku": true, "začiatok preposlanej správy": true, "preposlaná správa --- forwarded message": true,
	"začátek přeposílané zprávy": true, "începe mesajul redirecționat": true,
	"原始邮件": true, "原始郵件": true, "原邮件": true, "原始信息": true, "转发邮件": true, "轉寄郵件": true, "转发的邮件": true, "回复的原邮件": true,
	"回复的邮件": true, "转发邮件信息": true, "下面是被转发的邮件": true, "已轉寄的郵件": true, "轉寄的郵件": true, "原邮件信息": true,
	"원본 메시지": true, "원본 메일": true, "원본메일": true, "전달된 메시지": true, "전달된 메일": true, "전달 메일": true, "원본 이메일": true,
}

// replyAbove mark the line above which help desks ask people to write.
var replyAbove = []string{
	"reply above this line", "type your reply above", "write above this line", "reply above the line", "respond above this line",
	"please reply above", "reply above this", "bitte oberhalb dieser zeile", "oberhalb dieser linie", "répondez au-dessus de cette ligne", "répondre au-dessus",
	"responda por encima de esta línea", "responda acima desta linha", "この行より上", "この線より上", "このラインより上", "上の行に返信",
}

// replyAboveStarts begin that line where no decoration stands around it.
var replyAboveStarts = []string{"please type your reply", "please reply above", "reply above", "type your reply", "write above this line", "respond above"}

// quoteHeaderNames are the field names of the header block that Outlook and
// others put before an earlier mail.
var quoteHeaderNames = map[string]headerKind{
	"from": headerFrom, "sender": headerFrom, "von": headerFrom, "absender": headerFrom, "de": headerFrom, "expéditeur": headerFrom, "da": headerFrom,
	"mittente": headerFrom, "remitente": headerFrom, "remetente": headerFrom, "van": headerFrom, "afzender": headerFrom, "fra": headerFrom, "från": headerFrom,
	"avsändare": headerFrom, "lähettäjä": headerFrom, "od": headerFrom, "nadawca": headerFrom, "odesílatel": headerFrom, "odesilatel": headerFrom,
	"odosielateľ": headerFrom, "от": headerFrom, "от кого": headerFrom, "отправитель": headerFrom, "від": headerFrom, "кому від": headerFrom, "feladó": headerFrom,
	"de la": headerFrom, "expeditor": headerFrom, "expeditorul": headerFrom, "від кого": headerFrom, "kimden": headerFrom, "gönderen": headerFrom, "từ": headerFrom, "người gửi": headerFrom, "από": headerFrom,
	"dari": headerFrom, "saatja": headerFrom, "nuo": headerFrom, "no": headerFrom, "من": headerFrom, "מאת": headerFrom, "از": headerFrom, "จาก": headerFrom,
	"差出人": headerFrom, "送信者": headerFrom, "送信元": headerFrom, "发件人": headerFrom, "寄件者": headerFrom, "寄件人": headerFrom, "发信人": headerFrom,
	"보낸 사람": headerFrom, "보낸사람": headerFrom, "보낸이": headerFrom, "发送人": headerFrom, "發件人": headerFrom, "frá": headerFrom, "šalje": headerFrom, "pošiljatelj": headerFrom,

	"sent": headerDate, "date": headerDate, "gesendet": headerDate, "gesendet am": headerDate, "datum": headerDate, "envoyé": headerDate, "envoyé le": headerDate,
	"date d'envoi": headerDate, "inviato": headerDate, "data": headerDate, "data invio": headerDate, "enviado": headerDate, "enviado el": headerDate, "enviada em": headerDate,
	"enviado em": headerDate, "enviada": headerDate, "fecha": headerDate, "fecha de envío": headerDate, "verzonden": headerDate, "sendt": headerDate, "dato": headerDate, "skickat": headerDate,
	"lähetetty": headerDate, "päivämäärä": headerDate, "päiväys": headerDate, "wysłano": headerDate, "wysłane": headerDate, "odesláno": headerDate, "odoslané": headerDate, "dátum": headerDate,
	"дата": headerDate, "отправлено": headerDate, "надіслано": headerDate, "küldve": headerDate, "elküldve": headerDate, "trimis": headerDate, "dată": headerDate, "tarih": headerDate, "gönderme tarihi": headerDate, "gönderilme tarihi": headerDate,
	"gönderildi": headerDate, "gönderilen": headerDate, "відправлено": headerDate, "изпратено": headerDate, "poslano": headerDate, "poslato": headerDate, "nosūtīts": headerDate, "išsiųsta": headerDate, "enviat": headerDate, "enviat el": headerDate, "ngày": headerDate, "đã gửi": headerDate, "gửi": headerDate, "ημερομηνία": headerDate, "στάλθηκε": headerDate, "tanggal": headerDate, "dikirim": headerDate, "saadetud": headerDate,
	"التاريخ": headerDate, "تاريخ الإرسال": headerDate, "تم الإرسال": headerDate, "תאריך": headerDate, "נשלח": headerDate, "วันที่": headerDate, "送信日時": headerDate, "日時": headerDate, "日付": headerDate, "送信日": headerDate, "受信日時": headerDate,
	"发送时间": headerDate, "發送時間": headerDate, "寄件日期": headerDate, "日期": headerDate, "时间": headerDate, "時間": headerDate, "傳送時間": headerDate, "傳送日期": headerDate, "发送日期": headerDate, "보낸 날짜": headerDate, "보낸날짜": headerDate, "날짜": headerDate, "일시": headerDate, "sent at": headerDate, "sent on": headerDate, "send": headerDate,

	"to": headerTo, "cc": headerTo, "bcc": headerTo, "an": headerTo, "kopie": headerTo, "à": headerTo, "a": headerTo, "copie à": headerTo, "copie": headerTo, "para": headerTo, "destinatario": headerTo, "destinataire": headerTo, "con copia": headerTo, "aan": headerTo,
	"til": headerTo, "till": headerTo, "kopia": headerTo, "kopi": headerTo, "vastaanottaja": headerTo, "kopio": headerTo, "do": headerTo, "dw": headerTo, "komu": headerTo, "pro": headerTo, "adresat": headerTo, "кому": headerTo, "копия": headerTo, "копія": headerTo, "címzett": headerTo,
	"másolatot kap": headerTo, "másolat": headerTo, "destinatarul": headerTo, "kópia": headerTo, "kopie (cc)": headerTo, "pre": headerTo, "до": headerTo, "per a": headerTo, "adressaat": headerTo, "către": headerTo, "kime": headerTo, "kopyası": headerTo, "bilgi": headerTo, "alıcı": headerTo, "tới": headerTo, "đến": headerTo, "προς": headerTo, "κοιν": headerTo, "kepada": headerTo, "إلى": headerTo, "الى": headerTo, "אל": headerTo, "به": headerTo, "ถึง": headerTo, "prima": headerTo, "za": headerTo, "kam": headerTo, "kas": headerTo, "pour": headerTo,
	"宛先": headerTo, "受信者": headerTo, "送信先": headerTo, "あて先": headerTo, "收件人": headerTo, "收件者": headerTo, "抄送": headerTo, "副本": headerTo, "받는 사람": headerTo, "받는사람": headerTo, "받는이": headerTo, "참조": headerTo, "recipient": headerTo, "recipients": headerTo,

	"subject": headerSubject, "betreff": headerSubject, "objet": headerSubject, "oggetto": headerSubject, "asunto": headerSubject, "assunto": headerSubject, "onderwerp": headerSubject, "emne": headerSubject, "ämne": headerSubject, "aihe": headerSubject, "otsikko": headerSubject,
	"temat": headerSubject, "subiectul": headerSubject, "zadeva": headerSubject, "tēma": headerSubject, "temats": headerSubject, "gaia": headerSubject, "paksa": headerSubject, "předmět": headerSubject, "predmet": headerSubject, "тема": headerSubject, "tárgy": headerSubject, "subiect": headerSubject, "konu": headerSubject, "chủ đề": headerSubject, "tiêu đề": headerSubject, "θέμα": headerSubject, "perihal": headerSubject, "subjek": headerSubject, "teema": headerSubject,
	"tema": headerSubject, "الموضوع": headerSubject, "נושא": headerSubject, "موضوع": headerSubject, "เรื่อง": headerSubject, "件名": headerSubject, "題名": headerSubject, "標題": headerSubject, "主题": headerSubject, "主題": headerSubject, "主旨": headerSubject, "제목": headerSubject, "naslov": headerSubject, "относно": headerSubject, "efni": headerSubject, "assumpte": headerSubject, "sujet": headerSubject,

	"reply-to": headerOther, "reply to": headerOther, "answer to": headerOther, "antwort an": headerOther, "antwoord aan": headerOther, "répondre à": headerOther, "responder a": headerOther, "rispondi a": headerOther, "risposta": headerOther, "svara till": headerOther, "返信先": headerOther, "odgovori na": headerOther, "odpovedať-pre": headerOther, "odpověď na": headerOther, "odpowiedź-do": headerOther, "răspuns către": headerOther, "svar til": headerOther, "vastaus": headerOther, "válaszcím": headerOther, "yanıt adresi": headerOther, "кому відповісти": headerOther, "ответ-кому": headerOther, "odpowiedź": headerOther,
	"attachments": headerOther, "attachment": headerOther, "importance": headerOther, "priority": headerOther, "anlagen": headerOther, "wichtigkeit": headerOther, "priorität": headerOther, "pièces jointes": headerOther, "importància": headerOther, "allegati": headerOther, "priorità": headerOther, "adjuntos": headerOther, "datos adjuntos": headerOther, "importancia": headerOther, "anexos": headerOther, "importância": headerOther, "bijlagen": headerOther, "urgentie": headerOther, "prioritet": headerOther, "vedhæftede filer": headerOther, "bifogade filer": headerOther, "liitteet": headerOther, "załączniki": headerOther, "ważność": headerOther, "priorytet": headerOther, "přílohy": headerOther, "důležitost": headerOther, "вложения": headerOther, "важность": headerOther, "重要度": headerOther, "添付ファイル": headerOther, "附件": headerOther, "重要性": headerOther, "첨부": headerOther, "첨부 파일": headerOther, "중요도": headerOther, "organization": headerOther, "mailing list": headerOther, "x-mailer": headerOther, "message-id": headerOther,
}
