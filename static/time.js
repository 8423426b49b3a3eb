// Shows times in the reader's own zone. Without this script they stay in the zone the server chose.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const page = document.documentElement.lang;
const lang = page === "en" ? "en-GB" : page;
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (isNaN(moment)) continue;
  const options = { year: "numeric", month: "long", day: "numeric", timeZone: zone };
  if (time.classList.contains("moment")) {
    options.hour = options.minute = "2-digit";
    options.hourCycle = "h23";
  }
  time.title = zone;
  time.textContent = new Intl.DateTimeFormat(lang, options).format(moment);
}
