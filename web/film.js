// From the order to the film: the button, the progress, the players.

import { announce, byId, el, setText } from "./dom.js";
import { Problem, followVideo, hasEnded, placeOrder, request } from "./api.js";
import { clearFaults, showFaults } from "./faults.js";
import { order } from "./order.js";
import { preview } from "./preview.js";
import { store, stored } from "./session.js";
import { createPlayers, faultsOfVideo, photosOf, rememberPhotos, remarks } from "./videos.js";
import { faultsOf, sentence } from "./words.js";

const make = byId("make");
const cancel = byId("film-cancel");
const progress = byId("film-progress");
const views = { preview: byId("preview-view"), film: byId("film-view") };
const TITLE = document.title;
/** The film that is shown. An earlier one goes on, but is seen in the list of films only. */
let current = null;
let listener = () => {};
let announcedQuarter = 0;

/** `onVideo` gets every state of the videos that are ordered here. */
export function startFilm({ onVideo }) {
  listener = onVideo;
  make.addEventListener("click", makeFilm);
  cancel.addEventListener("click", cancelFilm);
  for (const view of Object.keys(views)) byId(`show-${view}`).addEventListener("click", () => show(view));
  order.addEventListener("change", ({ detail }) => {
    if (!detail.edited) return;
    clearFaults("film");
    show("preview");
    if (current?.video && hasEnded(current.video)) document.title = TITLE;
  });
  preview.addEventListener("frame", ({ detail }) => {
    byId("film-frame").hidden = !detail;
    byId("film-frame").src = detail;
  });
  order.addEventListener("photos", renderMake);
  show("preview");
}

export async function makeFilm() {
  if (current?.placing) return;
  const placing = new AbortController();
  current = { placing, video: null };
  const mine = current;
  reset(order.pending.length > 0 ? "Waiting for the photos…" : "Sending the order…");
  const photos = [];
  try {
    await photosArrive(placing.signal);
    setText(byId("film-state"), "Sending the order…");
    photos.push(...order.ready);
    const names = photos.map((photo) => ({ url: photo.url, number: order.numberOf(photo), name: photo.name }));
    const video = await placeOrder(order.toJson(), { signal: placing.signal, onWait: explainWait });
    rememberPhotos(video.id, names);
    take(mine, video);
  } catch (problem) {
    return explainRefusal(problem, placing.signal, photos);
  } finally {
    mine.placing = null;
    renderMake();
  }
  await follow(mine);
}

/** Follows the film of before a reload of the page. */
export async function resumeFilm() {
  const kept = stored("film");
  if (!kept || current) return;
  current = { placing: null, video: { id: kept.id } };
  reset("Looking for the film…");
  show(kept.view);
  await follow(current);
}

/** Takes note that a film was deleted. */
export function forgetFilm(id) {
  if (current?.video?.id !== id) return;
  end("The film was deleted.", []);
  current = null;
  store("film", null);
}

async function follow(mine) {
  const { id } = mine.video;
  const onLost = () => mine === current && setText(byId("film-state"), "The connection is lost. Connecting again…");
  try {
    await followVideo(id, { onVideo: (video) => take(mine, video), onLost });
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if ([404, 410].includes(problem.status)) forgetFilm(id);
    else if (mine === current) end("The film cannot be followed.", [sentence(problem.message)]);
  }
}

function reset(text) {
  announcedQuarter = 0;
  byId("film-players").replaceChildren();
  byId("film-remarks").replaceChildren();
  progress.hidden = cancel.hidden = byId("film-screen").hidden = false;
  progress.removeAttribute("value");
  setText(byId("film-state"), text);
  const hadFocus = document.activeElement === make;
  renderMake();
  show("film");
  // A disabled button takes no more keys.
  if (hadFocus) byId("film-state").focus({ preventScroll: true });
  byId("stage").scrollIntoView({ block: "nearest" });
}

/** One order at a time; photos that are marked as unusable are left out of it. */
function renderMake() {
  const left = order.bad.length;
  make.disabled = Boolean(current?.placing) || left === order.photos.length;
  const isSome = left > 0 && left < order.photos.length;
  const who = left === 1 ? "One photo cannot be used and is" : `${left} photos cannot be used and are`;
  setText(byId("make-note"), isSome ? `${who} left out.` : "");
}

function photosArrive(signal) {
  return new Promise((resolve, reject) => {
    const check = () => {
      if (order.pending.length > 0) return;
      order.removeEventListener("photos", check);
      resolve();
    };
    order.addEventListener("photos", check);
    signal.addEventListener("abort", () => reject(signal.reason));
    check();
  });
}

function explainWait(problem) {
  setText(byId("film-state"), `${sentence(problem.message)} Trying again…`);
}

function explainRefusal(problem, signal, photos) {
  if (signal.aborted) return end("Cancelled.", []);
  if (!(problem instanceof Problem)) throw problem;
  const faults = problem.errors.length > 0 ? problem.errors : faultsOf(problem.message);
  const unplaced = showFaults("film", faults, photos);
  end("The film was not ordered.", unplaced.length > 0 ? unplaced : ["See what is marked in red."]);
}

/** The end of an attempt that leaves no film to show. */
function end(text, sentences) {
  progress.hidden = true;
  hideCancel();
  byId("film-screen").hidden = true;
  byId("film-players").replaceChildren();
  setText(byId("film-state"), text);
  setText(byId("show-film"), "Film");
  showRemarks(sentences);
  announce([text, ...sentences].join(" "));
  document.title = TITLE;
}

function take(mine, video) {
  mine.video = video;
  listener(video);
  if (mine !== current) return;
  keep();
  const percent = `${Math.floor(video.progress * 100)} %`;
  setText(byId("film-state"), stateText(video));
  if (video.state === "running") progress.value = video.progress;
  setText(byId("show-film"), hasEnded(video) ? "Film" : `Film ${percent}`);
  document.title = hasEnded(video) ? titleOf(video) : `${percent} – ${TITLE}`;
  announceQuarter(video);
  if (hasEnded(video)) showEnd(video);
}

/** What a reload of the page comes back to. */
function keep() {
  const view = views.film.hidden ? "preview" : "film";
  if (current?.video) store("film", { id: current.video.id, view });
}

function titleOf({ state }) {
  if (state === "done") return `Ready – ${TITLE}`;
  return state === "failed" ? `Failed – ${TITLE}` : TITLE;
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
  markFaults(video);
  byId("film-screen").hidden = true;
  if (video.state === "done") byId("film-players").replaceChildren(...createPlayers(video));
}

/** Marks the photos and fields that the film failed for, as far as they are still there. */
function markFaults(video) {
  const ordered = photosOf(video.id);
  const photos = ordered.map(({ url }) => order.ready.find((photo) => photo.url === url));
  const faults = faultsOfVideo(video);
  if (faults.length > 0) showFaults("film", faults, photos);
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
  if (placing) return placing.abort();
  hideCancel();
  try {
    await request("DELETE", `/api/videos/${video.id}`);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    cancel.hidden = hasEnded(current.video);
    showRemarks([sentence(problem.message)]);
  }
}

function show(view) {
  for (const [name, element] of Object.entries(views)) {
    element.hidden = name !== view;
    byId(`show-${name}`).setAttribute("aria-pressed", String(name === view));
  }
  byId("show-film").disabled = !current;
  byId("stage").dataset.view = view;
  keep();
}
