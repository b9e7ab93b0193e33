// The list of films: all that the server knows, newest first.

import { announce, button, byId, closeByClick, confirmed, el, openDialog, setText } from "./dom.js";
import { Problem, hasEnded, isSignedIn, request, requestJson } from "./api.js";
import { icon } from "./icons.js";
import { createPlayers, lengthText, outputPath, remarks, shapeName, sizeText, stateName, timeText } from "./videos.js";
import { sentence } from "./words.js";

const PAGE = 10;
/** While something is going on, and otherwise: other clients order films as well. */
const POLL_MS = 3000;
const SLOW_POLL_MS = 20_000;

const list = byId("job-list");
const more = byId("jobs-more");
const rows = new Map();
/** The newest webhook of each video that has one, by the id of the video. */
const webhooks = new Map();
let videos = [];
let timer = 0;
let onDeleted = () => {};

/** `whenDeleted` gets the id of each video whose files were deleted here. */
export function startJobs({ whenDeleted }) {
  onDeleted = whenDeleted;
  more.addEventListener("click", nextPage);
  const player = byId("player");
  closeByClick(player);
  player.addEventListener("close", () => byId("player-videos").replaceChildren());
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
}

/** Fetches the newest page, and goes on doing so while the page is seen. */
export async function refresh() {
  clearTimeout(timer);
  if (!isSignedIn()) return;
  try {
    const page = await requestJson("GET", `/api/videos?limit=${PAGE}`);
    mergeNewest(page);
    setText(byId("jobs-fault"), "");
    await refreshWebhooks();
    render();
  } catch (problem) {
    explain(problem);
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, isWaiting() ? POLL_MS : SLOW_POLL_MS);
}

function isWaiting() {
  const isSending = videos.some(({ id }) => webhooks.get(id)?.state === "pending");
  return isSending || videos.some((video) => !hasEnded(video)) || Boolean(byId("jobs-fault").textContent);
}

/** Takes the state of a film that was just ordered, or is being followed. */
export function takeVideo(video) {
  const index = videos.findIndex(({ id }) => id === video.id);
  if (index < 0) videos.unshift(video);
  else videos[index] = video;
  render();
  if (index < 0 || hasEnded(video)) refresh();
}

function mergeNewest({ items, next_cursor }) {
  const oldest = items.at(-1)?.created_at ?? "";
  const older = next_cursor ? videos.filter(({ created_at }) => created_at < oldest) : [];
  if (older.length === 0) more.dataset.cursor = next_cursor ?? "";
  videos = [...items, ...older];
}

async function nextPage() {
  try {
    const query = new URLSearchParams({ limit: PAGE, cursor: more.dataset.cursor });
    const { items, next_cursor } = await requestJson("GET", `/api/videos?${query}`);
    more.dataset.cursor = next_cursor ?? "";
    videos.push(...items.filter(({ id }) => !videos.some((known) => known.id === id)));
    render();
    rows.get(items[0]?.id)?.root.focus();
  } catch (problem) {
    explain(problem);
  }
}

async function refreshWebhooks() {
  const { items } = await requestJson("GET", "/api/webhooks?limit=100");
  webhooks.clear();
  for (const webhook of items.reverse()) webhooks.set(webhook.video_id, webhook);
}

function explain(problem) {
  if (!(problem instanceof Problem)) throw problem;
  setText(byId("jobs-fault"), sentence(problem.message));
  renderSection();
}

function render() {
  const shown = new Set(videos.map(({ id }) => id));
  for (const [id, row] of rows) {
    if (shown.has(id)) continue;
    row.root.remove();
    rows.delete(id);
  }
  videos.forEach((video, index) => {
    if (!rows.has(video.id)) rows.set(video.id, createRow(video.id));
    const row = rows.get(video.id);
    if (list.children[index] !== row.root) list.insertBefore(row.root, list.children[index] ?? null);
    renderRow(row, video);
  });
  renderSection();
  more.hidden = !more.dataset.cursor;
}

/** Without films, there is no section of them. */
function renderSection() {
  byId("jobs").hidden = videos.length === 0 && byId("jobs-fault").textContent === "";
}

