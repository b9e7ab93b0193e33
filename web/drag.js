// Photos are dragged to another place in the list with the mouse. Touch scrolls the list instead.

import { order } from "./order.js";

/** How far, in pixels, the mouse moves before a click becomes a drag. */
const DISTANCE = 6;
/** How near to an edge, in pixels, the list scrolls, and how far with each frame of the screen. */
const EDGE = 56;
const FASTEST = 18;

export function dragPhotos(list, { photoAt, elementOf, onDropped }) {
  let drag = null;

  const follow = () => {
    const target = photoAt(document.elementFromPoint(drag.x, drag.y));
    if (target && target !== drag.photo) order.move(drag.photo, order.photos.indexOf(target));
  };

  const scrollAtEdges = () => {
    if (!drag?.moved) return;
    const { top, bottom } = list.getBoundingClientRect();
    const above = Math.max(top, 0) + EDGE - drag.y;
    const below = drag.y - (Math.min(bottom, innerHeight) - EDGE);
    const step = above > 0 ? -speed(above) : below > 0 ? speed(below) : 0;
    if (step !== 0) scroll(list, step);
    if (step !== 0) follow();
    requestAnimationFrame(scrollAtEdges);
  };

  list.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button !== 0 || !event.target.closest(".thumb")) return;
    drag = { photo: photoAt(event.target), startX: event.clientX, startY: event.clientY, moved: false };
  });
  addEventListener("pointermove", ({ clientX, clientY }) => {
    if (!drag) return;
    Object.assign(drag, { x: clientX, y: clientY });
    if (!drag.moved) {
      if (Math.hypot(clientX - drag.startX, clientY - drag.startY) < DISTANCE) return;
      drag.moved = true;
      elementOf(drag.photo)?.classList.add("dragged");
      requestAnimationFrame(scrollAtEdges);
    }
    follow();
  });
  const end = () => {
    if (drag?.moved) {
      elementOf(drag.photo)?.classList.remove("dragged");
      onDropped(drag.photo);
      suppressClick(list);
    }
    drag = null;
  };
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
}

const speed = (depth) => Math.min(FASTEST, 2 + depth / 4);

/** Scrolls the list, or, when that is at its end, the page. */
function scroll(list, step) {
  const before = list.scrollTop;
  list.scrollTop += step;
  if (list.scrollTop === before) scrollBy(0, step);
}

/** The end of a drag is no click on the photo. The click, if there is one, comes before the next task. */
function suppressClick(list) {
  const stop = (event) => event.stopPropagation();
  list.addEventListener("click", stop, { capture: true });
  setTimeout(() => list.removeEventListener("click", stop, { capture: true }));
}
