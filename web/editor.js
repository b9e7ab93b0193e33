// The dialog of one photo. Every change is applied at once, so that the preview in the dialog follows it.

import { byId, closeByClick, el, openDialog, setText } from "./dom.js";
import { Problem } from "./api.js";
import { checkOrder } from "./check.js";
import { order } from "./order.js";
import { preview, showTime } from "./preview.js";
import { Surface } from "./surface.js";

const dialog = byId("editor");
const form = byId("editor-form");
/** The coordinates that can be typed, by mark. */
const COORDINATES = {
  from: { x: "Start: left %", y: "Start: top %", width: "Start: width %" },
  to: { x: "End: left %", y: "End: top %", width: "End: width %" },
  point: { x: "Focus: left %", y: "Focus: top %" },
};

let photo = null;
const surface = new Surface(byId("surface"), { onChange: takeMark, onActive: renderActive });

export function startEditor() {
  closeByClick(dialog);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", takeInput);
  form.addEventListener("change", takeInput);
  byId("draw").addEventListener("change", (event) => {
    surface.active = event.target.value;
  });
  createCoordinates();
  preview.addEventListener("frame", ({ detail }) => {
    if (detail) byId("editor-preview").src = detail;
    else byId("editor-preview").removeAttribute("src");
  });
  order.addEventListener("photos", () => {
    setText(byId("editor-fault"), photo ? faultBesideNoField() : "");
    if (photo) showPicture();
  });
}

export function editPhoto(chosen) {
  photo = chosen;
  dialog.dataset.photo = String(photo.id);
  byId("editor-title").textContent = `Photo ${order.photos.indexOf(photo) + 1}`;
  byId("editor-name").textContent = photo.name;
  const { duration, caption, fit, focus, motion } = photo.settings;
  const { elements } = form;
  elements.seconds.value = duration ?? "";
  elements.caption.value = caption ?? "";
  elements.fit.value = fit ?? "auto";
  elements.focus.value = focus?.x === undefined ? focus ?? "auto" : "point";
  elements.motion.value = motion?.from ? "drawn" : motion ?? "auto";
  elements.easing.value = motion?.easing ?? "smooth";
  surface.marks = { from: motion?.from ?? null, to: motion?.to ?? null, point: focus?.x === undefined ? null : focus };
  byId("editor-shape").textContent = `Rectangles have the shape of the film, ${order.shown}.`;
  showPicture();
  renderTools();
  openDialog(dialog);
  // On touch screens, a field would open the keyboard over the preview.
  (matchMedia("(pointer: coarse)").matches ? byId("editor-title") : byId("caption")).focus();
  showScene(photo);
}

/** Moves the preview to the middle of the photo's scene. Only the server knows when that is. */
async function showScene(chosen) {
  const { ready } = order;
  try {
    const { outputs } = await checkOrder();
    const { scenes } = outputs.find(({ name }) => name === order.shape.name) ?? outputs[0];
    const scene = scenes.find((shown) => ready[shown.photo] === chosen);
    if (scene && chosen === photo) showTime(scene.start + scene.duration / 2);
  } catch (problem) {
    // The preview tells of faults; its time stays.
    if (!(problem instanceof Problem)) throw problem;
  }
}

/** What is wrong with the photo and is not said at one of its fields. */
function faultBesideNoField() {
  const said = Array.from(form.querySelectorAll("[data-fault]"), (element) => element.textContent);
  const fault = photo.unusable || photo.fault;
  return said.includes(fault) ? "" : fault;
}

function showPicture() {
  const { picture, width = 1, height = 1 } = photo;
  surface.show({ picture, width, height }, order.shape, surface.marks);
}

function takeInput(event) {
  const { mark, coordinate } = event.target.dataset;
  if (mark) return takeCoordinate(mark, coordinate, event.target.valueAsNumber);
  if (event.target.name === "draw") return;
  renderTools();
  save();
}

function takeCoordinate(mark, coordinate, percent) {
  if (!Number.isNaN(percent)) surface.change(mark, { [coordinate]: percent / 100 });
}

function takeMark(mark) {
  renderCoordinates(mark);
  save();
}

/** Shows the marks that focus and motion need, and the tools for them. */
function renderTools() {
  const { marks } = surface;
  const drawn = form.elements.motion.value === "drawn";
  marks.from = drawn ? marks.from ?? surface.centred(1) : null;
  marks.to = drawn ? marks.to ?? surface.centred(0.6) : null;
  marks.point = form.elements.focus.value === "point" ? marks.point ?? { x: 0.5, y: 0.5 } : null;
  const usable = Object.keys(COORDINATES).filter((mark) => marks[mark]);
  if (!usable.includes(surface.active)) surface.active = usable[0] ?? "point";
  for (const input of byId("draw").querySelectorAll("input")) {
    input.closest("label").hidden = !usable.includes(input.value);
  }
  renderActive();
  byId("drawing").hidden = usable.length === 0;
  byId("draw").hidden = usable.length < 2;
  byId("easing-row").hidden = !drawn;
  byId("editor-shape").hidden = !drawn;
  Object.keys(COORDINATES).forEach(renderCoordinates);
  surface.render();
}

function renderActive() {
  for (const input of byId("draw").querySelectorAll("input")) input.checked = input.value === surface.active;
}

function createCoordinates() {
  for (const [mark, labels] of Object.entries(COORDINATES)) {
    const fields = Object.entries(labels).map(([coordinate, label]) => coordinateField(mark, coordinate, label));
    byId("coordinates").append(el("div", { class: "coordinates", "data-marks": mark }, ...fields));
  }
}

function coordinateField(mark, coordinate, label) {
  const id = `${mark}-${coordinate}`;
  const attributes = { id, type: "number", min: 0, max: 100, step: "any", "data-mark": mark, "data-coordinate": coordinate };
  return el("div", { class: "field" }, el("label", { for: id, text: label }), el("input", attributes));
}

function renderCoordinates(mark) {
  const value = surface.marks[mark];
  document.querySelector(`[data-marks="${mark}"]`).hidden = !value;
  if (!value) return;
  for (const coordinate of Object.keys(COORDINATES[mark])) {
    const input = byId(`${mark}-${coordinate}`);
    // A number that is being typed is not replaced.
    if (input !== document.activeElement) input.value = String(Math.round(value[coordinate] * 1000) / 10);
  }
}

function save() {
  const { seconds, caption, fit, focus, motion, easing } = form.elements;
  const { from, to, point } = surface.marks;
  order.set(photo, {
    duration: Number.isNaN(seconds.valueAsNumber) ? undefined : seconds.valueAsNumber,
    caption: caption.value.trim() || undefined,
    fit: chosen(fit),
    focus: point ?? chosen(focus),
    motion: from ? { from, to, easing: easing.value } : chosen(motion),
  });
}

/** "auto" is the default, which an order need not name. */
const chosen = (field) => (field.value === "auto" ? undefined : field.value);
