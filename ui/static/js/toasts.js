// The time in which a reply can be taken back, counted down. It ends by the
// server's count of seconds: the browser's clock may be wrong.
import { $, $$, ready } from "./dom.js";

ready(() => $$(".toast:not([data-counting])").forEach((toast) => {
  toast.dataset.counting = "yes";
  const end = performance.now() + Number(toast.dataset.seconds) * 1000;
  const tick = () => {
    if (!toast.isConnected) return;
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left <= 0) {
      toast.remove();
      return;
    }
    const count = $("[data-count]", toast);
    if (count) count.textContent = left;
    setTimeout(tick, 250);
  };
  tick();
}));

// Once it is taken back there is nothing left to take back.
document.addEventListener("htmx:after:request", (event) => {
  const source = event.detail.ctx?.sourceElement;
  const toast = source?.closest?.(".toast");
  if (toast) setTimeout(() => toast.remove());
});

// undoNewest is the key's way to the newest thing that can still be taken back.
export const undoNewest = () => $$(".toast .toast-action").at(-1)?.click();
