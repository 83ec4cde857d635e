// What a screen reader says of news. Whatever happens at once is said at once:
// words that follow each other closely are one announcement.
import { $ } from "./dom.js";

const together = 300; // ms

let waiting = [];

export function announce(words) {
  if (!words || waiting.includes(words)) return;
  waiting.push(words);
  if (waiting.length > 1) return;
  // Emptied first, so that the same words are said again.
  $("#announce").textContent = "";
  setTimeout(() => {
    $("#announce").textContent = waiting.join(" ");
    waiting = [];
  }, together);
}
