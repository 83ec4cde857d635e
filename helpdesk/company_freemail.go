package helpdesk

import (
	"slices"
	"strings"
)

// FreeMail reports whether anybody can get an address at a domain, so that it
// tells nothing of a person's company.
func FreeMail(domain string) bool {
	domain = strings.ToLower(domain)
	if slices.Contains(freeMailDomains, domain) {
		return true
	}
	for _, family := range freeMailFamilies {
		country, of := strings.CutPrefix(domain, family)
		if second, top, two := strings.Cut(country, "."); of && (!two || (second == "co" || second == "com") && len(top) == 2) {
			return true
		}
	}
	return slices.ContainsFunc(freeMailParents, func(parent string) bool { return strings.HasSuffix(domain, "."+parent) })
}

// freeMailFamilies have one domain a country: yahoo.co.jp, hotmail.fr.
var freeMailFamilies = []string{"yahoo.", "hotmail.", "outlook.", "live.", "gmx."}

// freeMailParents give their customers domains beneath them.
var freeMailParents = []string{"ocn.ne.jp", "so-net.ne.jp", "biglobe.ne.jp", "nifty.com", "plala.or.jp", "dion.ne.jp", "vodafone.ne.jp", "pdx.ne.jp"}

// freeMailDomains are services and mobile carriers where anybody gets an address.
var freeMailDomains = []string{
	// Japan: services, carriers, internet providers.
	"ymail.ne.jp", "excite.co.jp", "goo.jp", "mail.goo.ne.jp", "infoseek.jp", "rakuten.jp",
	"docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.ne.jp", "i.softbank.jp", "ymobile.ne.jp", "ymobile1.ne.jp", "y-mobile.ne.jp", "emobile.ne.jp",
	"disney.ne.jp", "willcom.com", "uqmobile.jp", "rakumail.jp", "ahamo.com", "povo.jp",
	"nifty.com", "nifty.ne.jp", "biglobe.ne.jp", "so-net.ne.jp", "jcom.home.ne.jp", "jcom.zaq.ne.jp", "dti.ne.jp", "asahi-net.or.jp", "hi-ho.ne.jp", "wakwak.com",
	"eonet.ne.jp", "commufa.jp", "bbexcite.jp", "auone.jp", "auone-net.jp", "kcn.jp",
	// Elsewhere.
	"gmail.com", "googlemail.com", "icloud.com", "me.com", "mac.com", "msn.com", "windowslive.com", "passport.com",
	"aol.com", "aim.com", "ymail.com", "rocketmail.com", "proton.me", "protonmail.com", "pm.me", "tutanota.com", "tuta.io", "hey.com", "fastmail.com", "fastmail.fm",
	"mail.com", "email.com", "zoho.com", "zohomail.com", "yandex.com", "yandex.ru", "ya.ru", "mail.ru", "bk.ru", "inbox.ru", "list.ru", "rambler.ru",
	"qq.com", "foxmail.com", "163.com", "126.com", "yeah.net", "sina.com", "sina.cn", "sohu.com", "139.com", "189.cn", "aliyun.com",
	"naver.com", "daum.net", "hanmail.net", "kakao.com", "nate.com", "pchome.com.tw", "seed.net.tw",
	"web.de", "t-online.de", "freenet.de", "posteo.de", "mailbox.org", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr", "libero.it", "virgilio.it",
	"comcast.net", "verizon.net", "att.net", "sbcglobal.net", "bellsouth.net", "cox.net", "charter.net", "btinternet.com", "sky.com", "talktalk.net", "bigpond.com",
	"duck.com", "mozmail.com", "simplelogin.com", "privaterelay.appleid.com", "mailinator.com", "guerrillamail.com",
}
