// Below the width of two columns, the stage becomes a small bar at an edge of the screen while its place is out of
// sight, so that the preview and the button are always seen. Very low screens have no room for it.

import { byId } from "./dom.js";

/** The upper part of the stage is the picture; half of it has to be seen for the stage to be in its place. */
const PICTURE = 0.7;
const SEEN = 0.5;

const root = document.documentElement;
const stage = byId("stage");
const narrow = matchMedia("(max-width: 59.99rem) and (min-height: 24rem)");

export function startDock() {
  addEventListener("scroll", dock, { passive: true });
  addEventListener("resize", dock);
  new ResizeObserver(dock).observe(byId("editor-grid"));
  new MutationObserver(dock).observe(stage, { attributeFilter: ["hidden", "data-view"], subtree: true });
}

function dock() {
  const edge = edgeOf();
  if (edge === root.dataset.docked) return;
  // The place keeps its height, so that nothing moves.
  if (!edge) stage.style.height = "";
  else stage.style.height ||= `${stage.offsetHeight}px`;
  root.dataset.docked = edge;
}

/** The edge of the screen at which the stage is due: "top", "bottom" or none. */
function edgeOf() {
  if (!narrow.matches || stage.offsetHeight === 0) return "";
  // A finished film stays in its place.
  if (stage.dataset.view === "film" && byId("film-progress").hidden) return "";
  const { top, height } = stage.getBoundingClientRect();
  const picture = Math.min(height * PICTURE, innerHeight);
  const seen = Math.min(top + picture, innerHeight) - Math.max(top, 0);
  if (seen >= SEEN * picture) return "";
  if (byId("editor-grid").getBoundingClientRect().bottom < innerHeight / 3) return "";
  return top > 0 ? "bottom" : "top";
}
