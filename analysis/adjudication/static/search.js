// Follows a running search, and shows the page anew when it has come to an end.

import { send } from "../pages/http.js";
import { t } from "../pages/texts.js";

const search = document.getElementById("search");
const bar = document.getElementById("bar");
const told = document.getElementById("told");

async function follow() {
  const now = await send(search.dataset.address, { method: "GET" });
  if (now.progress !== "running") {
    location.reload();
    return;
  }
  if (now.total) {
    bar.max = now.total;
    bar.value = now.done;
    told.textContent = t("desk.search.progress", { done: now.done, total: now.total });
  }
  setTimeout(follow, 1000);
}

if (search.dataset.progress === "running") {
  setTimeout(() => follow().catch(() => location.reload()), 500);
}
