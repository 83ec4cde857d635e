// Small helpers for the other modules.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// reader is the id of whoever reads the page, "" before login: by it is kept what
// is of one person in a browser that several use.
export const reader = () => $("meta[name=reader]")?.content ?? "";

// ready runs now, and again after every swap: what it does must be repeatable.
export function ready(run) {
  run();
  document.addEventListener("htmx:after:swap", run);
}

// on listens for events of elements that match, also of later ones.
export function on(type, selector, run) {
  document.addEventListener(type, (event) => {
    const element = event.target.closest?.(selector);
    if (element) run(event, element);
  });
}

// composing says that a key belongs to an input method, which uses Enter and
// letters for itself. Code 229 is what some browsers send instead of the flag.
export const composing = (event) => event.isComposing || event.keyCode === 229;

// fragment asks for the part of a page that would replace the element with the
// given id. A session that is over leads to the login page.
export async function fragment(url, id, signal) {
  const response = await fetch(url, {
    headers: { "HX-Request": "true", "HX-Target": `div#${id}`, Accept: "text/html" },
    signal,
  });
  if (response.status === 401) location.reload();
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.text();
}

// morph changes an element into what the text says, keeping what is the same.
export function morph(target, text, style = "outerMorph") {
  return htmx.swap({ sourceElement: target, target, text, swap: style });
}

export const parse = (text) => {
  const template = document.createElement("template");
  template.innerHTML = text;
  return template.content;
};
