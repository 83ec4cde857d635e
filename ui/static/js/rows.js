// What can be done with a ticket without opening it: it shows over the row under
// the pointer. By keyboard the same is A and E in the open ticket.
import { $, on, parse } from "./dom.js";

let row = null; // that the actions are about

document.addEventListener("pointerover", (event) => {
  const actions = $("#row-actions");
  if (!actions || event.pointerType !== "mouse") return; // a finger hovers over nothing
  const over = event.target.closest?.("#rows .row");
  if (over) {
    show(actions, over);
  } else if (!event.target.closest?.("#row-actions")) {
    hide();
  }
});
document.addEventListener("scroll", hide, true);
document.documentElement.addEventListener("mouseleave", hide);

function hide() {
  row = null;
  const actions = $("#row-actions");
  if (actions) actions.hidden = true;
}

function show(actions, over) {
  row = over;
  const assign = $("[data-row=assign]", actions), close = $("[data-row=close]", actions);
  if (assign) assign.hidden = "mine" in row.dataset;
  close.hidden = !row.dataset.close;
  actions.hidden = (!assign || assign.hidden) && close.hidden;
  actions.classList.toggle("chosen", row.ariaSelected === "true");
  actions.style.top = `${row.getBoundingClientRect().top - actions.parentElement.getBoundingClientRect().top}px`;
}

on("click", "[data-row]", async (_, button) => {
  if (!row) return;
  const { number, close } = row.dataset, acted = row;
  const change = button.dataset.row === "assign" ? { assignee: button.dataset.me } : { stage: close };
  hide();
  const response = await fetch(`/tickets/${number}/change`, {
    method: "POST", redirect: "manual", headers: { "HX-Request": "true" }, body: new URLSearchParams(change),
  });
  if (response.type !== "opaqueredirect") {
    $("#alerts").replaceChildren(parse(await response.text()));
  } else if (change.stage) {
    acted.classList.add("leaving"); // until the hand has left the list
  }
});
