// What every page can do a little better with a script, in one file: each page asks for it once. All of it works without.

// Times in the reader's own zone; else they stay in the zone that the server chose, or that a user has set.
function showTimes() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const page = document.documentElement.lang;
  const lang = page === "en" ? "en-GB" : page;
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (isNaN(moment)) continue;
    const options = { year: "numeric", month: "long", day: "numeric", timeZone: zone };
    if (time.classList.contains("moment")) {
      options.hour = options.minute = "2-digit";
      options.hourCycle = "h23";
    }
    time.title = zone;
    time.textContent = new Intl.DateTimeFormat(lang, options).format(moment);
  }
}

// A chosen look at once, and kept; else the form's button does so.
function applyLooks() {
  for (const form of document.querySelectorAll("form.look")) {
    form.querySelector(".primary").hidden = true;
    form.addEventListener("change", (event) => {
      const usual = { size: "medium", face: "hei", width: "normal", theme: "system" };
      const fields = new FormData(form);
      const root = document.documentElement.classList;
      root.remove(...[...root].filter((name) => name.startsWith("look-")));
      for (const [name, value] of fields) if (usual[name] && usual[name] !== value) root.add(`look-${value}`);
      const kept = fetch("/look", { method: "POST", body: new URLSearchParams(fields), redirect: "manual", keepalive: true });
      // Whether there are pictures is decided where the page is made; what was typed into it is not lost for that.
      const isShowing = document.querySelector("main :is(img, .unseen)") && !document.querySelector("main form[method=post] :user-valid, main form[method=post] :user-invalid");
      kept.then(() => event.target.name === "pictures" && isShowing && location.replace(location.href)).catch(() => {});
    });
  }
}

// A page's address copied, or handed to the system's own choice of apps; else it stands in a field.
function share() {
  const field = document.querySelector("#share-url");
  if (!field) return;
  const copy = document.querySelector("#share-copy");
  const apps = document.querySelector("#share-apps");
  field.addEventListener("focus", () => field.select());
  if (navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(field.value);
      copy.parentElement.querySelector("[role=status]").textContent = copy.dataset.done;
    });
  }
  if (navigator.share) {
    apps.hidden = false;
    apps.addEventListener("click", () =>
      navigator.share({ title: document.querySelector("h1").textContent.trim(), url: field.value }).catch(() => {}),
    );
  }
}

// Which results are opened, counted by rank; who opens them is not told to anybody.
function countOpened() {
  const asked = new URLSearchParams(location.search);
  if (!asked.get("q") || asked.has("cursor") || navigator.globalPrivacyControl) return;
  document.querySelectorAll(".hits .headline a").forEach((link, n) => {
    const click = { q: asked.get("q"), rank: n + 1, account: asked.get("account") ?? "" };
    link.addEventListener("click", () => navigator.sendBeacon("/search/clicked", new URLSearchParams(click)));
  });
}

// Suggestions under a search box: an ARIA combobox; its options come as HTML from the server.
let boxes = 0;

function suggest(input) {
  const list = document.createElement("ul");
  const id = `suggestions-${++boxes}`;
  let asked = "", asking = null, timer = 0, active = -1;
  list.id = id;
  list.className = "options";
  list.hidden = true;
  list.role = "listbox";
  list.ariaLabel = input.ariaLabel;
  input.role = "combobox";
  input.autocomplete = "off";
  input.ariaAutoComplete = "list";
  input.ariaExpanded = "false";
  input.setAttribute("aria-controls", id);
  input.parentElement.classList.add("suggests");
  input.after(list);

  const choose = (to) => {
    active = to;
    [...list.children].forEach((option, n) => (option.ariaSelected = n === to));
    list.children[to]?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[to]?.id ?? "");
  };

  const show = (open) => {
    list.hidden = !open;
    input.ariaExpanded = open;
    choose(-1);
  };

  const close = () => {
    clearTimeout(timer);
    asking?.abort();
    asked = "";
    show(false);
  };

  const ask = async () => {
    const text = input.value.trim();
    if (text === asked) return;
    asking?.abort();
    if (!text) return close();
    asked = text;
    asking = new AbortController();
    try {
      const answer = await fetch(`/search/suggestions?q=${encodeURIComponent(text)}`, { signal: asking.signal });
      if (!answer.ok) return close();
      const html = await answer.text();
      if (text !== asked) return;
      list.innerHTML = html; // Escaped by the server.
      [...list.children].forEach((option, n) => (option.id = `${id}-${n}`));
      show(list.children.length > 0);
    } catch {
      // Overtaken, or offline.
    }
  };

  const later = (event) => {
    if (event.isComposing) return; // An input method's letters are not the text yet.
    clearTimeout(timer);
    timer = setTimeout(ask, 70);
  };
  input.addEventListener("input", later);
  input.addEventListener("compositionend", later);
  input.addEventListener("blur", close);
  input.form.addEventListener("submit", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const count = list.children.length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && list.hidden) ask();
    else if (step) choose(((active + 1 + step + count + 1) % (count + 1)) - 1);
    else if (event.key === "Enter" && active >= 0) location.assign(list.children[active].dataset.href);
    else if (event.key === "Escape" && !list.hidden) close();
    else return;
    event.preventDefault();
  });
  // The box keeps the focus.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[data-href]");
    if (option) location.assign(option.dataset.href);
  });
}

// What was read can be read again without a network. It waits for the page.
addEventListener("load", () => navigator.serviceWorker?.register("/worker.js").catch(() => {}));

if (!document.body.classList.contains("signed-in")) showTimes();
applyLooks();
share();
if (document.querySelector(".hits")) countOpened();
document.querySelectorAll('form[action="/search"] input[name=q]').forEach(suggest);
