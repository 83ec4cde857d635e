// Recipients as chips. The form's own field keeps what is sent; without a script
// it is what one types into.
import { $, $$, composing, on, ready } from "./dom.js";

const separators = /[,;、，；\n]/;
const lists = new WeakMap(); // field → Chips

// setRecipients puts a list into a field as if it had been typed.
function setRecipients(form, name, value) {
  const field = form.elements[name];
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  lists.get(field)?.show();
  if (value) reveal(form, name);
}

function reveal(form, name) {
  $(`[data-row=${name}]`, form)?.classList.remove("spare");
  const button = $(`[data-show=${name}]`, form);
  if (button) button.hidden = true;
}

on("click", "[data-show]", (_, button) => {
  reveal(button.closest("form"), button.dataset.show);
  $(`[data-row=${button.dataset.show}] .recipient-input`, button.closest("form"))?.focus();
});

// Answering all, or the author alone.
on("click", "[data-others]", (_, button) => {
  const all = button.getAttribute("aria-pressed") !== "true", form = button.closest("form");
  button.setAttribute("aria-pressed", String(all));
  const others = split(button.dataset.others).map(parse).map((one) => one.email);
  const kept = split(form.elements.cc.value).filter((one) => !others.includes(parse(one).email));
  setRecipients(form, "cc", [...kept, ...(all ? split(button.dataset.others) : [])].join(", "));
});

function split(typed) {
  const list = [];
  let one = "", quoted = false, bracketed = false, escaped = false;
  for (const c of `${typed}\n`) {
    if (c === "\n" || (!quoted && !bracketed && separators.test(c))) {
      if (one.trim()) list.push(one.trim());
      one = "";
      quoted = bracketed = escaped = false;
      continue;
    }
    if (escaped) escaped = false;
    else if (quoted && c === "\\") escaped = true;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && c === "<") bracketed = true;
    else if (!quoted && c === ">") bracketed = false;
    one += c;
  }
  return list;
}

