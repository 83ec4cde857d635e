// What was filled in on a page whose session ended is put back after the login.
// It waits in this tab only, and goes with the next page that is not the login.
// Replies and notes are drafts and look after themselves; passwords and files are
// never kept.
import { $$, reader } from "./dom.js";

const key = "unsent";
// Not those that send each choice at once, and not the list's.
const forms = () => $$("form[method=post]").filter((form) => !form.matches("[data-composer], [hx-trigger=change], #list form"));
const atLogin = () => /^\/login(\/|$)/.test(location.pathname);
const here = () => location.pathname + location.search;

// changed says whether a control holds something else than the server gave it.
function changed(control) {
  if (!control.name || ["hidden", "password", "file", "submit", "button"].includes(control.type)) return false;
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (control.options) return [...control.options].some((option) => option.selected !== option.defaultSelected) && control.value !== first(control);
  return control.value !== control.defaultValue;
}

// first is the choice that a list shows by itself.
const first = (list) => ([...list.options].find((option) => option.defaultSelected) ?? list.options[0])?.value;

const named = (form, name) => [...form.elements].filter((control) => control.name === name);

function filledIn() {
  return forms().flatMap((form, at) => {
    const fields = [...form.elements].filter(changed).map((control) =>
      ({ name: control.name, at: named(form, control.name).indexOf(control), value: control.value, checked: control.checked }));
    return fields.length ? [{ action: form.getAttribute("action"), at, fields }] : [];
  });
}

function put(control, { value, checked }) {
  if (control.type === "checkbox" || control.type === "radio") control.checked = checked;
  else control.value = value;
  control.dispatchEvent(new Event("input", { bubbles: true }));
}

function restore({ filled }) {
  const all = forms();
  for (const { action, at, fields } of filled) {
    const form = all[at]?.getAttribute("action") === action ? all[at] : all.find((other) => other.getAttribute("action") === action);
    for (const field of form ? fields : []) {
      const control = named(form, field.name)[field.at];
      if (control) put(control, field);
    }
  }
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(kept) {
  try {
    if (kept) sessionStorage.setItem(key, JSON.stringify(kept));
    else sessionStorage.removeItem(key);
  } catch {
    // Full or forbidden: it is lost as it would be without this module.
  }
}

const kept = read();
if (kept && atLogin()) {
  write({ ...kept, login: true });
} else {
  write(null);
  if (kept?.login && kept.path === here() && kept.whose === reader()) restore(kept);
}

addEventListener("pagehide", () => {
  if (atLogin()) return;
  const filled = filledIn();
  write(filled.length ? { path: here(), whose: reader(), filled } : null);
});
