// Texts that the page's template put in for its script, by message id; placeholders are {named}.

const texts = new Map(
  [...document.querySelectorAll("#texts > dt")].map((id) => [id.textContent, id.nextElementSibling.textContent]),
);

/** The text of a message. Throws for an id that the template did not put in. */
export function t(id, values = {}) {
  if (!texts.has(id)) throw new Error(`no text ${id} on this page`);
  return texts.get(id).replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Show a text in the notice of that id, or hide it. */
export function tell(id, text) {
  const notice = document.getElementById(id);
  notice.querySelector("div > p:last-child").textContent = text;
  notice.classList.toggle("shown", Boolean(text));
}
