// Pictures in the studio's editor: chosen, pasted or dropped, they are uploaded and written into
// the text where the cursor is, or into the field of the cover. Every text comes from the server.
// Without this file the same form uploads one picture in a new window, which shows its address.
"use strict";

(() => {
  const form = document.getElementById("editor");
  const upload = document.getElementById("upload");
  if (!form || !upload) return;
  const body = form.elements.body;
  const words = upload.dataset;
  const kinds = words.kinds.split(",");

  const wrong = (file) => {
    if (!kinds.includes(file.type)) return words.kind;
    return file.size > Number(words.limit) ? words.large : "";
  };

  // The address of the kept picture; throws what the writer is to read.
  const send = async (file) => {
    if (wrong(file)) throw new Error(wrong(file));
    const data = new FormData();
    data.append("file", file);
    const headers = { Accept: "application/json" };
    const request = { method: "POST", body: data, headers, credentials: "same-origin" };
    const answer = await fetch(upload.action, request).catch(() => null);
    const told = await answer?.json().catch(() => null);
    if (!answer?.ok || !told?.path) throw new Error(told?.detail || words.failed);
    return told.path;
  };

  const write = (text) => {
    const { selectionStart: from, selectionEnd: to } = body;
    // Through the browser's own editing where it can, so that undo takes it back.
    if (document.activeElement === body && document.execCommand("insertText", false, text)) return;
    body.setRangeText(text, from, to, "end");
    body.dispatchEvent(new Event("input", { bubbles: true }));
  };

  // A picture is a paragraph of its own.
  const intoBody = (url) => {
    const before = body.value.slice(0, body.selectionStart);
    const after = body.value.slice(body.selectionEnd);
    const picture = form.elements.body_format.value === "html" ? `<img src="${url}" alt="">` : `![](${url})`;
    const above = before === "" || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
    const below = after.startsWith("\n\n") ? "" : after.startsWith("\n") ? "\n" : "\n\n";
    write(above + picture + below);
  };

  const intoCover = (url) => {
    form.elements.cover_url.value = url;
    form.elements.cover_url.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const tell = (id, text, failed) => {
    const note = document.getElementById(id);
    note.textContent = text;
    note.classList.toggle("error", failed);
    note.classList.toggle("hint", !failed);
  };

  // One after the other, in the order in which they came.
  let turn = Promise.resolve();
  const take = (files, note, put, done) => {
    for (const file of files) {
      turn = turn.then(async () => {
        tell(note, words.sending, false);
        try {
          put(await send(file));
          tell(note, done, false);
        } catch (error) {
          tell(note, error.message, true);
        }
      });
    }
  };
  const takeIntoBody = (files) => {
    body.focus();
    take(files, "picture-note", intoBody, words.done);
  };

  // The plain form becomes a button that needs no second one.
  const live = (input, chosen) => {
    const label = input.labels[0];
    label.className = "button small";
    label.hidden = false;
    input.className = "sr";
    input.hidden = false;
    input.addEventListener("change", () => {
      chosen([...input.files]);
      input.value = "";
    });
  };
  const picture = document.getElementById("picture");
  picture.multiple = true;
  live(picture, takeIntoBody);
  live(document.getElementById("cover-file"), (files) => take(files, "cover-note", intoCover, words.doneCover));
  document.getElementById("picture-send").hidden = true;
  tell("picture-note", words.hint, false);

  body.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    // Word processors put a picture of the text beside the text.
    if (files.length === 0 || types.includes("text/plain")) return;
    event.preventDefault();
    takeIntoBody([...files]);
  });
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  form.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    body.classList.add("dropping");
  });
  form.addEventListener("dragleave", () => body.classList.remove("dropping"));
  form.addEventListener("drop", (event) => {
    body.classList.remove("dropping");
    if (!holdsFiles(event)) return;
    event.preventDefault();
    takeIntoBody([...event.dataTransfer.files]);
  });
})();
