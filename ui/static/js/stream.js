// The live stream's connection: server-sent events (HTML Standard, section 9.2) read
// from fetch, which says with which status it was refused and can be watched. A browser
// opens six connections to a server that speaks HTTP/1.1, for all its tabs together, and
// lets everything else wait for one; so a page keeps its stream only while it is seen,
// and when it is seen again goes on after the last event that it was told. Of the pages
// out of sight one goes on, whose title tells that something came.
//
// The document is told of live:open, of live:closed (with resting where the page is not
// seen, else with the status of a refusal and silent where nothing came) and of each
// event under its own name, with its data.

const silence = 40_000;   // ms without a byte; the server says every 15 s that it is there
const soonest = 500;      // ms until a lost stream is begun anew, doubled each time
const latest = 8000;

let address = "";         // of the stream; empty where the page has none
let after = "";           // the newest event told
let current = null;       // ends the connection that there is
let tries = 0;
let again = 0;            // the timer of the next try
let turn = null;          // of this page to be the one that goes on out of sight, or its wait for it

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

// follow begins the stream at an address, after an event.
export function follow(url, seq) {
  if (address) return;
  address = url;
  after = seq;
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", look);
  addEventListener("pagehide", () => { turn?.end(); rest(); }); // a page with a lock is not kept for going back
  addEventListener("online", () => { rest(); look(); }); // what was open before is dead, and need not know it
  look();
}

// behind says that the page is a tab behind another. The window of an installed app goes
// on: the mark on its icon follows the bell.
const behind = () => document.hidden && !matchMedia("(display-mode: standalone)").matches;

function look() {
  if (!behind()) {
    turn?.end();
  } else if (!turn?.come) {
    awaitTurn();
    return rest();
  }
  clearTimeout(again);
  if (!current) connect();
}

// awaitTurn queues for the lock that one page out of sight has (Web Locks API). Where the
// browser has none, as over plain HTTP, no such page goes on.
function awaitTurn() {
  if (turn || !navigator.locks) return;
  const waiting = new AbortController();
  const own = turn = {
    come: false,
    leave: () => {},
    end() {
      turn = null;
      waiting.abort();
      own.leave();
    },
  };
  navigator.locks.request("live", { signal: waiting.signal }, () => turn === own && new Promise((leave) => {
    own.come = true;
    own.leave = leave;
    look();
  })).catch(() => {}); // it is seen again before its turn came
}

// rest lets go of the connection until the page is seen again.
function rest() {
  clearTimeout(again);
  if (!current) return;
  current.abort();
  current = null;
  tries = 0;
  tell("live:closed", { resting: true });
}

async function connect() {
  const own = current = new AbortController();
  let heard = Date.now(), status = 0, silent = false;
  // The clock, not a timer of that length: it goes on while the computer sleeps.
  const watch = setInterval(() => {
    if (Date.now() - heard < silence) return;
    silent = true;
    own.abort();
  }, 2000);
  try {
    const response = await fetch(`${address}?${new URLSearchParams({ after })}`, { headers: { Accept: "text/event-stream" }, cache: "no-store", signal: own.signal });
    if (!response.ok) {
      status = response.status;
    } else {
      await read(response.body.getReader(), own, () => { heard = Date.now(); });
    }
  } catch {
    // Who tries again need not know how it was lost.
  }
  clearInterval(watch);
  if (own !== current) return;
  current = null;
  again = setTimeout(look, Math.min(soonest * 2 ** tries++, latest) * (0.7 + 0.6 * Math.random()));
  tell("live:closed", { status, silent });
}

async function read(reader, own, hear) {
  const decoder = new TextDecoder();
  let rest = "", opened = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || own !== current) return;
    hear();
    if (!opened) {
      opened = true;
      tries = 0;
      tell("live:open");
    }
    const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) take(block);
  }
}

// take tells one event. What is no event is a comment: the server lives.
function take(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
  }
  if (fields.id) after = fields.id;
  if (fields.event) tell(fields.event, JSON.parse(fields.data));
}
