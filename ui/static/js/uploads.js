// Files go to the server as soon as they are chosen, each with its progress;
// sending waits for those that are still under way. Without a script the form
// carries them itself.
import { $, $$, on, parse, ready } from "./dom.js";

const running = new WeakMap(); // how many uploads a form has under way

// upload takes files for what is being written in form.
export function upload(form, files) {
  for (const file of files) begin(form, file);
}

// uploadInline uploads an image that stands in the text, and answers with what
// the server says of it: { id, content_id, url, … }. It shows no chip.
export async function uploadInline(form, file, progress) {
  const { answer } = send(form, file, { inline: "1" }, progress);
  const told = await count(form, answer);
  place(form).insertAdjacentHTML("beforeend", `<span hidden></span>`);
  Object.assign(place(form).lastElementChild.dataset, { upload: told.id, inline: told.content_id, src: told.url });
  return told;
}

const place = (form) => $("[data-files]", form);
const target = (form) => `/drafts/${form.elements.key.value}/files`;

function send(form, file, extra, progress) {
  const request = new XMLHttpRequest(), words = place(form).dataset;
  const answer = new Promise((done, failed) => {
    const data = new FormData();
    const kind = form.dataset.kind === "mail" ? "mail" : "reply";
    for (const [name, value] of Object.entries({ kind, ticket: form.dataset.ticket ?? "0", seen: form.elements.seen?.value ?? "", ...extra })) data.set(name, value);
    data.set("file", file, file.name || "image.png");
    request.open("POST", target(form));
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => progress?.(event.lengthComputable ? event.loaded / event.total : 0));
    request.addEventListener("load", () => {
      if (request.status === 201) done(request.response);
      else if (request.status === 401) failed(new Error(words.login));
      else failed(new Error(request.response?.error ?? `${request.status}`));
    });
    request.addEventListener("error", () => failed(new Error(words.broken)));
    request.addEventListener("abort", () => failed(new DOMException("", "AbortError")));
    request.send(data);
  });
  return { answer, cancel: () => request.abort() };
}

// count holds sending back until answer is there, whatever it is.
function count(form, answer) {
  running.set(form, (running.get(form) ?? 0) + 1);
  form.classList.add("uploading");
  const over = () => {
    running.set(form, running.get(form) - 1);
    if (running.get(form)) return;
    form.classList.remove("uploading");
    const waiting = form.waiting;
    form.waiting = undefined;
    // Nothing is sent without a file that was meant to go with it.
    if (waiting && !$(".file.broken", form)) form.requestSubmit(waiting);
  };
  answer.then(over, over);
  return answer;
}

