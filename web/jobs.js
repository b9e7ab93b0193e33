// The list of films: all that the server knows, newest first.

import { announce, button, byId, closeByClick, confirmed, el, openDialog, setText } from "./dom.js";
import { Problem, hasEnded, hasKey, request, requestJson } from "./api.js";
import { createPlayers, lengthText, outputPath, remarks, shapeName, sizeText, stateName } from "./videos.js";

const PAGE = 10;
const POLL_MS = 3000;

const list = byId("job-list");
const more = byId("jobs-more");
const rows = new Map();
/** The newest webhook of each video that has one, by the id of the video. */
const webhooks = new Map();
let videos = [];
let timer = 0;

export function startJobs() {
  more.addEventListener("click", nextPage);
  const player = byId("player");
  closeByClick(player);
  player.addEventListener("close", () => byId("player-videos").replaceChildren());
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
}

/** Fetches the newest page, and goes on doing so while a film of it has not ended. */
export async function refresh() {
  clearTimeout(timer);
  if (!hasKey()) return;
  try {
    const page = await requestJson("GET", `/api/videos?limit=${PAGE}`);
    mergeNewest(page);
    setText(byId("jobs-fault"), "");
    await refreshWebhooks();
    render();
  } catch (problem) {
    explain(problem);
  }
  const waits = videos.some((video) => !hasEnded(video)) || byId("jobs-fault").textContent;
  if (waits && !document.hidden) timer = setTimeout(refresh, POLL_MS);
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
  setText(byId("jobs-fault"), problem.message);
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
  byId("jobs-none").hidden = videos.length > 0;
  more.hidden = !more.dataset.cursor;
}

function createRow(id) {
  const video = () => videos.find((known) => known.id === id);
  const row = {
    poster: el("img", { alt: "", loading: "lazy" }),
    state: el("span", { class: "state" }),
    time: el("time", {}),
    facts: el("span", { class: "facts" }),
    remark: el("p", { class: "fault" }),
    progress: el("progress", { max: 1, "aria-label": "Progress" }),
    play: button("Play", () => play(video())),
    resend: button("Resend webhook", () => resend(id)),
    cancel: button("Cancel", () => act(video(), "The film was cancelled.")),
    remove: button("Delete", () => remove(video())),
  };
  row.poster.addEventListener("error", () => row.poster.removeAttribute("src"));
  const texts = el("div", { class: "job-texts" }, el("p", {}, row.state, row.time), row.facts, row.progress, row.remark);
  const actions = el("div", { class: "job-actions" }, row.play, row.resend, row.cancel, row.remove);
  row.root = el("li", { class: "job", tabindex: "-1" }, el("div", { class: "poster" }, row.poster), texts, actions);
  return row;
}

function renderRow(row, video) {
  const done = video.state === "done";
  const ended = hasEnded(video);
  const poster = outputPath(video, 0, "jpg");
  // Asked for once: a poster that is missing stays missing.
  if (done && !row.asked) {
    row.asked = true;
    row.poster.src = poster;
  }
  row.state.dataset.state = video.state;
  setText(row.state, stateName(video));
  row.time.dateTime = video.created_at;
  setText(row.time, timeText(video.created_at));
  setText(row.facts, facts(video));
  setText(row.remark, remarks(video).join(" "));
  row.progress.hidden = video.state !== "running";
  row.progress.value = video.progress;
  row.play.hidden = !done;
  row.resend.hidden = !ended || !webhooks.has(video.id);
  row.cancel.hidden = ended;
  row.remove.hidden = !ended;
  const name = `the film of ${row.time.textContent}`;
  for (const action of [row.play, row.cancel, row.remove]) action.setAttribute("aria-label", `${action.textContent} ${name}`);
  row.resend.setAttribute("aria-label", `Resend webhook of ${name}`);
}

function timeText(time) {
  return new Date(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

function facts(video) {
  const webhook = webhooks.get(video.id);
  const outputs = video.outputs.map((output) => {
    const size = output.size_bytes ? `, ${sizeText(output.size_bytes)}` : "";
    return `${shapeName(output)}, ${lengthText(output.duration)}${size}`;
  });
  return [...outputs, webhook && `webhook ${webhook.state.replace("_", " ")}`].filter(Boolean).join(" · ");
}

function play(video) {
  byId("player-title").textContent = `Film of ${timeText(video.created_at)}`;
  byId("player-videos").replaceChildren(...createPlayers(video));
  openDialog(byId("player"));
}

async function remove(video) {
  const question = `Delete the film of ${timeText(video.created_at)}? Its files cannot be restored.`;
  if (await confirmed(question, "Delete")) await act(video, "The film was deleted.");
}

/** DELETE cancels a film that has not ended, and deletes one that has. */
async function act(video, sentence) {
  const index = videos.indexOf(video);
  try {
    await request("DELETE", `/api/videos/${video.id}`);
    announce(sentence);
  } catch (problem) {
    explain(problem);
  }
  await refresh();
  (list.children[Math.min(index, list.children.length - 1)] ?? byId("films-title")).focus();
}

async function resend(id) {
  try {
    await request("POST", `/api/webhooks/${webhooks.get(id).id}/resend`);
    announce("The webhook will be sent again.");
  } catch (problem) {
    explain(problem);
  }
  await refresh();
}
