// What opens at the caret: a list to choose from while one goes on typing. The
// text keeps the focus; the arrows move in the list, Enter or Tab takes an
// entry, Escape closes it. While an input method composes, keys are its own.
import { $, composing, parse } from "./dom.js";

export class Suggestions {
  #box = null;
  #field = null;   // where is typed
  #choose = null;
  #end = null;     // the line below the entries
  #at = -1;

  constructor(id, label, end) {
    this.id = id;
    this.label = label;
    this.#end = end;
    // Before the editor and the composer, which have uses for these keys.
    addEventListener("keydown", (event) => this.#key(event), true);
    addEventListener("resize", () => this.close());
    document.addEventListener("focusin", (event) => {
      if (this.open && !this.#field.contains(event.target) && !this.#box.contains(event.target)) this.close();
    });
    document.addEventListener("change", () => this.close()); // of what is written, among others
    document.addEventListener("pointerdown", (event) => {
      if (this.open && !this.#box.contains(event.target)) this.close();
    });
  }

  get end() { return this.#end; }
  get open() { return Boolean(this.#box?.isConnected && !this.#box.hidden); }

  // show lists entries (elements) at a place on the screen. choose is called
  // with the one that is taken.
  show(field, rect, entries, none, choose) {
    this.#make();
    // Where the text is, so that it belongs to the same part of the page.
    (field.closest("main") ?? document.body).append(this.#box);
    this.#field = field;
    this.#choose = choose;
    const list = $("ul", this.#box);
    list.replaceChildren(...entries);
    entries.forEach((entry, i) => {
      entry.id = `${this.id}-${i}`;
      entry.setAttribute("role", "option");
      entry.classList.add("caret-entry");
    });
    const empty = $(".caret-list-none", this.#box);
    empty.hidden = entries.length > 0;
    empty.textContent = none;
    this.#box.hidden = false;
    this.#place(rect);
    field.setAttribute("aria-controls", `${this.id}-list`);
    field.setAttribute("aria-haspopup", "listbox");
    this.#mark(entries.length ? 0 : -1);
  }

  close() {
    if (!this.open) return;
    this.#box.hidden = true;
    this.#field?.removeAttribute("aria-activedescendant");
    this.#field?.removeAttribute("aria-controls");
    this.#field?.removeAttribute("aria-haspopup");
  }

  #make() {
    if (this.#box) return;
    this.#box = parse(`<div class="caret-list" hidden><ul role="listbox" id="${this.id}-list"></ul><p class="caret-list-none" hidden></p></div>`).firstChild;
    $("ul", this.#box).ariaLabel = this.label;
    if (this.#end) this.#box.append(this.#end);
    // A press must not take the focus from the text.
    this.#box.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#box.addEventListener("click", (event) => {
      const entry = event.target.closest("[role=option]");
      if (entry) this.#take(entry);
    });
  }

  // place puts the list below the caret, or above it where there is more room.
  #place(rect) {
    const box = this.#box.style, height = this.#box.offsetHeight, width = this.#box.offsetWidth;
    box.left = `${Math.max(8, Math.min(rect.left, innerWidth - width - 8))}px`;
    const above = rect.bottom + height + 8 > innerHeight && rect.top > innerHeight - rect.bottom;
    box.top = above ? "auto" : `${rect.bottom + 4}px`;
    box.bottom = above ? `${innerHeight - rect.top + 4}px` : "auto";
  }

  get #entries() { return [...$("ul", this.#box).children]; }

  #mark(at) {
    this.#at = at;
    this.#entries.forEach((entry, i) => entry.setAttribute("aria-selected", String(i === at)));
    const chosen = this.#entries[at];
    if (!chosen) {
      this.#field.removeAttribute("aria-activedescendant");
      return;
    }
    chosen.scrollIntoView({ block: "nearest" });
    this.#field.setAttribute("aria-activedescendant", chosen.id);
    $("#announce").textContent = chosen.textContent.trim();
  }

  #take(entry) {
    this.close();
    this.#choose(entry);
  }

  #key(event) {
    if (!this.open || composing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const count = this.#entries.length;
    switch (event.key) {
      case "ArrowDown": case "ArrowUp":
        if (count) this.#mark((this.#at + (event.key === "ArrowDown" ? 1 : count - 1)) % count);
        break;
      case "Enter": case "Tab":
        if (!count || event.shiftKey) {
          this.close();
          return;
        }
        this.#take(this.#entries[this.#at]);
        break;
      case "Escape":
        this.close();
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}

// fold gives letters as they are compared: width, case, accents of Latin letters
// and the two kana do not matter.
export const fold = (text) => text.normalize("NFKC").toLowerCase()
  .replace(/[\u30a1-\u30f6]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60))
  .replace(/[a-z\u00c0-\u024f]+/g, (word) => word.normalize("NFD").replace(/[\u0300-\u036f]/g, ""));

// rank sorts what fits before what does not: best is the beginning of its
// first field. Each field holds all words of the query, or the entry is left out.
export function rank(list, query, fields) {
  const wanted = fold(query).trim();
  if (!wanted) return list;
  const found = [];
  list.forEach((entry, i) => {
    const texts = fields(entry).map(fold), all = texts.join("\n");
    if (!wanted.split(/\s+/).every((word) => all.includes(word))) return;
    const first = texts.findIndex((text) => text.startsWith(wanted));
    found.push({ entry, score: (first < 0 ? texts.length : first) * 1000 + i });
  });
  return found.sort((a, b) => a.score - b.score).map(({ entry }) => entry);
}

// caretOf is where the caret of a plain text field is on the screen: an
// invisible copy of the field says how its text falls.
export function caretOf(area) {
  const style = getComputedStyle(area), box = area.getBoundingClientRect();
  const copy = document.createElement("div"), mark = document.createElement("span");
  for (const name of ["fontFamily", "fontSize", "fontWeight", "lineHeight", "letterSpacing", "paddingTop", "paddingRight", "paddingBottom", "paddingLeft", "borderTopWidth", "borderLeftWidth", "borderRightWidth", "boxSizing", "tabSize", "lineBreak", "wordBreak"]) {
    copy.style[name] = style[name];
  }
  Object.assign(copy.style, { position: "fixed", visibility: "hidden", left: `${box.left}px`, top: `${box.top - area.scrollTop}px`, width: `${box.width}px`, whiteSpace: "pre-wrap", overflowWrap: "break-word" });
  copy.textContent = area.value.slice(0, area.selectionStart);
  mark.textContent = "\u200b";
  copy.append(mark);
  document.body.append(copy);
  const place = mark.getBoundingClientRect();
  copy.remove();
  const clip = (y) => Math.min(Math.max(y, box.top), box.bottom);
  return { left: place.left, top: clip(place.top), bottom: clip(place.bottom) };
}
