// Photos come in: files are uploaded, and addresses fetched by the server.

import { createPool } from "./dom.js";
import { patiently, upload } from "./api.js";
import { order } from "./order.js";
import { serverPicture } from "./pictures.js";
import { refusalOf } from "./words.js";

const pool = createPool(3);
const ATTEMPTS = 4;

export function addFiles(files, { seconds } = {}) {
  for (const file of files) {
    const photo = order.add({ name: file.name, file, seconds });
    order.update(photo, { picture: URL.createObjectURL(file) });
    uploadPhoto(photo);
  }
}

/** Uploads a file, however often the service is busy or away meanwhile. */
export function uploadPatiently(file, { onProgress = () => {}, signal }) {
  return patiently(() => upload(file, { onProgress, signal }), { attempts: ATTEMPTS, signal });
}

/** Uploads a photo, or uploads it again. */
export function uploadPhoto(photo) {
  photo.cancel = new AbortController();
  const { signal } = photo.cancel;
  order.update(photo, { url: null, progress: 0, unusable: "", retriable: false });
  return pool(async () => {
    try {
      const onProgress = (progress) => order.update(photo, { progress });
      const { url, width, height } = await uploadPatiently(photo.file, { onProgress, signal });
      order.update(photo, { url, width, height, progress: 1 });
    } catch (problem) {
      if (signal.aborted) return;
      const unusable = problem.status === 0 ? problem.message : refusalOf(problem.message);
      order.update(photo, { unusable, retriable: problem.temporary });
    }
  });
}

export function removePhoto(photo) {
  photo.cancel?.abort();
  if (photo.picture) URL.revokeObjectURL(photo.picture);
  order.remove(photo);
}

/** Tries a photo again that could not be used. */
export function retryPhoto(photo) {
  if (photo.file) return uploadPhoto(photo);
  order.update(photo, { unusable: "", fetching: true });
  return drawByServer(photo);
}

/** Has the server draw a photo that the browser cannot show. */
export async function drawByServer(photo) {
  const { fault, temporary, ...picture } = await serverPicture(photo);
  if (!order.photos.includes(photo)) return picture.picture && URL.revokeObjectURL(picture.picture);
  // A photo that the server has taken can do without a thumbnail.
  if (temporary && !photo.fetching) return;
  if (fault) return order.update(photo, { fetching: false, unusable: refusalOf(fault), retriable: true });
  if (photo.picture) URL.revokeObjectURL(photo.picture);
  order.update(photo, { ...picture, fetching: false });
}

/** Adds the http(s) addresses in a text, and answers the words of it that are none. */
export function addAddresses(text) {
  const words = text.split(/\s+|[,;](?=https?:)/i).map((word) => word.replace(/[,;]+$/, ""));
  const given = words.filter(Boolean);
  for (const url of given.filter(isAddress)) drawByServer(order.add({ name: nameOf(url), url, fetching: true }));
  return given.filter((word) => !isAddress(word));
}

function isAddress(word) {
  try {
    return /^https?:$/.test(new URL(word).protocol);
  } catch {
    return false;
  }
}

function nameOf(address) {
  const { pathname, hostname } = new URL(address);
  return pathname.split("/").filter(Boolean).pop() ?? hostname;
}
