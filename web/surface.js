// A photo on which a focus point and two rectangles, the start and the end of a motion, are drawn: with a
// pointer, or with the arrow keys.

import { el } from "./dom.js";

const STEP = 0.01;
const LONG_STEP = 0.05;
const SMALLEST_WIDTH = 0.05;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const NAMES = { from: "Start", to: "End", point: "Focus" };

export class Surface {
  /** What is drawn: rectangles `from` and `to`, `{x, y, width}`, and a `point`, `{x, y}`; or null. */
  marks = { from: null, to: null, point: null };
  /** The mark that a pointer on the photo draws. */
  active = "point";

  constructor(root, { onChange, onActive }) {
    this.root = root;
    this.onChange = onChange;
    this.onActive = onActive;
    this.image = el("img", { alt: "", draggable: "false" });
    this.handles = Object.fromEntries(Object.keys(NAMES).map((mark) => [mark, this.createHandle(mark)]));
    root.append(this.image, ...Object.values(this.handles));
    root.addEventListener("pointerdown", (event) => this.startPointer(event));
  }

  createHandle(mark) {
    const onkeydown = (event) => this.takeArrow(event, mark);
    const handle = el("button", { type: "button", class: `mark ${mark}`, "aria-describedby": "draw-hint", onkeydown });
    handle.append(el("span", { class: "mark-name", text: NAMES[mark], "aria-hidden": "true" }));
    if (mark !== "point") handle.append(el("span", { class: "corner" }));
    return handle;
  }

  /** Shows a photo, for frames of a shape. */
  show({ picture, width, height }, shape, marks) {
    if (this.image.src !== picture) this.image.src = picture ?? "";
    /** The height of a rectangle, as a part of the photo's, for a width of 1. */
    this.slope = width / height / (shape.width / shape.height);
    this.marks = marks;
    this.render();
  }

  get largestWidth() {
    return Math.min(1, 1 / this.slope);
  }

  /** A rectangle about the centre of the photo; `size` 1 is the largest. */
  centred(size) {
    return this.inside({ x: 0.5, y: 0.5, width: this.largestWidth * size }, true);
  }

  /** Keeps a rectangle in the photo. `centre`: x and y are its centre. */
  inside({ x, y, width }, centre = false) {
    const size = clamp(width, SMALLEST_WIDTH, this.largestWidth);
    const height = size * this.slope;
    const left = centre ? x - size / 2 : x;
    const top = centre ? y - height / 2 : y;
    return { x: rounded(clamp(left, 0, 1 - size)), y: rounded(clamp(top, 0, 1 - height)), width: rounded(size) };
  }

  /** Changes a mark to values that may be outside of the photo. */
  change(mark, values) {
    const moved = { ...this.marks[mark], ...values };
    const point = { x: rounded(clamp(moved.x, 0, 1)), y: rounded(clamp(moved.y, 0, 1)) };
    this.marks[mark] = mark === "point" ? point : this.inside(moved);
    this.render();
    this.onChange(mark);
  }

  render() {
    for (const [mark, handle] of Object.entries(this.handles)) {
      const value = this.marks[mark];
      handle.hidden = !value;
      if (!value) continue;
      place(handle, value, mark === "point" ? null : value.width * this.slope);
      handle.setAttribute("aria-label", describe(mark, value));
    }
  }

  takeArrow(event, mark) {
    const step = event.shiftKey ? LONG_STEP : STEP;
    const { x, y, width } = this.marks[mark];
    const arrow = ARROWS[event.key];
    if (arrow) this.change(mark, { x: x + arrow[0] * step, y: y + arrow[1] * step });
    else if (["+", "="].includes(event.key) && width) this.change(mark, { width: width + step });
    else if (event.key === "-" && width) this.change(mark, { width: width - step });
    else return;
    event.preventDefault();
  }

  startPointer(event) {
    if (event.button !== 0) return;
    const mark = this.markAt(event);
    if (!this.marks[mark]) return;
    event.preventDefault();
    this.handles[mark].focus();
    this.active = mark;
    this.onActive(mark);
    const drag = this.dragOf(mark, event);
    drag(event);
    this.root.setPointerCapture(event.pointerId);
    this.root.addEventListener("pointermove", drag);
    const end = () => this.root.removeEventListener("pointermove", drag);
    this.root.addEventListener("pointerup", end, { once: true });
    this.root.addEventListener("pointercancel", end, { once: true });
  }

  /** The mark under the pointer; beside all of them, the active one. */
  markAt(event) {
    return Object.keys(NAMES).find((mark) => this.handles[mark].contains(event.target)) ?? this.active;
  }

  /** What a move of the pointer does: it moves a mark, resizes it by its corner, or draws it anew. */
  dragOf(mark, event) {
    const start = this.position(event);
    const before = { ...this.marks[mark] };
    const handle = this.handles[mark];
    if (mark === "point") return (move) => this.change(mark, this.position(move));
    if (event.target.classList.contains("corner")) {
      return (move) => this.change(mark, { width: this.widthAfter(before, start, this.position(move)) });
    }
    if (handle.contains(event.target)) {
      return (move) => {
        const now = this.position(move);
        this.change(mark, { x: before.x + now.x - start.x, y: before.y + now.y - start.y });
      };
    }
    return (move) => this.change(mark, this.drawn(start, this.position(move)));
  }

  position(event) {
    const box = this.root.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  /** The width of a rectangle whose lower right corner was dragged; the corner stays in the photo. */
  widthAfter({ x, y, width }, start, now) {
    const wanted = width + Math.max(now.x - start.x, (now.y - start.y) / this.slope);
    return Math.min(wanted, 1 - x, (1 - y) / this.slope);
  }

  drawn(start, pointer) {
    const width = Math.max(Math.abs(pointer.x - start.x), Math.abs(pointer.y - start.y) / this.slope, SMALLEST_WIDTH);
    return {
      x: pointer.x < start.x ? start.x - width : start.x,
      y: pointer.y < start.y ? start.y - width * this.slope : start.y,
      width,
    };
  }
}

function place(handle, { x, y, width }, height) {
  handle.style.left = percent(x);
  handle.style.top = percent(y);
  // A small mark is never covered by a large one.
  handle.style.zIndex = String(100 - Math.round((width ?? 0) * 100));
  if (!width) return;
  handle.style.width = percent(width);
  handle.style.height = percent(height);
}

function describe(mark, { x, y, width }) {
  const size = width ? `, ${percent(width)} wide` : "";
  return `${NAMES[mark]}: ${percent(x)} from the left, ${percent(y)} from the top${size}`;
}

const percent = (part) => `${Math.round(part * 1000) / 10}%`;
const rounded = (value) => Math.round(value * 1e4) / 1e4;
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
