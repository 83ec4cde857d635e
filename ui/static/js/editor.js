// The place where a reply is written. It begins as a plain text field; once
// the editor has been fetched the field becomes it, with what was typed and the
// caret where it was. Whoever works on the text asks editorOf(form).
import { $, $$, composing, ready } from "./dom.js";
import { clean, lines, plainText } from "./clean.js";

const editors = new WeakMap();
let library; // of the editor, once for the page
let living = new Set();

// editorOf returns the editor of a composer: html(), setHTML(html), text(),
// insertHTML(html), insertText(text), textBeforeCaret(),
// replaceBeforeCaret(length, html), caret(), focus(). Each works before the
// editor has been fetched and where it cannot be. Whatever changes in the form is
// told by the event composer:change on it.
export function editorOf(form) {
  if (!editors.has(form)) editors.set(form, new Editor(form));
  return editors.get(form);
}

const idle = (run) => (window.requestIdleCallback ?? setTimeout)(run, { timeout: 500 });

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("[data-composer]");
  if (form && !event.target.closest("[data-editor]")) changed(form);
});

const changed = (form) => form.dispatchEvent(new CustomEvent("composer:change", { bubbles: true }));

// A URL ends where ASCII ends: Japanese goes on without a space.
const linkPattern = /\b(?:((?:https?:\/\/|www\.)[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*[A-Za-z0-9\-_~/#=%&+])|([\w\-.%+]+@(?:[a-z0-9-]+\.)+[a-z]{2,24}\b))/i;

class Editor {
  #squire = null;
  #composing = false; // an input method is at work in the plain field
  #loading = null;

  constructor(form) {
    this.form = form;
    this.area.addEventListener("compositionstart", () => { this.#composing = true; });
    this.area.addEventListener("compositionend", () => { this.#composing = false; });
    // What is sent is what stands in the editor at that moment.
    form.addEventListener("formdata", (event) => {
      if (!this.#squire) return;
      event.formData.set("text", this.text());
      event.formData.set("html", this.html());
    });
  }

  get area() { return this.form.elements.text; }
  get place() { return $("[data-editor]", this.form); }

  // squire is the editor itself, for its tool bar; null while it is a field.
  get squire() { return this.#squire; }

  // load fetches the editor and puts it in the place of the field.
  load() {
    this.#loading ??= (library ??= import("../third_party/squire.mjs")).then(({ default: Squire }) => this.#begin(Squire))
      .catch((error) => { library = undefined; console.warn("the editor could not be loaded:", error); });
    return this.#loading;
  }

  async #begin(Squire) {
    if (this.#composing) await new Promise((done) => this.area.addEventListener("compositionend", () => setTimeout(done), { once: true }));
    if (!this.form.isConnected) return;
    const place = this.place, area = this.area, focused = document.activeElement === area, at = area.selectionStart;
    const root = document.createElement("div");
    root.className = "editor";
    root.id = `rich-${area.id}`;
    Object.assign(root.dataset, { text: "reply", placeholder: area.placeholder });
    root.setAttribute("role", "textbox");
    root.setAttribute("aria-multiline", "true");
    root.setAttribute("aria-label", area.ariaLabel);
    place.append(root);
    const squire = new Squire(root, {
      blockTag: "DIV",
      sanitizeToDOMFragment: (html) => clean(html, (id) => this.imageURL(id)),
      didError: (error) => console.error(error),
    });
    squire.linkRegExp = linkPattern;
    squire.setKeyHandler("Ctrl-d", null).setKeyHandler("Meta-d", null);
    this.form.addEventListener("keydown", (event) => this.#listByMark(event), true);
    this.#endFormatsWithLine(place, squire);
    // Its own handles for images write styles, which our policy forbids.
    root.addEventListener("click", (event) => {
      if (event.target.nodeName !== "IMG") return;
      event.stopPropagation();
      this.form.dispatchEvent(new CustomEvent("composer:image", { detail: event.target }));
    });
    squire.setHTML(this.form.elements.html.value || lines(area.value));
    this.#squire = squire;
    living.add(this);
    this.show();
    if (focused) {
      squire.focus();
      this.#caretTo(at);
    }
    squire.addEventListener("input", () => this.told());
    this.form.dispatchEvent(new CustomEvent("composer:ready", { bubbles: true }));
  }

  // endFormatsWithLine keeps a format that was just ended from beginning again
  // in the next line.
  #endFormatsWithLine(place, squire) {
    let ended = [];
    place.addEventListener("beforeinput", (event) => {
      ended = event.inputType === "insertParagraph" ? ["B", "I", "U", "S"].filter((tag) => !squire.hasFormat(tag)) : [];
    }, true);
    place.addEventListener("beforeinput", () => {
      for (const tag of ended) {
        if (squire.hasFormat(tag)) squire.changeFormat(null, { tag });
      }
    });
  }

  // listByMark begins a list where "* ", "- " or "1. " is typed. The editor
  // has a rule of its own for that, which leaves a space behind.
  #listByMark(event) {
    const squire = this.#squire;
    if (event.key !== " " || composing(event) || !squire?.getRoot().contains(event.target)) return;
    const mark = this.textBeforeCaret();
    if (!["*", "-", "1."].includes(mark) || /(^|>)(LI|TD|TH|PRE)/.test(squire.getPath())) return;
    event.preventDefault();
    event.stopPropagation();
    const range = squire.getSelection();
    squire.saveUndoState(range);
    const line = lineOf(range.startContainer, squire.getRoot());
    line.replaceChildren(document.createElement("br"));
    range.setStart(line, 0);
    range.collapse(true);
    squire.setSelection(range);
    if (mark === "1.") squire.makeOrderedList();
    else squire.makeUnorderedList();
  }

  // show is repeated after every swap: the server knows only the field.
  show() {
    if (!this.#squire) return;
    this.form.classList.add("rich");
    this.area.hidden = true;
    this.#written();
  }

  leave() {
    this.#squire?.destroy();
    living.delete(this);
  }

  // told says that the text changed.
  told() {
    const text = this.text();
    this.#written();
    if (this.area.value !== text) this.area.value = text;
    changed(this.form);
  }

  #written() {
    const root = this.#squire.getRoot();
    root.classList.toggle("blank", !root.textContent && !$("img, li, table, hr, blockquote", root) && root.childElementCount < 2);
  }

  // imageURL is where an image of this mail, by its Content-ID, is shown from.
  imageURL(id) {
    return $$("[data-inline]", this.form).find((known) => known.dataset.inline === id)?.dataset.src ?? "";
  }

  // html is what was written; images stand in it as cid: where the server has
  // them, else as data:.
  html() {
    if (!this.#squire) return this.area.value ? lines(this.area.value) : "";
    if (this.empty()) return "";
    const copy = document.createElement("template");
    copy.innerHTML = this.#squire.getHTML();
    for (const image of $$("img[data-cid]", copy.content)) {
      image.setAttribute("src", `cid:${image.dataset.cid}`);
      delete image.dataset.cid;
    }
    while (copy.content.lastElementChild && blank(copy.content.lastElementChild)) copy.content.lastElementChild.remove();
    return copy.innerHTML;
  }

  empty() {
    return this.#squire ? !this.text().trim() && !$("img, hr, td", this.#squire.getRoot()) : !this.area.value.trim();
  }

  setHTML(html) {
    if (this.#squire) {
      this.#squire.setHTML(html);
      this.told();
      return;
    }
    this.form.elements.html.value = html;
    this.area.value = plainText(clean(html));
    changed(this.form);
  }

  text() { return this.#squire ? plainText(this.#squire.getRoot()) : this.area.value; }

  insertHTML(html) {
    if (this.#squire) {
      this.#squire.insertHTML(html);
      this.told();
    } else {
      this.insertText(plainText(clean(html)));
    }
  }

  insertText(text) {
    if (this.#squire) {
      this.#squire.insertPlainText(text, false);
      this.told();
      return;
    }
    this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
    changed(this.form);
  }

  // textBeforeCaret is the text of the caret's line up to the caret.
  textBeforeCaret() {
    if (!this.#squire) return this.area.value.slice(0, this.area.selectionStart).split("\n").pop();
    const range = this.#squire.getSelection().cloneRange();
    range.collapse(true);
    range.setStart(lineOf(range.startContainer, this.#squire.getRoot()), 0);
    const before = range.cloneContents();
    const text = before.textContent.replace(/\u200B/g, "").replace(/\u00A0/g, " ");
    return $("br", before) ? plainText(before).split("\n").pop() : text;
  }

  // replaceBeforeCaret puts html in the place of the last characters before
  // the caret.
  replaceBeforeCaret(length, html) {
    if (!this.#squire) {
      const end = this.area.selectionStart;
      this.area.setSelectionRange(Math.max(0, end - length), end);
      this.insertHTML(html);
      return;
    }
    const range = this.#squire.getSelection().cloneRange();
    range.collapse(true);
    stepBack(range, length, this.#squire.getRoot());
    this.#squire.setSelection(range);
    this.insertHTML(html);
  }

  // selected is what is selected in the text, null for nothing.
  selected() {
    if (!this.#squire) {
      const { selectionStart: start, selectionEnd: end, value } = this.area;
      return start === end ? null : { text: value.slice(start, end), start, end };
    }
    const chosen = document.getSelection(), root = this.#squire.getRoot();
    const range = chosen.rangeCount && root.contains(chosen.anchorNode) ? chosen.getRangeAt(0) : this.#squire.getSelection();
    if (range.collapsed || !root.contains(range.commonAncestorContainer)) return null;
    const text = plainText(range.cloneContents());
    return text.trim() ? { text, range: range.cloneRange() } : null;
  }

  // replace puts plain text in the place of what was selected, or of
  // everything, as one step that can be undone. It returns the range that the
  // text takes, null in a plain field.
  replace(selected, text) {
    if (!this.#squire) {
      this.area.setRangeText(text, selected?.start ?? 0, selected?.end ?? this.area.value.length, "end");
      changed(this.form);
      return null;
    }
    const root = this.#squire.getRoot(), range = selected?.range ?? this.#everything();
    const before = lettersUntil(root, range), after = root.textContent.length - before - range.toString().length;
    this.#squire.setSelection(range);
    this.#squire.insertHTML(selected && !text.includes("\n") ? lines(text).slice("<div>".length, -"</div>".length) : lines(text));
    this.told();
    return rangeOf(root, before, root.textContent.length - after);
  }

  // replaceAll puts html in the place of everything, as one step that can be
  // undone.
  replaceAll(html) {
    if (!this.#squire) {
      this.setHTML(html);
      return;
    }
    this.#squire.setSelection(this.#everything());
    this.#squire.insertHTML(html || "<div><br></div>");
    this.told();
  }

  #everything() {
    const range = document.createRange();
    range.selectNodeContents(this.#squire.getRoot());
    return range;
  }

  // caret is where the caret is on the screen, for what opens beside it.
  caret() {
    if (this.#squire) return this.#squire.getCursorPosition();
    return this.area.getBoundingClientRect();
  }

  focus() {
    if (this.#squire) this.#squire.focus();
    else this.area.focus();
  }

  #caretTo(offset) {
    const walker = document.createTreeWalker(this.#squire.getRoot(), NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    let left = offset, first = true;
    const range = document.createRange();
    range.selectNodeContents(this.#squire.getRoot());
    range.collapse(false);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node.nodeName === "DIV") {
        if (!first && --left < 0) left = 0;
        first = false;
        if (left === 0) { range.setStart(node, 0); range.collapse(true); }
      } else if (node.nodeType === Node.TEXT_NODE) {
        if (left <= node.length) {
          range.setStart(node, left);
          range.collapse(true);
          break;
        }
        left -= node.length;
      }
    }
    this.#squire.setSelection(range);
  }
}

const blank = (element) => element.nodeName === "DIV" && !element.textContent.trim() && !$("img, hr, table", element);

// lineOf is the innermost block around a node.
function lineOf(node, root) {
  let line = node.nodeType === Node.ELEMENT_NODE ? node : node.parentNode;
  while (line !== root && !/^(DIV|P|LI|TD|TH|PRE|BLOCKQUOTE)$/.test(line.nodeName)) line = line.parentNode;
  return line;
}

// stepBack moves the start of a range back by that many characters of its line.
function stepBack(range, length, root) {
  const line = lineOf(range.startContainer, root);
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, place = document.createRange();
    place.setStart(node, 0);
    if (place.compareBoundaryPoints(Range.START_TO_START, range) > 0) break;
    texts.push(node);
  }
  let left = length;
  for (const node of texts.reverse()) {
    let at = node === range.endContainer ? range.endOffset : node.length;
    while (at > 0 && left > 0) {
      at--;
      if (node.data[at] !== "\u200B") left--;
    }
    range.setStart(node, at);
    if (left === 0) return;
  }
}

function lettersUntil(root, range) {
  const before = document.createRange();
  before.setStart(root, 0);
  before.setEnd(range.startContainer, range.startOffset);
  return before.toString().length;
}

// rangeOf is the range between two letters of a text.
function rangeOf(root, start, end) {
  const range = document.createRange(), walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  range.selectNodeContents(root);
  let at = 0, started = false;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!started && start < at + node.length) {
      range.setStart(node, start - at);
      started = true;
    }
    if (started && end <= at + node.length) {
      range.setEnd(node, Math.max(end - at, 0));
      break;
    }
    at += node.length;
  }
  return range;
}

ready(() => {
  for (const editor of living) {
    if (!editor.form.isConnected) editor.leave();
  }
  for (const form of $$("[data-composer]")) {
    const editor = editorOf(form);
    editor.show();
    idle(() => editor.load());
  }
});
