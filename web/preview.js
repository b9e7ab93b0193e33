// The live preview: a frame of the film, drawn by the server after every change.

import { byId, el, setText, sleep } from "./dom.js";
import { Problem, request } from "./api.js";
import { order } from "./order.js";
import { clearFaults, showFaults } from "./faults.js";
import { uploadPhoto } from "./uploads.js";

/** Changes within this time are drawn together. */
const DELAY_MS = 60;
const RETRY_MS = 2000;
/** A frame that is asked for gets so long before a newer one replaces it; else a slider that is moved would show none. */
const PATIENCE_MS = 250;

const image = byId("preview");
const time = byId("time");
const status = byId("preview-status");
let timer = 0;
let running = new AbortController();
let startedAt = -Infinity;
let frameUrl = "";

/** Sends "frame" with the object URL of every new frame. */
export const preview = new EventTarget();

export function startPreview() {
  order.addEventListener("change", () => {
    renderShapes();
    renderTime();
    schedule();
  });
  time.addEventListener("input", () => {
    renderTime();
    schedule();
  });
  renderShapes();
  renderTime();
}

/** Moves the preview to a time, in seconds. */
export function showTime(seconds) {
  time.value = String(seconds);
  renderTime();
  schedule();
}

/** The timer is not started again by later changes, so that the frames follow a slider that is being moved. */
function schedule() {
  timer ||= setTimeout(draw, DELAY_MS);
}

async function draw() {
  timer = 0;
  if (performance.now() - startedAt < PATIENCE_MS) return schedule();
  running.abort();
  if (order.ready.length === 0) return;
  running = new AbortController();
  startedAt = performance.now();
  const { signal } = running;
  try {
    await showFrame(await fetchFrame(signal), signal);
    clearFaults();
    setText(status, "");
  } catch (problem) {
    if (!signal.aborted) await explain(problem, signal);
  } finally {
    if (!signal.aborted) startedAt = -Infinity;
  }
}

async function fetchFrame(signal) {
  const output = order.toJson().outputs.find(({ aspect_ratio }) => aspect_ratio === order.shown);
  const query = new URLSearchParams({ time: time.value, ...(output && { output: output.name }) });
  const response = await request("POST", `/api/videos/preview?${query}`, { json: order.toJson(), signal });
  return response.blob();
}

async function showFrame(blob, signal) {
  const url = URL.createObjectURL(blob);
  const next = new Image();
  next.src = url;
  // Decoded beforehand, so that the old frame stays until the new one can be painted.
  await next.decode().catch(() => {});
  if (signal.aborted) return URL.revokeObjectURL(url);
  image.src = url;
  image.hidden = false;
  image.alt = `The film at ${seconds(time.valueAsNumber)}, ${order.shown}`;
  URL.revokeObjectURL(frameUrl);
  frameUrl = url;
  preview.dispatchEvent(new CustomEvent("frame", { detail: url }));
}

async function explain(problem, signal) {
  if (!(problem instanceof Problem)) throw problem;
  setText(status, showFaults(problem));
  uploadForgotten(problem);
  if (!problem.temporary) return;
  await sleep(problem.retryAfter * 1000 || RETRY_MS);
  if (!signal.aborted) schedule();
}

/** The server forgets photos that no order has named for a day. Files that are still at hand are sent again, once. */
function uploadForgotten({ status, errors }) {
  const places = errors.map(({ pointer }) => /^#\/photos\/(\d+)(\/url)?$/.exec(pointer)?.[1]).filter(Boolean);
  const photos = places.map((index) => order.ready[index]);
  if (status !== 400) return;
  for (const photo of photos) {
    if (!photo?.file || photo.sentAgain) continue;
    photo.sentAgain = true;
    uploadPhoto(photo);
  }
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
