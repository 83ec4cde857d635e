// The composer: drafts that survive, files by drop and paste, and keys. What
// is typed is kept in the browser until it was sent.
import { $, $$, composing, on, parse, ready } from "./dom.js";
import { editorOf } from "./editor.js";

const draftKey = (form) => `draft:${form.dataset.draft}`;
const texts = (form) => $$("[data-text]", form);
const mode = (form) => form.elements.mode.value;

ready(() => {
  for (const form of $$("[data-composer]")) {
    if (!form.dataset.ready) begin(form);
    drawFiles(form);
    echo(form);
  }
});

function begin(form) {
  form.dataset.ready = "yes";
  const written = texts(form).some((area) => area.value);
  const draft = written ? null : load(form);
  if (draft) {
    form.elements.text.value = draft.reply ?? "";
    form.elements.html.value = draft.html ?? "";
    form.elements.note.value = draft.note ?? "";
    form.elements.log.value = draft.log ?? "";
    if (draft.to) form.elements.to.value = draft.to;
    if (draft.cc !== undefined) form.elements.cc.value = draft.cc;
    if (draft.mode) form.elements.mode.value = draft.mode;
    // What the author had seen when they began to write counts, not what the
    // server has since added above.
    if (draft.seen && draft.reply) form.elements.seen.value = draft.seen;
  }
  if ("restored" in form.dataset) {
    editorOf(form).focus();
    save(form);
  }
  fill(form);
}

function load(form) {
  try {
    return JSON.parse(localStorage.getItem(draftKey(form)));
  } catch {
    return null;
  }
}

function save(form) {
  const reply = form.elements.text.value, note = form.elements.note.value, log = form.elements.log.value;
  try {
    if (reply || note || log) {
      localStorage.setItem(draftKey(form), JSON.stringify({
        reply, html: reply && editorOf(form).html(), note, log, mode: mode(form), to: form.elements.to.value, cc: form.elements.cc.value, seen: form.elements.seen.value,
      }));
    } else {
      localStorage.removeItem(draftKey(form));
    }
    const state = $("[data-draft-state]", form);
    state.hidden = !(reply || note || log);
  } catch {
    // A full or forbidden store: the text is still in the page.
  }
}

function fill(form) {
  form.classList.toggle("filled", texts(form).some((area) => area.value) || form.elements.files.files.length > 0);
}

let saving;
on("composer:change", "[data-composer]", (_, form) => {
  fill(form);
  echo(form);
  clearTimeout(saving);
  saving = setTimeout(() => save(form), 250);
});
addEventListener("pagehide", () => $$("[data-composer].filled").forEach(save));

function echo(form) {
  for (const field of $$("[data-source]", form)) {
    $(`[data-echo=${field.dataset.source}]`, form).textContent = field.value;
  }
  for (const also of $$("[data-echo-also]", form)) also.hidden = !form.elements[also.dataset.echoAlso].value;
}

// ---------- Sending ----------

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-composer]");
  if (!form || composing(event)) return;
  if (event.key === "Escape") {
    event.target.blur();
    return;
  }
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  const button = $({ note: ".note-send", log: ".log-send" }[mode(form)] ?? (event.shiftKey ? "[data-send-close]" : "[data-send]"), form);
  if (!button.disabled) form.requestSubmit(button);
});

// What was sent leaves the draft. Until the answer is there it stays.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const form = ctx.sourceElement;
  if (!form?.matches?.("[data-composer]") || !ctx.response || ctx.response.status >= 300) return;
  const draft = load(form) ?? {};
  const written = mode(form);
  const left = written === "reply" ? { ...draft, reply: "", html: "", to: undefined, cc: undefined } : { ...draft, [written]: "", mode: "reply" };
  if (left.reply || left.note || left.log) {
    localStorage.setItem(draftKey(form), JSON.stringify(left));
  } else {
    localStorage.removeItem(draftKey(form));
  }
  clearTimeout(saving);
});

// ---------- Files ----------

on("change", "[data-file-input]", (_, input) => {
  drawFiles(input.form);
  fill(input.form);
});

// add puts files beside those already chosen.
function add(form, files) {
  const all = new DataTransfer();
  for (const file of [...form.elements.files.files, ...files]) all.items.add(file);
  form.elements.files.files = all.files;
  drawFiles(form);
  fill(form);
}

function remove(form, index) {
  const rest = new DataTransfer();
  [...form.elements.files.files].forEach((file, i) => { if (i !== index) rest.items.add(file); });
  form.elements.files.files = rest.files;
  drawFiles(form);
  fill(form);
}

function drawFiles(form) {
  const place = $("[data-files]", form);
  for (const old of $$(".chosen-file", place)) old.remove();
  const icons = $(".attach use", form).getAttribute("href").replace(/#.*/, "");
  [...form.elements.files.files].forEach((file, index) => {
    const chip = parse(`<span class="file chosen-file"><svg class="icon" aria-hidden="true"><use href="${icons}#file"/></svg><span class="cut"></span><small></small><button class="file-off" type="button"><svg class="icon small" aria-hidden="true"><use href="${icons}#cross"/></svg></button></span>`).firstChild;
    $(".cut", chip).textContent = file.name;
    $("small", chip).textContent = size(file.size);
    const off = $(".file-off", chip);
    off.ariaLabel = file.name;
    off.addEventListener("click", () => remove(form, index));
    place.append(chip);
  });
}

const size = (bytes) => bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault(); // else the browser would leave the page for the file
  const form = $("[data-composer]");
  form?.classList.toggle("dropping", Boolean(event.target.closest?.("#conversation")) && mode(form) === "reply");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("[data-composer]")?.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  const form = $("[data-composer]");
  form?.classList.remove("dropping");
  if (form && mode(form) === "reply" && event.target.closest?.("#conversation")) add(form, event.dataTransfer.files);
});
document.addEventListener("paste", (event) => {
  const form = event.target.closest?.("[data-composer]");
  if (form && mode(form) === "reply" && event.clipboardData.files.length) {
    event.preventDefault();
    add(form, event.clipboardData.files);
  }
});

// focus takes the reader to the place to write.
export function focus(kind) {
  const form = $("[data-composer]");
  if (!form) return;
  form.elements.mode.value = kind;
  if (kind === "reply") editorOf(form).focus();
  else $(`[data-text=${kind}]`, form).focus();
}
