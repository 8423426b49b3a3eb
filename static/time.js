// Shows times in the reader's own zone. Without this script they stay in the zone the server chose.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const lang = document.documentElement.lang;
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (isNaN(moment)) continue;
  const options = { dateStyle: "long", timeZone: zone };
  if (time.classList.contains("moment")) {
    options.timeStyle = "short";
    options.hourCycle = "h23";
  }
  time.title = zone;
  time.textContent = new Intl.DateTimeFormat(lang, options).format(moment);
}
