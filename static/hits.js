// Counts which results are opened, by rank; who opens them is not told to anybody.
const asked = new URLSearchParams(location.search);
if (asked.get("q") && !asked.has("cursor") && !navigator.globalPrivacyControl) {
  document.querySelectorAll(".hits .headline a").forEach((link, n) => {
    const click = { q: asked.get("q"), rank: n + 1, account: asked.get("account") ?? "" };
    link.addEventListener("click", () => navigator.sendBeacon("/search/clicked", new URLSearchParams(click)));
  });
}
