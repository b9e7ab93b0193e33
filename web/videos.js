// How videos are shown: their states, their players and their addresses.

import { el } from "./dom.js";
import { SHAPES } from "./order.js";

const STATES = { queued: "Waiting", running: "In progress", done: "Done", failed: "Failed", cancelled: "Cancelled" };

export const stateName = (video) => STATES[video.state] ?? video.state;

/** The address of an output on this host. That in the answer may be on another host, which the page may not ask. */
export function outputPath(video, index, extension) {
  return `/videos/${video.id}${index > 0 ? `-${index + 1}` : ""}.${extension}`;
}

export function shapeName({ width, height }) {
  const shape = SHAPES.find((known) => known.width * height === known.height * width);
  return shape?.ratio ?? `${width}×${height}`;
}

export function lengthText(seconds) {
  return `${seconds.toLocaleString("en", { maximumFractionDigits: 1 })} s`;
}

export function sizeText(bytes) {
  return `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} MB`;
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
    const link = { href: path, download: `${output.name}.mp4`, "aria-label": `Download ${shape}` };
    const download = el("a", { ...link, text: "Download" });
    const figure = el("figure", { class: "player" }, player, el("figcaption", {}, facts, download));
    // Players in one row are equally high, whatever their shapes.
    figure.style.setProperty("--ratio", output.width / output.height);
    return figure;
  });
}

/** What the server says about a video besides its state. */
export function remarks(video) {
  const skipped = video.skipped.map(({ index, message }) => {
    return `Photo ${index + 1} was left out: it ${message.replace(/^photos\[\d+\]\s*/, "")}`;
  });
  return [video.state === "failed" && video.error?.message, ...skipped, ...video.warnings].filter(Boolean);
}
