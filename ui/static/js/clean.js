// What may stand in a mail: foreign HTML, from the clipboard or a template, is
// made anew from a list of elements and attributes. Nothing of it is parsed a
// second time, so it cannot turn into something else. The server judges again.

const inline = new Map([
  ["A", "a"], ["B", "b"], ["STRONG", "b"], ["I", "i"], ["EM", "i"], ["CITE", "i"], ["U", "u"], ["INS", "u"],
  ["S", "s"], ["STRIKE", "s"], ["DEL", "s"], ["SUB", "sub"], ["SUP", "sup"], ["CODE", "code"], ["BR", "br"], ["IMG", "img"],
]);
const block = new Map([
  ["P", "div"], ["DIV", "div"], ["UL", "ul"], ["OL", "ol"], ["LI", "li"], ["BLOCKQUOTE", "blockquote"], ["PRE", "pre"],
  ["TABLE", "table"], ["CAPTION", "caption"], ["THEAD", "thead"], ["TBODY", "tbody"], ["TFOOT", "tfoot"], ["TR", "tr"],
  ["TD", "td"], ["TH", "th"], ["H1", "div"], ["H2", "div"], ["H3", "div"], ["H4", "div"], ["H5", "div"], ["H6", "div"],
  ["ADDRESS", "div"], ["ARTICLE", "div"], ["ASIDE", "div"], ["CENTER", "div"], ["DD", "div"], ["DL", "div"], ["DT", "div"],
  ["FIGURE", "div"], ["FIGCAPTION", "div"], ["FOOTER", "div"], ["FORM", "div"], ["HEADER", "div"], ["HR", "hr"], ["MAIN", "div"],
  ["NAV", "div"], ["SECTION", "div"],
]);
const dropped = new Set(["SCRIPT", "STYLE", "TITLE", "HEAD", "TEMPLATE", "IFRAME", "OBJECT", "EMBED", "SVG", "MATH", "NOSCRIPT", "TEXTAREA", "SELECT", "INPUT", "BUTTON", "AUDIO", "VIDEO", "CANVAS"]);
const cells = new Set(["td", "th"]);
const tableParts = new Set(["TABLE", "THEAD", "TBODY", "TFOOT", "TR"]);

// clean returns a fragment of this document with what is allowed of html.
// imageURL says where an image of the mail itself (cid:) is shown from.
export function clean(html, imageURL = () => "") {
  const page = new DOMParser().parseFromString(unstyled(html), "text/html");
  wordLists(page.body);
  const fragment = document.createDocumentFragment();
  new Copier(imageURL).children(page.body, fragment);
  return fragment;
}

// unstyled renames the attribute style: our policy forbids it, also in a
// document that is never shown, and only its words are looked at.
const unstyled = (html) => html.replace(/<[a-z](?:"[^"]*"|'[^']*'|[^"'>]){0,9000}>/gi, (tag) =>
  tag.replace(/"[^"]*"|'[^']*'|(\s)style(?=\s*=)/gi, (part, space) => space ? `${space}data-css` : part));

class Copier {
  constructor(imageURL) {
    this.imageURL = imageURL;
  }

  children(from, into) {
    for (const node of from.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) {
        if (!tableParts.has(from.nodeName) || node.data.trim()) into.append(node.data);
      } else if (node.nodeType === Node.ELEMENT_NODE) {
        this.element(node, into);
      }
    }
  }

  element(node, into) {
    const name = node.nodeName.toUpperCase();
    if (dropped.has(name) || /mso-hide:\s*all|display:\s*none/i.test(style(node))) return;
    if (name === "IMG") {
      this.image(node, into);
      return;
    }
    const made = block.get(name) ?? inline.get(name);
    if (!made) {
      this.children(node, marked(node, into));
      return;
    }
    const href = name === "A" && safeLink(node.getAttribute("href"));
    if ((name === "A" && !href) || ((made === "b" || made === "i") && plain(node, made))) {
      this.children(node, marked(node, into));
      return;
    }
    const copy = document.createElement(made);
    if (href) copy.href = href;
    numbers(node, copy);
    into.append(copy);
    this.children(node, marked(node, copy));
    if (spaced(node)) into.append(line());
  }

  image(node, into) {
    const source = node.getAttribute("src") ?? "", alt = node.getAttribute("alt") ?? "";
    const id = node.dataset.cid ?? (source.startsWith("cid:") ? decodeURIComponent(source.slice(4)) : "");
    const shown = id ? this.imageURL(id) || ownAddress(source) : /^data:image\/(png|jpeg|gif|webp);base64,/.test(source) ? source : "";
    if (shown) {
      const copy = document.createElement("img");
      copy.src = shown;
      copy.alt = alt;
      if (id) copy.dataset.cid = id;
      numbers(node, copy);
      into.append(copy);
      return;
    }
    // A picture of some other site is not taken along, but where it is.
    const link = /^https?:/i.test(source) && safeLink(source);
    if (!link) return;
    const copy = document.createElement("a");
    copy.href = link;
    copy.append(alt.trim() || new URL(link).pathname.split("/").pop() || link);
    into.append(copy);
  }
}

