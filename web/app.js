// The page: puts its parts together, and asks for the key.

import { announce, byId, closeByClick, el, setText } from "./dom.js";
import { Problem, acceptKey, forgetKey, hasKey, onUnauthorized, setKey } from "./api.js";
import { order } from "./order.js";
import { clearSession } from "./session.js";
import { addFiles } from "./uploads.js";
import { acceptDrops, acceptPastes } from "./transfers.js";
import { startPhotos } from "./photos.js";
import { loadTemplates, startChoices } from "./choices.js";
import { startPreview } from "./preview.js";
import { startCheck } from "./check.js";
import { editPhoto, startEditor } from "./editor.js";
import { forgetFilm, makeFilm, resumeFilm, startFilm } from "./film.js";
import { startDock } from "./dock.js";
import { startCurl } from "./curl.js";
import { refresh, startJobs, takeVideo } from "./jobs.js";
import { restoreOrder } from "./restore.js";

const SAMPLES = ["1-aitzgorri.jpg", "2-peaks.jpg", "3-life.jpg", "4-friends-portrait.jpg", "5-freespace.jpg"];
const SAMPLE_SECONDS = 2;
const RETRY_MS = 3000;

const field = byId("api-key");
let retryTimer = 0;
let isRestored = false;

function startSignIn() {
  byId("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    takeKey(field.value.trim());
  });
  field.addEventListener("input", () => {
    clearTimeout(retryTimer);
    setKeyFault("");
  });
  byId("sign-out").addEventListener("click", () => {
    forgetKey();
    clearSession();
    location.reload();
  });
  onUnauthorized(() => showSignIn("The service refused this API key."));
}

function takeKey(value) {
  if (!value) return;
  // Headers take no other characters.
  if (!/^[\x20-\x7e]+$/.test(value)) {
    return setKeyFault("An API key has only Latin letters, digits and signs. Copy it again.");
  }
  setKey(value);
  signIn();
}

/** The first request shows whether the key is right. */
async function signIn() {
  clearTimeout(retryTimer);
  try {
    await loadTemplates();
    acceptKey();
    showWorkspace();
    await refresh();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) return;
    if (byId("sign-in-view").hidden) showSignIn("");
    setKeyFault(`${problem.message} Trying again…`);
    retryTimer = setTimeout(() => hasKey() && signIn(), RETRY_MS);
  }
}

function showSignIn(fault) {
  setKeyFault(fault);
  field.focus();
  if (!byId("sign-in-view").hidden) return;
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  byId("sign-in-view").hidden = false;
  byId("workspace").hidden = byId("sign-out").hidden = true;
  renderHeld();
  field.focus();
}

function setKeyFault(fault) {
  setText(byId("api-key-fault"), fault);
  field.setAttribute("aria-invalid", Boolean(fault));
}

function showWorkspace() {
  field.value = "";
  setKeyFault("");
  byId("sign-in-view").hidden = true;
  byId("workspace").hidden = byId("sign-out").hidden = false;
  byId("main").focus();
  announce("Signed in.");
  if (isRestored) return;
  isRestored = true;
  restoreOrder();
  resumeFilm();
}

/** Photos that come before the key are kept for it. */
function renderHeld() {
  if (byId("sign-in-view").hidden) return;
  const count = order.pending.length;
  const photos = count === 1 ? "One photo is" : `${count} photos are`;
  setText(byId("sign-in-held"), count > 0 ? `${photos} waiting, and will be added when you have signed in.` : "");
}

/** Without photos, the page is a greeting; with photos, an editor. */
function showGreeting() {
  const empty = order.photos.length === 0;
  byId("greeting").hidden = !empty;
  byId("stage").hidden = byId("choices").hidden = empty;
  byId("skip-to-film").hidden = empty;
  byId("editor-grid").classList.toggle("empty", empty);
}

async function makeFirstFilm() {
  const first = byId("make-first");
  first.disabled = true;
  setText(byId("greeting-fault"), "");
  const files = await Promise.all(SAMPLES.map(fetchSample)).catch(() => null);
  first.disabled = false;
  if (!files) return setText(byId("greeting-fault"), "The sample photos cannot be fetched.");
  addFiles(files, { seconds: SAMPLE_SECONDS });
  byId("make").focus();
  await makeFilm();
}

async function fetchSample(name) {
  const response = await fetch(`/page/samples/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new File([await response.blob()], name, { type: "image/jpeg" });
}

function showSamples() {
  const sample = (name) => ({ src: `/page/samples/${name}`, alt: "", loading: "lazy", draggable: "false" });
  byId("samples").replaceChildren(...SAMPLES.map((name) => el("img", sample(name))));
}

startSignIn();
startPhotos({ onEdit: editPhoto });
startPreview();
startCheck();
startEditor();
startFilm({ onVideo: takeVideo });
startDock();
startJobs({ whenDeleted: forgetFilm });
startCurl();
startChoices();
acceptDrops();
acceptPastes();
for (const id of ["confirmation", "command"]) closeByClick(byId(id));
byId("make-first").addEventListener("click", makeFirstFilm);
order.addEventListener("photos", showGreeting);
order.addEventListener("photos", renderHeld);
showGreeting();
showSamples();
if (hasKey()) signIn();
else showSignIn("");
