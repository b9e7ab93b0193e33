// The client of Kinora's API: the stored key, requests, uploads and events.

import { sleep } from "./dom.js";

const STORED_KEY = "kinora.api-key";
/** The server sends an event every 500 ms; a connection that is silent for so long is lost. */
const SILENCE_MS = 15_000;

/** A refusal by the server, or a request that did not reach it (status 0). */
export class Problem extends Error {
  constructor(status, detail, { errors = [], retryAfter = 0 } = {}) {
    super(detail);
    this.status = status;
    this.errors = errors;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request can succeed later. */
  get temporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

let key = localStorage.getItem(STORED_KEY) ?? "";
let whenUnauthorized = () => {};
/** Opens when the service has accepted the key. */
let gate = createGate();

function createGate() {
  const gate = { isOpen: false };
  gate.opened = new Promise((resolve) => {
    gate.open = () => {
      gate.isOpen = true;
      resolve();
    };
  });
  return gate;
}

/** Resolves once the service has accepted a key. */
export const signedIn = () => gate.opened;

export const isSignedIn = () => gate.isOpen;

export const acceptKey = () => gate.open();

/** A request with an earlier key says nothing about this one. */
function refuseKey(sentKey) {
  if (sentKey !== key) return;
  if (gate.isOpen) gate = createGate();
  whenUnauthorized();
}

export const hasKey = () => key !== "";

export function setKey(value) {
  key = value;
  localStorage.setItem(STORED_KEY, value);
}

export function forgetKey() {
  key = "";
  localStorage.removeItem(STORED_KEY);
}

/** Sets what happens when the server refuses the key. */
export function onUnauthorized(listener) {
  whenUnauthorized = listener;
}

/** Sends a request, and answers the response if it is a success; else throws a Problem. */
export async function request(method, path, { json, headers = {}, signal } = {}) {
  const body = json === undefined ? undefined : JSON.stringify(json);
  const type = body ? { "content-type": "application/json" } : {};
  const sentKey = key;
  let response;
  try {
    response = await fetch(path, { method, body, signal, headers: { "x-api-key": sentKey, ...type, ...headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The service cannot be reached.");
  }
  if (response.ok) return response;
  if (response.status === 401) refuseKey(sentKey);
  throw toProblem(response.status, await response.text(), response.headers.get("retry-after"));
}

export async function requestJson(method, path, options) {
  return (await request(method, path, options)).json();
}

function toProblem(status, text, retryAfter) {
  const options = { retryAfter: Number(retryAfter) || 0 };
  let document;
  try {
    document = JSON.parse(text);
  } catch {
    return new Problem(status, `The service answered ${status}.`, options);
  }
  const detail = document.detail ?? document.title ?? `The service answered ${status}.`;
  return new Problem(status, detail, { ...options, errors: document.errors ?? [] });
}

/** Tries again while the service is busy or away; when the key is refused, as soon as another one is accepted. */
export async function patiently(attempt, { attempts = Infinity, signal, onWait = () => {} } = {}) {
  for (let failures = 0; ; ) {
    await signedIn();
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (problem) {
      if (problem.status === 401) continue;
      failures += 1;
      if (!problem.temporary || failures === attempts) throw problem;
      onWait(problem);
      await sleep(problem.retryAfter * 1000 || Math.min(1000 * failures, 5000), signal);
    }
  }
}

/** Sends an order until the server takes or refuses it. One idempotency key makes it one film. */
export function placeOrder(order, { signal, onWait }) {
  const headers = { "idempotency-key": uuid() };
  return patiently(() => requestJson("POST", "/api/videos", { json: order, headers, signal }), { signal, onWait });
}

/** crypto.randomUUID is missing on pages that come by plain http from another host. */
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Uploads a picture. XMLHttpRequest, because fetch() does not tell the progress of an upload. */
export function upload(file, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const transfer = new XMLHttpRequest();
    const sentKey = key;
    transfer.open("POST", "/api/photos");
    transfer.setRequestHeader("x-api-key", sentKey);
    transfer.setRequestHeader("content-type", file.type || "application/octet-stream");
    transfer.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    transfer.onload = () => {
      if (transfer.status < 300) return resolve(JSON.parse(transfer.responseText));
      if (transfer.status === 401) refuseKey(sentKey);
      reject(toProblem(transfer.status, transfer.responseText, transfer.getResponseHeader("retry-after")));
    };
    transfer.onerror = () => reject(new Problem(0, "The upload was interrupted."));
    transfer.onabort = () => reject(new DOMException("The upload was cancelled.", "AbortError"));
    signal.addEventListener("abort", () => transfer.abort());
    transfer.send(file);
  });
}

/**
 * Follows a video until it has ended, over lost connections, restarts of the server and changes of the key.
 * `onVideo` gets every state of it; `onLost` is told of each connection that is lost.
 */
export async function followVideo(id, { onVideo, onLost }) {
  for (let failures = 0; ; failures += 1) {
    await signedIn();
    try {
      for await (const video of videoEvents(id)) {
        failures = 0;
        onVideo(video);
        if (hasEnded(video)) return;
      }
    } catch (problem) {
      if (problem.status === 401) continue;
      if (problem instanceof Problem && !problem.temporary) throw problem;
    }
    onLost();
    await sleep(Math.min(500 * 2 ** failures, 5000));
  }
}

export const hasEnded = (video) => !["queued", "running"].includes(video.state);

/** The events of a video. EventSource cannot send the header of the key, so the stream is read with fetch(). */
async function* videoEvents(id) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await request("GET", `/api/videos/${id}/events`, { signal: silence.signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      const events = (text + value).split("\n\n");
      text = events.pop();
      yield* events.map(eventData).filter(Boolean).map((data) => JSON.parse(data));
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function eventData(event) {
  const lines = event.split("\n").filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice(5)).join("\n");
}
