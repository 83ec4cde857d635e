// The title of a tab counts the unread notices as the bell does, for whoever works in
// another one. The page that goes on out of sight tells the others (stream.js).
import { $, ready } from "./dom.js";

const marked = /^\(\d+\+?\) /;
const most = 99; // that are counted
const others = "BroadcastChannel" in window ? new BroadcastChannel("unread") : null;
let told = null; // the number that this page told last

ready(() => {
  const bell = $("#bell");
  if (!bell) return;
  const unread = Number(bell.dataset.unread);
  mark(unread);
  if (unread !== told) others?.postMessage(unread);
  told = unread;
});

others?.addEventListener("message", ({ data: unread }) => {
  if ($("#bell")) mark(told = unread);
});

function mark(unread) {
  const bare = document.title.replace(marked, "");
  const title = unread ? `(${unread > most ? `${most}+` : unread}) ${bare}` : bare;
  if (title !== document.title) document.title = title;
}
