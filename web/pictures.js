// Pictures of photos that the browser cannot show itself: those behind addresses, and files in formats it does
// not know. The server draws them.

import { createPool, sleep } from "./dom.js";
import { request, requestJson } from "./api.js";

const pool = createPool(2);
/** The part of a frame's longer side that the server gives to a photo with the fit "contain". */
const CONTAINED = 0.95;
const ATTEMPTS = 5;

/** The whole photo as `{picture, width, height}`, `picture` an object URL; or `{fault}`. */
export function serverPicture(url) {
  return pool(async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await draw(url);
      } catch (problem) {
        if (!problem.temporary || attempt === ATTEMPTS) return { fault: problem.message };
        await sleep(problem.retryAfter * 1000 || 1000 * attempt);
      }
    }
  });
}

async function draw(url) {
  const photo = { url, fit: "contain", motion: "still" };
  const json = { photos: [photo], duration: 1, outputs: [{ name: "photo", aspect_ratio: "1:1" }] };
  const { photos, problems } = await requestJson("POST", "/api/videos/check", { json });
  if (problems.length > 0) return { fault: problems[0].message };
  const frame = await (await request("POST", "/api/videos/preview?time=0", { json })).blob();
  const { width, height } = photos[0];
  return { picture: URL.createObjectURL(await withoutBackground(frame, width / height)), width, height };
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
