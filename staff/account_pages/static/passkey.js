// Passkeys by the browser's own JSON forms (WebAuthn level 3).

/** Whether this browser and this address can have passkeys at all. */
export function possible() {
  return Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON) && !/^[\d.]+$|^\[/.test(location.hostname);
}

/** The answer to options of /sign-in/passkey-options, as JSON. */
export async function signed(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({ publicKey })).toJSON();
}

/** The answer to options of /account/passkeys/options, as JSON. */
export async function made(options) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({ publicKey })).toJSON();
}
