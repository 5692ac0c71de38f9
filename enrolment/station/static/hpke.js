// HPKE in base mode, single shot (RFC 9180): DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, by WebCrypto alone.
// It seals and never opens: what was sealed here is opened by the service only.

const KEM_ID = 0x0010;
const KDF_ID = 0x0001;
const AEAD_ID = 0x0002;
const HASH_BYTES = 32;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

const text = (string) => new TextEncoder().encode(string);
const twoBytes = (number) => new Uint8Array([number >> 8, number & 0xff]);

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const KEM_SUITE = joined(text("KEM"), twoBytes(KEM_ID));
const HPKE_SUITE = joined(text("HPKE"), twoBytes(KEM_ID), twoBytes(KDF_ID), twoBytes(AEAD_ID));

// HKDF's two halves (RFC 5869), which WebCrypto offers only as one: extract is an HMAC, and so is each block of expand.
async function hmac(key, data) {
  // An empty salt is a key of zeros, which HMAC pads to the same block.
  const secret = key.length ? key : new Uint8Array(HASH_BYTES);
  const imported = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

async function expand(key, info, length) {
  let output = new Uint8Array(0);
  let block = new Uint8Array(0);
  for (let count = 1; output.length < length; count += 1) {
    block = await hmac(key, joined(block, info, new Uint8Array([count])));
    output = joined(output, block);
  }
  return output.slice(0, length);
}

const labelledExtract = (suite, salt, label, input) => hmac(salt, joined(text("HPKE-v1"), suite, text(label), input));
const labelledExpand = (suite, key, label, info, length) =>
  expand(key, joined(twoBytes(length), text("HPKE-v1"), suite, text(label), info), length);

// Section 4.1: a shared secret for the recipient's public point, and the point that lets the recipient find it.
async function encapsulate(recipientPoint) {
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const recipient = await crypto.subtle.importKey("raw", recipientPoint, curve, false, []);
  const ephemeral = await crypto.subtle.generateKey(curve, false, ["deriveBits"]);
  const shared = new Uint8Array(
    await crypto.subtle.deriveBits({ name: "ECDH", public: recipient }, ephemeral.privateKey, 256),
  );
  const encapsulated = new Uint8Array(await crypto.subtle.exportKey("raw", ephemeral.publicKey));
  const extracted = await labelledExtract(KEM_SUITE, new Uint8Array(0), "eae_prk", shared);
  const context = joined(encapsulated, recipientPoint);
  const secret = await labelledExpand(KEM_SUITE, extracted, "shared_secret", context, HASH_BYTES);
  return { secret, encapsulated };
}

// Section 5.1: the key and the first nonce; `info` is bound to both.
async function schedule(secret, info) {
  const nothing = new Uint8Array(0);
  const noPskId = await labelledExtract(HPKE_SUITE, nothing, "psk_id_hash", nothing);
  const infoHash = await labelledExtract(HPKE_SUITE, nothing, "info_hash", info);
  const context = joined(new Uint8Array([0]), noPskId, infoHash);
  const prk = await labelledExtract(HPKE_SUITE, secret, "secret", nothing);
  return {
    key: await labelledExpand(HPKE_SUITE, prk, "key", context, KEY_BYTES),
    nonce: await labelledExpand(HPKE_SUITE, prk, "base_nonce", context, NONCE_BYTES),
  };
}

// Uint8Array of the encapsulated point (65 bytes), the ciphertext and its tag; every argument is a Uint8Array.
export async function seal(recipientPoint, info, plaintext) {
  const { secret, encapsulated } = await encapsulate(recipientPoint);
  const { key, nonce } = await schedule(secret, info);
  const cipher = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, cipher, plaintext);
  return joined(encapsulated, new Uint8Array(sealed));
}
