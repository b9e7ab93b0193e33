// Photos come in: chosen, dropped or pasted files, and addresses.

import { createPool, sleep } from "./dom.js";
import { upload } from "./api.js";
import { order } from "./order.js";
import { serverPicture } from "./pictures.js";

const pool = createPool(3);
const ATTEMPTS = 4;

export function addFiles(files) {
  for (const file of files) {
    const photo = order.add({ name: file.name, file });
    order.update(photo, { picture: URL.createObjectURL(file) });
    uploadPhoto(photo);
  }
}

/** Uploads a photo, or uploads it again after a failure. */
export function uploadPhoto(photo) {
  photo.cancel = new AbortController();
  order.update(photo, { url: null, progress: 0, refusal: "", retriable: false });
  return pool(async () => {
    if (photo.cancel.signal.aborted) return;
    try {
      const { url, width, height } = await uploadPatiently(photo);
      order.update(photo, { url, width, height, progress: 1 });
    } catch (problem) {
      order.update(photo, { refusal: sentence(problem.message), retriable: problem.temporary });
    }
  });
}

async function uploadPatiently(photo) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const onProgress = (progress) => order.update(photo, { progress });
      return await upload(photo.file, { onProgress, signal: photo.cancel.signal });
    } catch (problem) {
      if (!problem.temporary || attempt === ATTEMPTS) throw problem;
      await sleep(problem.retryAfter * 1000 || 1000 * attempt);
    }
  }
}

export function removePhoto(photo) {
  photo.cancel?.abort();
  if (photo.picture) URL.revokeObjectURL(photo.picture);
  order.remove(photo);
}

/** Has the server draw a photo whose file the browser cannot show. */
export async function drawByServer(photo) {
  const { fault = "", ...picture } = await serverPicture(photo.url);
  if (!order.photos.includes(photo)) return;
  if (photo.picture && picture.picture) URL.revokeObjectURL(photo.picture);
  order.update(photo, { ...picture, unusable: sentence(fault) });
}

/** Adds the http(s) addresses in a text, and answers how many there were. */
export function addAddresses(text) {
  const addresses = text.split(/\s+/).filter((word) => /^https?:\/\/./i.test(word));
  for (const url of addresses) drawByServer(order.add({ name: nameOf(url), url }));
  return addresses.length;
}

function nameOf(address) {
  try {
    const { pathname, hostname } = new URL(address);
    return pathname.split("/").filter(Boolean).pop() ?? hostname;
  } catch {
    return address;
  }
}

/** Sentences about a single photo need not number it. */
function sentence(text) {
  const plain = text.replace(/^(photos\[\d+\]|the photo)\s*/, "The photo ");
  return plain && !/[.!?]$/.test(plain) ? `${plain}.` : plain;
}

export function acceptDrops() {
  const body = document.body;
  const carries = (event) => ["Files", "text/uri-list"].some((type) => event.dataTransfer?.types.includes(type));
  addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    body.classList.remove("dropping");
    if (!carries(event)) return;
    event.preventDefault();
    takeTransfer(event.dataTransfer);
  });
}

/** Text that is pasted into a field is the field's. */
export function acceptPastes() {
  addEventListener("paste", (event) => {
    if (!event.target.closest("input, textarea")) takeTransfer(event.clipboardData);
  });
}

function takeTransfer(transfer) {
  if (transfer.files.length > 0) addFiles(transfer.files);
  else addAddresses(transfer.getData("text/uri-list") || transfer.getData("text/plain"));
}
