// Takes offline captures: each is sealed and kept in this browser, and sent when the service is reached and a clerk is
// signed in.

import { Unreachable } from "/staff/static/pages/http.js";
import { t, tell } from "/staff/static/pages/texts.js";
import * as camera from "./camera.js";
import * as outbox from "./outbox.js";
import { sealed } from "./sealing.js";
import { sendAll, session, stockUp } from "./sending.js";

const TRY_EVERY_MS = 5000;
const DARK = 45;
const BRIGHT = 215;
const form = document.getElementById("away-form");
const video = document.getElementById("video");
const take = document.getElementById("take");
const element = (id) => document.getElementById(id);
let sending = false;

function connection(state, text) {
  element("connection").dataset.state = state;
  element("connection-sign").textContent = { online: "✓", offline: "✕", signed_out: "!" }[state];
  element("connection-text").textContent = text;
  element("way-in").hidden = state !== "signed_out";
}

/** Reach the service, stock up, send what waits; and say how it went. */
async function meet() {
  if (sending) return;
  sending = true;
  try {
    const here = await session();
    connection("online", t("away.online", here));
    await stockUp(here, Date.now());
    await sendAll(list);
  } catch (error) {
    if (error instanceof Unreachable) connection("offline", t("away.offline"));
    else if (error.wayIn) connection("signed_out", t("away.signed_out"));
    else {
      tell("away-problem", error.message);
      clearInterval(trying); // what is refused is refused again; the button still asks
    }
  } finally {
    sending = false;
    await list();
  }
}

/** The counts, and a line for each capture. */
async function list() {
  const rows = await outbox.all();
  for (const state of ["waiting", "sent", "refused"]) {
    element(`count-${state}`).textContent = rows.filter((row) => row.state === state).length;
  }
  element("outbox").hidden = rows.length === 0;
  element("outbox").querySelector("tbody").replaceChildren(...rows.map(line).reverse());
  element("send").hidden = !rows.some((row) => row.state === "waiting");
  element("clear").hidden = !rows.some((row) => row.state !== "waiting");
  const kept = await outbox.supplies();
  const left = (kept?.nonces ?? []).filter((each) => each.until > Date.now()).length;
  element("left").textContent = t("away.left", { count: left, clerk: kept?.clerk ?? "–" });
}

function line(row) {
  const cells = [row.label, written(new Date(row.at)), t(`away.state_${row.state}`)];
  const made = document.createElement("tr");
  for (const text of cells) made.insertCell().textContent = text;
  const what = made.insertCell();
  what.textContent = row.text ?? "";
  for (const advice of row.advice ?? []) {
    what.append(document.createElement("br"), advice);
  }
  return made;
}

/** Day and time by this computer's clock, in digits that every language reads alike. */
function written(at) {
  const two = (number) => String(number).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

async function capture() {
  const number = form.elements.number.value.trim();
  const nonce = await outbox.takeNonce(Date.now());
  if (!nonce) {
    tell("away-problem", t("away.no_supplies"));
    return;
  }
  const to = await outbox.supplies();
  const about = { source: "camera", clerk: to.clerk, person: number, basis: form.elements.basis.value };
  const parcel = await sealed({ ...to, nonce }, about, await camera.frames(video));
  // Of the number only its end is readable here: enough to tell today's people apart.
  await outbox.put({ ...parcel, label: `…${number.slice(-3)}`, at: Date.now(), state: "waiting" });
  form.elements.number.value = "";
  tell("away-done", t("away.kept"));
  await list();
  form.elements.number.focus();
  void meet();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  take.disabled = true;
  tell("away-problem", "");
  tell("away-done", "");
  try {
    await capture();
  } catch (error) {
    tell("away-problem", String(error.message ?? error));
  } finally {
    take.disabled = false;
  }
});
element("send").addEventListener("click", meet);
element("clear").addEventListener("click", async () => {
  for (const row of await outbox.all()) if (row.state !== "waiting") await outbox.remove(row.capture);
  await list();
});
addEventListener("online", meet);
const trying = setInterval(meet, TRY_EVERY_MS);

/** The one thing that this page can judge by itself. */
function judgeLight() {
  const light = camera.brightness(video);
  const [state, sign, text] =
    light < DARK ? ["change", "!", "away.too_dark"]
    : light > BRIGHT ? ["change", "!", "away.too_bright"]
    : ["good", "✓", "away.light_good"];
  element("advice").dataset.state = state;
  element("advice-sign").textContent = sign;
  const line = element("advice-text");
  if (line.textContent !== t(text)) line.textContent = t(text);
}

await list();
void navigator.serviceWorker.register("/staff/station/worker.js", { scope: "/staff/station/" }).catch(() => {});
void meet();
try {
  await camera.open(video);
  take.disabled = false;
  setInterval(judgeLight, 500);
} catch (error) {
  element("advice").dataset.state = "change";
  element("advice-sign").textContent = "!";
  element("advice-text").textContent = t(camera.problemOf(error));
}
document.body.dataset.ready = "";
