// The service worker: shows notifications, and pages that were read or saved before where there is no network. It asks
// the network first, always; what it keeps is a reader's own last pages, and it forgets them when their session ends.
const SHELL = "shell-1";
const PAGES = "pages-1";
const PICTURES = "pictures-1";
const FILES = "files-1";
// What is kept, the last ones.
const MOST = { [PAGES]: 80, [PICTURES]: 200, [FILES]: 120 };
// Files that are fetched for one page before it is opened.
const MOST_AHEAD = 30;
const OFFLINE = "/offline";
// How long the page that says so is good for: another version of the site has its files at other addresses.
const DAY = 24 * 60 * 60 * 1000;
let isShellLooked = false;
// Grows with each ending: what was asked for in an earlier era is not kept any more.
let era = 0;

self.addEventListener("install", (event) => {
  const prepare = async () => {
    await keepShell().catch(() => {});
    await self.skipWaiting();
  };
  event.waitUntil(prepare());
});

async function keepShell() {
  isShellLooked = true;
  const answer = await fetch(OFFLINE);
  if (!answer.ok) return;
  await (await caches.open(SHELL)).put(OFFLINE, answer.clone());
  await keepFilesOf(await answer.text(), era);
}

// Once each time that this worker starts.
async function renewShell() {
  isShellLooked = true;
  const kept = await caches.match(OFFLINE, { ignoreVary: true });
  const age = Date.now() - Date.parse(kept?.headers.get("date"));
  if (!(age < DAY)) await keepShell();
}

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.method === "POST") posted(event, url.pathname);
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(event, url));
  else if (url.pathname.startsWith("/static/") && url.searchParams.has("v")) event.respondWith(file(event));
  else if (url.pathname.startsWith("/media/") && request.destination === "image") event.respondWith(picture(request));
});

// What a reader opens to read: articles, what they have saved, the timeline's first page.
const READ = /^\/(@[^/]+\/(?!(?:collections|subscribe)$)[^/.]+|saved(\/\d+)?|timeline)$/;
// Of these, what only somebody who is signed in is shown.
const OWN = /^\/(saved|timeline)(\/|$)/;
// Forms by which a session ends, or another begins.
const ENDINGS = /^\/(sign-out|sign-in(\/link\/[^/]+)?|settings\/(sessions\/end|leave(\/(?!link$)[^/]+)?))$/;
const SAVINGS = /^(\/saved\/articles\/\d+)(\/highlights)?$/;
const REMOVALS = /^\/saved\/(?:articles\/(?<article>\d+)|(?<copy>\d+))\/remove$/;

function posted(event, path) {
  const { request } = event;
  const isEnding = ENDINGS.test(path);
  if (isEnding) event.waitUntil(forget());
  // What another site sends must reach the server as such. The answer to an ending takes this worker away, so the
  // browser gets it by itself where there is a network.
  const isOurs = request.referrer.startsWith(`${self.location.origin}/`);
  if (!isOurs || (isEnding && self.navigator.onLine)) return;
  const saved = SAVINGS.exec(path);
  const removed = REMOVALS.exec(path);
  if (saved) event.respondWith(send(event, () => keepCopy(saved[1])));
  else if (removed) event.respondWith(send(event, () => dropCopy(removed.groups)));
  else if (request.mode === "navigate") event.respondWith(send(event));
}

// Sends a form, and does what follows from it once it is taken.
async function send(event, follow) {
  try {
    const answer = await fetch(event.request);
    const isTaken = answer.status === 204 || answer.type === "opaqueredirect";
    if (follow && isTaken) event.waitUntil(follow().catch(() => {}));
    return answer;
  } catch (error) {
    return offline(event.request, error);
  }
}

// The page as it is now; where it cannot be reached, as it was, or a page that says so.
async function page(event, url) {
  const { request } = event;
  const isRead = READ.test(url.pathname) && !url.search;
  const asked = era;
  try {
    const answer = await fetch(request);
    if (isRead && answer.ok) event.waitUntil(keep(PAGES, request, answer.clone(), asked));
    if (isRead && [404, 410].includes(answer.status)) event.waitUntil(drop(request));
    if (isOver(url, answer)) event.waitUntil(forget());
    else if (answer.ok && !isShellLooked) event.waitUntil(renewShell().catch(() => {}));
    return answer;
  } catch (error) {
    const kept = await (await caches.open(PAGES)).match(request, { ignoreVary: true });
    return kept ?? offline(request, error);
  }
}

