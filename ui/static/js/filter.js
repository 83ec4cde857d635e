// The filter form says how many tickets its choice would show, and the brands'
// form can be emptied in one step. Both work without this too.
import { $, $$, on } from "./dom.js";

let asking, later;
on("change", ".filter-menu", (_, form) => {
  clearTimeout(later);
  later = setTimeout(() => count(form), 120);
});

async function count(form) {
  asking?.abort();
  asking = new AbortController();
  const query = new URLSearchParams(new FormData(form));
  try {
    const response = await fetch(`${form.dataset.count}?${query}`, { signal: asking.signal });
    if (response.ok) $("[data-shows]", form).textContent = await response.text();
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

on("click", "[data-uncheck]", (_, button) => {
  for (const box of $$("input[type=checkbox]", button.form)) box.checked = false;
});

// Saved views are put in order by dragging, or by the buttons beside them.
let dragged = null;
on("dragstart", ".saved-views li", (_, line) => {
  dragged = line;
  line.classList.add("dragged");
});
on("dragover", ".saved-views li", (event, line) => {
  if (!dragged || dragged.parentElement !== line.parentElement) return;
  event.preventDefault();
  for (const other of $$(".saved-views li")) other.classList.toggle("over", other === line && line !== dragged);
});
on("drop", ".saved-views li", async (event, line) => {
  if (!dragged || line === dragged) return;
  event.preventDefault();
  line.before(dragged);
  const list = line.parentElement, body = new URLSearchParams({ action: "order" });
  for (const view of $$("li", list)) body.append("order", view.dataset.id);
  await fetch(list.dataset.order, { method: "POST", body, redirect: "manual" });
  location.reload();
});
on("dragend", ".saved-views li", () => {
  dragged = null;
  for (const line of $$(".saved-views li")) line.classList.remove("dragged", "over");
});
