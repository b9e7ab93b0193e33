// Faults of an order, each beside what it is about.

import { setText } from "./dom.js";
import { order } from "./order.js";

/** Shows the faults of a Problem instead of earlier ones, and answers a sentence about all of them. */
export function showFaults(problem) {
  const texts = new Map();
  const photoTexts = new Map();
  for (const { pointer, detail } of problem.errors) {
    const [, index, field] = /^#\/photos\/(\d+)(?:\/(\w+))?/.exec(pointer) ?? [];
    const photo = order.ready[index];
    if (photo) photoTexts.set(photo, readable(detail));
    const element = photo ? fieldOf(photo, field) : longestMatch(pointer.slice(1));
    if (element) texts.set(element, readable(detail));
  }
  render(texts, photoTexts);
  return readable(problem.message);
}

export function clearFaults() {
  render(new Map(), new Map());
}

/** Texts that stay as they are are not set again, since live regions would read them aloud again. */
function render(texts, photoTexts) {
  for (const element of document.querySelectorAll("[data-fault]")) {
    const text = texts.get(element) ?? "";
    setText(element, text);
    const field = document.querySelector(`[aria-describedby~="${element.id}"]`);
    if (text) field?.setAttribute("aria-invalid", "true");
    else field?.removeAttribute("aria-invalid");
  }
  for (const photo of order.photos) photo.fault = photoTexts.get(photo) ?? "";
  order.listed();
}

/** The place for a fault in the dialog of a photo, if that is open. */
function fieldOf(photo, field) {
  const element = document.querySelector(`[data-fault="/photo/${field}"]`);
  return element?.closest("dialog").dataset.photo === String(photo.id) ? element : null;
}

/** The place for /music/url, or else that for /music. */
function longestMatch(pointer) {
  for (let path = pointer; path; path = path.slice(0, path.lastIndexOf("/"))) {
    const element = document.querySelector(`[data-fault="${CSS.escape(path)}"]`);
    if (element) return element;
  }
  return null;
}

/** Numbers photos as the page does: from 1, refused ones included. */
function readable(text) {
  return text.replaceAll(/photos\[(\d+)\]/g, (_, index) => {
    const photo = order.ready[index];
    return `Photo ${photo ? order.photos.indexOf(photo) + 1 : Number(index) + 1}`;
  });
}
