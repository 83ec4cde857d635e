// Notices by the browser itself: whether they can be had here, and switching them
// on and off.
import { $, on, ready } from "./dom.js";

const able = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

if ("serviceWorker" in navigator && window.isSecureContext) {
  navigator.serviceWorker.register("/sw.js").catch((error) => console.warn("service worker:", error));
}

const subscription = async () => (await navigator.serviceWorker.ready).pushManager.getSubscription();

// state names what can be said of this browser.
async function state() {
  if (!window.isSecureContext) return "insecure";
  if (!able()) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  return await subscription() ? "on" : "off";
}

ready(draw);
async function draw() {
  const place = $("[data-push]");
  if (!place) return;
  place.dataset.state = await state();
}

on("click", "[data-push-on]", async (_, button) => {
  const place = $("[data-push]");
  button.disabled = true;
  try {
    if (await Notification.requestPermission() !== "granted") return;
    const registration = await navigator.serviceWorker.ready;
    const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: place.dataset.key });
    const response = await fetch("/settings/push", { method: "POST", body: JSON.stringify(made) });
    if (!response.ok) await made.unsubscribe();
  } catch (error) {
    place.dataset.problem = "yes";
    console.warn("push:", error);
  } finally {
    button.disabled = false;
    draw();
  }
});

on("click", "[data-push-off]", async (_, button) => {
  button.disabled = true;
  const made = await subscription();
  if (made) {
    await fetch("/settings/push/end", { method: "POST", body: JSON.stringify(made) });
    await made.unsubscribe();
  }
  button.disabled = false;
  draw();
});

// The mark on the application's icon follows the bell.
ready(() => {
  const unread = Number($("#bell")?.dataset.unread ?? 0);
  if (unread) navigator.setAppBadge?.(unread).catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
});
