// Shows a chosen look at once and keeps it; without this script the form's button does so.
for (const form of document.querySelectorAll("form.look")) {
  form.querySelector(".primary").hidden = true;
  form.addEventListener("change", (event) => {
    const usual = { size: "medium", face: "hei", width: "normal", theme: "system" };
    const fields = new FormData(form);
    const root = document.documentElement.classList;
    root.remove(...[...root].filter((name) => name.startsWith("look-")));
    for (const [name, value] of fields) if (usual[name] && usual[name] !== value) root.add(`look-${value}`);
    const kept = fetch("/look", { method: "POST", body: new URLSearchParams(fields), redirect: "manual", keepalive: true });
    // Whether there are pictures is decided where the page is made.
    if (event.target.name === "pictures") kept.then(() => location.reload());
  });
}