const style = (node) => node.dataset.css ?? "";

const ownAddress = (source) => (/^\/(messages|uploads|tickets)\//.test(source) ? source : "");

// plain says that the author's program wrote bold and means not bold.
const plain = (node, made) => made === "b" ? /font-weight:\s*(normal|[1-5]00)/i.test(style(node)) : /font-style:\s*normal/i.test(style(node));

// marked puts into the copy what the styles of a node say in words of HTML.
function marked(node, into) {
  const css = style(node), name = node.nodeName;
  const marks = [];
  if (/^H[1-6]$/.test(name) || /font-weight:\s*(bold|[6-9]00)/i.test(css)) marks.push("b");
  if (/font-style:\s*italic/i.test(css)) marks.push("i");
  if (name !== "A" && /text-decoration[^;]*underline/i.test(css)) marks.push("u");
  if (/text-decoration[^;]*line-through/i.test(css)) marks.push("s");
  if (/vertical-align:\s*super/i.test(css)) marks.push("sup");
  if (/vertical-align:\s*sub\b/i.test(css)) marks.push("sub");
  if (!marks.length || block.has(name) && holdsBlocks(node)) return into;
  for (const mark of marks) {
    const made = document.createElement(mark);
    into.append(made);
    into = made;
  }
  return into;
}

const holdsBlocks = (node) => [...node.children].some((child) => block.has(child.nodeName));

// numbers copies what has no style to it: sizes, spans, the start of a list.
function numbers(from, to) {
  const take = (name, pattern) => {
    const value = from.getAttribute(name);
    if (value !== null && pattern.test(value)) to.setAttribute(name, value);
  };
  const made = to.localName;
  if (cells.has(made)) {
    take("colspan", /^[1-9][0-9]?$/);
    take("rowspan", /^[1-9][0-9]{0,2}$/);
    const align = /text-align:\s*(right|center)/i.exec(style(from))?.[1] ?? from.getAttribute("align");
    if (/^(right|center)$/i.test(align ?? "")) to.setAttribute("align", align.toLowerCase());
  }
  if (made === "ol") take("start", /^[0-9]{1,4}$/);
  if (made === "img") {
    take("width", /^[0-9]{1,4}$/);
    take("height", /^[0-9]{1,4}$/);
  }
}

// spaced says that a paragraph has a blank line below it: the line of an
// editor has none of its own. What Word calls a paragraph is a line.
function spaced(node) {
  if (node.nodeName !== "P" || /^Mso/.test(node.className) || !node.nextElementSibling || node.closest("li, td, th")) return false;
  return !/margin(-bottom)?:\s*0/i.test(style(node));
}

function line() {
  const blank = document.createElement("div");
  blank.append(document.createElement("br"));
  return blank;
}

// safeLink returns an address that may be followed from a mail, or "".
export function safeLink(href) {
  try {
    const url = new URL((href ?? "").trim());
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

// wordLists turns the paragraphs that Word writes for a list into a list.
function wordLists(body) {
  for (const first of body.querySelectorAll("p[data-css*='mso-list']")) {
    if (!first.isConnected || !level(first)) continue;
    const lists = [];
    let item = first;
    while (item && level(item)) {
      const next = item.nextElementSibling;
      put(item, lists);
      item = next;
    }
  }
}

const level = (node) => node.nodeName === "P" ? Number(/mso-list:[^;]*level([1-9])/i.exec(style(node))?.[1] ?? 0) : 0;

function put(item, lists) {
  const depth = level(item);
  const mark = item.querySelector("[data-css*='mso-list:Ignore'], [data-css*='mso-list: Ignore']");
  const kind = /^\s*[(（]?[0-9a-zA-Z０-９ivxIVX]{1,4}[.)．）]/.test(mark?.textContent ?? "") ? "ol" : "ul";
  mark?.remove();
  const page = item.ownerDocument;
  lists.length = Math.min(lists.length, depth);
  if (!lists.length) {
    lists.push(page.createElement(kind));
    item.before(lists[0]);
  }
  while (lists.length < depth) {
    const inner = page.createElement(kind), outer = lists.at(-1);
    (outer.lastElementChild ?? outer.appendChild(page.createElement("li"))).append(inner);
    lists.push(inner);
  }
  const made = page.createElement("li");
  made.append(...item.childNodes);
  lists.at(-1).append(made);
  item.remove();
}

// lines writes plain text as the lines of an editor.
export function lines(text) {
  return text.split("\n").map((one) => `<div>${escape(one) || "<br>"}</div>`).join("");
}

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.codePointAt(0)};`).replace(/^ | (?= )/g, "\u00A0").replace(/\t/g, "\u00A0\u00A0\u00A0 ");

// plainText is what the lines of an editor say, as a mail without formatting
// would: it serves the draft and the fields of the form. What is sent is made
// by the server.
export function plainText(root) {
  const out = new Lines();
  out.words(root, "");
  return out.text.replace(/\u00A0/g, " ").replace(/\u200B/g, "").replace(/\n+$/, "");
}

const blocks = new Set(["DIV", "P", "UL", "OL", "LI", "BLOCKQUOTE", "PRE", "TABLE", "CAPTION", "THEAD", "TBODY", "TFOOT", "TR"]);

// Lines collects text. Its line is new, or marked (it has the mark of a list
// item and nothing else yet), or has words.
class Lines {
  text = "";
  line = "new";

  words(node, margin) {
    for (const child of node.childNodes) {
      const name = child.nodeName;
      if (child.nodeType === Node.TEXT_NODE) this.write(child.data, margin);
      else if (name === "BR") this.lineBreak(child, margin);
      else if (name === "HR") this.rule(margin);
      else if (blocks.has(name)) this.block(child, margin);
      else if (name === "TD" || name === "TH") this.cell(child, margin);
      else this.words(child, margin);
    }
  }

  write(words, margin) {
    if (!words) return;
    this.text += (this.line === "new" ? margin : "") + words;
    this.line = "words";
  }

  end() {
    if (this.line === "new") return;
    this.text += "\n";
    this.line = "new";
  }

  // lineBreak leaves out the one that only keeps a line open for the caret.
  lineBreak(node, margin) {
    if (this.line === "words" && !node.nextSibling) return;
    if (this.line === "new") this.text += margin.trimEnd();
    this.text += "\n";
    this.line = "new";
  }

  rule(margin) {
    this.end();
    this.write("_".repeat(32), margin);
    this.end();
  }

  block(node, margin) {
    if (this.line === "words") this.end();
    if (node.nodeName === "LI") {
      const place = [...node.parentNode.children].indexOf(node) + Number(node.parentNode.getAttribute("start") ?? 1);
      this.text += margin + (node.parentNode.nodeName === "OL" ? `${place}. ` : "- ");
      this.line = "marked";
      margin += "  ";
    } else if (node.nodeName === "BLOCKQUOTE") {
      margin += "> ";
    }
    this.words(node, margin);
    this.end();
  }

  cell(node, margin) {
    if (node.previousElementSibling) this.write("\t", margin);
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) this.write(child.data, margin);
      else if (child.nodeName === "DIV" && !child.previousElementSibling) this.words(child, margin);
      else if (child.nodeName !== "BR" || child.nextSibling) this.words({ childNodes: [child] }, margin);
    }
  }
}