function createRow(id) {
  const video = () => videos.find((known) => known.id === id);
  const row = {
    poster: el("div", { class: "poster" }),
    title: el("strong", { class: "job-title" }),
    state: el("span", { class: "state" }),
    time: el("time", {}),
    facts: el("p", { class: "facts" }),
    remarks: el("ul", { role: "list", class: "remarks" }),
    progress: el("progress", { max: 1, "aria-label": "Progress" }),
    // What went wrong with the last action on this row.
    fault: el("p", { class: "fault", role: "alert" }),
    play: button("Play", () => play(video())),
    resend: button("Resend webhook", () => resend(id)),
    cancel: button("Cancel", () => cancelJob(video())),
    remove: button("Delete", () => remove(video())),
  };
  const heading = el("p", {}, row.title, row.state, row.time);
  const texts = el("div", { class: "job-texts" }, heading, row.facts, row.progress, row.remarks, row.fault);
  const actions = el("div", { class: "job-actions" }, row.play, row.resend, row.cancel, row.remove);
  row.root = el("li", { class: "job", tabindex: "-1" }, row.poster, texts, actions);
  return row;
}

function renderRow(row, video) {
  const ended = hasEnded(video);
  renderPoster(row, video);
  setText(row.title, titleOf(video));
  row.state.dataset.state = video.state;
  setText(row.state, stateName(video));
  row.time.dateTime = video.created_at;
  setText(row.time, timeText(video.created_at));
  setText(row.facts, facts(video));
  const sentences = remarks(video);
  if (row.said !== sentences.join()) row.remarks.replaceChildren(...sentences.map((text) => el("li", { text })));
  row.said = sentences.join();
  row.progress.hidden = video.state !== "running";
  row.progress.value = video.progress;
  row.play.hidden = video.state !== "done";
  row.resend.hidden = !ended || !webhooks.has(video.id);
  row.cancel.hidden = ended;
  row.remove.hidden = !ended;
  const name = `the film ${titleOf(video)} of ${row.time.textContent}`;
  for (const action of [row.play, row.cancel, row.remove]) action.setAttribute("aria-label", `${action.textContent} ${name}`);
  row.resend.setAttribute("aria-label", `Resend webhook of ${name}`);
}

/** A picture of a film that is done; else, or if that is missing, an icon of the state. */
function renderPoster(row, video) {
  if (row.posterOf === video.state) return;
  row.posterOf = video.state;
  row.poster.replaceChildren(icon(video.state));
  if (video.state !== "done") return;
  const image = el("img", { alt: "", loading: "lazy", draggable: "false", src: outputPath(video, 0, "jpg") });
  image.addEventListener("error", () => image.remove());
  row.poster.append(image);
}

/** The order's own reference, or else the shapes. */
function titleOf(video) {
  return video.client_id ?? video.outputs.map(shapeName).join(", ");
}

function facts(video) {
  const webhook = webhooks.get(video.id);
  const outputs = video.outputs.map((output) => {
    const size = output.size_bytes ? `, ${sizeText(output.size_bytes)}` : "";
    const shape = video.client_id || video.outputs.length > 1 ? `${shapeName(output)}, ` : "";
    return `${shape}${lengthText(output.duration)}${size}`;
  });
  return [...outputs, webhook && `webhook ${webhook.state.replace("_", " ")}`].filter(Boolean).join(" · ");
}

function play(video) {
  byId("player-title").textContent = `${titleOf(video)}, ${timeText(video.created_at)}`;
  byId("player-videos").replaceChildren(...createPlayers(video));
  openDialog(byId("player"));
}

function cancelJob(video) {
  return act(video.id, "The film was cancelled.", () => request("DELETE", `/api/videos/${video.id}`));
}

async function remove(video) {
  const { id } = video;
  const question = `Delete the film of ${timeText(video.created_at)}? Its files cannot be restored.`;
  if (!(await confirmed(question, "Delete"))) return;
  await act(id, "The film was deleted.", async () => {
    await request("DELETE", `/api/videos/${id}`).catch((problem) => {
      // Another client was faster.
      if (![404, 410].includes(problem.status)) throw problem;
    });
    // Older pages are not fetched again.
    videos = videos.filter((known) => known.id !== id);
    onDeleted(id);
  });
}

function resend(id) {
  const send = () => request("POST", `/api/webhooks/${webhooks.get(id).id}/resend`);
  return act(id, "The webhook will be sent again.", send);
}

/** Does something about a film. What goes wrong stays at its row until the next attempt. */
async function act(id, said, action) {
  const index = videos.findIndex((video) => video.id === id);
  const { fault } = rows.get(id);
  setText(fault, "");
  try {
    await action();
    announce(said);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    setText(fault, sentence(problem.message));
  }
  await refresh();
  render();
  // The button that was pressed may be gone.
  const focus = document.activeElement;
  if (focus !== document.body && !focus.hidden) return;
  (list.children[Math.min(index, list.children.length - 1)] ?? byId("main")).focus();
}
