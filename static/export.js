// Keeps the progress of an export up to date; without this script the page is opened again.
const look = async () => {
  const here = document.querySelector("#export[data-going]");
  if (!here) return;
  try {
    const answer = await fetch(location.href);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#export");
    if (fresh) here.replaceWith(fresh);
  } catch {}
  setTimeout(look, 1000);
};
setTimeout(look, 1000);
