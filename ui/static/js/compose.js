// A mail that begins a ticket: the signature, and what the button does, follow
// from where it leaves and to whom. A signature that was edited stays.
import { editorOf } from "./editor.js";
import { $, on, ready } from "./dom.js";
import { showSignature } from "./signature.js";

let asking, later;
const shown = new WeakMap(); // the signature that the server proposed, by composer

on("change", "[data-kind=mail] [name=alias]", (_, field) => soon(field.form, 0));
on("composer:change", "[data-kind=mail]", (_, form) => soon(form, 400));
on("input", "[data-kind=mail] [name=to]", (_, field) => soon(field.form, 400));

// One begins with whom it goes to, then with what it is about.
ready(() => {
  const form = $("[data-kind=mail]");
  if (!form || "begun" in form.dataset) return;
  form.dataset.begun = "";
  if (!form.elements.to.value) $(".recipient-input", form)?.focus();
  else if (!form.elements.subject.value) form.elements.subject.focus();
  else editorOf(form).focus();
});

const matterOf = (form) => `${form.elements.alias.value} ${form.elements.to.value}`;
const before = new WeakMap();

function soon(form, after) {
  if (before.get(form) === matterOf(form)) return;
  if (!before.has(form)) shown.set(form, form.elements.signature.defaultValue);
  before.set(form, matterOf(form));
  clearTimeout(later);
  later = setTimeout(() => follow(form), after);
}

async function follow(form) {
  asking?.abort();
  asking = new AbortController();
  const query = new URLSearchParams({ alias: form.elements.alias.value, to: form.elements.to.value });
  try {
    const response = await fetch(`/compose/signature?${query}`, { signal: asking.signal, headers: { Accept: "application/json" } });
    if (!response.ok) return;
    const { signature, language, send } = await response.json();
    form.dataset.language = language;
    if (!("approving" in form.dataset)) $("[data-send]", form).textContent = send;
    form.elements.signature_for.value = form.elements.alias.value;
    if (form.elements.signature.value !== shown.get(form)) return;
    shown.set(form, signature);
    showSignature(form, signature);
  } catch (error) {
    if (error.name !== "AbortError") console.warn("compose:", error);
  }
}
