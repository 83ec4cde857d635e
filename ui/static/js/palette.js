// The palette: find a ticket, go anywhere, do anything, from one line. What it
// offers is asked for once, when the page has nothing else to do; what concerns
// the open ticket is read from its page.
import { $, $$, composing, fragment, on, parse } from "./dom.js";
import { actions } from "./keys.js";
import { offeredHere } from "./templates.js";

const shown = 9;       // entries of one's own at most, before the tickets
const recentKey = "palette:recent";

let offered = null;    // the entries that every page has, as elements
let asked = null;
let found = [];        // what the server found for the present text
let templates = [];    // of the open ticket, to put into the answer
let searching;

const load = () => {
  asked ??= fragment("/palette", "palette").then((text) => { offered = [...parse(text).children]; }).catch(() => { asked = null; });
  return asked;
};
if ($("#palette")) (window.requestIdleCallback ?? setTimeout)(load);

// Letters as they are compared: width, case and the two kana do not matter.
const fold = (text) => text.normalize("NFKC").toLowerCase()
  .replace(/[\u30a1-\u30f6]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60));

export async function openPalette() {
  const dialog = $("#palette");
  if (!dialog || dialog.open) return;
  const text = $("#palette-text");
  text.value = "";
  found = [];
  templates = [];
  dialog.showModal();
  draw();
  offeredHere().then((list) => { templates = list; }).catch(() => {});
  if (!offered) {
    await load();
    draw();
  }
}

// ticketEntries are what can be done with the open ticket: the choices of its
// own menus.
function ticketEntries() {
  const words = $("[data-palette-words]").dataset;
  const entries = [];
  for (const [id, icon] of [["assignee", "person"], ["stage", "arrow"], ["priority", "priority-high"]]) {
    for (const option of $$(`#${id} option:not(:checked)`)) {
      entries.push(entry(icon, `${words[id === "assignee" ? "assign" : id]} ${option.textContent}`, () => choose($(`#${id}`), option.value), id));
    }
  }
  for (const button of $$("#hold .menu-item")) {
    entries.push(entry("pause", `${words.hold} ${button.firstElementChild.textContent}`, () => button.form.requestSubmit(button), "hold snooze"));
  }
  for (const template of templates) entries.push(entry("template", `${words.template} ${template.name}`, template.run, template.also));
  return entries;
}

function choose(select, value) {
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}

const sprite = () => $(".palette-head use").getAttribute("href").replace(/#.*/, "");

function entry(icon, name, run, also) {
  const line = parse(`<li class="palette-entry" role="option" aria-selected="false"><svg class="icon" aria-hidden="true"><use href="${sprite()}#${icon}"/></svg><span class="palette-name cut"></span></li>`).firstChild;
  $(".palette-name", line).textContent = name;
  line.dataset.also = also;
  line.run = run;
  return line;
}

// score says how well an entry fits: its name's beginning best, then the
// beginning of a word, then anywhere; 0 where it does not.
function score(line, wanted) {
  const name = fold($(".palette-name", line).textContent), all = `${name} ${fold(line.textContent)} ${fold(line.dataset.also ?? "")}`;
  if (!wanted) return 1;
  if (name.startsWith(wanted)) return 4;
  let sum = 3;
  for (const word of wanted.split(/\s+/)) {
    const at = all.indexOf(word);
    if (at < 0) return scattered(name, wanted) ? 0.5 : 0;
    if (at > 0 && !/[\s:：]/.test(all[at - 1])) sum = Math.min(sum, 2);
  }
  return sum;
}

// scattered says that the letters occur in their order, as in "stcl" for
// "settings: close".
function scattered(name, wanted) {
  if (wanted.length < 3) return false;
  let at = 0;
  for (const letter of wanted) {
    at = name.indexOf(letter, at) + 1;
    if (!at) return false;
  }
  return true;
}

const idOf = (line) => $(".palette-name", line).textContent;

function recent() {
  try {
    return JSON.parse(localStorage.getItem(recentKey)) ?? [];
  } catch {
    return [];
  }
}

function remember(line) {
  if (line.dataset.href?.startsWith("/inbox/open/")) return;
  try {
    localStorage.setItem(recentKey, JSON.stringify([idOf(line), ...recent().filter((id) => id !== idOf(line))].slice(0, 6)));
  } catch { /* it is then only not remembered */ }
}

function draw() {
  const ticket = Boolean($("#ticket[data-number]"));
  const wanted = fold($("#palette-text").value).trim();
  const used = recent();
  const rank = (line) => {
    const at = used.indexOf(idOf(line));
    return at < 0 ? 0 : (used.length - at) / 10;
  };
  const all = [...(offered ?? []).filter((line) => ticket || !("ticket" in line.dataset)), ...(wanted && ticket ? ticketEntries() : [])]
    .map((line, i) => ({ line, i, value: score(line, wanted) }))
    .filter(({ value }) => value > 0)
    .map((one) => ({ ...one, value: one.value + rank(one.line) }))
    .sort((a, b) => b.value - a.value || a.i - b.i)
    .slice(0, wanted ? shown : undefined)
    .map(({ line }) => line);
  const list = $("#palette-list");
  list.replaceChildren(...all, ...found);
  $("#palette-none").hidden = Boolean(list.firstElementChild);
  for (const [i, line] of [...list.children].entries()) line.id = `palette-${i}`;
  select(list.firstElementChild);
}

function select(line) {
  for (const other of $$("#palette-list [aria-selected=true]")) other.setAttribute("aria-selected", "false");
  const text = $("#palette-text");
  if (!line) {
    text.removeAttribute("aria-activedescendant");
    return;
  }
  line.setAttribute("aria-selected", "true");
  line.scrollIntoView({ block: "nearest" });
  text.setAttribute("aria-activedescendant", line.id);
}

function move(by) {
  const list = [...$("#palette-list").children];
  const here = list.findIndex((line) => line.getAttribute("aria-selected") === "true");
  select(list[(here + by + list.length) % list.length]);
}

function run(line) {
  if (!line) return;
  remember(line);
  $("#palette").close();
  if (line.run) line.run();
  else if (line.dataset.do?.startsWith("theme:")) $(`[data-look] button[name=theme][value="${line.dataset.do.slice(6)}"]`)?.click();
  else if (line.dataset.href) location.href = line.dataset.href;
  else actions[line.dataset.do]?.(line);
}

on("input", "#palette-text", (_, text) => {
  found = [];
  draw();
  searching?.abort();
  const wanted = text.value.trim();
  if (!wanted) return;
  searching = new AbortController();
  fragment(`/palette/find?${new URLSearchParams({ q: wanted })}`, "palette", searching.signal).then((answer) => {
    found = [...parse(answer).children];
    draw();
  }).catch((error) => { if (error.name !== "AbortError") console.warn("palette:", error); });
});

on("keydown", "#palette-text", (event) => {
  if (composing(event)) return;
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) move(by);
  else if (event.key === "Enter") run($("#palette-list [aria-selected=true]"));
  else return;
  event.preventDefault();
});
on("click", ".palette-entry", (_, line) => run(line));
on("mousemove", ".palette-entry", (_, line) => {
  if (line.getAttribute("aria-selected") !== "true") select(line);
});
document.addEventListener("click", (event) => {
  if (event.target.id === "palette") event.target.close();
});
