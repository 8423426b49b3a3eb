// The studio's editor: shows the preview while one types, and keeps unsaved work. Every text comes
// from the server; without this file the form and its Preview button work alone.
"use strict";

(() => {
  const form = document.getElementById("editor");
  if (!form) return;
  const preview = document.getElementById("preview");
  const words = document.getElementById("words");
  const note = document.getElementById("autosave");
  let changed = false;
  let leaving = false;
  let previewing = null;
  let saving = false;
  let timer = 0;

  const send = (url, signal) =>
    fetch(url, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      signal,
    });

  const showPreview = async () => {
    previewing?.abort();
    previewing = new AbortController();
    try {
      const answer = await send(form.dataset.preview, previewing.signal);
      if (!answer.ok) return;
      const { html, words: count } = await answer.json();
      // Sanitised by the server, as readers will get it.
      preview.innerHTML = html;
      preview.lang = form.elements.lang.value;
      words.textContent = count;
    } catch {
      // Overtaken by the next, or offline: the last preview stays.
    }
  };

  const autosave = async () => {
    if (!changed || saving || leaving) return;
    const url = form.dataset.autosave || form.dataset.create;
    if (!url) return;
    saving = true;
    changed = false;
    try {
      const answer = await send(url);
      if (!answer.ok) throw new Error(answer.statusText);
      const saved = await answer.json();
      note.textContent = saved.note;
      if (saved.edit) {
        // The first save of a new article made a draft: go on in it.
        form.action = saved.edit;
        form.dataset.autosave = `${saved.edit}/autosave`;
        form.elements.version.value = saved.version;
        history.replaceState(null, "", saved.edit);
      }
    } catch {
      changed = true;
    } finally {
      saving = false;
    }
  };

  form.addEventListener("input", () => {
    changed = true;
    clearTimeout(timer);
    timer = setTimeout(showPreview, 400);
  });
  form.addEventListener("submit", (event) => {
    leaving = event.submitter?.formTarget !== "_blank";
  });
  addEventListener("beforeunload", (event) => {
    if (changed && !leaving) {
      event.preventDefault();
    }
  });
  addEventListener("pageshow", () => {
    leaving = false;
  });
  setInterval(autosave, 5000);
  showPreview();
})();
