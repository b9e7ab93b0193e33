// Files, folders and addresses that are dropped or pasted anywhere on the page.

import { addAddresses, addFiles } from "./uploads.js";

const PICTURES = /\.(jpe?g|png|gif|webp|heic|heif|avif|tiff?|jxl|bmp)$/i;

export function acceptDrops() {
  const body = document.body;
  let ours = false;
  // What is dragged out of the page is there already.
  addEventListener("dragstart", () => (ours = true));
  addEventListener("dragend", () => (ours = false));
  const carries = (event, type) => event.dataTransfer?.types.includes(type);
  const isTaken = (event) => !ours && (carries(event, "Files") || carries(event, "text/uri-list"));
  addEventListener("dragover", (event) => {
    if (!isTaken(event)) return;
    event.preventDefault();
    body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    body.classList.remove("dropping");
    if (!isTaken(event)) return;
    event.preventDefault();
    take(event.dataTransfer);
  });
}

/** Text that is pasted into a field is the field's. */
export function acceptPastes() {
  addEventListener("paste", (event) => {
    if (!event.target.closest("input, textarea")) take(event.clipboardData);
  });
}

async function take(transfer) {
  if (transfer.files.length === 0) {
    addAddresses(transfer.getData("text/uri-list") || transfer.getData("text/plain"));
    return;
  }
  // Entries and files are there only until this event has ended.
  const items = Array.from(transfer.items, (item) => [item.webkitGetAsEntry?.(), item.getAsFile()]);
  for (const [entry, file] of items) {
    if (entry?.isDirectory) addFiles(await picturesIn(entry));
    else if (file) addFiles([file]);
  }
}

/** The pictures in a folder and in the folders below it, by name. */
async function picturesIn(folder) {
  const entries = (await entriesOf(folder)).sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  const pictures = [];
  for (const entry of entries) {
    if (entry.isDirectory) pictures.push(...(await picturesIn(entry)));
    else if (PICTURES.test(entry.name)) pictures.push(await fileOf(entry));
  }
  return pictures;
}

const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/** A reader answers a hundred entries at a time, and none at the end. */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return entries;
    entries.push(...some);
  }
}
