// From the order to the film: the button, the progress, the players.

import { announce, byId, el, setText } from "./dom.js";
import { Problem, followVideo, hasEnded, placeOrder, request } from "./api.js";
import { order } from "./order.js";
import { showFaults } from "./faults.js";
import { preview } from "./preview.js";
import { createPlayers, remarks } from "./videos.js";

const make = byId("make");
const cancel = byId("film-cancel");
const progress = byId("film-progress");
const views = { preview: byId("preview-view"), film: byId("film-view") };
/** The video that is shown. An earlier one goes on, but is seen in the list of films only. */
let current = null;
let listener = () => {};
let announcedQuarter = 0;

/** `onVideo` gets every state of the videos that are ordered here. */
export function startFilm({ onVideo }) {
  listener = onVideo;
  make.addEventListener("click", makeFilm);
  cancel.addEventListener("click", cancelFilm);
  byId("show-preview").addEventListener("click", () => show("preview"));
  byId("show-film").addEventListener("click", () => show("film"));
  order.addEventListener("change", ({ detail }) => detail.edited && show("preview"));
  preview.addEventListener("frame", ({ detail }) => {
    byId("film-frame").src = detail;
    byId("film-frame").hidden = false;
  });
  order.addEventListener("photos", () => {
    make.disabled = order.photos.every((photo) => photo.refusal);
  });
}

export async function makeFilm() {
  const placing = new AbortController();
  current = { placing, video: null };
  const mine = current;
  reset();
  try {
    await uploadsEnd(placing.signal);
    const video = await placeOrder(order.toJson(), { signal: placing.signal, onWait: explainWait });
    take(mine, video);
    await followVideo(video.id, {
      onVideo: (state) => take(mine, state),
      onConnection: (stands) => !stands && mine === current && setText(byId("film-state"), "The connection is lost. Connecting again…"),
    });
  } catch (problem) {
    if (mine === current) explainFailure(problem, placing.signal);
  }
}

function reset() {
  announcedQuarter = 0;
  byId("film-players").replaceChildren();
  byId("film-remarks").replaceChildren();
  progress.hidden = cancel.hidden = false;
  progress.removeAttribute("value");
  byId("view-switch").hidden = byId("film-screen").hidden = false;
  show("film");
  const waiting = order.uploading.length > 0;
  setText(byId("film-state"), waiting ? "Uploading the photos…" : "Sending the order…");
  views.film.scrollIntoView({ block: "nearest" });
}

function uploadsEnd(signal) {
  return new Promise((resolve, reject) => {
    const check = () => {
      if (order.uploading.length > 0) return;
      order.removeEventListener("photos", check);
      resolve();
    };
    order.addEventListener("photos", check);
    signal.addEventListener("abort", () => reject(signal.reason));
    check();
  });
}

function explainWait(problem) {
  setText(byId("film-state"), `${problem.message} Trying again…`);
}

function explainFailure(problem, signal) {
  progress.hidden = true;
  hideCancel();
  if (signal.aborted) return setText(byId("film-state"), "Cancelled.");
  if (!(problem instanceof Problem)) throw problem;
  const sentence = showFaults(problem);
  setText(byId("film-state"), "The film was not ordered.");
  showRemarks([sentence]);
  announce(sentence);
}

function take(mine, video) {
  mine.video = video;
  listener(video);
  if (mine !== current) return;
  setText(byId("film-state"), stateText(video));
  if (video.state === "running") progress.value = video.progress;
  setText(byId("show-film"), hasEnded(video) ? "Film" : `Film ${Math.floor(video.progress * 100)} %`);
  announceQuarter(video);
  if (hasEnded(video)) showEnd(video);
}

function stateText(video) {
  const texts = {
    queued: `Waiting, number ${video.queue_position ?? 1} in the queue`,
    running: `Making the film: ${Math.floor(video.progress * 100)} %`,
    done: "The film is ready.",
    failed: "The film could not be made.",
    cancelled: "Cancelled.",
  };
  return texts[video.state];
}

/** Screen readers are told of every quarter, not of every percent. */
function announceQuarter(video) {
  const quarter = Math.floor(video.progress * 4);
  if (hasEnded(video)) announce([stateText(video), ...remarks(video)].join(" "));
  else if (quarter > announcedQuarter) announce(stateText(video));
  announcedQuarter = quarter;
}

function showEnd(video) {
  progress.hidden = true;
  hideCancel();
  showRemarks(remarks(video));
  if (video.state !== "done") return;
  byId("film-screen").hidden = true;
  byId("film-players").replaceChildren(...createPlayers(video));
}

/** A focused button that disappears gives the focus to the heading beside it. */
function hideCancel() {
  if (document.activeElement === cancel) byId("film-state").focus();
  cancel.hidden = true;
}

function showRemarks(sentences) {
  byId("film-remarks").replaceChildren(...sentences.map((text) => el("li", { text })));
}

async function cancelFilm() {
  const { video, placing } = current;
  if (!video) return placing.abort();
  hideCancel();
  try {
    await request("DELETE", `/api/videos/${video.id}`);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    cancel.hidden = hasEnded(current.video);
    showRemarks([problem.message]);
  }
}

function show(view) {
  for (const [name, element] of Object.entries(views)) {
    element.hidden = name !== view;
    byId(`show-${name}`).setAttribute("aria-pressed", String(name === view));
  }
}
