// The live preview: a frame of the film, drawn by the server after every change.

import { byId, el, setText } from "./dom.js";
import { Problem, signedIn } from "./api.js";
import { clearFaults, showFaults } from "./faults.js";
import { fetchFrame } from "./frames.js";
import { order } from "./order.js";
import { uploadPhoto } from "./uploads.js";
import { faultsOf, photoOf } from "./words.js";

const RETRY_MS = 2000;
/** How long a frame may take when a newer one is wanted. */
const PATIENCE_MS = 2000;

const image = byId("preview");
const time = byId("time");
const status = byId("preview-status");
/** The request that is running, and its description. */
let running = null;
/** What the frame that is shown, or the fault, is about. */
let answered = "";
let retryTimer = 0;
let patienceTimer = 0;
let frameUrl = "";

/** Sends "frame" with the object URL of every new frame; without photos, with an empty one. */
export const preview = new EventTarget();

export function startPreview() {
  order.addEventListener("change", () => {
    renderShapes();
    renderTime();
    draw();
  });
  time.addEventListener("input", () => {
    renderTime();
    draw();
  });
  renderShapes();
  renderTime();
}

/** Moves the preview to a time, in seconds. */
export function showTime(seconds) {
  time.value = String(seconds);
  renderTime();
  draw();
}

/** What is to be drawn now. */
function wanted() {
  const json = order.toJson();
  const output = json.outputs.find(({ aspect_ratio }) => aspect_ratio === order.shown)?.name;
  return { json, output, time: time.value, photos: order.ready, shape: order.shown };
}

const describe = ({ json, output, time }) => JSON.stringify([json, output, time]);

/** Draws what is wanted, unless that is shown. While a frame is being drawn, only the newest wish is kept. */
async function draw() {
  const wish = wanted();
  if (wish.photos.length === 0) return showNothing();
  const description = describe(wish);
  if (running) return outlast(description);
  if (description === answered) return;
  clearTimeout(retryTimer);
  running = { description, controller: new AbortController(), startedAt: performance.now() };
  const { signal } = running.controller;
  answered = description;
  try {
    await showFrame(await fetchFrame(wish.json, { ...wish, signal, urgent: true }), wish);
    clearFaults("preview");
    setText(status, "");
  } catch (problem) {
    if (!signal.aborted) explain(problem, wish);
  } finally {
    clearTimeout(patienceTimer);
    running = null;
  }
  draw();
}

/** Gives up a frame that takes long while a newer one is wanted. */
function outlast(description) {
  clearTimeout(patienceTimer);
  if (description === running.description) return;
  const { controller, startedAt } = running;
  patienceTimer = setTimeout(() => controller.abort(), startedAt + PATIENCE_MS - performance.now());
}

async function showFrame(blob, { shape, time: shown }) {
  const url = URL.createObjectURL(blob);
  const next = new Image();
  next.src = url;
  // Decoded beforehand, so that the old frame stays until the new one can be painted.
  await next.decode().catch(() => {});
  if (order.ready.length === 0) return URL.revokeObjectURL(url);
  image.src = url;
  image.hidden = false;
  image.alt = `The film at ${seconds(Number(shown))}, ${shape}`;
  replaceFrame(url);
}

function showNothing() {
  running?.controller.abort();
  answered = "";
  if (!frameUrl) return;
  image.hidden = true;
  image.removeAttribute("src");
  replaceFrame("");
  clearFaults("preview");
  setText(status, "");
}

function replaceFrame(url) {
  URL.revokeObjectURL(frameUrl);
  frameUrl = url;
  preview.dispatchEvent(new CustomEvent("frame", { detail: url }));
}

function explain(problem, { photos }) {
  if (!(problem instanceof Problem)) throw problem;
  if (problem.status === 401) return drawAgainAfter(signedIn());
  if (problem.temporary) {
    setText(status, problem.message);
    const wait = problem.retryAfter * 1000 || RETRY_MS;
    return drawAgainAfter(new Promise((resolve) => (retryTimer = setTimeout(resolve, wait))));
  }
  const faults = problem.errors.length > 0 ? problem.errors : faultsOf(problem.message);
  const others = faults.filter((fault) => !uploadForgotten(problem, fault, photos));
  setText(status, showFaults("preview", others, photos).join(" "));
}

async function drawAgainAfter(event) {
  await event;
  answered = "";
  draw();
}

/** The server forgets photos that no order has named for a day. Files that are still at hand are sent again, once. */
function uploadForgotten({ status }, { pointer }, photos) {
  const { index, setting } = photoOf(pointer);
  const photo = photos[index];
  if (status !== 400 || setting !== "url" || !photo?.file || photo.sentAgain) return false;
  photo.sentAgain = true;
  uploadPhoto(photo);
  return true;
}

function renderTime() {
  time.max = String(order.duration || 1);
  const text = `${seconds(time.valueAsNumber)} of ${seconds(order.duration)}`;
  time.setAttribute("aria-valuetext", text);
  setText(byId("time-text"), text);
}

function seconds(value) {
  return `${value.toLocaleString("en", { maximumFractionDigits: 1 })} s`;
}

/** The choice of the shape that is shown; only of those that are ordered. */
function renderShapes() {
  const ratios = order.choices.ratios ?? [];
  if (ratios.length > 0 && !ratios.includes(order.shown)) order.shown = ratios[0];
  const group = byId("shown-shapes");
  group.hidden = ratios.length < 2;
  if (group.dataset.ratios !== ratios.join()) group.replaceChildren(...ratios.map(shapeChoice));
  group.dataset.ratios = ratios.join();
  for (const input of group.querySelectorAll("input")) input.checked = input.value === order.shown;
}

function shapeChoice(ratio) {
  const choose = () => {
    order.shown = ratio;
    order.changed();
  };
  const input = el("input", { type: "radio", name: "shown", value: ratio, onchange: choose });
  return el("label", {}, input, el("span", { text: ratio }));
}
