// Choosing a ticket in a dialog. Without it, the same link leads to a page.
import { $, $$, composing, fragment, morph, on } from "./dom.js";

on("click", "a[data-picker]", (event, link) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link.getAttribute("href"));
});

async function open(url) {
  const dialog = $("#picker");
  await morph(dialog, await fragment(url, "picker"), "innerHTML");
  if (!dialog.open) dialog.showModal();
  $("input[type=search]", dialog)?.focus();
}

// openMerge is the key's way to the dialog.
export const openMerge = () => $("#merge-link")?.click();

let asking, later;
on("input", "[data-picker-find]", (_, form) => {
  clearTimeout(later);
  later = setTimeout(() => find(form), 180);
});
on("submit", "[data-picker-find]", (event, form) => {
  event.preventDefault();
  clearTimeout(later);
  find(form);
});

async function find(form) {
  asking?.abort();
  asking = new AbortController();
  const query = new URLSearchParams(new FormData(form));
  try {
    const text = await fragment(`${form.getAttribute("action")}?${query}`, "choices", asking.signal);
    await morph($("#choices"), text, "outerHTML");
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

const close = () => $("#picker")?.close();
on("click", "[data-action=close-picker]", () => $("#picker")?.open ? close() : history.back());
// What is said about the choice stands on the page, which a dialog would cover.
document.addEventListener("htmx:before:request", (event) => {
  if (event.detail.ctx?.sourceElement?.matches?.("[data-choices]")) close();
});
// On a page of its own there is no ticket to put the answer into: the form is sent as it is.
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-choices]") && !$("#ticket")) event.stopPropagation();
}, true);
document.addEventListener("click", (event) => {
  if (event.target.id === "picker") close();
});

// The arrows go through the choices, and back into the field.
document.addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const picker = by && !composing(event) && event.target.closest?.(".picker");
  const stops = picker ? $$(".picker-find input[type=search], .choice", picker) : [];
  const here = stops.indexOf(event.target);
  if (here < 0) return;
  event.preventDefault();
  stops[Math.min(Math.max(here + by, 0), stops.length - 1)].focus();
});
