// Runs the start page: has the browser keep the offline page, and sends the captures that were made offline.

import { t } from "/staff/static/pages/texts.js";
import * as outbox from "./outbox.js";
import { sendAll, session, stockUp } from "./sending.js";

const count = document.getElementById("outbox-count");

async function showCount() {
  const waiting = (await outbox.waiting()).length;
  count.hidden = waiting === 0;
  count.textContent = t("away.waiting_count", { count: waiting });
}

await showCount();
try {
  await navigator.serviceWorker.register("/staff/station/worker.js", { scope: "/staff/station/" });
  const here = await session();
  await stockUp(here, Date.now());
  await sendAll(showCount);
} catch {
  // Without a connection, or signed out meanwhile: what waits goes on waiting, and the count says so.
}
document.body.dataset.ready = "";
