// Suggestions under a search box: an ARIA combobox; its options come as HTML from the server.
let boxes = 0;

const suggest = (input) => {
  const list = document.createElement("ul");
  const id = `suggestions-${++boxes}`;
  let asked = "", asking = null, timer = 0, active = -1;
  list.id = id;
  list.className = "options";
  list.hidden = true;
  list.role = "listbox";
  list.ariaLabel = input.ariaLabel;
  input.role = "combobox";
  input.autocomplete = "off";
  input.ariaAutoComplete = "list";
  input.ariaExpanded = "false";
  input.setAttribute("aria-controls", id);
  input.parentElement.classList.add("suggests");
  input.after(list);

  const choose = (to) => {
    active = to;
    [...list.children].forEach((option, n) => (option.ariaSelected = n === to));
    list.children[to]?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[to]?.id ?? "");
  };

  const show = (open) => {
    list.hidden = !open;
    input.ariaExpanded = open;
    choose(-1);
  };

  const close = () => {
    clearTimeout(timer);
    asking?.abort();
    asked = "";
    show(false);
  };

  const ask = async () => {
    const text = input.value.trim();
    if (text === asked) return;
    asking?.abort();
    if (!text) return close();
    asked = text;
    asking = new AbortController();
    try {
      const answer = await fetch(`/search/suggestions?q=${encodeURIComponent(text)}`, { signal: asking.signal });
      if (!answer.ok) return close();
      const html = await answer.text();
      if (text !== asked) return;
      list.innerHTML = html; // Escaped by the server.
      [...list.children].forEach((option, n) => (option.id = `${id}-${n}`));
      show(list.children.length > 0);
    } catch {
      // Overtaken, or offline.
    }
  };

  const later = (event) => {
    if (event.isComposing) return; // An input method's letters are not the text yet.
    clearTimeout(timer);
    timer = setTimeout(ask, 70);
  };
  input.addEventListener("input", later);
  input.addEventListener("compositionend", later);
  input.addEventListener("blur", close);
  input.form.addEventListener("submit", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const count = list.children.length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && list.hidden) ask();
    else if (step) choose(((active + 1 + step + count + 1) % (count + 1)) - 1);
    else if (event.key === "Enter" && active >= 0) location.assign(list.children[active].dataset.href);
    else if (event.key === "Escape" && !list.hidden) close();
    else return;
    event.preventDefault();
  });
  // The box keeps the focus.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[data-href]");
    if (option) location.assign(option.dataset.href);
  });
};

document.querySelectorAll('form[action="/search"] input[name=q]').forEach(suggest);
