// Locks the session when nobody has touched this page for a while; the server does the same by itself.

import { send } from "./http.js";

const { idleLockS, locked } = document.body.dataset;
let timer;

function restart() {
  clearTimeout(timer);
  timer = setTimeout(lock, Number(idleLockS) * 1000);
}

async function lock() {
  const here = location.pathname + location.search;
  try {
    await send("/staff/lock");
  } catch {
    // Without a connection nothing can be locked on the server; it locks by its own clock.
    return;
  }
  location.assign(`${locked}?next=${encodeURIComponent(here)}`);
}

for (const event of ["pointerdown", "pointermove", "keydown", "scroll"]) {
  addEventListener(event, restart, { passive: true });
}
restart();
