// Makes this browser a station: a key of its own, registered by the station's activation code.

import { Problem, send } from "/staff/static/pages/http.js";
import * as stationKey from "/staff/static/pages/station-key.js";
import { t, tell } from "/staff/static/pages/texts.js";

const form = document.getElementById("activation-form");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  tell("script-problem", "");
  if (!globalThis.crypto?.subtle) {
    tell("script-problem", t("activation.no_keys"));
    return;
  }
  try {
    const { pair, publicKey } = await stationKey.make();
    const { challenge } = await send("/staff/stations/challenge");
    const signature = await stationKey.signWith(pair.privateKey, "activation", new TextEncoder().encode(challenge));
    const done = await send("/staff/stations/activate", {
      json: {
        station: form.elements.station.value,
        code: form.elements.code.value,
        challenge,
        public_key: stationKey.encode(publicKey),
        signature: stationKey.encode(signature),
      },
    });
    await stationKey.keep(done.station, done.gallery, pair);
    tell("script-done", t("activation.done", done));
    form.hidden = true;
  } catch (error) {
    tell("script-problem", error instanceof Problem ? t("activation.refused") : t("sign_in.offline"));
  }
});
