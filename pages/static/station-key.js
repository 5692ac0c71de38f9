// The key that makes this browser a station. Its private half cannot be read, not even by this page; it only signs.

const DATABASE = "idverify-station";
const STORE = "key";
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

/** A new key that is not kept yet: {pair, publicKey: bytes of DER}. */
export async function make() {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  return { pair, publicKey: new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey)) };
}

/** From now on this browser is `station`. */
export async function keep(station, gallery, pair) {
  await transact("readwrite", (store) => store.put({ station, gallery, privateKey: pair.privateKey }, "current"));
}

/** {station, gallery}, or null when this browser is none. */
export async function current() {
  const kept = await transact("readonly", (store) => store.get("current"));
  return kept ? { station: kept.station, gallery: kept.gallery } : null;
}

/** 64 bytes, ECDSA P-256 with SHA-256 over `bytes`, for that purpose only (see staff/accounts/stations.py). */
export async function sign(purpose, bytes) {
  const kept = await transact("readonly", (store) => store.get("current"));
  return signWith(kept.privateKey, purpose, bytes);
}

/** The same with a key that is not kept yet. */
export async function signWith(privateKey, purpose, bytes) {
  const line = new TextEncoder().encode(`idverify station ${purpose}\n`);
  const message = new Uint8Array(line.length + bytes.length);
  message.set(line);
  message.set(bytes, line.length);
  return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, message));
}

/** Bytes as base64url without padding. */
export function encode(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function transact(mode, act) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => {
        database.close();
        resolve(request.result);
      };
      transaction.onerror = () => reject(transaction.error);
    };
  });
}
