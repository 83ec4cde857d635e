// Ticking several lines of a form, and doing one thing with all of them. Without
// this the buttons are there all the same.
import { $, $$, on, ready } from "./dom.js";

const boxes = (form) => $$("[data-tick]", form);

function show(form) {
  const all = boxes(form), ticked = all.filter((box) => box.checked);
  const every = $("[data-tick-all]", form), count = $("[data-tick-count]", form);
  every.checked = all.length > 0 && ticked.length === all.length;
  every.indeterminate = ticked.length > 0 && ticked.length < all.length;
  count.textContent = ticked.length ? count.dataset.words.replace("0", ticked.length) : "";
  for (const button of $$("[data-tick-do]", form)) {
    button.disabled = ticked.length === 0;
    // One is what one looks at; of many some were ticked by the way.
    if (ticked.length > 1 && button.dataset.many) button.dataset.confirm = button.dataset.many.replace("0", ticked.length);
    else delete button.dataset.confirm;
  }
}

on("change", "[data-tick]", (_, box) => show(box.form));
on("change", "[data-tick-all]", (_, every) => {
  for (const box of boxes(every.form)) box.checked = every.checked;
  show(every.form);
});
ready(() => $$("form:has([data-tick-all])").forEach(show));