async function offline(request, error) {
  const shown = request.mode === "navigate" && (await caches.match(OFFLINE, { ignoreVary: true }));
  if (shown) return shown;
  throw error;
}

// Whether an answer says that nobody is signed in any more: an own page sends its reader to sign in, or asks them to.
function isOver(url, answer) {
  return answer.type === "opaqueredirect" ? OWN.test(url.pathname) : answer.ok && url.pathname === "/sign-in";
}

async function forget() {
  era += 1;
  await caches.delete(PAGES);
  await caches.delete(PICTURES);
}

async function drop(request) {
  await (await caches.open(PAGES)).delete(request, { ignoreVary: true });
}

// What is saved is kept at once, opened or not: `path` answers with the reader's copy and says where it stands.
async function keepCopy(path) {
  const asked = era;
  const answer = await fetch(path);
  const address = answer.headers.get("content-location");
  if (!answer.ok || !address) return;
  await keep(PAGES, new Request(address), answer.clone(), asked);
  await keepFilesOf(await answer.text(), asked);
}

// What is given up goes from here too. A copy of an article names that in its page; one that its reader is asked about
// first is kept again when it is opened.
async function dropCopy({ article, copy }) {
  await drop("/saved");
  if (copy) return drop(`/saved/${copy}`);
  const cache = await caches.open(PAGES);
  for (const one of await cache.keys()) {
    if (!/^\/saved\/\d+$/.test(new URL(one.url).pathname)) continue;
    const kept = await cache.match(one, { ignoreVary: true });
    if ((await kept?.text())?.includes(` data-article="${article}"`)) await drop(one);
  }
}

// What a page looks like: its style, scripts and pictures, in one size. One that cannot be had is left out.
async function keepFilesOf(html, asked) {
  const found = html.matchAll(/ (?:src="(\/media\/[^"]+)"|(?:src|href)="(\/static\/[^"#]+\?v=[^"#]+)["#])/g);
  const paths = new Set([...found].map(([, picture, file]) => picture ?? file));
  for (const path of [...paths].slice(0, MOST_AHEAD)) await keepFile(path, asked).catch(() => {});
}

async function keepFile(path, asked) {
  if (await caches.match(path, { ignoreVary: true })) return;
  const answer = await fetch(path);
  if (answer.ok) await keep(path.startsWith("/media/") ? PICTURES : FILES, new Request(path), answer, asked);
}

// A picture; without a network, the one that was kept, whatever size is asked for.
async function picture(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const stem = (address) => new URL(address).pathname.split(/[-.]/)[0];
    const cache = await caches.open(PICTURES);
    const kept = (await cache.keys()).find((one) => stem(one.url) === stem(request.url));
    if (kept) return cache.match(kept, { ignoreVary: true });
    throw error;
  }
}

// Files change their address with their content.
async function file(event) {
  const kept = await caches.match(event.request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(event.request);
  if (answer.ok) event.waitUntil(keep(FILES, event.request, answer.clone(), era));
  return answer;
}

// Keeps what was asked for in an era as the last one.
async function keep(name, request, answer, asked) {
  const isForgotten = () => name !== FILES && asked !== era;
  if (isForgotten()) return;
  const cache = await caches.open(name);
  await cache.put(request, answer);
  if (isForgotten()) return cache.delete(request, { ignoreVary: true });
  // Where there is no room for it, what was kept before is still there.
  const others = (await cache.keys(request, { ignoreVary: true })).slice(0, -1);
  await Promise.all(others.map((one) => cache.delete(one)));
  const known = await cache.keys();
  const oldest = known.slice(0, Math.max(known.length - MOST[name], 0));
  await Promise.all(oldest.map((one) => cache.delete(one, { ignoreVary: true })));
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
    icon: "/static/icon-192.png",
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
