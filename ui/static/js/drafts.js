// Drafts: what is written is on the server a moment after the last key. Typing
// never waits for it; what could not be saved yet stays in this browser and is
// saved as soon as the server can be reached again.
import { $, $$, fragment, morph, on, ready } from "./dom.js";
import { editorOf } from "./editor.js";

const pause = 800;        // ms after the last key
const again = 5000;       // ms until a failed save is tried again
const kinds = ["reply", "note"];
const states = new WeakMap();

const localKey = (form) => `draft:${form.dataset.draft}`;
const idOf = (form, kind) => form.elements[kind === "note" ? "note_key" : "key"];
const newID = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(20))].map((n) => (n % 36).toString(36)).join("");
// page names this page to the server: what it saved itself is nothing new to it.
const page = newID();
const stampOf = (kind) => kind === "note" ? "noteStamp" : "stamp";
// words are what matters of it: two that differ only in what was seen are the same.
const words = ({ seen, ...rest }) => JSON.stringify(rest);

ready(() => {
  for (const form of $$("[data-composer]")) {
    follow(form);
    if (!states.has(form) && !("approving" in form.dataset)) begin(form);
    if (form.dataset.parted) {
      touch(form, form.dataset.parted, 0);
      delete form.dataset.parted;
    }
  }
});

// follow takes along what is kept here of a form that goes on at another ticket, as
// the one that it was written on was merged into that.
function follow(form) {
  const state = states.get(form);
  if (!state || state.kept === localKey(form)) return;
  try {
    localStorage.removeItem(state.kept);
  } catch { /* forbidden: nothing is kept */ }
  state.kept = localKey(form);
  for (const kind of kinds) if (words(content(form, kind)) !== state.saved[kind]) touch(form, kind, 0);
}

// content is what the server keeps of one kind.
function content(form, kind) {
  const value = (name) => form.elements[name]?.value ?? "";
  if (kind === "note") return { text: value("note"), seen: value("seen") };
  const text = editorOf(form).text(), html = editorOf(form).html();
  const written = text.trim() || /<(img|hr|table)\b/i.test(html);
  return {
    text, html: written ? html : "", to: value("to"), cc: value("cc"), bcc: value("bcc"),
    forward: value("forward"), subject: value("subject"), alias: value("alias"), quote: form.elements.quote?.checked ? "1" : "", seen: value("seen"),
    signature_shown: value("signature_shown"), signature: value("signature"), templates: $$("input[name=template]", form).map((used) => used.value).join(","),
  };
}

function begin(form) {
  const state = { saved: {}, dirty: new Set(), timer: 0, saving: false, ended: false, kept: localKey(form) };
  states.set(form, state);
  for (const kind of kinds) state.saved[kind] = words(content(form, kind));
  if (form.dataset.stamp || form.dataset.noteStamp) say(form, "saved");
  restore(form, state);
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of Object.entries({ page, stamp: form.dataset.stamp, note_stamp: form.dataset.noteStamp })) formData.set(name, value ?? "");
  });
}

// restore takes up what an earlier page could not save.
function restore(form, state) {
  const local = read(form);
  if (!local) return;
  for (const kind of kinds) {
    const kept = local[kind];
    if (!kept || words(kept) === state.saved[kind]) continue;
    const stamp = form.dataset[stampOf(kind)];
    if (stamp && stamp !== kept.stamp) {
      // It went on elsewhere meanwhile. Both are kept: this one as a draft of its own.
      apart(form, kind, kept).catch(() => {});
      continue;
    }
    apply(form, kind, kept);
    touch(form, kind, 0);
  }
  if (local.log && form.elements.log && !form.elements.log.value) form.elements.log.value = local.log;
  if (local.mode && !$$("[data-text]", form).some((area) => area.defaultValue)) form.elements.mode.value = local.mode;
}

// apart saves what an earlier page kept as the draft that it was of there, or as a new one.
async function apart(form, kind, kept) {
  const own = kept.id && kept.id !== idOf(form, kind).value && (await post(form, kind, kept.id, kept)).ok;
  if (!own && !(await post(form, kind, newID(), kept)).ok) return;
  forget(form, kind);
  refresh();
}

function apply(form, kind, kept) {
  if (kind === "note") {
    form.elements.note.value = kept.text;
    return;
  }
  for (const name of ["text", "html", "to", "cc", "bcc", "seen", "subject", "alias"]) {
    if (form.elements[name] && kept[name]) form.elements[name].value = kept[name];
  }
  if (form.elements.quote) form.elements.quote.checked = Boolean(kept.quote);
}

// ---------- In this browser ----------

function read(form) {
  try {
    return JSON.parse(localStorage.getItem(localKey(form)));
  } catch {
    return null;
  }
}

