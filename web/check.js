// The check of the order: what would be missing from the film, though it can be drawn.

import { byId, createPool, el } from "./dom.js";
import { Problem, requestJson, signedIn } from "./api.js";
import { clearFaults, showFaults } from "./faults.js";
import { order } from "./order.js";
import { faultsOf, warningOf } from "./words.js";

/** How long the order has to be left alone. */
const STILL_MS = 1000;

const lane = createPool(1);
let timer = 0;
let checked = "";

/** The server's check of the order as it is now; one at a time. */
export function checkOrder() {
  return lane(() => requestJson("POST", "/api/videos/check", { json: order.toJson() }));
}

export function startCheck() {
  order.addEventListener("change", () => {
    clearTimeout(timer);
    timer = setTimeout(check, STILL_MS);
  });
}

/** What a check can find something about. */
function subject() {
  const { template, music, photos, outputs } = order.toJson();
  const pictures = photos.map(({ url, caption }) => [url, caption]);
  return JSON.stringify([template, music?.url, music?.cut_on_beat, pictures, outputs.length > 0]);
}

async function check() {
  const photos = order.ready;
  if (photos.length === 0) return show([], [], []);
  const about = subject();
  if (about === checked) return;
  checked = about;
  try {
    const { warnings, problems } = await checkOrder();
    if (about === subject()) show(warnings, problems.flatMap(({ message }) => faultsOf(message)), photos);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    // The preview tells of faults that keep the server from checking.
    if (about === subject()) show([], [], []);
    checked = "";
    if (problem.status === 401) signedIn().then(check);
  }
}

function show(warnings, faults, photos) {
  if (photos.length === 0) checked = "";
  const unplaced = faults.length > 0 ? showFaults("check", faults, photos) : (clearFaults("check"), []);
  const sentences = [...warnings.map(warningOf), ...unplaced];
  byId("remarks").replaceChildren(...sentences.map((text) => el("li", { text })));
}
