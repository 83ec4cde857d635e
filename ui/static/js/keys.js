// Keys for people who live in the inbox. Single letters are for reading; in a
// field, and while an input method is at work, they are just letters.
import { $, $$, composing } from "./dom.js";
import { step } from "./list.js";
import { focus } from "./composer.js";
import { togglePanel } from "./menus.js";
import { openMerge } from "./picker.js";

const mac = /Mac|iPhone|iPad/.test(navigator.platform);
if (mac) {
  for (const key of $$("[data-mod]")) key.textContent = "⌘";
}

const typing = (element) => element.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], dialog[open]");

const actions = {
  j: () => step(1, true),
  k: () => step(-1, true),
  Enter: (event) => {
    const row = event.target.closest?.(".row");
    if (row) row.click();
    return Boolean(row);
  },
  r: () => focus("reply"),
  n: () => focus("note"),
  a: () => { const menu = $("#assignee"); menu?.focus(); try { menu?.showPicker(); } catch { /* the focus is enough */ } },
  l: () => { const menu = $("#add-tag"); if (menu) menu.open = true; },
  e: () => $("#close-button")?.click(),
  h: () => { const menu = $("#hold"); if (menu) menu.open = true; $(".menu-item", menu)?.focus(); },
  p: () => { const menu = $("#priority"); menu?.focus(); try { menu?.showPicker(); } catch { /* the focus is enough */ } },
  f: () => $("#follow-button")?.click(),
  m: openMerge,
  i: togglePanel,
  "?": () => $("#keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (composing(event) || event.defaultPrevented) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    $("#find-text")?.focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || (event.key === "Enter" && !event.target.closest?.(".row"))) return;
  event.preventDefault();
  action(event);
});

document.addEventListener("click", (event) => {
  const action = event.target.closest?.("[data-action]")?.dataset.action;
  if (action === "next") step(1, true);
  if (action === "previous") step(-1, true);
  if (action === "keys") $("#keys")?.showModal();
});