function write(form, local) {
  try {
    if (kinds.some((kind) => local[kind]) || local.log) localStorage.setItem(localKey(form), JSON.stringify(local));
    else localStorage.removeItem(localKey(form));
    return true;
  } catch {
    return false; // full or forbidden: the words are still in the page
  }
}

function keep(form, state) {
  const local = read(form) ?? {};
  for (const kind of state.dirty) {
    local[kind] = { ...content(form, kind), stamp: form.dataset[stampOf(kind)], id: idOf(form, kind)?.value };
  }
  local.log = form.elements.log?.value || undefined;
  local.mode = form.elements.mode?.value;
  return write(form, local);
}

function forget(form, kind) {
  const local = read(form);
  if (!local) return;
  delete local[kind];
  write(form, local);
}

// ---------- Saving ----------

for (const type of ["input", "change", "composer:change"]) {
  on(type, "[data-composer]", (_, form) => {
    const state = states.get(form);
    if (!state) return;
    for (const kind of kinds) {
      if (words(content(form, kind)) !== state.saved[kind]) touch(form, kind, pause);
    }
    if (form.elements.log?.value) keepSoon(form, state);
  });
}

function touch(form, kind, after) {
  const state = states.get(form);
  if (!state || state.ended) return;
  state.dirty.add(kind);
  keepSoon(form, state);
  clearTimeout(state.timer);
  state.timer = setTimeout(() => save(form), after);
}

function keepSoon(form, state) {
  state.keeping ??= setTimeout(() => {
    state.keeping = undefined;
    keep(form, state);
  }, 150);
}

function post(form, kind, id, what, keepalive = false) {
  const body = new URLSearchParams({ kind: form.dataset.kind === "mail" ? "mail" : kind, ticket: form.dataset.ticket ?? "0", page, stamp: form.dataset[stampOf(kind)] ?? "" });
  for (const [name, value] of Object.entries(what)) {
    if (value && !["stamp", "id"].includes(name)) body.set(name, value);
  }
  return fetch(`/drafts/${id}`, { method: "POST", body, keepalive, headers: { Accept: "application/json" }, signal: AbortSignal.timeout?.(15000) });
}

async function save(form) {
  const state = states.get(form);
  if (!state) return;
  clearTimeout(state.timer);
  if (state.saving || state.ended || !state.dirty.size || !form.isConnected) return;
  state.saving = true;
  let wait = 0;
  for (const kind of [...state.dirty]) {
    const what = content(form, kind), id = idOf(form, kind).value;
    try {
      const response = await post(form, kind, id, what);
      if (state.ended) break;
      const answer = response.headers.get("Content-Type")?.includes("json") ? await response.json() : {};
      if (response.ok) {
        form.dataset[stampOf(kind)] = answer.stamp;
        state.saved[kind] = words(what);
        if (words(content(form, kind)) === state.saved[kind]) settled(form, state, kind);
        else wait = pause;
        say(form, what.text.trim() || what.html ? "saved" : "");
      } else {
        wait = refused(form, state, kind, response.status, answer);
      }
    } catch {
      wait = again; // nobody answered
      keep(form, state);
      say(form, "unsaved", true);
    }
  }
  state.saving = false;
  if (wait && !state.ended) state.timer = setTimeout(() => save(form), wait);
}

function settled(form, state, kind) {
  state.dirty.delete(kind);
  forget(form, kind);
}

// refused decides what to do with words that the server does not take under
// this draft, and returns when to try again.
function refused(form, state, kind, status, answer) {
  if (answer.key === "draft_sent" && state.sending === kind) {
    settled(form, state, kind);
    return 0;
  }
  if (["draft_taken", "draft_scheduled", "draft_review", "draft_discarded", "draft_sent", "draft_elsewhere"].includes(answer.key)) {
    part(form, kind, answer.error);
    return pause;
  }
  if (status === 401) { // the session is over: what is typed waits here until after the login
    keep(form, state);
    location.reload();
    return 0;
  }
  say(form, "unsaved", true, answer.error);
  return status >= 500 || status === 0 ? again : again * 6;
}

// part makes what is typed a draft of its own, and says why until it is sent. Files
// stay with the other one.
function part(form, kind, why) {
  idOf(form, kind).value = newID();
  form.dataset[stampOf(kind)] = "";
  const alert = $("[data-draft-alert]", form), files = kind === "reply" ? $$("[data-files] .file[data-upload]", form) : [];
  files.forEach((file) => file.remove());
  $("span", alert).textContent = files.length ? `${why} ${alert.dataset.elsewhere}` : why;
  alert.hidden = false;
  refresh();
}

function say(form, which, bad = false, text = "") {
  const place = $("[data-draft-state]", form);
  if (!place) return;
  const words = text || place.dataset[which] || "";
  if (place.textContent !== words) place.textContent = words;
  place.classList.toggle("bad", bad);
  place.hidden = !words;
}

addEventListener("online", () => $$("[data-composer]").forEach((form) => save(form)));

