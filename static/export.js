// Keeps the progress of an export up to date while it is looked at; without this script the page is opened again.
let pause = 1000;
const seen = () => document.hidden
  ? new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }))
  : Promise.resolve();
const look = async () => {
  await seen();
  const here = document.querySelector("#export[data-going]");
  if (!here) return;
  try {
    const answer = await fetch(location.pathname);
    const page = answer.ok && !answer.redirected && await answer.text();
    const fresh = page && new DOMParser().parseFromString(page, "text/html").querySelector("#export");
    // Signed out meanwhile, or the server is in trouble: the link to look again is still there.
    if (!fresh) return;
    if (!fresh.matches("[data-going]")) return here.replaceWith(fresh);
    // The buttons stay, and with them whoever is on one.
    here.querySelector("#export-far").textContent = fresh.querySelector("#export-far").textContent;
    here.querySelector("progress").value = fresh.querySelector("progress").value;
  } catch {}
  pause = Math.min(pause * 1.2, 15000);
  setTimeout(look, pause);
};
setTimeout(look, pause);
