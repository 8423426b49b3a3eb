// The service worker: shows notifications, and nothing else. It keeps no page and answers no request.
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
