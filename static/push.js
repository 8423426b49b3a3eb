// Keeps a push's progress up to date while it is being sent; without this script the page is reloaded.
const progress = document.querySelector("#progress[data-live]");
if (progress) {
  const source = new EventSource(progress.dataset.live);
  const note = document.querySelector(".live");
  source.addEventListener("open", () => (note.hidden = false));
  source.addEventListener("error", () => (note.hidden = true));
  source.addEventListener("progress", (event) => {
    progress.innerHTML = event.data;
    // The same counts stand in the tabs of the log; those stay, so that whoever has come to one by keyboard stays there.
    const counts = progress.querySelector(".far").dataset;
    for (const tab of document.querySelectorAll("[data-count]")) tab.textContent = counts[tab.dataset.count];
  });
  source.addEventListener("done", () => (source.close(), renew()));
}

// The rest of the page has changed too: its buttons and its log. What the page has just said stays.
async function renew() {
  const answer = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const said = document.querySelector("main .flash");
  document.querySelector("main").replaceWith(fresh.querySelector("main"));
  if (said) document.querySelector("main").prepend(said);
}