const icons = (form) => $(".attach use", form).getAttribute("href").replace(/#.*/, "");
const icon = (form, name) => `<svg class="icon small" aria-hidden="true"><use href="${icons(form)}#${name}"/></svg>`;

function begin(form, file) {
  const words = place(form).dataset;
  const chip = parse(`<span class="file upload"><svg class="icon" aria-hidden="true"><use href="${icons(form)}#file"/></svg><span class="cut"></span><small></small>`
    + `<button class="file-off" type="button" data-retry hidden>${icon(form, "retry")}</button><button class="file-off" type="button" data-cancel>${icon(form, "cross")}</button>`
    + `<progress max="1" value="0"></progress></span>`).firstChild;
  const bar = $("progress", chip), retry = $("[data-retry]", chip), cancel = $("[data-cancel]", chip);
  $(".cut", chip).textContent = chip.title = file.name;
  bar.ariaLabel = file.name;
  retry.ariaLabel = retry.title = words.retry;
  cancel.ariaLabel = cancel.title = words.cancel;
  place(form).append(chip);
  form.classList.add("filled");
  $("[data-unattached]", form).hidden = true;
  let current;
  const start = async () => {
    chip.classList.remove("broken");
    retry.hidden = true;
    bar.hidden = false;
    bar.value = 0;
    $("small", chip).textContent = size(file.size);
    current = send(form, file, {}, (done) => { bar.value = done; });
    try {
      finish(form, chip, await count(form, current.answer));
    } catch (error) {
      if (error.name === "AbortError") return;
      chip.classList.add("broken");
      bar.hidden = true;
      retry.hidden = false;
      $("small", chip).textContent = error.message;
      form.dispatchEvent(new CustomEvent("composer:change", { bubbles: true }));
    }
  };
  retry.addEventListener("click", start);
  cancel.addEventListener("click", () => {
    current?.cancel();
    chip.remove();
    form.dispatchEvent(new CustomEvent("composer:change", { bubbles: true }));
  });
  start();
}

// finish turns the chip into that of a file which the form sends along.
function finish(form, chip, told) {
  const done = parse(`<label class="file kept"><input type="checkbox" name="upload" checked class="unseen"><svg class="icon" aria-hidden="true"><use href="${icons(form)}#file"/></svg><span class="cut"></span><small></small><span class="file-off">${icon(form, "cross")}</span></label>`).firstChild;
  done.dataset.upload = told.id;
  $("input", done).value = told.id;
  $(".cut", done).textContent = done.title = told.name;
  $("small", done).textContent = told.size_text;
  chip.replaceWith(done);
  form.dispatchEvent(new CustomEvent("composer:change", { bubbles: true }));
}

// Taking one off.
on("change", "[data-upload] input", async (_, box) => {
  const chip = box.closest("[data-upload]"), form = box.form;
  if (box.checked) return;
  chip.remove();
  form.dispatchEvent(new CustomEvent("composer:change", { bubbles: true }));
  fetch(`${target(form)}/${chip.dataset.upload}/delete`, { method: "POST" }).catch(() => {}); // it is not sent along in any case
});

// Sending waits: the button goes on by itself when all is there. With a file that did
// not get there nothing is sent before its author has tried again or taken it off.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches?.("[data-composer]")) return;
  const waits = Boolean(running.get(form));
  if (!waits && (!broken(form).length || ["note", "log"].includes(form.elements.mode?.value))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!waits) {
    warn(form, broken(form).map(nameOf), "unsent");
    $(".file.broken [data-retry]", form).focus();
    return;
  }
  form.waiting = event.submitter;
  const state = $("[data-draft-state]", form);
  if (state) {
    state.textContent = place(form).dataset.wait;
    state.hidden = false;
  }
}, true);

// ---------- What did not get there ----------

const broken = (form) => $$(".file.broken", form);
const nameOf = (chip) => $(".cut", chip).textContent;
const keptAs = (form) => `unattached:${form.dataset.draft}`;

// warn says which files are not attached.
function warn(form, names, why) {
  const alert = $("[data-unattached]", form);
  $("span", alert).textContent = alert.dataset[why].replace("{0}", names.join(alert.dataset.comma));
  alert.dataset.why = why;
  alert.hidden = false;
}

// A browser cannot keep the files themselves: whoever comes back is told their names.
function remember(chosen) {
  for (const form of $$("[data-composer]")) {
    const names = $$(chosen, form).map(nameOf);
    try {
      if (names.length) sessionStorage.setItem(keptAs(form), JSON.stringify(names));
    } catch { /* full or forbidden: they are not named */ }
  }
}
addEventListener("pagehide", () => remember(".file.upload"));
document.addEventListener("htmx:before:swap", () => remember(".file.broken")); // one under way arrives by itself
ready(() => {
  for (const form of $$("[data-composer]")) {
    try {
      const names = JSON.parse(sessionStorage.getItem(keptAs(form)));
      if (names && !broken(form).length) warn(form, names, "lost");
      sessionStorage.removeItem(keptAs(form));
    } catch { /* nothing is named */ }
  }
});
on("composer:change", "[data-composer]", (_, form) => {
  const alert = $("[data-unattached]", form);
  if (alert?.dataset.why === "unsent" && !broken(form).length) alert.hidden = true;
});

// Who leaves the page while a file is under way is asked.
addEventListener("beforeunload", (event) => {
  if ($$("[data-composer].uploading").length) event.preventDefault();
});

const size = (bytes) => bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

// A form without a composer carries its files itself: they are attached as soon as
// they are chosen, by the button beside them.
on("change", "[data-attach]", (_, input) => {
  if (input.files.length) input.form.requestSubmit(input.closest("label").nextElementSibling);
});
