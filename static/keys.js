// The timeline by keyboard, as reader apps have it. What the keys do are links and forms of the page, which work
// without this script; with it, marking and saving do not load the page anew.
const list = document.querySelector("#timeline");
const help = document.querySelector("#keys");
let at = -1;

const items = () => [...list.querySelectorAll(".item")];

function go(step) {
  const all = items();
  const to = Math.min(Math.max(at + step, 0), all.length - 1);
  if (!all[to]) return;
  all[at]?.classList.remove("here");
  at = to;
  all[at].classList.add("here");
  all[at].querySelector(".headline a").focus({ preventScroll: true });
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  all[at].scrollIntoView({ block: "nearest", behavior: isStill ? "auto" : "smooth" });
}

// Sends what a button would, and shows its counterpart. Whatever is not plainly done, be it a question, an error, no
// network or that somebody has to sign in, is a page, to which the button itself leads.
async function act(button) {
  const form = { method: "POST", redirect: "manual", body: new URLSearchParams({ quiet: 1 }) };
  const answer = await fetch(button.formAction, form).catch(() => undefined);
  if (answer?.status !== 204) return button.form.requestSubmit(button);
  const item = button.closest(".item");
  const pair = button.parentElement.querySelectorAll(`[data-do=${button.dataset.do}]`);
  pair.forEach((one) => (one.hidden = one === button));
  if (document.activeElement === document.body) [...pair].find((one) => !one.hidden).focus();
  if (item && button.dataset.do === "mark") {
    const read = button.formAction.endsWith("/read");
    item.classList.toggle("read", read);
    item.classList.toggle("unread", !read);
  }
}

const button = (name) => items()[at]?.querySelector(`[data-do=${name}]:not([hidden])`);
const press = (selector) => document.querySelector(selector)?.click();

const keys = {
  j: () => go(1),
  k: () => go(-1),
  o: () => items()[at]?.querySelector(".headline a").click(),
  v: () => items()[at] && window.open(items()[at].querySelector(".headline a").href, "_blank", "noopener"),
  m: () => button("mark")?.click(),
  s: () => button("save")?.click(),
  A: () => press("#mark-above"),
  n: () => press(".pager [rel=next]"),
  r: () => location.reload(),
  "/": () => document.querySelector("input[type=search]")?.focus(),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
list.addEventListener("click", (event) => {
  const pressed = event.target.closest("button[data-do]");
  if (!pressed) return;
  event.preventDefault();
  act(pressed);
});
list.addEventListener("focusin", (event) => {
  const item = event.target.closest(".item");
  if (!item || items()[at] === item) return;
  items()[at]?.classList.remove("here");
  at = items().indexOf(item);
});
const open = document.querySelector("#keys-open");
open.hidden = !matchMedia("(hover: hover)").matches;
open.addEventListener("click", () => help.showModal());
