// Turns notifications on in this browser. Permission is asked for by a click and never otherwise.
const panel = document.querySelector("#notify");
const button = panel.querySelector("button");
const say = (name) => panel.querySelectorAll("[data-say]").forEach((words) => (words.hidden = words.dataset.say !== name));

const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
if (!able) say("unable");
else if (Notification.permission === "denied") say("denied");
else {
  button.hidden = false;
  say("ready");
  button.addEventListener("click", turnOn);
}

async function turnOn() {
  button.disabled = true;
  try {
    if ((await Notification.requestPermission()) !== "granted") return say("denied");
    const worker = await navigator.serviceWorker.register("/worker.js", { scope: "/" });
    await navigator.serviceWorker.ready;
    const key = bytes(panel.dataset.key);
    const old = await worker.pushManager.getSubscription();
    if (old && !same(old.options.applicationServerKey, key)) await old.unsubscribe();
    const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const answer = await fetch("/settings/notifications", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(subscription),
    });
    if (!answer.ok) throw new Error(answer.status);
    location.reload();
  } catch (error) {
    console.error(error);
    say("failed");
  } finally {
    button.disabled = false;
  }
}

function bytes(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
}

function same(buffer, key) {
  const known = new Uint8Array(buffer ?? []);
  return known.length === key.length && known.every((byte, index) => byte === key[index]);
}
