// Light or dark, close or wide: at once, without loading the page again.
import { $$, on } from "./dom.js";

on("click", "[data-look] button", async (event, button) => {
  event.preventDefault();
  event.stopPropagation();
  const { name, value } = button, root = document.documentElement;
  await fetch(button.form.action, { method: "POST", redirect: "manual", body: new URLSearchParams({ [name]: value }) });
  if (value) root.dataset[name] = value;
  else delete root.dataset[name];
  for (const other of $$(`button[name=${name}]`, button.form)) {
    const on = other.dataset.on;
    other.setAttribute("aria-pressed", String(on ? value === on : other === button));
    if (on) other.value = value === on ? "" : on;
  }
});
