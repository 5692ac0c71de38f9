// Keeps offline captures in this browser, sealed, with their outcomes, and the key and nonces for further ones.

const DATABASE = "idverify-outbox";

/** The captures, oldest first: {capture, nonce, key, signature, sealed, label, at, state, text, advice}. */
export async function all() {
  const rows = await transact("captures", "readonly", (store) => store.getAll());
  return rows.sort((one, other) => one.at - other.at);
}

/** State: "waiting" (with its sealed content), "sent" or "refused" (without). */
export const put = (row) => transact("captures", "readwrite", (store) => store.put(row, row.capture));

export const remove = (capture) => transact("captures", "readwrite", (store) => store.delete(capture));

export async function waiting() {
  return (await all()).filter((row) => row.state === "waiting");
}

/** {deployment, station, clerk, key, point, nonces: [{nonce, until}]}, or undefined before the first connection. */
export const supplies = () => transact("supplies", "readonly", (store) => store.get("current"));

export const keepSupplies = (kept) => transact("supplies", "readwrite", (store) => store.put(kept, "current"));

/** A nonce that is still good, taken out so that no other capture gets it; null when there is none. */
export async function takeNonce(now) {
  const kept = await supplies();
  const good = (kept?.nonces ?? []).filter((each) => each.until > now);
  const [first, ...rest] = good;
  if (!first) return null;
  await keepSupplies({ ...kept, nonces: rest });
  return first.nonce;
}

function transact(name, mode, act) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("captures");
      opening.result.createObjectStore("supplies");
    };
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(name, mode);
      const request = act(transaction.objectStore(name));
      transaction.oncomplete = () => {
        opening.result.close();
        resolve(request.result);
      };
      transaction.onerror = () => reject(transaction.error);
    };
  });
}
