// Sends the offline captures one after the other, and fetches nonces for further ones. It shows nothing itself.

import { Problem, Unreachable, send } from "/staff/static/pages/http.js";
import * as outbox from "./outbox.js";
import { request } from "./sealing.js";

const ROOT = "/staff/station/";
const ENOUGH = 25;

/**
 * Who is signed in here, {clerk, station}; also renews the CSRF token of a page that was kept from an earlier session.
 * Throws Unreachable, and Problem where nobody is signed in.
 */
export async function session() {
  const now = await send(`${ROOT}away/session`, { method: "GET" });
  document.querySelector("meta[name=csrf-token]").content = now.csrf_token;
  return now;
}

/** Nonces and keys for captures without a connection. */
export async function stockUp({ clerk, station }, now) {
  const kept = await outbox.supplies();
  const same = kept && kept.clerk === clerk && kept.station === station;
  const good = same ? kept.nonces.filter((each) => each.until > now) : [];
  if (good.length >= ENOUGH) return;
  const fresh = await send(`${ROOT}away/supplies?have=${good.length}`);
  const until = now + fresh.expires_in_s * 1000;
  const nonces = [...good, ...fresh.nonces.map((nonce) => ({ nonce, until }))];
  const { deployment, key_id: key, point } = fresh;
  await outbox.keepSupplies({ deployment, station: fresh.station, clerk: fresh.clerk, key, point, nonces });
}

/** Send each once; `told` is called after each. Throws what stops all of them: Unreachable, nobody signed in. */
export async function sendAll(told) {
  for (const row of await outbox.waiting()) {
    const { sealed: _, ...rest } = row;
    try {
      const taken = await send(`${ROOT}captures`, request(row));
      const state = taken.ending === "refused" ? "refused" : "sent";
      await outbox.put({ ...rest, state, text: taken.text, advice: taken.advice });
    } catch (error) {
      if (error instanceof Unreachable || error.wayIn || !(error instanceof Problem) || error.status >= 500) throw error;
      await outbox.put({ ...rest, state: "refused", text: error.message, advice: [] });
    }
    await told();
  }
}
