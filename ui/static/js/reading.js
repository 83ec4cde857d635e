// What the model tells of a conversation: a mail in another language, a summary,
// what the customer wants. It stands beside the mails, marked as the model's.
import { $, $$, on, ready } from "./dom.js";
import { ask, Refused } from "./model.js";

const running = new Map(); // stops, by card

on("click", "[data-read]", (_, button) => read(button.dataset.read, button.dataset.message));

// summarise and translateNewest are for the keyboard.
export const summarise = () => read("summary");
export function translateNewest() {
  const newest = $$("#flow .message.in").at(-1);
  if (newest) read("mail", newest.id.slice("message-".length));
}

async function read(task, message = "", language = "") {
  const place = task === "mail" ? $(`#model-beside-${message}`) : $("[data-model-answers]");
  if (!place) return;
  const words = $("#model-words").dataset;
  for (const old of $$(".model-card", place)) {
    if (old.dataset.task === task) remove(old);
  }
  const card = $("#model-card").content.cloneNode(true).firstElementChild, control = new AbortController();
  card.dataset.task = task;
  $("b", card).textContent = words.waits;
  place.append(card);
  card.scrollIntoView({ block: "nearest" });
  running.set(card, () => control.abort());
  const choice = $("select", card);
  if (task === "mail") {
    choice.hidden = false;
    choice.addEventListener("change", () => read(task, message, choice.value));
  }
  let text = "", sources = [], note = "";
  const draw = (done) => (task === "mail" ? $(".model-text", card).replaceChildren(text) : drawLines($(".model-text", card), text, sources, done && words.unsupported));
  const heard = {
    plan: (plan) => {
      $("b", card).textContent = plan.title;
      if (plan.language) choice.value = plan.language;
      sources = plan.sources;
      if (plan.left_out) note = `${words.leftOut}${plan.left_out}`;
    },
    text: (piece) => {
      text += piece;
      draw(false);
    },
  };
  try {
    const end = await ask($("#ticket").dataset.number, { task, message, language }, heard, control.signal);
    note = [end.note, note].filter(Boolean).join(" ");
    draw(true);
  } catch (error) {
    card.classList.toggle("bad", !control.signal.aborted);
    note = control.signal.aborted ? words.stopped : (error instanceof Refused && error.message) || words.lost;
  }
  running.delete(card);
  $("[data-model-stop]", card).remove();
  const said = $(".model-note", card);
  said.textContent = note;
  said.hidden = !note;
  if (card.isConnected) $("#announce").textContent = $("b", card).textContent;
}

// drawLines shows lines with links to the messages that they rest on: [2] is the
// second. A number that is no message of this conversation is left out.
function drawLines(place, text, sources, unsupported) {
  const list = document.createElement("ul");
  for (const line of text.split("\n")) {
    const words = line.replace(/^\s*[-*・•]\s*/, "").trim();
    if (!words) continue;
    const item = document.createElement("li");
    let linked = 0;
    for (const part of words.split(/(\[\d{1,3}\])/)) {
      const source = /^\[\d+\]$/.test(part) ? sources[Number(part.slice(1, -1)) - 1] : null;
      if (source) {
        item.append(reference(part.slice(1, -1), source));
        linked++;
      } else if (!/^\[\d+\]$/.test(part)) {
        item.append(part);
      }
    }
    if (unsupported && !linked) {
      const mark = document.createElement("span");
      Object.assign(mark, { className: "badge warn", textContent: unsupported });
      item.append(" ", mark);
    }
    list.append(item);
  }
  place.replaceChildren(list);
}

function reference(number, source) {
  const link = document.createElement("a");
  Object.assign(link, { className: "model-source", href: `#message-${source.id}`, textContent: number, title: source.label });
  link.setAttribute("aria-label", source.label);
  return link;
}

function remove(card) {
  running.get(card)?.();
  running.delete(card);
  card.remove();
}
on("click", "[data-model-stop]", (_, button) => running.get(button.closest(".model-card"))?.());
on("click", "[data-model-close]", (_, button) => remove(button.closest(".model-card")));

ready(() => {
  for (const [card, stop] of running) {
    if (!card.isConnected) stop();
  }
});
