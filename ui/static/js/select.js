// Choosing several tickets, and doing one thing with all of them. The choice is
// kept by number, so it outlives rows that come, go and move.
import { $, $$, composing, fragment, morph, on, parse, ready } from "./dom.js";
import { settle } from "./list.js";

const chosen = new Set();
let all = false;   // every ticket of the list, shown or not
let last = null;   // the row chosen last, from which shift reaches
let asked = null;  // the list whose choices are in the bar
let answered;      // when they are there

const rows = () => $$("#rows .row");
const list = () => $("#list");

export function toggle(row, reach) {
  if (!row) return;
  const here = rows(), from = last && here.findIndex((r) => r.dataset.number === last);
  if (reach && from >= 0) {
    const to = here.indexOf(row);
    for (const r of here.slice(Math.min(from, to), Math.max(from, to) + 1)) chosen.add(r.dataset.number);
  } else if (!chosen.delete(row.dataset.number)) {
    chosen.add(row.dataset.number);
  }
  last = row.dataset.number;
  all = false;
  show();
}

export function clear() {
  chosen.clear();
  all = false;
  last = null;
  list()?.classList.remove("picking");
  show();
}

// show draws the choice: on the rows, in the bar, in the strip below it.
function show() {
  const bar = $("#bulk-bar");
  if (!bar) return;
  for (const row of rows()) {
    if (chosen.size || row.hasAttribute("aria-checked")) row.setAttribute("aria-checked", String(chosen.has(row.dataset.number)));
    if (!chosen.size) row.removeAttribute("aria-checked");
  }
  bar.hidden = chosen.size === 0;
  list().classList.toggle("picking", chosen.size > 0 || list().classList.contains("picking"));
  const total = $("#list-count")?.textContent;
  const words = chosen.size === 1 ? bar.dataset.single : bar.dataset.many.replace("0", chosen.size);
  $("#bulk-count").textContent = chosen.size ? (all ? $("#bulk-all").dataset.all : words) : "";
  const strip = $("#bulk-all");
  strip.hidden = all || !chosen.size || !$("#more") || rows().some((row) => !chosen.has(row.dataset.number));
  strip.textContent = total ? `${strip.dataset.words}（${total}）` : strip.dataset.words;
  if (document.documentElement.lang !== "ja" && total) strip.textContent = `${strip.dataset.words} (${total})`;
  if (!chosen.size) return;
  choices();
  for (const button of $$("[data-two]", bar)) button.hidden = chosen.size !== 2 || all;
}

// choices asks once a list for what can be done.
function choices() {
  const path = list().dataset.path;
  if (asked !== path) {
    asked = path;
    answered = fill(path);
  }
  return answered;
}

async function fill(path) {
  const url = new URL(path, location.href);
  const text = await fragment(`${url.pathname}/choices${url.search}`, "bulk-choices");
  await morph($("#bulk-choices"), text, "innerHTML");
  show();
}

async function act(change) {
  const body = new URLSearchParams({ path: list().dataset.path, ...change });
  if (all) body.set("all", "1");
  else for (const number of chosen) body.append("ticket", number);
  for (const menu of $$("#bulk-bar details[open]")) menu.open = false;
  const response = await fetch("/bulk", { method: "POST", body, headers: { "HX-Request": "true", "HX-Target": "div#toasts" } });
  const redirect = response.headers.get("HX-Redirect");
  if (redirect) {
    location.href = redirect;
    return;
  }
  const text = await response.text();
  if (!response.ok) {
    $("#alerts").replaceChildren(parse(text));
    return;
  }
  clear();
  $("#rows .row[tabindex='0']")?.focus({ preventScroll: true }); // the bar with the button is gone
  settle();
  await htmx.swap({ sourceElement: $("#toasts"), target: $("#toasts"), text, swap: "innerHTML" });
}

on("click", "[data-check]", (event, box) => {
  event.preventDefault();
  event.stopPropagation();
  toggle(box.closest(".row"), event.shiftKey);
});
// Before htmx takes the click for opening the ticket.
document.addEventListener("click", (event) => {
  const row = event.target.closest?.("#rows .row");
  if (!row) return;
  const box = event.target.closest("[data-check]");
  if (!box && !event.ctrlKey && !event.metaKey && !(event.shiftKey && chosen.size)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  toggle(row, event.shiftKey);
}, true);
on("click", "[data-action=pick-rows]", () => {
  list().classList.add("picking");
  const row = $("#rows .row");
  row?.focus();
});
on("click", "[data-bulk-clear]", clear);
on("click", "#bulk-all", () => { all = true; show(); });
on("click", "[data-bulk]", (_, button) => act({ do: button.dataset.bulk, value: button.dataset.value ?? "" }));
on("submit", "[data-bulk-tag]", (event, form) => {
  event.preventDefault();
  act({ do: event.submitter?.value || "tag", value: form.elements.tag.value });
});

document.addEventListener("keydown", (event) => {
  if (composing(event)) return;
  const inList = event.target.closest?.("#rows");
  if (event.key === "Escape" && chosen.size && !event.defaultPrevented && !event.target.closest?.("dialog, details[open]")) {
    event.preventDefault();
    clear();
  } else if (inList && event.shiftKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const here = rows(), at = here.indexOf(document.activeElement);
    if (!chosen.has(here[at]?.dataset.number)) toggle(here[at]);
    const next = here[at + (event.key === "ArrowDown" ? 1 : -1)];
    next?.focus();
    toggle(next, true);
  } else if (inList && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") {
    event.preventDefault();
    for (const row of rows()) chosen.add(row.dataset.number);
    show();
  }
}, true);

// chooseHere is the key's way: the row with the focus, else that of the open ticket.
export function chooseHere() {
  const row = rows().includes(document.activeElement) ? document.activeElement : $(`#row-${$("#ticket")?.dataset.number}`);
  toggle(row ?? rows()[0]);
}

// What a key does to one ticket it does to all that are chosen: a button of the
// bar, or the first entry of a menu there.
const ofBar = ["reply", "close", "assign", "tag", "priority", "hold", "follow", "spam", "merge"];

// bulkKey does a key's action to the chosen tickets, and says whether it is one
// of theirs: where the role or the list has no such choice, nothing happens.
export function bulkKey(action) {
  if (!chosen.size || !ofBar.includes(action)) return false;
  choices().then(() => {
    const entry = $(`#bulk-bar [data-bulk="${action}"]:not([hidden]), #bulk-bar [data-bulk="un${action}"], #bulk-bar [data-bulk="not_${action}"], #bulk-bar [data-bulk-${action}] input`);
    const menu = entry?.closest("details");
    if (!menu || action === "merge" || action === "follow" || action === "spam") entry?.click();
    else open(menu, entry);
  });
  return true;
}

function open(menu, entry) {
  menu.addEventListener("toggle", () => entry.focus(), { once: true });
  menu.open = true;
}

ready(show);
