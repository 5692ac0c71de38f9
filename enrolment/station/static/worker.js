// Keeps one page and its files, so that a station works while the service cannot be reached. It keeps no data of people:
// the page holds none, and every answer of the service but this page is passed on and forgotten.

const CACHE = "idverify-station-1";
const SHELL = "/staff/station/away";
const FILES = [
  "/staff/static/pages/kit.css",
  "/staff/static/pages/icon.svg",
  "/staff/static/pages/http.js",
  "/staff/static/pages/session.js",
  "/staff/static/pages/station-key.js",
  "/staff/static/pages/texts.js",
  "/staff/static/station/station.css",
  "/staff/static/station/away.js",
  "/staff/static/station/camera.js",
  "/staff/static/station/hpke.js",
  "/staff/static/station/outbox.js",
  "/staff/static/station/sealing.js",
  "/staff/static/station/sending.js",
];

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll(FILES);
      await keep(cache, SHELL, await fetch(SHELL));
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  if (event.request.method !== "GET") return;
  if (event.request.mode === "navigate") event.respondWith(navigated(event.request, pathname));
  else if (FILES.includes(pathname)) event.respondWith(fetched(event.request, pathname));
});

/** The page itself, or the kept one in its place. */
async function navigated(request, pathname) {
  try {
    const response = await fetch(request);
    if (pathname === SHELL) await keep(await caches.open(CACHE), SHELL, response);
    return response;
  } catch (error) {
    const kept = await caches.match(SHELL);
    if (!kept) throw error;
    return pathname === SHELL ? kept : Response.redirect(SHELL);
  }
}

async function fetched(request, pathname) {
  try {
    const response = await fetch(request);
    await keep(await caches.open(CACHE), pathname, response);
    return response;
  } catch (error) {
    const kept = await caches.match(pathname);
    if (!kept) throw error;
    return kept;
  }
}

/** Nothing that was redirected (to the sign-in page, say) or refused takes the place of what is kept. */
async function keep(cache, name, response) {
  if (response.ok && !response.redirected && response.type === "basic") await cache.put(name, response.clone());
}
