// The composer: files by drop and paste, and keys.
import { $, $$, composing, on, ready } from "./dom.js";
import { editorOf } from "./editor.js";
import { upload } from "./uploads.js";

const texts = (form) => $$("[data-text]", form);
const mode = (form) => form.elements.mode.value;

ready(() => {
  for (const form of $$("[data-composer]")) {
    if (!form.dataset.ready) begin(form);
    echo(form);
  }
});

function begin(form) {
  form.dataset.ready = "yes";
  if ("restored" in form.dataset) editorOf(form).focus();
  fill(form);
}

function fill(form) {
  form.classList.toggle("filled", texts(form).some((area) => area.value) || Boolean($(".composer-files .file", form)));
}

on("composer:change", "[data-composer]", (_, form) => {
  fill(form);
  echo(form);
});

function echo(form) {
  for (const field of $$("[data-source]", form)) {
    const echoed = $(`[data-echo=${field.dataset.source}]`, form); // none where the fields are always there
    if (echoed) echoed.textContent = field.value;
  }
  for (const also of $$("[data-echo-also]", form)) also.hidden = !form.elements[also.dataset.echoAlso].value;
}

// ---------- Sending ----------

// toThread leaves the field for the conversation: there the letters are keys,
// and the arrows scroll.
function toThread() {
  const thread = $("#thread");
  if (thread) thread.focus({ preventScroll: true });
  else document.activeElement.blur();
}

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-composer]");
  if (!form || composing(event)) return;
  if (event.key === "Escape" && !event.defaultPrevented) {
    toThread();
    return;
  }
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  const button = $({ note: ".note-send", log: ".log-send" }[mode(form)] ?? (event.shiftKey ? "[data-send-close]" : "[data-send]"), form);
  if (button && !button.disabled) form.requestSubmit(button);
});
// What was sent takes its field with it, and a button is off while its request is under
// way: the focus would be nowhere.
let leaving = false, pressed = null;
document.addEventListener("submit", ({ target }) => {
  if (target.matches("[data-composer]")) pressed = target.contains(document.activeElement) ? document.activeElement : null;
}, true);
document.addEventListener("htmx:before:swap", (event) => {
  const { sourceElement: form, response } = event.detail.ctx ?? {};
  if (form?.matches?.("[data-composer]")) leaving = response?.status < 400 && (Boolean(pressed) || form.contains(document.activeElement));
});
document.addEventListener("htmx:after:swap", () => {
  if (leaving && document.activeElement === document.body) toThread();
  leaving = false;
});
document.addEventListener("htmx:finally:request", () => {
  const button = pressed;
  pressed = null;
  // It is on again by then, and a browser takes the focus from what is off when it draws.
  if (button) requestAnimationFrame(() => requestAnimationFrame(() => back(button)));
});

// back gives the focus back to what was pressed, where nothing was sent.
function back(button) {
  if (document.activeElement !== document.body) return;
  if (button.isConnected && !button.disabled) button.focus({ preventScroll: true });
  else toThread();
}

// ---------- Files ----------

on("change", "[data-file-input]", (_, input) => {
  upload(input.form, [...input.files]);
  input.value = ""; // each has its own way to the server now
});

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault(); // else the browser would leave the page for the file
  const form = $("[data-composer]");
  form?.classList.toggle("dropping", Boolean(event.target.closest?.("#conversation, #compose")) && mode(form) === "reply");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("[data-composer]")?.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  const form = $("[data-composer]");
  form?.classList.remove("dropping");
  if (form && mode(form) === "reply" && event.target.closest?.("#conversation, #compose")) upload(form, [...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => {
  const form = event.target.closest?.("[data-composer]");
  if (form && mode(form) === "reply" && event.clipboardData.files.length) {
    event.preventDefault();
    upload(form, [...event.clipboardData.files]);
  }
});

// focus takes the reader to the place to write.
export function focus(kind) {
  const form = $("[data-composer]");
  if (!form || form.dataset.kind === "mail" && kind !== "reply") return;
  if (form.dataset.kind !== "mail" && !$(`[name=mode][value=${kind}]`, form)) return; // their role does not allow it
  form.elements.mode.value = kind;
  if (kind === "reply") editorOf(form).focus();
  else $(`[data-text=${kind}]`, form).focus();
}
