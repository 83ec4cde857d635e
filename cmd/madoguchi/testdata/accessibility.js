// What the tests ask of a page beside the rules of axe-core. Each question
// returns a list of findings: which rule, where, which words, why.
window.audit ??= (() => {
  const words = (e) => (e.getAttribute("aria-label") || e.innerText || e.value || "").trim().replace(/\s+/g, " ").slice(0, 60);
  const path = (e) => {
    const parts = [];
    for (; e && e !== document.body && parts.length < 4; e = e.parentElement) {
      if (e.id) { parts.unshift(`#${e.id}`); break; }
      const name = e.getAttribute("name");
      parts.unshift(e.localName + (name ? `[name=${name}]` : [...e.classList].map((c) => `.${c}`).join("")));
    }
    return parts.join(" > ");
  };
  const finding = (rule, e, why) => ({ rule, where: path(e), words: words(e), why });
  const ancestors = function* (e) { for (e = e.parentElement; e; e = e.parentElement) yield e; };
  const unseen = (e) => Boolean(e.closest(".unseen, .skip, noscript"));
  const shown = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true }) && !unseen(e);
  const ownText = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
  // Cut with an ellipsis, in its line or after some lines: what it shortens is whole elsewhere.
  const shortened = (s) => (s.textOverflow === "ellipsis" || s.webkitLineClamp !== "none") && s.overflowX !== "visible";
  const scrolls = (s) => ["auto", "scroll"].includes(s.overflowX);
  const inScroller = (e) => [...ancestors(e)].some((a) => scrolls(getComputedStyle(a)));

  // What may scroll sideways by itself: tables and code need two dimensions
  // (WCAG 1.4.10), a line of tools or tabs moves in one.
  const wide = ".table-scroll, .people-scroll, .toolbar, .subnav, pre, code, .explain-source";

  // The parts that many screens have in common. One that was judged in the same
  // state, size and theme by the same rules is not judged again: nothing of it
  // can have changed.
  const parts = "#nav, .row, .panel-section, .message, .composer, .ticket-head, .subnav, #keys, .phonebar";
  const judged = (rules) => {
    const known = new Set(JSON.parse(sessionStorage.getItem("judged") ?? "[]"));
    const again = [];
    for (const e of document.querySelectorAll(parts)) {
      if (e.parentElement.closest(parts)) continue;
      const { width, height } = e.getBoundingClientRect();
      const state = [rules, innerWidth, getComputedStyle(e).colorScheme, matchMedia("(prefers-color-scheme: dark)").matches, e.checkVisibility(), width | 0, height | 0,
        document.querySelectorAll("details[open] > .menu, dialog[open], :popover-open").length, e.outerHTML.replace(/[A-Z0-9]{26}|tabindex="-?[0-9]"/g, "")].join();
      const name = hash(state);
      if (known.has(name)) again.push(e);
      known.add(name);
    }
    sessionStorage.setItem("judged", JSON.stringify([...known]));
    return again;
  };
  const hash = (text) => {
    let a = 0xdeadbeef, b = 0x41c6ce57;
    for (let i = 0; i < text.length; i++) { a = Math.imul(a ^ text.charCodeAt(i), 2654435761); b = Math.imul(b ^ text.charCodeAt(i), 1597334677); }
    return `${text.length}.${a}.${b}`;
  };

  return {
    async axe(options) {
      const { violations } = await axe.run({ include: [document.documentElement], exclude: judged(JSON.stringify(options)) }, { resultTypes: ["violations"], preload: false, iframes: false, ...options });
      return violations.flatMap((v) => v.nodes.map((n) => ({
        rule: v.id, where: n.target.flat().join(" "), words: words(document.querySelector(n.target.flat()[0]) ?? document.body),
        why: [...n.any, ...n.all, ...n.none].map((c) => c.message).join("; ") || v.help,
      })));
    },

    // Nothing lies beside the window, and nothing but wide things scrolls
    // sideways.
    reflow() {
      const found = [], width = document.documentElement.clientWidth;
      if (document.scrollingElement.scrollWidth > width) found.push(finding("reflow", document.body, `the page is ${document.scrollingElement.scrollWidth} wide in ${width}`));
      for (const e of document.body.querySelectorAll("*")) {
        if (e.closest("svg") && e.localName !== "svg" || !shown(e)) continue;
        const style = getComputedStyle(e);
        if (scrolls(style) && e.scrollWidth > e.clientWidth + 1 && !e.matches(wide)) found.push(finding("reflow", e, `scrolls sideways: ${e.scrollWidth} in ${e.clientWidth}`));
        if (!ownText(e) && !e.matches("button, a, input, select, textarea, summary, svg, img")) continue;
        const { left, right, width: own } = e.getBoundingClientRect();
        if (own < 2 || (right <= width + 1 && left >= -1)) continue;
        if ([...ancestors(e)].some((a) => scrolls(getComputedStyle(a)) || shortened(getComputedStyle(a)))) continue;
        found.push(finding("reflow", e, `reaches from ${Math.round(left)} to ${Math.round(right)} in ${width}`));
      }
      return found;
    },

    // With the spacing of WCAG 1.4.12 no words are cut off or leave what
    // they name. What ends in an ellipsis anyhow has a way to read it whole.
    spacing() {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }");
      document.adoptedStyleSheets.push(sheet);
      const found = [];
      for (const e of document.body.querySelectorAll("*")) {
        if (!ownText(e) || !shown(e) || e.closest("svg, option, textarea")) continue;
        const range = document.createRange();
        range.selectNodeContents(e);
        const text = range.getBoundingClientRect();
        for (const a of [e, ...ancestors(e)]) {
          const style = getComputedStyle(a), box = a.getBoundingClientRect();
          if (shortened(style) || a === document.body || ["auto", "scroll"].includes(style.overflowY)) break;
          const bounds = style.overflowX !== "visible" || style.overflowY !== "visible" || a.matches("button, .button, .badge, .tag, .chip, summary, kbd");
          if (bounds && style.display !== "inline" && (text.right > box.right + 2 || text.bottom > box.bottom + 3 || text.left < box.left - 2 || text.top < box.top - 3)) {
            found.push(finding("text-spacing", e, `its words leave ${path(a)}`));
            break;
          }
        }
      }
      document.adoptedStyleSheets.pop();
      return found;
    },

    // What axe-core does not judge: words in a field that is empty, and in one
    // with a picture behind them (its arrow).
    contrast() {
      const found = [];
      for (const e of document.body.querySelectorAll("select, input, textarea, [data-placeholder].blank")) {
        if (!shown(e) || e.matches(":disabled, [type=checkbox], [type=radio], [type=file]")) continue;
        const part = e.matches("select") ? null : e.matches("[data-placeholder]") ? "::before" : "::placeholder";
        if (part === "::placeholder" && !e.placeholder) continue;
        const ground = [e, ...ancestors(e)].map((a) => rgba(getComputedStyle(a).backgroundColor)).find((c) => c[3] === 255) ?? [255, 255, 255];
        const ratio = between(rgba(getComputedStyle(e, part).color), ground);
        if (ratio < 4.5) found.push(finding("contrast", e, `${part ?? "its words"}: ${ratio.toFixed(2)}, not 4.5`));
      }
      return found;
    },

    // Who asked for less motion gets none.
    motion() {
      const found = [];
      const moves = (s) => `${s.transitionDuration}, ${s.animationName === "none" ? "0s" : s.animationDuration}`.split(", ").some((d) => parseFloat(d) > 0.001);
      for (const e of document.body.querySelectorAll("*")) {
        for (const part of [null, "::before", "::after"]) {
          if (moves(getComputedStyle(e, part))) found.push(finding("reduced-motion", e, `moves${part ?? ""}`));
        }
      }
      return found;
    },

    // ---------- The way of the Tab key ----------

    // Before the first step: how everything looks without the focus.
    start() {
      document.activeElement?.blur();
      this.before = new Map([...document.querySelectorAll("*")].map((e) => [e, look(e)]));
      this.seen = new Set();
      this.lost = 0;
    },

    // One stop: is it seen, and does it show that it has the focus?
    stop() {
      const e = document.activeElement;
      // The page has ended, and the next step begins it again; or a live page has just
      // replaced what had the focus, and the next step goes on from there.
      if (!e || e === document.body || e === document.documentElement) return { done: this.seen.size > 0 && ++this.lost > 2, found: [] };
      if (this.seen.has(e)) return { done: e !== this.last || e.localName !== "iframe", found: [] };
      this.seen.add(e);
      this.last = e;
      const found = [], face = e.closest("label") && e.matches(".unseen, .tab input") ? e.closest("label") : e;
      const near = [e, e.nextElementSibling, face, ...[...ancestors(e)].slice(0, 5)].filter(Boolean);
      if (!near.some((n) => look(n) !== this.before.get(n) && (n !== face || look(n)))) found.push(finding("focus-visible", e, "looks the same with and without the focus"));
      const { left, top, right, bottom } = face.getBoundingClientRect();
      const seen = [[.5, .5], [.1, .5], [.9, .5], [.5, .1], [.5, .9]].some(([x, y]) => {
        const at = document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y);
        return at && (face.contains(at) || at.contains(face) && !at.matches("body, html"));
      });
      if (!seen) found.push(finding("focus-not-obscured", e, "has the focus where it cannot be seen"));
      return { done: false, found };
    },

    // After the last: what can be used but was never reached? What came during the
    // walk (a panel that was fetched late) may have missed its turn.
    missed() {
      const groups = new Set([...this.seen].filter((e) => e.type === "radio").map((e) => `${e.form?.id} ${e.name}`));
      return [...document.querySelectorAll("a[href], button, input, select, textarea, summary, iframe, [tabindex], [contenteditable=true]")]
        .filter((e) => e.tabIndex >= 0 && !e.matches(":disabled, [type=hidden], :popover-open *") && e.checkVisibility({ visibilityProperty: true }) && !e.closest("[inert]"))
        .filter((e) => this.before.has(e) && !this.seen.has(e) && !(e.type === "radio" && groups.has(`${e.form?.id} ${e.name}`)))
        .map((e) => finding("keyboard", e, "the Tab key never came here"));
    },
  };

  // rgba lets the browser itself resolve a colour, whatever it is written in.
  function rgba(colour) {
    const pen = rgba.pen ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return pen.getImageData(0, 0, 1, 1).data;
  }

  // between is the contrast ratio of two colours (WCAG 2.2, relative luminance).
  function between(a, b) {
    const light = (c) => [.2126, .7152, .0722].reduce((sum, share, i) => {
      const v = c[i] / 255;
      return sum + share * (v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    }, 0);
    const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
    return (bright + .05) / (dark + .05);
  }

  function look(e) {
    const s = getComputedStyle(e);
    const outline = s.outlineStyle === "none" || parseFloat(s.outlineWidth) === 0 ? "" : `${s.outlineWidth} ${s.outlineColor}`;
    return [outline, s.borderTopColor, s.borderBottomColor, s.borderTopWidth, s.boxShadow, s.backgroundColor].join("|");
  }
})();
