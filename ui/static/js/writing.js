// The model's help in the composer. Its text comes piece by piece above what is
// written, goes in as one step, is marked until somebody has changed or accepted
// it, and can be taken back.
import { $, $$, on, ready } from "./dom.js";
import { editorOf } from "./editor.js";
import { focus } from "./composer.js";
import { ask, problem, Refused } from "./model.js";

const works = new Map(); // by composer: { stop } while the model writes, { steps }
const workOf = (form) => works.get(form) ?? works.set(form, { steps: [] }).get(form);
const placeOf = (form) => $("[data-model-work]", form);
const announce = (words) => { $("#announce").textContent = words; };

// The parts of a letter that a stopped model has written are worth keeping;
// half of a text that was to be written again is not.
const begins = (task) => task === "draft" || task === "keywords";

// ---------- The menus ----------

// A press on the menu takes the focus, and with it what was selected.
let pressed = null;
on("pointerdown", "[data-writing-menu] > summary", (_, summary) => {
  const form = summary.closest("[data-composer]");
  pressed = form && editorOf(form).selected();
});

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.("[data-writing-menu]") || !menu.open) return;
  const form = menu.closest("[data-composer]");
  if (form) {
    const editor = editorOf(form), heading = $("[data-rewrite-heading]", menu);
    workOf(form).selected = pressed ?? editor.selected();
    pressed = null;
    heading.textContent = workOf(form).selected ? heading.dataset.part : heading.dataset.whole;
    for (const item of $$("[data-write]", menu)) item.disabled = item.dataset.write !== "draft" && editor.empty();
  }
  problem(form?.dataset.ticket ?? $("#ticket").dataset.number).then((words) => {
    const line = $("[data-model-away]", menu);
    line.hidden = !words;
    $("span", line).textContent = words;
    menu.classList.toggle("away", Boolean(words));
  });
}, true);

on("click", "[data-write]", (_, button) => {
  const form = button.closest("[data-composer]");
  write(form, button.dataset.write, workOf(form).selected, $("[data-write-language]", form).value);
});

// draft begins a reply, from the keyboard.
export function draft() {
  const form = $("[data-write-language]")?.form; // a new mail has nothing to go by yet
  if (!form) return;
  focus("reply");
  write(form, "draft", null, $("[data-write-language]", form).value);
}

// goesTo says whom the reply is for: a third party gets no answer to the customer.
function goesTo(form) {
  const value = (name) => form.elements[name]?.value ?? "";
  return { to: value("to"), cc: value("cc"), bcc: value("bcc"), forward: value("forward") };
}

// ---------- Writing ----------

async function write(form, task, selected, language) {
  const work = workOf(form), editor = editorOf(form), place = placeOf(form);
  if (work.stop) return;
  if (begins(task)) selected = null;
  const given = selected?.text ?? editor.text(), before = editor.html();
  if (task !== "draft" && !given.trim()) {
    show(form, "bad", place.dataset.nothing);
    return;
  }
  const control = new AbortController();
  work.stop = () => control.abort();
  form.classList.add("model-writes");
  let text = "", leftOut = "";
  const coming = showWork(form, place.dataset.working, work.stop);
  const heard = {
    plan: (plan) => {
      leftOut = plan.left_out;
      $("b", place).textContent = plan.title;
      announce(plan.title);
    },
    text: (piece) => {
      text += piece;
      coming.textContent = text;
      coming.scrollTop = coming.scrollHeight;
    },
  };
  let wrong = null, note = "";
  try {
    ({ note } = await ask(form.dataset.ticket, { task, text: given, language, ...goesTo(form) }, heard, control.signal));
  } catch (error) {
    if (!control.signal.aborted) wrong = (error instanceof Refused && error.message) || place.dataset.lost;
    else if (!begins(task)) text = "";
  }
  work.stop = null;
  form.classList.remove("model-writes");
  if (!form.isConnected) return;
  text = text.trim();
  if (wrong || !text) {
    show(form, wrong ? "bad" : "", wrong ?? place.dataset.stopped);
    return;
  }
  put(form, { before, beforeText: editor.text() }, selected, text, [note, leftOut && `${place.dataset.leftOut}${leftOut}`]);
}

