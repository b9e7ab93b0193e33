// Icons, drawn with lines on a grid of 24.

const PATHS = {
  back: "M15 5l-7 7 7 7",
  forward: "M9 5l7 7-7 7",
  remove: "M6 6l12 12M18 6L6 18",
  done: "M9 6.5v11l9-5.5z",
  queued: "M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18",
  running: "M4 6h16v12H4zM8 6v12M16 6v12M4 12h16",
  failed: "M12 8v5M12 16v.5M12 3.5L2.5 20h19z",
  cancelled: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M6 6l12 12",
  broken: "M4 5h16v14H4zM4 16l5-5 4 4M4 5l16 14",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [attribute, value] of [["viewBox", "0 0 24 24"], ["class", "icon-lines"], ["aria-hidden", "true"]]) {
    svg.setAttribute(attribute, value);
  }
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
