// Requests of our own scripts: with the CSRF token of this page, and refusals as exceptions that a page can show.

/** A request that was answered with a problem document; `code` is stable, `message` is in the person's language. */
export class Problem extends Error {
  constructor(document, status) {
    super(document.detail);
    this.code = document.code;
    this.title = document.title;
    this.status = status;
    this.wayIn = document.way_in;
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {}

/** The answer's JSON. `json` becomes the body, or `body` is sent as it is. Throws Problem or Unreachable. */
export async function send(address, { method = "POST", json, body, headers = {}, signal } = {}) {
  const request = { method, signal, body, headers: { Accept: "application/json", ...headers } };
  if (method !== "GET") {
    request.headers["X-CSRF-Token"] = document.querySelector("meta[name=csrf-token]").content;
  }
  if (json !== undefined) {
    request.body = JSON.stringify(json);
    request.headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(address, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable(String(error));
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  throw new Problem(await response.json().catch(() => ({ code: "internal_error", detail: "" })), response.status);
}

/** Where the person must sign in, unlock or set a credential first: go there, and come back here. */
export function goIn(problem) {
  const here = location.pathname + location.search;
  location.assign(`${problem.wayIn}?next=${encodeURIComponent(here)}`);
}
