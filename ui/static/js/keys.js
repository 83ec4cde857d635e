// Keys for people who live in the inbox. Single letters are for reading; in a
// field, and while an input method is at work, they are just letters. Which key
// does what is written once, in the list of all keys.
import { $, $$, composing, ready } from "./dom.js";
import { step } from "./list.js";
import { focus } from "./composer.js";
import { openLong } from "./longchoice.js";
import { togglePanel } from "./menus.js";
import { openMerge } from "./picker.js";
import { openPalette } from "./palette.js";
import { bulkKey, chooseHere } from "./select.js";
import { undoNewest } from "./toasts.js";
import { draft } from "./writing.js";
import { summarise, translateNewest } from "./reading.js";

const mac = /Mac|iPhone|iPad/.test(navigator.platform);
ready(() => {
  if (mac) for (const key of $$("[data-mod]")) key.textContent = "⌘";
});

const typing = (element) => element.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], dialog[open]");

// pick opens a list of choices. Once one is chosen, or with Escape, the reader is
// back in the conversation: in the list the letters would choose again.
const pick = (select) => {
  if (!select || select.disabled || openLong(select, () => $("#thread")?.focus({ preventScroll: true }))) return;
  select.focus();
  picking = select.id;
  try { select.showPicker(); } catch { /* the focus is enough */ }
};
let picking = null; // the id of that list
const leave = (event) => {
  if (picking && event.target.id === picking) $("#thread")?.focus({ preventScroll: true });
};
document.addEventListener("change", leave);
document.addEventListener("focusout", () => { picking = null; });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") leave(event); });

const unfold = (id) => {
  const menu = $(id);
  if (!menu) return;
  $("summary", menu).focus();
  menu.open = true;
};

export const actions = {
  next: () => step(1, true),
  previous: () => step(-1, true),
  newest: () => { const thread = $("#thread"); if (thread) thread.scrollTop = thread.scrollHeight; },
  go: (place) => { location.href = place.dataset.href; },
  reply: () => focus("reply"),
  note: () => focus("note"),
  assign: () => pick($("#assignee")),
  priority: () => pick($("#priority")),
  tag: () => unfold("#add-tag"),
  hold: () => unfold("#hold"),
  close: () => $("#close-button")?.click(),
  choose: chooseHere,
  spam: () => $("#spam-button")?.click(),
  follow: () => $("#follow-button")?.click(),
  unread: () => $("#unread-button")?.click(),
  merge: openMerge,
  panel: togglePanel,
  draft,
  translate: translateNewest,
  summary: summarise,
  find: () => $("#find-text")?.focus(),
  undo: undoNewest,
  help: () => $("#keys")?.showModal(),
};

// bound finds the line of the list of all keys for what was typed: one key, or
// two one after the other.
function bound(typed) {
  return $$("#keys [data-keys]").find((line) => line.dataset.keys.split(",").includes(typed));
}

let first = null; // the key that may begin a pair
let forget;

document.addEventListener("keydown", (event) => {
  if (composing(event) || event.defaultPrevented) return;
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || typing(event.target)) return;
  if (document.documentElement.dataset.keys === "off") return;
  const letter = event.key.toLowerCase();
  const key = event.shiftKey && letter !== event.key ? `shift ${letter}` : letter;
  const line = (first && bound(`${first} ${key}`)) || bound(key);
  first = line ? null : key;
  clearTimeout(forget);
  forget = setTimeout(() => { first = null; }, 1200);
  const action = line && actions[line.dataset.do];
  if (!action) return;
  event.preventDefault();
  if (!bulkKey(line.dataset.do)) action(line);
});

document.addEventListener("click", (event) => {
  const action = event.target.closest?.("[data-action]")?.dataset.action;
  if (action === "next") step(1, true);
  if (action === "previous") step(-1, true);
  if (action === "keys") actions.help();
  if (action === "palette") openPalette();
});