// Leaving: the browser sends it while the page goes. What that cannot carry is
// in this browser.
function leave() {
  for (const form of $$("[data-composer]")) {
    const state = states.get(form);
    if (!state || state.ended || !state.dirty.size) continue;
    keep(form, state);
    for (const kind of state.dirty) {
      const what = content(form, kind);
      if (words(what).length < 60_000) post(form, kind, idOf(form, kind).value, what, true).catch(() => {});
    }
  }
}
addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); });
// Another ticket takes the place of this one.
document.addEventListener("htmx:before:swap", () => {
  for (const form of $$("[data-composer]")) {
    const state = states.get(form);
    if (state?.dirty.size && !state.ended) keep(form, state);
  }
});
document.addEventListener("htmx:before:request", (event) => {
  if (event.detail.ctx?.target?.id === "ticket" || event.detail.ctx?.sourceElement?.closest?.(".row")) {
    $$("[data-composer]").forEach((form) => { if (!form.contains(event.detail.ctx.sourceElement)) save(form); });
  }
});

// What is discarded is not kept any more, wherever. A note that is being written beside it is.
document.addEventListener("htmx:before:request", (event) => {
  const form = event.detail.ctx?.sourceElement?.closest?.("[data-discard]")?.closest("[data-composer]"), state = states.get(form);
  if (!state) return;
  state.dirty.delete("reply");
  if (state.dirty.size) leave();
  state.ended = true;
  clearTimeout(state.timer);
  forget(form, "reply");
});

// ---------- Sending ----------

// What was sent leaves this browser. Until the answer is there it stays.
document.addEventListener("htmx:before:request", (event) => {
  const form = event.detail.ctx?.sourceElement;
  const state = form?.matches?.("[data-composer]") && states.get(form);
  if (!state) return;
  clearTimeout(state.timer);
  state.sending = form.elements.mode?.value ?? "reply";
  keep(form, state);
});
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const form = ctx?.sourceElement;
  const state = form?.matches?.("[data-composer]") && states.get(form);
  if (!state) return;
  if (!ctx.response || ctx.response.status >= 300) {
    if (ctx.response?.status < 500) state.sending = ""; // else it may have been sent, and is sent again under its key
    if (state.dirty.size) state.timer = setTimeout(() => save(form), pause);
    return;
  }
  const written = form.elements.mode?.value ?? "reply";
  state.dirty.delete(written);
  state.ended = state.dirty.size === 0;
  state.sent = written;
  const local = read(form) ?? {};
  delete local[written];
  delete local.mode;
  write(form, local);
});
// A composer that holds another draft stays when a note or a logged reply was sent from
// it: its field is as the server says, empty, and what is typed from here on is kept again.
document.addEventListener("htmx:after:swap", () => {
  for (const form of $$("[data-composer]")) {
    const state = states.get(form), sent = state?.sent;
    if (!sent || sent === "reply") continue;
    state.sent = undefined;
    state.ended = false;
    form.elements[sent].value = form.elements[sent].defaultValue;
    if (sent === "note") state.saved.note = words(content(form, "note"));
    const mode = $$("[name=mode]", form).find((one) => one.defaultChecked);
    if (mode) mode.checked = true;
    if (form.contains(document.activeElement)) document.activeElement.blur(); // the conversation takes the focus
    form.dispatchEvent(new CustomEvent("composer:change", { bubbles: true }));
  }
}, true);

// ---------- What others write ----------

function askFor(strip) {
  const form = $("[data-composer]");
  return `${strip.dataset.base}/drafts?${new URLSearchParams({ back: strip.dataset.back, key: form?.elements.key.value ?? "", note_key: form?.elements.note_key?.value ?? "" })}`;
}

let asking, later;
function refresh() {
  clearTimeout(later);
  later = setTimeout(async () => {
    const strip = $("#drafts");
    if (!strip) return;
    asking?.abort();
    asking = new AbortController();
    const query = askFor(strip);
    try {
      const text = await fragment(query, "drafts", asking.signal);
      if (!strip.isConnected) return;
      // What is in the composer has no card. If that has changed since, because it
      // was sent say, the answer lacks the card of what it was.
      if (query !== askFor(strip)) refresh();
      else await morph(strip, text);
    } catch (error) {
      if (error.name !== "AbortError") console.warn("drafts:", error);
    }
  }, 120);
}

document.addEventListener("desk:presence", (event) => {
  const { drafts } = event.detail;
  if (drafts?.includes(Number($("#drafts")?.dataset.ticket))) refresh();
});
document.addEventListener("desk:change", (event) => {
  if (event.detail.ticket === Number($("#drafts")?.dataset.ticket)) refresh();
});
// Drafts are no events: what was written while the stream was away is asked for.
let away = false;
document.addEventListener("live:closed", () => { away = true; });
document.addEventListener("live:open", () => {
  if (away) refresh();
  away = false;
});
