// The list of photos: thumbnails, order, removal.

import { el, button, byId, announce, setText } from "./dom.js";
import { order } from "./order.js";
import { addFiles, addAddresses, drawByServer, removePhoto, uploadPhoto } from "./uploads.js";

/** How far, in pixels, the mouse moves before a click becomes a drag. */
const DRAG_DISTANCE = 6;

const list = byId("photo-list");
const items = new Map();

export function startPhotos({ onEdit }) {
  byId("photo-files").addEventListener("change", (event) => {
    addFiles(event.target.files);
    // The same file can be chosen again.
    event.target.value = "";
  });
  byId("addresses-form").addEventListener("submit", takeAddresses);
  order.addEventListener("photos", () => render(onEdit));
  dragWithMouse();
}

function takeAddresses(event) {
  event.preventDefault();
  const field = byId("addresses");
  const count = addAddresses(field.value);
  byId("addresses-fault").textContent = count ? "" : "An address begins with http:// or https://.";
  if (count) field.value = "";
}

function render(onEdit) {
  for (const [photo, item] of items) {
    if (order.photos.includes(photo)) continue;
    item.root.remove();
    items.delete(photo);
  }
  order.photos.forEach((photo, index) => {
    if (!items.has(photo)) items.set(photo, createItem(photo, onEdit));
    const item = items.get(photo);
    if (list.children[index] !== item.root) list.insertBefore(item.root, list.children[index] ?? null);
    renderItem(item, photo, index);
  });
}

function createItem(photo, onEdit) {
  const image = el("img", { alt: "", draggable: "false" });
  image.addEventListener("error", () => {
    // A format that the browser does not know. Drawn once: the picture of the server is a JPEG.
    if (photo.url && !photo.drawn) {
      photo.drawn = true;
      drawByServer(photo);
    } else if (!photo.url) photo.unknownFormat = true;
  });
  const item = {
    image,
    edit: button("", () => onEdit(photo), { class: "thumb" }),
    number: el("span", { class: "photo-number", "aria-hidden": "true" }),
    progress: el("progress", { max: 1, "aria-label": `Upload of ${photo.name}` }),
    fault: el("p", { class: "fault" }),
    retry: button("Try again", () => uploadPhoto(photo), { class: "small" }),
    back: button("←", () => step(photo, -1), { class: "icon" }),
    forward: button("→", () => step(photo, 1), { class: "icon" }),
    remove: button("×", () => removeItem(photo), { class: "icon" }),
  };
  item.edit.append(image, item.number);
  const actions = el("div", { class: "photo-actions" }, item.back, item.forward, item.remove);
  item.root = el("li", { class: "photo" }, item.edit, item.progress, actions, item.fault, item.retry);
  return item;
}

function renderItem(item, photo, index) {
  const number = index + 1;
  if (photo.picture && item.image.src !== photo.picture) item.image.src = photo.picture;
  if (photo.unknownFormat && photo.url && !photo.drawn) {
    photo.drawn = true;
    drawByServer(photo);
  }
  setText(item.number, String(number));
  item.edit.setAttribute("aria-label", `Edit photo ${number}: ${photo.name}`);
  item.back.setAttribute("aria-label", `Move photo ${number} back`);
  item.forward.setAttribute("aria-label", `Move photo ${number} forward`);
  item.remove.setAttribute("aria-label", `Remove photo ${number}: ${photo.name}`);
  item.edit.disabled = Boolean(photo.refusal);
  item.back.disabled = index === 0;
  item.forward.disabled = number === order.photos.length;
  item.progress.hidden = Boolean(photo.url || photo.refusal);
  item.progress.value = photo.progress;
  item.retry.hidden = !photo.retriable;
  item.root.classList.toggle("refused", Boolean(photo.refusal || photo.unusable || photo.fault));
  item.root.classList.toggle("changed", Object.values(photo.settings).some((value) => value !== undefined));
  renderFault(item, photo);
}

function renderFault(item, photo) {
  const fault = photo.refusal || photo.unusable || photo.fault;
  if (fault && item.fault.textContent !== fault) announce(`${photo.name}: ${fault}`);
  setText(item.fault, fault && photo.refusal ? `${photo.name}: ${fault}` : fault);
}

/** Moves a photo by a button, which keeps the focus, so that it can be pressed again. */
function step(photo, by) {
  const index = order.photos.indexOf(photo) + by;
  order.move(photo, index);
  const { back, forward } = items.get(photo);
  const pressed = by < 0 ? back : forward;
  (pressed.disabled ? (by < 0 ? forward : back) : pressed).focus();
  announcePlace(photo);
}

function announcePlace(photo) {
  announce(`${photo.name} is now photo ${order.photos.indexOf(photo) + 1} of ${order.photos.length}.`);
}

function removeItem(photo) {
  const index = order.photos.indexOf(photo);
  removePhoto(photo);
  const next = order.photos[Math.min(index, order.photos.length - 1)];
  (next ? items.get(next).remove : byId("photo-files")).focus();
  announce(`${photo.name} was removed.`);
}

/** Touch scrolls the list instead; there, the buttons move photos. */
function dragWithMouse() {
  let drag = null;
  list.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button !== 0 || !event.target.closest(".thumb")) return;
    drag = { photo: photoAt(event.target), x: event.clientX, y: event.clientY, moved: false };
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.moved && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < DRAG_DISTANCE) return;
    drag.moved = true;
    items.get(drag.photo)?.root.classList.add("dragged");
    const target = photoAt(document.elementFromPoint(event.clientX, event.clientY));
    if (target && target !== drag.photo) order.move(drag.photo, order.photos.indexOf(target));
  });
  const end = () => {
    if (!drag) return;
    items.get(drag.photo)?.root.classList.remove("dragged");
    if (drag.moved) {
      announcePlace(drag.photo);
      suppressClick();
    }
    drag = null;
  };
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
}

function photoAt(element) {
  const root = element?.closest?.(".photo");
  return root ? order.photos[Array.prototype.indexOf.call(list.children, root)] : undefined;
}

/** The end of a drag is no click on the photo. The click, if there is one, comes before the next task. */
function suppressClick() {
  const stop = (event) => event.stopPropagation();
  list.addEventListener("click", stop, { capture: true });
  setTimeout(() => list.removeEventListener("click", stop, { capture: true }));
}
