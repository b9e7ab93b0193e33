// The list of photos: thumbnails, order, removal.

import { el, button, byId, announce, setText } from "./dom.js";
import { dragPhotos } from "./drag.js";
import { icon } from "./icons.js";
import { order } from "./order.js";
import { addFiles, addAddresses, drawByServer, removePhoto, retryPhoto } from "./uploads.js";

const list = byId("photo-list");
const items = new Map();
/** The photo that the Tab key leads to; arrow keys lead to the others. */
let entered = null;

export function startPhotos({ onEdit }) {
  byId("photo-files").addEventListener("change", (event) => {
    setText(byId("photos-lost"), "");
    addFiles(event.target.files);
    // The same file can be chosen again.
    event.target.value = "";
  });
  byId("addresses-form").addEventListener("submit", takeAddresses);
  byId("addresses").addEventListener("input", () => showAddressFault(""));
  order.addEventListener("photos", () => render(onEdit));
  list.addEventListener("keydown", takeKey);
  list.addEventListener("focusin", ({ target }) => enter(photoAt(target)));
  list.addEventListener("scroll", renderEdges);
  new ResizeObserver(renderEdges).observe(list);
  dragPhotos(list, { photoAt, elementOf: (photo) => items.get(photo)?.root, onDropped: announcePlace });
}

function takeAddresses(event) {
  event.preventDefault();
  const field = byId("addresses");
  const given = field.value.trim();
  const rest = addAddresses(given);
  showAddressFault(rest.length > 0 || !given ? "An address begins with http:// or https://." : "");
  field.value = rest.join(" ");
}

function showAddressFault(fault) {
  setText(byId("addresses-fault"), fault);
  byId("addresses").setAttribute("aria-invalid", fault !== "");
}

function render(onEdit) {
  for (const [photo, item] of items) {
    if (order.photos.includes(photo)) continue;
    item.root.remove();
    items.delete(photo);
  }
  if (!order.photos.includes(entered)) entered = order.photos[0];
  order.photos.forEach((photo, index) => {
    if (!items.has(photo)) items.set(photo, createItem(photo, onEdit));
    const item = items.get(photo);
    if (list.children[index] !== item.root) list.insertBefore(item.root, list.children[index] ?? null);
    renderItem(item, photo, index);
  });
  byId("photos-hint").hidden = order.photos.length < 2;
  renderEdges();
}

/** Photos beyond the edges of the list show as a fade. */
function renderEdges() {
  list.classList.toggle("more-above", list.scrollTop > 4);
  list.classList.toggle("more-below", list.scrollTop + list.clientHeight < list.scrollHeight - 12);
}

function createItem(photo, onEdit) {
  const image = el("img", { alt: "", draggable: "false" });
  image.addEventListener("error", () => {
    // A format that the browser does not know. Drawn once: the picture of the server is a JPEG.
    photo.unknownFormat = true;
    drawUnknown(photo);
  });
  const tool = (name, onclick) => {
    const element = button("", onclick, { class: "icon", tabindex: "-1" });
    element.append(icon(name));
    return element;
  };
  const open = () => (photo.unusable ? photo.retriable && retryPhoto(photo) : onEdit(photo));
  const item = {
    image,
    edit: button("", open, { class: "thumb", "aria-describedby": "photos-hint" }),
    number: el("span", { class: "photo-number", "aria-hidden": "true" }),
    badge: el("span", { class: "photo-badge", "aria-hidden": "true", text: "Edited" }),
    broken: el("span", { class: "photo-broken" }, icon("broken")),
    progress: el("progress", { max: 1, "aria-label": `Upload of ${photo.name}` }),
    name: el("p", { class: "photo-name" }),
    fault: el("p", { class: "fault" }),
    retry: button("Try again", () => retryPhoto(photo), { class: "small", "aria-label": `Try again: ${photo.name}` }),
    back: tool("back", () => step(photo, -1)),
    forward: tool("forward", () => step(photo, 1)),
    remove: tool("remove", () => removeItem(photo)),
  };
  item.edit.append(image, item.broken, item.number);
  const actions = el("div", { class: "photo-actions" }, item.back, item.forward, item.remove);
  const { edit, badge, progress, name, fault, retry } = item;
  item.root = el("li", { class: "photo" }, edit, badge, progress, actions, name, fault, retry);
  return item;
}

