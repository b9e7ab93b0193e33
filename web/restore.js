// The order outlives a reload of the page.

import { announce, byId, setText } from "./dom.js";
import { order } from "./order.js";
import { choiceValues, setChoiceValues } from "./choices.js";
import { store, stored } from "./session.js";
import { drawByServer } from "./uploads.js";

const DELAY_MS = 200;

let timer = 0;

/** Restores the order of before the reload, and keeps it from now on. */
export function restoreOrder() {
  const kept = stored("order");
  if (kept) restore(kept);
  order.addEventListener("change", () => (timer ||= setTimeout(save, DELAY_MS)));
  order.addEventListener("photos", () => (timer ||= setTimeout(save, DELAY_MS)));
  addEventListener("pagehide", () => timer && save());
}

function restore({ photos, lost, choices, shown }) {
  order.shown = shown;
  setChoiceValues(choices);
  order.restore(photos);
  for (const photo of order.photos.slice(0, photos.length)) drawByServer(photo);
  if (lost === 0) return;
  const sentence = lost === 1
    ? "One photo was not uploaded before the page was reloaded. Choose it again."
    : `${lost} photos were not uploaded before the page was reloaded. Choose them again.`;
  setText(byId("photos-lost"), sentence);
  announce(sentence);
}

function save() {
  clearTimeout(timer);
  timer = 0;
  const photos = order.photos.filter(({ url }) => url).map(({ name, url, width, height, seconds, settings }) => {
    return { name, url, width, height, seconds, settings, fetching: !width };
  });
  const lost = order.pending.filter(({ url }) => !url).length;
  store("order", { photos, lost, choices: choiceValues(), shown: order.shown });
}
