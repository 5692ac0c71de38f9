// Adding a passkey to one's account.

import { send, Unreachable } from "/staff/static/pages/http.js";
import { t, tell } from "/staff/static/pages/texts.js";
import { made, possible } from "./passkey.js";

if (possible()) {
  document.getElementById("passkey-part").hidden = false;
  const form = document.getElementById("passkey-form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    tell("script-problem", "");
    try {
      const { challenge, options } = await send("/staff/account/passkeys/options");
      const answer = await made(options);
      const label = form.elements.label.value;
      location.assign((await send("/staff/account/passkeys", { json: { answer, challenge, label } })).next);
    } catch (error) {
      tell("script-problem", t(error instanceof Unreachable ? "sign_in.offline" : "account.passkey_failed"));
    }
  });
}