function renderItem(item, photo, index) {
  const number = index + 1;
  const fault = photo.unusable || photo.fault;
  const isEdited = Object.values(photo.settings).some((value) => value !== undefined);
  if (photo.picture && item.image.src !== photo.picture) item.image.src = photo.picture;
  drawUnknown(photo);
  setText(item.number, String(number));
  item.edit.tabIndex = photo === entered ? 0 : -1;
  item.edit.setAttribute("aria-label", labelOf(photo, number, isEdited, fault));
  item.back.setAttribute("aria-label", `Move photo ${number} back`);
  item.forward.setAttribute("aria-label", `Move photo ${number} forward`);
  item.remove.setAttribute("aria-label", `Remove photo ${number}: ${photo.name}`);
  item.back.disabled = index === 0;
  item.forward.disabled = number === order.photos.length;
  const isPending = order.pending.includes(photo);
  item.progress.hidden = !isPending;
  if (photo.fetching) item.progress.removeAttribute("value");
  else item.progress.value = photo.progress;
  item.retry.hidden = !(photo.unusable && photo.retriable);
  item.badge.hidden = !isEdited;
  item.broken.hidden = !photo.unusable;
  item.root.classList.toggle("refused", Boolean(fault));
  item.root.classList.toggle("unseen-picture", !photo.picture || Boolean(photo.unusable && photo.unknownFormat));
  if (fault && item.fault.textContent !== fault) announce(`${photo.name}: ${fault}`);
  setText(item.fault, fault);
  setText(item.name, photo.unusable ? photo.name : "");
}

function labelOf(photo, number, isEdited, fault) {
  const name = `photo ${number}: ${photo.name}${isEdited ? ", edited" : ""}`;
  if (!photo.unusable) return fault ? `Edit ${name}. ${fault}` : `Edit ${name}`;
  return `${photo.retriable ? "Try again" : "Unusable"}, ${name}. ${fault}`;
}

/** Has the server draw a file that it took, though the browser does not know its format. */
function drawUnknown(photo) {
  if (!photo.unknownFormat || !photo.url || photo.drawn) return;
  photo.drawn = true;
  drawByServer(photo);
}

function enter(photo) {
  if (!photo || photo === entered) return;
  const before = items.get(entered);
  if (before) before.edit.tabIndex = -1;
  entered = photo;
  items.get(photo).edit.tabIndex = 0;
}

/** Arrow keys go from photo to photo; with Shift they take the photo along. */
function takeKey(event) {
  const photo = photoAt(event.target);
  if (!photo || event.ctrlKey || event.metaKey) return;
  const index = order.photos.indexOf(photo);
  const last = order.photos.length - 1;
  const places = {
    ArrowLeft: index - 1,
    ArrowRight: index + 1,
    ArrowUp: index - columns(),
    ArrowDown: index + columns(),
    Home: 0,
    End: last,
  };
  const place = Math.max(0, Math.min(last, places[event.key] ?? index));
  if (event.key === "Delete") removeItem(photo);
  else if (!(event.key in places)) return;
  else if (event.shiftKey || event.altKey) moveTo(photo, place);
  else items.get(order.photos[place]).edit.focus();
  event.preventDefault();
}

function columns() {
  const { top } = list.firstElementChild.getBoundingClientRect();
  const next = Array.from(list.children).findIndex((item) => item.getBoundingClientRect().top > top + 1);
  return next < 0 ? list.children.length : next;
}

function moveTo(photo, index) {
  if (index === order.photos.indexOf(photo)) return;
  order.move(photo, index);
  items.get(photo).edit.focus();
  announcePlace(photo);
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
  announce(`${photo.name} is now photo ${order.numberOf(photo)} of ${order.photos.length}.`);
}

function removeItem(photo) {
  const index = order.photos.indexOf(photo);
  removePhoto(photo);
  const next = order.photos[Math.min(index, order.photos.length - 1)];
  (next ? items.get(next).edit : byId("photo-files")).focus();
  announce(`${photo.name} was removed.`);
}

function photoAt(element) {
  const root = element?.closest?.(".photo");
  return root ? order.photos[Array.prototype.indexOf.call(list.children, root)] : undefined;
}
