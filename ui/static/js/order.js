// Putting a list in order by dragging. Without it, and by keyboard, each entry
// has buttons that do the same.
import { morph, on } from "./dom.js";

let dragged = null;

on("dragstart", "[data-order] > li", (event, item) => {
  dragged = item;
  item.classList.add("dragged");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", item.dataset.id);
});
on("dragover", "[data-order] > li", (event, over) => {
  if (!dragged || dragged.parentNode !== over.parentNode) return;
  event.preventDefault();
  if (over === dragged) return;
  const box = over.getBoundingClientRect();
  over.parentNode.insertBefore(dragged, event.clientY < box.top + box.height / 2 ? over : over.nextSibling);
});
on("drop", "[data-order]", (event) => event.preventDefault());
document.addEventListener("dragend", async () => {
  const item = dragged;
  dragged = null;
  if (!item) return;
  item.classList.remove("dragged");
  const list = item.closest("[data-order]"), holder = list.closest("[id]");
  const body = new URLSearchParams([...list.children].map((one) => ["id", one.dataset.id]));
  const response = await fetch(list.dataset.order, {
    method: "POST", body, headers: { "HX-Request": "true", "HX-Target": `div#${holder.id}` },
  });
  if (!response.ok) return location.reload();
  await morph(holder, await response.text());
});
