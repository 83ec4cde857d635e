// Templates in the composer: "/" at the start of a word opens them at the
// caret, and so does the button. What is not known of the customer stays in its
// braces, and is marked.
import { announce } from "./announce.js";
import { $, $$, on, parse, ready } from "./dom.js";
import { focus } from "./composer.js";
import { editorOf } from "./editor.js";
import { upload } from "./uploads.js";
import { rank, Suggestions } from "./suggest.js";

// A word starts a line, or stands behind a space or what opens or ends a phrase.
const slash = /(?:^|[\s\u3000、。，．！？：「『（(\[])[/／]([^\s\u3000/／、。]{0,30})$/;

const known = new Map(); // what was offered, by what it is written on
let list;                // the list at the caret
let from = null;         // the composer it belongs to
let wanted = "";         // what stands behind the slash, with it; "" for the button

const words = () => $("[data-template-words]")?.dataset;

function suggestions() {
  if (list) return list;
  const end = parse(`<div class="caret-list-end"><button class="link-button" type="button"></button><a href="/settings/templates"></a></div>`).firstChild;
  $("button", end).textContent = words().keep;
  $("a", end).textContent = words().settings;
  $("button", end).addEventListener("click", () => keep(from));
  return list = new Suggestions("templates", words().label, end);
}

async function offered(matter) {
  const answer = await fetch(matter.replace("?", "/templates?"), { headers: { Accept: "application/json" } });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(`templates: ${answer.status}`);
  known.set(matter, await answer.json());
}

// What it is written on: a ticket, or a new mail from somewhere to somebody.
function matterOf(form) {
  const query = new URLSearchParams();
  if (form.dataset.kind === "mail") for (const name of ["alias", "to"]) query.set(name, form.elements[name].value);
  return `${form.dataset.base}?${query}`;
}
const writes = (form) => form.elements.mode.value === "reply";

function draw(form, query) {
  const offers = rank(known.get(matterOf(form)) ?? [], query, (o) => [o.shortcut, o.name, o.folder, o.words]);
  const editor = editorOf(form), field = $(".editor", form) ?? form.elements.text;
  $("button", suggestions().end).hidden = !editor.text().trim() || editor.text().trim() === wanted; // nothing is written to be kept
  let place = editor.caret();
  if (!place || !(place.top || place.bottom)) place = field.getBoundingClientRect();
  const none = known.get(matterOf(form))?.length ? words().none : words().empty;
  suggestions().show(field, place, offers.map(entry), none, (chosen) => insert(form, chosen.dataset.id));
}

function entry(offer) {
  const line = parse(`<li><b class="cut"></b><span class="badge"></span><small class="cut"></small></li>`).firstChild;
  line.dataset.id = offer.id;
  $("b", line).textContent = offer.name;
  $("small", line).textContent = offer.words;
  $(".badge", line).textContent = offer.language.name;
  return line;
}

// look opens, narrows or closes the list by what stands before the caret.
function look(form) {
  if (!writes(form)) return;
  const match = slash.exec(editorOf(form).textBeforeCaret());
  if (!match) {
    dismissed = false;
    if (wanted) list?.close();
  } else if (!dismissed) {
    open(form, `/${match[1]}`, match[1]);
  }
}

let dismissed = false; // Escape closed it for the word that is being typed
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && list?.open && wanted) dismissed = true;
}, true);

function open(form, typed, query) {
  from = form;
  wanted = typed;
  const matter = matterOf(form);
  const drawn = known.has(matter);
  if (drawn) draw(form, query);
  // What a colleague has written since is there the next moment.
  if (!typed || typed === "/" || !drawn) {
    offered(matter).then(() => {
      const now = typed && slash.exec(editorOf(form).textBeforeCaret());
      // The answer must not open again what was closed meanwhile.
      if (typed ? !now || dismissed : drawn && !list.open) return;
      draw(form, now ? now[1] : query);
    }).catch((error) => console.warn("templates:", error));
  }
}

on("input", "[data-composer]", (event, form) => {
  if (event.target.closest("[data-text=reply]")) look(form);
});
on("composer:change", "[data-composer]", (_, form) => mark(form));
on("composer:ready", "[data-composer]", (_, form) => mark(form));

on("click", "[data-templates]", (_, button) => {
  if (list?.open) {
    list.close();
    return;
  }
  editorOf(button.form).focus();
  open(button.form, "", "");
});

// insert puts a template, filled for the customer, in the place of what was typed.
async function insert(form, id) {
  const length = wanted.length;
  const answer = await fetch(matterOf(form).replace("?", `/templates/${id}?`), { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) {
    announce(words().failed);
    return;
  }
  const filled = await answer.json();
  const editor = editorOf(form);
  editor.focus();
  if (length) editor.replaceBeforeCaret(length, filled.html);
  else editor.insertHTML(filled.html);
  const subject = form.elements.subject;
  if (subject && filled.subject && !subject.value.trim()) subject.value = filled.subject;
  const used = document.createElement("input");
  Object.assign(used, { type: "hidden", name: "template", value: id });
  form.append(used);
  for (const file of filled.files) attach(form, file);
  mark(form);
  if (filled.unfilled.length) announce(words().unfilled);
}

// offeredHere are the templates for the open ticket's answer, for the palette.
export async function offeredHere() {
  const form = document.querySelector("[data-composer] [data-templates]")?.form;
  if (!form) return [];
  await offered(matterOf(form));
  return (known.get(matterOf(form)) ?? []).map((offer) => ({ name: offer.name, also: `${offer.shortcut} ${offer.folder}`, run: () => {
    focus("reply");
    wanted = "";
    insert(form, offer.id);
  } }));
}

// attach takes a file of a template into the draft, as if it had been chosen.
async function attach(form, file) {
  const answer = await fetch(file.url).catch(() => null);
  if (!answer?.ok) {
    announce(words().failed);
    return;
  }
  upload(form, [new File([await answer.blob()], file.name, { type: file.type })]);
}

// mark shows the variables that nothing was known for, without touching the
// text.
function mark(form) {
  if (!globalThis.Highlight) return;
  const root = $(".editor", form), ranges = [];
  if (root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      for (const found of walker.currentNode.data.matchAll(/\{\{[^{}]{1,80}\}\}/g)) {
        const range = new Range();
        range.setStart(walker.currentNode, found.index);
        range.setEnd(walker.currentNode, found.index + found[0].length);
        ranges.push(range);
      }
    }
  }
  CSS.highlights.set("unfilled", new Highlight(...ranges));
}
ready(() => $$("[data-composer]").forEach(mark));

// keep takes what is written to the page of a new template.
function keep(form) {
  list.close();
  const page = document.createElement("form");
  Object.assign(page, { method: "post", action: "/settings/templates/new", enctype: "multipart/form-data", hidden: true });
  const typed = wanted && editorOf(form).text().endsWith(wanted) ? wanted.length : 0;
  if (typed) editorOf(form).replaceBeforeCaret(typed, "");
  for (const [name, value] of Object.entries({ action: "add", version_language: form.dataset.language || document.documentElement.lang, version_subject: "", version_body: editorOf(form).html(), scope: "own" })) {
    const field = document.createElement("textarea");
    field.name = name;
    field.value = value;
    page.append(field);
  }
  document.body.append(page);
  page.submit();
}

