// Keeps a push's progress up to date while it is being sent; without this script the page is reloaded.
const progress = document.querySelector("#progress[data-live]");
if (progress) {
  const source = new EventSource(progress.dataset.live);
  const note = document.querySelector(".live");
  source.addEventListener("open", () => (note.hidden = false));
  source.addEventListener("error", () => (note.hidden = true));
  source.addEventListener("progress", (event) => (progress.innerHTML = event.data));
  // The rest of the page has changed too: its buttons and its log.
  source.addEventListener("done", () => (source.close(), location.reload()));
}
