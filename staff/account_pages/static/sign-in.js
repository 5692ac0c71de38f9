// Signing in and unlocking: by passkey, and at a station with its signature beside name and password.

import { send, Unreachable } from "/staff/static/pages/http.js";
import * as stationKey from "/staff/static/pages/station-key.js";
import { t, tell } from "/staff/static/pages/texts.js";
import { possible, signed } from "./passkey.js";

const form = document.getElementById("sign-in-form");
const passkeyPart = document.getElementById("passkey-part");
const line = document.getElementById("station-line");
const station = await stationKey.current().catch(() => null);

/** The fields by which this browser proves that it is its station; none when it is not one. */
async function stationFields() {
  if (!station) return {};
  const { challenge } = await send("/staff/sign-in/station-challenge");
  const signature = await stationKey.sign("sign-in", new TextEncoder().encode(challenge));
  return { station: station.station, station_challenge: challenge, station_signature: stationKey.encode(signature) };
}

if (station && line) {
  line.textContent = line.dataset.text.replace("{station}", station.station);
  line.hidden = false;
}

if (form && station) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      for (const [name, value] of Object.entries(await stationFields())) {
        const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
        form.append(field);
      }
    } catch {
      tell("script-problem", t("sign_in.offline"));
      return;
    }
    form.submit();
  });
}

if (passkeyPart && possible()) {
  passkeyPart.hidden = false;
  document.getElementById("passkey-button").addEventListener("click", async () => {
    tell("script-problem", "");
    try {
      const { challenge, options } = await send("/staff/sign-in/passkey-options");
      const answer = await signed(options);
      const next = passkeyPart.dataset.next ?? form.elements.next.value;
      const unlocking = passkeyPart.dataset.address;
      const fields = unlocking ? {} : await stationFields();
      const done = await send(unlocking ?? "/staff/sign-in/passkey", { json: { answer, challenge, next, ...fields } });
      location.assign(done.next);
    } catch (error) {
      tell("script-problem", t(error instanceof Unreachable ? "sign_in.offline" : "sign_in.passkey_failed"));
    }
  });
}
document.body.dataset.ready = "";
