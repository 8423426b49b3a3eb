// Marks what is selected in an article: a button beside the selection sends it with what stands around it, by the
// form that is on the page for those without this script too.
const prose = document.querySelector("article .prose");
const form = document.querySelector("#highlight");
const button = document.querySelector("#keep-here");
const AROUND = 60;
let chosen;

function selection() {
  const selected = getSelection();
  if (!selected.rangeCount || selected.isCollapsed) return;
  const range = selected.getRangeAt(0);
  return prose.contains(range.commonAncestorContainer) && range.toString().trim() ? range : undefined;
}

// What stands in the article before and after a range.
function around(range) {
  const before = document.createRange();
  before.setStart(prose, 0);
  before.setEnd(range.startContainer, range.startOffset);
  const after = document.createRange();
  after.setStart(range.endContainer, range.endOffset);
  after.setEndAfter(prose.lastChild);
  return [before.toString().slice(-AROUND), after.toString().slice(0, AROUND)];
}

function show() {
  chosen = selection();
  button.hidden = !chosen;
  if (!chosen) return;
  const box = chosen.getBoundingClientRect();
  button.style.top = `${Math.max(scrollY + box.bottom + 8, scrollY + 8)}px`;
  button.style.left = `${Math.min(Math.max(box.left, 8), innerWidth - button.offsetWidth - 8)}px`;
}

if (prose && form && button) {
  let waiting;
  document.addEventListener("selectionchange", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 200);
  });
  // The selection would be gone before the click.
  button.addEventListener("mousedown", (event) => event.preventDefault());
  button.addEventListener("click", () => {
    if (!chosen) return;
    const field = (name) => form.elements.namedItem(name);
    [field("before").value, field("after").value] = around(chosen);
    field("quote").value = chosen.toString();
    form.requestSubmit();
  });
}
