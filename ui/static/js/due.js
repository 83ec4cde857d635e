// What is left until something is due changes without anything happening: while
// such a time is shown, the list and the open ticket are asked for again.
import { $ } from "./dom.js";
import { refresh as refreshList } from "./list.js";
import { refresh as refreshThread } from "./thread.js";

setInterval(() => {
  if (document.hidden || !$(".due")) return;
  const open = Number($("#ticket")?.dataset.number);
  Promise.all([refreshList(), open ? refreshThread(open) : null]).catch(() => {}); // the stream says when the server is away
}, 60_000);
