// Pictures of photos that the browser cannot show itself: those behind addresses, those of before a reload, and
// files in formats it does not know. The server draws them.

import { createPool } from "./dom.js";
import { patiently, requestJson } from "./api.js";
import { fetchFrame } from "./frames.js";

const pool = createPool(3);
/** The part of a frame's longer side that the server gives to a photo with the fit "contain". */
const CONTAINED = 0.95;
const ATTEMPTS = 5;

/**
 * The whole photo as `{picture, width, height}`, `picture` an object URL; or `{fault, temporary}`: what the server
 * said, and whether the photo itself may be all right.
 */
export function serverPicture(photo) {
  return pool(async () => {
    try {
      return await patiently(() => draw(photo), { attempts: ATTEMPTS });
    } catch (problem) {
      return { fault: problem.message, temporary: problem.temporary };
    }
  });
}

async function draw({ url, width, height }) {
  const photo = { url, fit: "contain", motion: "still" };
  const json = { photos: [photo], duration: 1, outputs: [{ name: "photo", aspect_ratio: "1:1" }] };
  const size = width ? { width, height } : await measure(json);
  if (size.fault) return size;
  const frame = await fetchFrame(json, { time: 0 });
  return { picture: URL.createObjectURL(await withoutBackground(frame, size.width / size.height)), ...size };
}

async function measure(json) {
  const { photos, problems } = await requestJson("POST", "/api/videos/check", { json });
  if (problems.length > 0) return { fault: problems[0].message };
  const { width, height } = photos[0];
  return { width, height };
}

/** Cuts the photo out of a square frame in which it lies over a blurred background. */
async function withoutBackground(frame, ratio) {
  const bitmap = await createImageBitmap(frame);
  const side = bitmap.width * CONTAINED;
  const width = Math.round(side * Math.min(1, ratio));
  const height = Math.round(side * Math.min(1, 1 / ratio));
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const left = Math.round((width - bitmap.width) / 2);
  const top = Math.round((height - bitmap.height) / 2);
  canvas.getContext("2d").drawImage(bitmap, left, top);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
}
