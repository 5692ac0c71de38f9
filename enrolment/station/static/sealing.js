// Seals a capture to the service and signs it as this station, before it is stored or sent anywhere.

import * as stationKey from "/staff/static/pages/station-key.js";
import { seal } from "./hpke.js";

const bytes = (text) => new TextEncoder().encode(text);

/** Bytes of base64url. */
export function decode(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/** What is said of the frames, and the frames: see Capture.packed in enrolment/station/capture_package.py. */
function packed(about, frames) {
  const head = bytes(JSON.stringify({ ...about, frames: frames.map((frame) => frame.length) }));
  const whole = new Uint8Array(4 + head.length + frames.reduce((length, frame) => length + frame.length, 0));
  new DataView(whole.buffer).setUint32(0, head.length);
  whole.set(head, 4);
  let at = 4 + head.length;
  for (const frame of frames) {
    whole.set(frame, at);
    at += frame.length;
  }
  return whole;
}

/**
 * {capture, nonce, key, signature, sealed}: everything that the service needs, and nothing that anybody else can read.
 * `to`: {deployment, station, key, point (base64url), nonce}; `frames`: Uint8Arrays.
 */
export async function sealed(to, about, frames) {
  const capture = crypto.randomUUID();
  const info = ["idverify capture 1", to.deployment, to.station, capture, to.nonce].join("\n");
  const content = await seal(decode(to.point), bytes(info), packed(about, frames));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const signature = await stationKey.sign("capture", bytes([capture, to.nonce, hex].join("\n")));
  return { capture, nonce: to.nonce, key: to.key, signature: stationKey.encode(signature), sealed: content };
}

/** How `send` of http.js takes it. */
export function request(parcel) {
  return {
    body: parcel.sealed,
    headers: {
      "Content-Type": "application/octet-stream",
      "Capture-Id": parcel.capture,
      "Capture-Nonce": parcel.nonce,
      "Capture-Key": parcel.key,
      "Capture-Signature": parcel.signature,
    },
  };
}
