// The answer of a similar ticket goes into the reply where the caret is. What is
// to be filled in stands in braces, is marked as in a template, and asked about
// before it leaves.
import { announce } from "./announce.js";
import { $, on } from "./dom.js";
import { focus } from "./composer.js";
import { editorOf } from "./editor.js";

const escaped = (text) => {
  const holder = document.createElement("div");
  holder.textContent = text;
  return holder.innerHTML;
};

const asHTML = (text) => text.trim().split("\n").map((line) => `<div>${escaped(line) || "<br>"}</div>`).join("");

on("click", "[data-insert-answer]", (_, button) => {
  const form = $("[data-composer]");
  if (!form) return;
  const text = $("[data-answer]", button.closest("li")).textContent;
  $("#panel")?.classList.remove("shown"); // a drawer would hide what was inserted
  focus("reply");
  const editor = editorOf(form);
  editor.focus();
  editor.insertHTML(asHTML(text));
  announce(button.dataset.done);
});
