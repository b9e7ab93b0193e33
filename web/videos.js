// How videos are shown: their states, their players and their addresses.

import { el } from "./dom.js";
import { SHAPES } from "./order.js";
import { store, stored } from "./session.js";
import { faultsOf, photoOf, sentenceOf, warningOf } from "./words.js";

const STATES = { queued: "Waiting", running: "In progress", done: "Done", failed: "Failed", cancelled: "Cancelled" };
/** How many orders of this tab are remembered. */
const REMEMBERED = 20;

export const stateName = (video) => STATES[video.state] ?? video.state;

/** Remembers what the photos of an order are called, for what the server says about them later. */
export function rememberPhotos(id, photos) {
  const orders = (stored("ordered") ?? []).filter((order) => order.id !== id);
  store("ordered", [{ id, photos }, ...orders].slice(0, REMEMBERED));
}

/** The photos of an order as `{url, number, name}`, if it was made in this tab. */
export function photosOf(id) {
  return stored("ordered")?.find((order) => order.id === id)?.photos ?? [];
}

/** The address of an output on this host. That in the answer may be on another host, which the page may not ask. */
export function outputPath(video, index, extension) {
  return `/videos/${video.id}${index > 0 ? `-${index + 1}` : ""}.${extension}`;
}

/** "1:1", or "1:1 unbranded". */
export function shapeName({ name, width, height }) {
  const shape = SHAPES.find((known) => known.width * height === known.height * width);
  const suffix = /-unbranded$/.test(name) ? " unbranded" : "";
  return (shape?.ratio ?? `${width}×${height}`) + suffix;
}

export function lengthText(seconds) {
  return `${seconds.toLocaleString("en", { maximumFractionDigits: 1 })} s`;
}

export function sizeText(bytes) {
  return `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} MB`;
}

export function timeText(time) {
  return new Date(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

/** "kinora-2026-11-29-1308-square.mp4", or the order's own reference before the shape. */
function fileName({ client_id, created_at }, output) {
  const date = new Date(created_at);
  const local = new Date(date - date.getTimezoneOffset() * 60_000).toISOString();
  const title = client_id?.replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-|-$/g, "").slice(0, 60);
  return `${title || `kinora-${local.slice(0, 16).replace("T", "-").replace(":", "")}`}-${output.name}.mp4`;
}

/** A player and a download link for each output of a video that is done. */
export function createPlayers(video) {
  return video.outputs.map((output, index) => {
    const path = outputPath(video, index, "mp4");
    const shape = shapeName(output);
    const player = el("video", {
      controls: true,
      playsinline: true,
      preload: "metadata",
      src: path,
      poster: outputPath(video, index, "jpg"),
      width: output.width,
      height: output.height,
      "aria-label": `Film ${shape}`,
    });
    const facts = el("span", { text: `${shape}, ${lengthText(output.duration)}, ${sizeText(output.size_bytes)}` });
    const link = { href: path, download: fileName(video, output), "aria-label": `Download ${shape}` };
    const download = el("a", { ...link, text: "Download" });
    const figure = el("figure", { class: "player" }, player, el("figcaption", {}, facts, download));
    // Players in one row are equally high, whatever their shapes.
    figure.style.setProperty("--ratio", output.width / output.height);
    return figure;
  });
}

/** What kept a video from being made, and which photos were left out. */
export function faultsOfVideo(video) {
  const failures = video.state === "failed" && video.error ? faultsOf(video.error.message) : [];
  return [...failures, ...video.skipped.flatMap(({ message }) => faultsOf(message))];
}

/** What the server says about a video besides its state. */
export function remarks(video) {
  const photos = photosOf(video.id);
  const nameOf = (index) => (photos[index] ? `${photos[index].number} (${photos[index].name})` : String(index + 1));
  const skipped = new Set(video.skipped.map(({ message }) => message));
  const sentences = faultsOfVideo(video).map((fault) => {
    const isLeftOut = skipped.has(fault.detail) && photoOf(fault.pointer).index !== undefined;
    return `${sentenceOf(fault, nameOf)}${isLeftOut ? " It was left out." : ""}`;
  });
  return [...sentences, ...video.warnings.map(warningOf)];
}
