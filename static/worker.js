// The service worker: shows notifications, and pages that were read before where there is no network. It asks the
// network first, always; what it keeps is a reader's own last pages, and it forgets them when they sign out.
const PAGES = "pages-1";
const FILES = "files-1";
// Pages and files that are kept, the last ones.
const MOST = { [PAGES]: 80, [FILES]: 120 };
const OFFLINE = "/offline";

self.addEventListener("install", (event) => {
  const prepare = async () => {
    await (await caches.open(PAGES)).add(OFFLINE).catch(() => {});
    await self.skipWaiting();
  };
  event.waitUntil(prepare());
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.method === "POST" && url.pathname === "/sign-out") event.waitUntil(caches.delete(PAGES));
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (url.pathname.startsWith("/static/") && url.searchParams.has("v")) event.respondWith(file(event));
});

// The page as it is now; where it cannot be reached, as it was, or a page that says so.
async function page(event) {
  const { request } = event;
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected && worthKeeping(new URL(request.url))) event.waitUntil(keep(PAGES, request, answer.clone()));
    return answer;
  } catch (error) {
    const cache = await caches.open(PAGES);
    const kept = (await cache.match(request, { ignoreVary: true })) ?? (await cache.match(OFFLINE));
    if (kept) return kept;
    throw error;
  }
}

// What a reader opens to read: articles, what they have saved, the timeline's first page.
function worthKeeping(url) {
  return /^\/(@[^/]+\/[^/]+|saved(\/\d+)?|timeline)$/.test(url.pathname) && !url.search;
}

// Files change their address with their content.
async function file(event) {
  const kept = await caches.match(event.request);
  if (kept) return kept;
  const answer = await fetch(event.request);
  if (answer.ok) event.waitUntil(keep(FILES, event.request, answer.clone()));
  return answer;
}

async function keep(name, request, answer) {
  const cache = await caches.open(name);
  // Put anew, it is the last one.
  await cache.delete(request, { ignoreVary: true });
  await cache.put(request, answer);
  const known = (await cache.keys()).filter((one) => new URL(one.url).pathname !== OFFLINE);
  await Promise.all(known.slice(0, Math.max(known.length - MOST[name], 0)).map((one) => cache.delete(one, { ignoreVary: true })));
}

self.addEventListener("push", (event) => event.waitUntil(show(event.data)));

async function show(data) {
  let notice;
  try {
    notice = data.json();
  } catch {
    return;
  }
  // The same tag: a newer notification takes the place of an older one.
  await self.registration.showNotification(notice.title, {
    body: notice.body,
    lang: notice.lang,
    tag: "inbox",
    renotify: true,
    icon: "/static/favicon.svg",
    data: { url: notice.url },
  });
  if (self.navigator.setAppBadge && notice.unread) await self.navigator.setAppBadge(notice.unread).catch(() => {});
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url));
});

async function open(address) {
  const url = new URL(address ?? "/inbox", self.location.origin);
  if (url.origin !== self.location.origin) return;
  for (const client of await self.clients.matchAll({ type: "window" })) {
    if (client.url === url.href) return client.focus();
  }
  return self.clients.openWindow(url.href);
}

// The browser has been given another address by its push service.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

async function renew(event) {
  const options = event.oldSubscription?.options;
  const subscription = event.newSubscription ?? (options && (await self.registration.pushManager.subscribe(options)));
  if (!subscription) return;
  await fetch("/settings/notifications", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(subscription),
  });
}
