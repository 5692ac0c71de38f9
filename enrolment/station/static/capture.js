// Runs the photograph step: asks for advice several times a second, then seals, signs and sends the frames.

import { Problem, Unreachable, goIn, send } from "/staff/static/pages/http.js";
import { t, tell } from "/staff/static/pages/texts.js";
import * as camera from "./camera.js";
import { request, sealed } from "./sealing.js";

const LOOK_EVERY_MS = 150;
const LOOK_HEIGHT_PX = 480;
const page = document.getElementById("capture");
const { root, visit, deployment, station, key, point, nonce } = page.dataset;
const video = document.getElementById("video");
const take = document.getElementById("take");
const retry = document.getElementById("retry");
const file = document.getElementById("file");
const advice = document.getElementById("advice");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let looking = false;
let parcel = null;

/** The word and the sign of the advice; `state`: waiting, good, change. */
function show(state, text) {
  advice.dataset.state = state;
  document.getElementById("advice-sign").textContent = { waiting: "…", good: "✓", change: "!" }[state];
  const line = document.getElementById("advice-text");
  if (line.textContent !== text) line.textContent = text;
  document.getElementById("oval").dataset.state = state;
}

function markFace(box) {
  const face = document.getElementById("face");
  const [x, y, width, height] = box ?? [0, 0, 0, 0];
  for (const [name, value] of Object.entries({ x: 300 * x, y: 400 * y, width: 300 * width, height: 400 * height })) {
    face.setAttribute(name, value.toFixed(1));
  }
}

/** Ask again and again; what is said changes only when two answers in a row agree, so that it can be read. */
async function look() {
  let before = "";
  looking = true;
  while (looking) {
    const began = performance.now();
    try {
      const blob = await camera.frame(video, LOOK_HEIGHT_PX, 0.85);
      const headers = { "Content-Type": "image/jpeg" };
      const seen = await send(`${root}advice`, { body: blob, headers });
      if (!looking) return;
      markFace(seen.box);
      if (seen.text === before) show(seen.good ? "good" : "change", seen.text);
      before = seen.text;
      page.dataset.looks = String(Number(page.dataset.looks ?? 0) + 1);
    } catch (error) {
      if (error instanceof Problem && error.wayIn) goIn(error);
      if (!looking) return;
      show("waiting", t("capture.advice_paused"));
      if (error.status === 403) return; // the same refusal again and again would only fill the audit log
      await pause(1000);
    }
    await pause(Math.max(0, LOOK_EVERY_MS - (performance.now() - began)));
  }
}

async function capture(frames, about) {
  busy(true);
  try {
    const taken = await frames();
    parcel = await sealed({ deployment, station, key, point, nonce }, about, taken);
  } catch {
    tell("capture-problem", t("capture.no_key"));
    busy(false);
    return;
  }
  await post();
}

/** Send what was captured; after a lost connection the same again, which the service takes once. */
async function post() {
  busy(true);
  show("waiting", t("capture.sending"));
  try {
    const { next } = await send(`${root}visits/${visit}/captures`, request(parcel));
    location.replace(next);
  } catch (error) {
    if (error instanceof Unreachable) {
      tell("capture-problem", t("capture.unreachable"));
      retry.hidden = false;
      retry.disabled = false;
      retry.focus();
      return;
    }
    if (error.wayIn) goIn(error);
    else if (error.code === "step_passed") location.reload();
    else {
      tell("capture-problem", error.message);
      busy(false);
      void look();
    }
  }
}

function busy(is) {
  take.disabled = is;
  if (file) file.disabled = is;
  if (is) {
    looking = false;
    tell("capture-problem", "");
    retry.hidden = true;
    show("waiting", t("capture.taking"));
  }
}

take.addEventListener("click", () => capture(() => camera.frames(video), { source: "camera" }));
retry.addEventListener("click", post);
file?.addEventListener("change", () => {
  const [chosen] = file.files;
  if (chosen) void capture(async () => [new Uint8Array(await chosen.arrayBuffer())], { source: "file" });
});

try {
  await camera.open(video);
  take.disabled = false;
  take.focus();
  void look();
} catch (error) {
  show("change", t(camera.problemOf(error)));
}
document.body.dataset.ready = "";
