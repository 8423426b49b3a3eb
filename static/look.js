// Shows a chosen look at once and keeps it; without this script the form's button does so.
for (const form of document.querySelectorAll("form.look")) {
  form.querySelector(".primary").hidden = true;
  form.addEventListener("change", () => {
    const usual = { size: "medium", face: "hei", width: "normal", theme: "system" };
    const fields = new FormData(form);
    const root = document.documentElement.classList;
    root.remove(...[...root].filter((name) => name.startsWith("look-")));
    for (const [name, value] of fields) if (usual[name] && usual[name] !== value) root.add(`look-${value}`);
    fetch("/look", { method: "POST", body: new URLSearchParams(fields), redirect: "manual", keepalive: true });
  });
}
