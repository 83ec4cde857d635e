// The service worker: shows notices while no page is open, and says what is wrong
// while the server cannot be reached. It keeps nothing of any mail.
const shelf = "offline-2";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(shelf).then((cache) => cache.add(new Request("/offline", { cache: "reload" }))).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => name !== shelf).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate") return;
  event.respondWith(fetch(event.request).catch(() => caches.match("/offline")));
});

self.addEventListener("push", (event) => {
  const told = event.data?.json() ?? {};
  event.waitUntil((async () => {
    await self.registration.showNotification(told.title ?? "窓口", {
      body: told.body, tag: told.tag, renotify: Boolean(told.tag), icon: "/icon-192.png", badge: "/icon-192.png", data: { url: told.url ?? "/" },
    });
    if (told.unread) await navigator.setAppBadge?.().catch(() => {});
  })());
});

// A click leads to the ticket, in a page that is open where there is one.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data?.url ?? "/", self.location.origin);
  if (url.origin !== self.location.origin) return;
  event.waitUntil((async () => {
    const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const page = pages.find((one) => one.visibilityState === "visible") ?? pages[0];
    if (!page) return self.clients.openWindow(url.href);
    await page.focus();
    return page.navigate(url.href).catch(() => self.clients.openWindow(url.href));
  })());
});
