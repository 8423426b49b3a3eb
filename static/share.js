// Copies a page's address, or hands it to the system's own choice of apps. Without this script it stands in a field.
const field = document.querySelector("#share-url");
const copy = document.querySelector("#share-copy");
const apps = document.querySelector("#share-apps");
if (field) {
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
