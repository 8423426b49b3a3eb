// Offers the zone that the browser says it is in, where another is chosen; without this script it is
// chosen from the list.
const hint = document.querySelector("[data-zone]");
const choice = document.querySelector("#timezone");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const option = [...(choice?.options ?? [])].find((option) => option.value === zone);
if (hint && option && hint.dataset.zone !== zone) {
  const button = hint.querySelector("button");
  button.textContent = zone;
  button.addEventListener("click", () => {
    choice.value = zone;
    hint.hidden = true;
  });
  hint.hidden = false;
}