// put takes the text into the composer as one step.
function put(form, step, selected, text, notes) {
  const editor = editorOf(form), work = workOf(form);
  const range = editor.replace(selected, text);
  Object.assign(step, { text: editor.text() });
  work.steps.push(step);
  mark(range);
  remember(form, step.text);
  showFresh(form, notes.filter(Boolean).join(" "));
  editor.focus();
}

const mark = (range) => {
  if (!globalThis.Highlight) return;
  if (range) CSS.highlights.set("model", new Highlight(range));
  else CSS.highlights.delete("model");
};

// back takes the last step back; what was written since can be fetched again.
function back(form) {
  const editor = editorOf(form), work = workOf(form), step = work.steps.pop();
  if (!step) return;
  const now = { html: editor.html(), edited: editor.text() !== step.text };
  mark(null);
  remember(form, "");
  editor.replaceAll(step.before);
  const { takenBack, again } = placeOf(form).dataset;
  show(form, "", takenBack, [again, () => {
    editor.replaceAll(now.html);
    work.steps.push(step);
    if (now.edited) showEdited(form);
    else showFresh(form, "");
  }]);
  announce(takenBack);
  editor.focus();
}

on("composer:change", "[data-composer]", (_, form) => {
  const work = works.get(form), step = work?.steps.at(-1), place = placeOf(form);
  if (!step || !place || place.dataset.state !== "fresh") return;
  const text = editorOf(form).text();
  if (text === step.text) return;
  mark(null);
  remember(form, "");
  if (text === step.beforeText) { // undone with the editor's own key
    work.steps.pop();
    place.hidden = true;
    place.dataset.state = "";
  } else {
    showEdited(form);
  }
});

// A reload keeps the mark as long as the text is the model's.
const remember = (form, text) => {
  const name = `model:${form.elements.key.value}`;
  if (text) sessionStorage.setItem(name, text);
  else sessionStorage.removeItem(name);
};

on("composer:ready", "[data-composer]", (_, form) => {
  const kept = sessionStorage.getItem(`model:${form.elements.key.value}`);
  if (!kept || workOf(form).steps.length) return;
  if (editorOf(form).text() !== kept) return;
  workOf(form).steps.push({ before: "", beforeText: "", text: kept });
  showFresh(form, "");
});

// Nothing leaves while the model still writes.
document.addEventListener("submit", (event) => {
  if (!works.get(event.target)?.stop) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  announce(placeOf(event.target).dataset.working);
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const form = $("[data-composer].model-writes");
  if (!form || !form.contains(event.target) && event.target !== document.body) return;
  event.preventDefault();
  works.get(form).stop();
}, true);

ready(() => {
  for (const [form, work] of works) {
    if (form.isConnected) continue;
    work.stop?.();
    works.delete(form);
  }
});

// ---------- The line above the text ----------

const icon = () => {
  const copy = $(".model-button .icon").cloneNode(true);
  copy.setAttribute("class", "icon");
  return copy;
};

const button = (words, run) => {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: "link-button", textContent: words });
  made.addEventListener("click", run);
  return made;
};

function show(form, state, words, ...actions) {
  const place = placeOf(form), line = document.createElement("p"), said = document.createElement("b");
  said.textContent = words;
  line.className = "model-line";
  line.append(icon(), said, ...actions.map(([label, run]) => button(label, run)));
  if (state !== "working") {
    const close = button("", () => { place.hidden = true; place.dataset.state = ""; });
    close.textContent = place.dataset.dismiss;
    if (state !== "fresh") line.append(close);
  }
  place.dataset.state = state;
  place.replaceChildren(line);
  place.setAttribute("role", state === "bad" ? "alert" : "status");
  place.hidden = false;
  return place;
}

function showWork(form, words, stop) {
  const coming = document.createElement("div");
  coming.className = "model-coming";
  show(form, "working", words, [placeOf(form).dataset.stop, stop]).append(coming);
  return coming;
}

function showFresh(form, note) {
  const { fresh, back: backWord, accept } = placeOf(form).dataset;
  const place = show(form, "fresh", fresh, [backWord, () => back(form)], [accept, () => {
    mark(null);
    remember(form, "");
    place.hidden = true;
    place.dataset.state = "";
    editorOf(form).focus();
  }]);
  if (!note) return;
  const said = document.createElement("p");
  said.className = "model-note";
  said.textContent = note;
  place.append(said);
}

function showEdited(form) {
  const { edited, back: backWord } = placeOf(form).dataset;
  show(form, "edited", edited, [backWord, () => back(form)]);
}
