// Faults of an order, each beside what it is about.

import { setText } from "./dom.js";
import { order } from "./order.js";
import { photoOf, refusalOf, sentenceOf } from "./words.js";

/** By who found them: "preview", "check" or "film". Each replaces only its own. */
const found = new Map();

/**
 * Shows faults, `{pointer, detail}`, instead of earlier ones of the same source, and answers sentences about those
 * that have no place in the page. `photos` are the photos of the order that the pointers are about.
 */
export function showFaults(source, faults, photos) {
  const texts = new Map();
  const photoTexts = new Map();
  const unplaced = [];
  for (const fault of faults) {
    const { index, setting } = photoOf(fault.pointer);
    const photo = photos[index];
    if (photo && setting === "url") {
      order.update(photo, { unusable: refusalOf(fault.detail), retriable: true });
      continue;
    }
    const text = sentenceOf(fault, (number) => String(photo ? order.numberOf(photo) : number + 1));
    const element = photo ? fieldOf(photo, setting) : longestMatch(fault.pointer.slice(1));
    if (photo) photoTexts.set(photo, text);
    if (element) texts.set(element, text);
    if (!photo && !element) unplaced.push(text);
  }
  found.set(source, { texts, photoTexts });
  render();
  return unplaced;
}

export function clearFaults(source) {
  if (found.delete(source)) render();
}

/** Texts that stay as they are are not set again, since live regions would read them aloud again. */
function render() {
  const sources = Array.from(found.values());
  for (const element of document.querySelectorAll("[data-fault]")) {
    const text = sources.map(({ texts }) => texts.get(element)).find(Boolean) ?? "";
    setText(element, text);
    const field = document.querySelector(`[aria-describedby~="${element.id}"]`);
    if (text) field?.setAttribute("aria-invalid", "true");
    else field?.removeAttribute("aria-invalid");
    if (text && element.closest("details")) element.closest("details").open = true;
  }
  for (const photo of order.photos) {
    photo.fault = sources.map(({ photoTexts }) => photoTexts.get(photo)).find(Boolean) ?? "";
  }
  order.listed();
}

/** The place for a fault in the dialog of a photo, if that is open. */
function fieldOf(photo, setting) {
  const element = document.querySelector(`[data-fault="/photo/${setting}"]`);
  return element?.closest("dialog").dataset.photo === String(photo.id) ? element : null;
}

/** The place for /music/url, or else that for /music. Faults of any output have one place. */
function longestMatch(pointer) {
  for (let path = pointer.replace(/^\/outputs\/\d+/, "/outputs/#"); path; path = path.slice(0, path.lastIndexOf("/"))) {
    const element = document.querySelector(`[data-fault="${CSS.escape(path)}"]`);
    if (element) return element;
  }
  return null;
}
