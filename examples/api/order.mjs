// Orders two videos of photos, follows their progress, and downloads them to feed.mp4 and reel.mp4.
//
//   KINORA_URL=http://127.0.0.1:8080 API_KEY=... node order.mjs PHOTO...
//
// A photo is a file, or an http(s) URL. Needs Node.js 18 or later.

import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const SERVICE = (process.env.KINORA_URL ?? "http://127.0.0.1:8080").replace(/\/$/, "");
const KEY = process.env.API_KEY;
const TRIES = 6;

/** Sends a request, again while the service is busy. Node gives up after five minutes without a byte. */
async function call(path, options = {}) {
  for (let triesLeft = TRIES - 1; ; triesLeft--) {
    const response = await fetch(SERVICE + path, { ...options, headers: { "x-api-key": KEY, ...options.headers } });
    if (response.ok) return response;
    const wait = Number(response.headers.get("retry-after"));
    if (![429, 503].includes(response.status) || !(wait > 0) || triesLeft === 0) {
      const problem = await response.json().catch(() => ({})); // Not JSON: a proxy's answer, perhaps.
      throw Object.assign(new Error(problem.detail ?? `${path} answered ${response.status}`), { isAnswer: true });
    }
    await response.body?.cancel();
    await sleep(Math.min(wait, 60) * 1000);
  }
}

/** What the order calls a photo. */
async function address(photo) {
  if (/^https?:\/\//.test(photo)) return photo;
  const response = await call("/api/photos", { method: "POST", body: await readFile(photo) });
  return (await response.json()).url;
}

/** The video objects that the events carry. Connects again when the stream is cut. */
async function* events(path) {
  let lastId = null;
  for (let triesLeft = TRIES; triesLeft > 0; triesLeft--) {
    // Events come every half second: one that is late by half a minute does not come.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error("no event for 30 seconds")), 30_000);
    try {
      const headers = lastId && { "last-event-id": lastId };
      const response = await call(path, { headers, signal: late.signal });
      let text = "";
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        timer.refresh();
        const blocks = (text + chunk).split(/\r?\n\r?\n/); // An empty line ends an event.
        text = blocks.pop();
        for (const block of blocks) {
          const event = Object.fromEntries(block.split(/\r?\n/).map((line) => line.split(/: ?(.*)/)));
          lastId = event.id ?? lastId;
          triesLeft = TRIES;
          if (event.data) yield JSON.parse(event.data);
        }
      }
    } catch (error) {
      if (error.isAnswer) throw error; // It would be the same again.
      console.error(`connecting again: ${error.message}`);
    } finally {
      clearTimeout(timer);
    }
    await sleep(5000);
  }
  throw new Error("the events of the video cannot be read");
}

async function main(photos) {
  const order = {
    photos: [],
    duration: 6, // A short video, for a quick first try. Without it: 30 seconds.
    outputs: [{ name: "feed", aspect_ratio: "1:1" }, { name: "reel", aspect_ratio: "9:16" }],
  };
  for (const photo of photos) order.photos.push(await address(photo));
  const body = JSON.stringify(order);
  // The same order has the same key, so that sending it again makes no second video.
  const key = createHash("sha256").update(body).digest("hex");
  const headers = { "content-type": "application/json", "idempotency-key": key };
  let video = await (await call("/api/videos", { method: "POST", headers, body })).json();
  let told = null;
  for await (video of events(`/api/videos/${video.id}/events`)) {
    const progress = `${video.state}, ${Math.round(video.progress * 100)}%`;
    if (progress !== told) console.error(progress);
    told = progress;
    if (!["queued", "running"].includes(video.state)) break;
  }
  if (video.state !== "done") throw new Error(video.error.message);
  for (const { name, url } of video.outputs) {
    // Needs no key, and may be on another host. A file that is not complete keeps another name.
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    await writeFile(`${name}.mp4.part`, response.body);
    await rename(`${name}.mp4.part`, `${name}.mp4`);
    console.log(`${name}.mp4`);
  }
}

try {
  if (!KEY || process.argv.length < 3) throw new Error("usage: API_KEY=... node order.mjs PHOTO...");
  await main(process.argv.slice(2));
} catch (error) {
  // What `fetch` says is only that it failed; its cause says why.
  console.error(`order.mjs: ${error.cause?.message || error.cause?.code || error.message}`);
  process.exitCode = 1;
}
