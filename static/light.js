// Puts a picture that a reader who saves data asks for in its place; without this script its link opens it.
addEventListener("click", (event) => {
  const link = event.target.closest?.("a.unseen");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { width, height, alt } = link.dataset;
  const picture = width ? new Image(width, height) : new Image();
  picture.alt = alt;
  picture.referrerPolicy = "no-referrer";
  picture.tabIndex = -1;
  picture.src = link.href;
  link.replaceWith(picture);
  picture.focus();
});