// parse reads one recipient, with or without a name.
function parse(text) {
  const parts = /^\s*(.*?)\s*<((?:"(?:[^"\\]|\\.)*"|[^<>"])*)>\s*$/s.exec(text);
  const email = (parts ? parts[2] : text).trim().replace(/＠/g, "@").normalize("NFKC");
  const name = parts ? parts[1].replace(/^"(.*)"$/s, "$1").replace(/\\(.)/g, "$1") : "";
  return { name, email, ok: /^(?:[^\s@<>,;"()]+|"(?:[^"\\]|\\.)+")@[^\s@<>,;"().]+(\.[^\s@<>,;"().]+)+$/.test(email) };
}

function written({ name, email, ok, text }) {
  if (!ok) return text;
  if (!name) return email;
  return /[,;、，；"<>()@:.[\]\\]/.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}" <${email}>` : `${name} <${email}>`;
}

class Chips {
  constructor(field) {
    this.field = field;
    this.row = field.closest(".recipient-row");
    this.words = field.closest("[data-recipient-words]").dataset;
    this.box = document.createElement("div");
    this.box.className = "recipient-list";
    this.input = document.createElement("input");
    this.input.className = "recipient-input bare";
    Object.assign(this.input, { type: "text", autocomplete: "off", spellcheck: false, inputMode: "email" });
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${field.id}-found` })) this.input.setAttribute(name, value);
    this.found = document.createElement("ul");
    this.found.id = `${field.id}-found`;
    this.found.className = "menu suggestions";
    this.found.setAttribute("role", "listbox");
    this.found.hidden = true;
    this.wrong = document.createElement("p");
    this.wrong.className = "hint wrong";
    this.wrong.setAttribute("role", "alert");
    this.wrong.hidden = true;
    this.box.append(this.input);
    this.listen();
  }

  // show is repeated after a swap, which knows only the field.
  show() {
    if (!this.box.isConnected) {
      this.field.after(this.box, this.found, this.wrong);
      const label = $("label", this.row);
      this.input.id = `${this.field.id}-chips`;
      label.htmlFor = this.input.id;
    }
    this.field.hidden = true;
    if (this.value !== this.field.value) this.read();
  }

  read() {
    this.value = this.field.value;
    this.list = split(this.value).map((text) => ({ ...parse(text), text }));
    this.draw();
  }

  draw() {
    for (const chip of $$(".recipient", this.box)) chip.remove();
    this.list.forEach((one, at) => this.input.before(this.chip(one, at)));
    const bad = this.list.find((one) => !one.ok);
    this.wrong.hidden = !bad;
    this.wrong.textContent = bad ? this.words.wrong.replace("{0}", bad.text) : "";
    if (bad) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }

  chip(one, at) {
    const chip = document.createElement("span"), name = document.createElement("button"), off = document.createElement("button");
    chip.className = one.ok ? "recipient" : "recipient bad";
    chip.title = one.ok ? written(one) : this.wrongWords(one);
    name.type = off.type = "button";
    name.className = "recipient-name cut";
    name.textContent = one.name || one.email || one.text;
    name.tabIndex = -1;
    off.className = "recipient-off";
    off.textContent = "×";
    off.tabIndex = -1;
    off.ariaLabel = this.words.remove.replace("{0}", one.name || one.email);
    name.addEventListener("click", () => this.edit(at));
    off.addEventListener("click", () => { this.take(at); this.input.focus(); });
    chip.append(name, off);
    return chip;
  }

  wrongWords(one) { return this.words.wrong.replace("{0}", one.text); }

  take(at) {
    const [gone] = this.list.splice(at, 1);
    this.save();
    return gone;
  }

  edit(at) {
    if (!this.list[at]) return;
    this.commit();
    this.input.value = written(this.take(at));
    this.input.focus();
  }

  save() {
    this.value = this.list.map(written).join(", ");
    this.field.value = this.value;
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
    this.draw();
  }

  add(text) {
    const known = new Set(this.list.map((one) => one.email.toLowerCase()));
    for (const one of split(text).map((text) => ({ ...parse(text), text }))) {
      if (!known.has(one.email.toLowerCase())) this.list.push(one);
    }
    this.save();
  }

  commit() {
    const text = this.input.value;
    this.input.value = "";
    this.hide();
    if (text.trim()) this.add(text);
  }

  listen() {
    const { input } = this;
    this.row.addEventListener("click", (event) => { if (event.target === this.row || event.target === this.box) input.focus(); });
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("input", (event) => {
      event.stopPropagation();
      if (!event.isComposing && separators.test(input.value) && !/"[^"]*$/.test(input.value)) this.commit();
      else this.ask();
    });
    input.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text/plain");
      if (split(text).length < 2 && !parse(text).ok) return;
      event.preventDefault();
      event.stopPropagation();
      this.add(text);
    });
    input.addEventListener("focus", () => this.ask());
    input.addEventListener("blur", () => this.commit());
    // Before the blur, which would take what was typed for an address.
    this.found.addEventListener("mousedown", (event) => {
      const option = event.target.closest("[role=option]");
      event.preventDefault();
      if (option) this.choose(option);
    });
  }

  key(event) {
    if (composing(event)) return;
    const open = !this.found.hidden, chosen = $("[aria-selected=true]", this.found);
    switch (event.key) {
      case "ArrowDown": case "ArrowUp":
        if (!open) return;
        this.move(event.key === "ArrowDown" ? 1 : -1);
        break;
      case "Enter":
        if (event.ctrlKey || event.metaKey) {
          this.commit();
          return;
        }
        if (open && chosen) this.choose(chosen);
        else this.commit();
        break;
      case "Tab":
        if (open && chosen && this.input.value.trim()) this.choose(chosen);
        else { this.commit(); return; }
        break;
      case "Escape":
        if (!open) return;
        this.hide();
        event.stopPropagation();
        break;
      case "Backspace":
        if (this.input.value || !this.list.length) return;
        this.take(this.list.length - 1);
        break;
      case "ArrowLeft":
        if (this.input.value || !this.list.length) return;
        this.edit(this.list.length - 1);
        break;
      default: return;
    }
    event.preventDefault();
  }

  move(by) {
    const options = $$("[role=option]", this.found), at = options.findIndex((option) => option.ariaSelected === "true");
    this.mark(options.at((at + by + options.length) % options.length));
  }

  mark(option) {
    for (const other of $$("[role=option]", this.found)) other.setAttribute("aria-selected", String(other === option));
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  choose(option) {
    this.input.value = "";
    this.hide();
    this.add(option.dataset.value);
  }

  hide() {
    this.asking?.abort();
    clearTimeout(this.later);
    this.found.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  ask() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.suggest(), this.input.value ? 120 : 0);
  }

  async suggest() {
    this.asking?.abort();
    this.asking = new AbortController();
    const typed = this.input.value.trim(), forward = this.field.form.elements.forward?.value ?? "";
    try {
      const response = await fetch(`${this.words.base}/recipients?${new URLSearchParams({ q: typed, forward })}`, { signal: this.asking.signal, headers: { Accept: "application/json" } });
      if (response.ok && document.activeElement === this.input && typed === this.input.value.trim()) this.offer(await response.json(), typed);
    } catch (error) {
      if (error.name !== "AbortError") console.warn("recipients:", error);
    }
  }

  offer(list, typed) {
    const form = this.field.form;
    const taken = new Set($$("[data-recipients]", form).flatMap((field) => split(field.value)).map((one) => parse(one).email.toLowerCase()));
    const fresh = list.filter((one) => !taken.has(one.email.toLowerCase()));
    this.found.replaceChildren(...fresh.map((one, at) => this.option(one, at)));
    this.found.hidden = !fresh.length;
    this.input.setAttribute("aria-expanded", String(Boolean(fresh.length)));
    if (fresh.length && typed) this.mark(this.found.firstElementChild);
  }

  option(one, at) {
    const option = document.createElement("li"), name = document.createElement("b"), email = document.createElement("span");
    option.id = `${this.found.id}-${at}`;
    option.className = "menu-item";
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.value = written({ ...one, ok: true });
    name.className = "cut";
    name.textContent = one.name || one.email;
    email.className = "cut dim";
    email.textContent = [one.name && one.email, one.company, one.takes_part && this.words.part].filter(Boolean).join(" · ");
    option.append(name, email);
    return option;
  }
}

// Whoever forwards a mail says next to whom.
let forwarding = false;
on("click", "[data-forward]", () => { forwarding = true; });

ready(() => {
  for (const field of $$("[data-recipients]")) {
    if (!lists.has(field)) lists.set(field, new Chips(field));
    lists.get(field).show();
  }
  const form = forwarding && $("[data-composer] [name=forward]")?.form;
  if (!form) return;
  forwarding = false;
  $(".recipient-row .recipient-input", form)?.focus();
});
