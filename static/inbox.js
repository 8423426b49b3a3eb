// Keeps the number of unread messages in the head up to date while the page is looked at; without this script it is
// as it was when the page was loaded. One stream for a page in view: browsers open few connections to a site.
const link = document.querySelector("#inbox-link");
let source;

function listen() {
  if (source || document.hidden) return;
  source = new EventSource("/inbox/live");
  source.addEventListener("unread", (event) => show(Number(event.data)));
  // Refused, because there are too many: the next page asks again.
  source.addEventListener("error", () => source?.readyState === EventSource.CLOSED && (source = null));
}

function show(unread) {
  const badge = link.querySelector(".num");
  const before = Number(link.dataset.unread);
  link.dataset.unread = unread;
  badge.textContent = unread >= 100 ? "99+" : unread;
  badge.parentElement.hidden = unread === 0;
  const news = document.querySelector("#inbox-news");
  if (news && unread > before) news.hidden = false;
}

if (link) {
  listen();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else {
      listen();
    }
  });
}
