// Lists whose order people choose: rows are dragged by their handle, with a
// mouse, a finger or a pen, or moved with the arrow keys while it has the
// focus. Without scripts the buttons beside it do the same.
import { $, $$, on } from "./dom.js";

const itemOf = (element) => element.closest("[data-reorder-item]");

function settled(list) {
  list.dispatchEvent(new CustomEvent("reordered", { bubbles: true }));
  const form = list.closest("[data-reorder-save]");
  if (!form) return;
  const body = new URLSearchParams(new FormData(form));
  body.set("quiet", "1");
  fetch(form.action, { method: "POST", body }).then((answer) => { if (!answer.ok) location.reload(); }, () => location.reload());
}

// swap moves an item past its neighbour and keeps the first and last buttons right.
function move(item, by) {
  const other = by < 0 ? item.previousElementSibling : item.nextElementSibling;
  if (!other?.matches("[data-reorder-item]")) return false;
  by < 0 ? other.before(item) : other.after(item);
  return true;
}

document.addEventListener("keydown", (event) => {
  const handle = event.target.closest?.("[data-reorder-handle]");
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!handle || !by || event.isComposing) return;
  event.preventDefault();
  event.stopPropagation();
  const item = itemOf(handle), list = item.parentElement;
  if (!move(item, by)) return;
  handle.focus();
  const items = $$("[data-reorder-item]", list);
  const said = $("#announce");
  if (said) said.textContent = `${items.indexOf(item) + 1} / ${items.length}`;
  settled(list);
}, true);

on("pointerdown", "[data-reorder-handle]", (event, handle) => {
  if (event.button) return;
  const item = itemOf(handle), list = item.parentElement;
  let moved = false;
  handle.setPointerCapture(event.pointerId);
  item.classList.add("moving");
  const drag = (e) => {
    const before = item.previousElementSibling, after = item.nextElementSibling;
    const middle = (x) => { const box = x.getBoundingClientRect(); return box.top + box.height / 2; };
    if (before?.matches("[data-reorder-item]") && e.clientY < middle(before)) moved = move(item, -1) || moved;
    else if (after?.matches("[data-reorder-item]") && e.clientY > middle(after)) moved = move(item, 1) || moved;
  };
  const drop = () => {
    handle.removeEventListener("pointermove", drag);
    item.classList.remove("moving");
    if (moved) settled(list);
  };
  handle.addEventListener("pointermove", drag);
  handle.addEventListener("lostpointercapture", drop, { once: true });
});

// The buttons beside a row name its place: after a move they name the new one.
document.addEventListener("reordered", (event) => {
  const items = $$("[data-reorder-item]", event.target);
  items.forEach((item, i) => {
    for (const button of $$("button[name=action], button[name=move]", item)) {
      button.value = button.value.replace(/:\d+$/, `:${i}`);
      if (button.value.startsWith("up")) button.disabled = i === 0;
      if (button.value.startsWith("down")) button.disabled = i === items.length - 1;
    }
  });
});

// What only some kinds of a record have is shown for those.
function fit(choice) {
  for (const part of $$("[data-for-kind]", choice.form)) part.hidden = !part.dataset.forKind.split(" ").includes(choice.value);
}
on("change", "[data-kind]", (_, choice) => fit(choice));
$$("[data-kind]").forEach(fit);
