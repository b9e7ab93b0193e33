// The page: puts its parts together, and asks for the key.

import { announce, byId, closeByClick, setText } from "./dom.js";
import { Problem, forgetKey, hasKey, onUnauthorized, setKey } from "./api.js";
import { order } from "./order.js";
import { acceptDrops, acceptPastes, addFiles } from "./uploads.js";
import { startPhotos } from "./photos.js";
import { loadTemplates, setDuration, startChoices } from "./choices.js";
import { startPreview } from "./preview.js";
import { editPhoto, startEditor } from "./editor.js";
import { makeFilm, startFilm } from "./film.js";
import { startCurl } from "./curl.js";
import { refresh, startJobs, takeVideo } from "./jobs.js";

const SAMPLES = ["1-aitzgorri.jpg", "2-peaks.jpg", "3-life.jpg", "4-friends-portrait.jpg", "5-freespace.jpg"];
const SAMPLE_SECONDS = 10;
const RETRY_MS = 3000;

function startSignIn() {
  byId("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    const key = byId("api-key").value.trim();
    if (!key) return;
    setKey(key);
    signIn();
  });
  byId("sign-out").addEventListener("click", () => {
    forgetKey();
    showSignIn("");
  });
  onUnauthorized(() => showSignIn("The service refused this API key."));
}

/** The first request shows whether the key is right. */
async function signIn() {
  setText(byId("api-key-fault"), "");
  try {
    await loadTemplates();
    showWorkspace();
    await refresh();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) return;
    showSignIn(`${problem.message} Trying again…`);
    setTimeout(() => hasKey() && signIn(), RETRY_MS);
  }
}

function showSignIn(fault) {
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  const field = byId("api-key");
  byId("sign-in-view").hidden = false;
  byId("workspace").hidden = byId("sign-out").hidden = true;
  setText(byId("api-key-fault"), fault);
  field.toggleAttribute("aria-invalid", Boolean(fault));
  field.focus();
  field.select();
}

function showWorkspace() {
  byId("api-key").value = "";
  byId("sign-in-view").hidden = true;
  byId("workspace").hidden = byId("sign-out").hidden = false;
  byId("main").focus();
  announce("Signed in.");
}

/** Without photos, the page is a greeting; with photos, an editor. */
function showGreeting() {
  const empty = order.photos.length === 0;
  byId("greeting").hidden = !empty;
  byId("stage").hidden = byId("choices").hidden = empty;
  byId("editor-grid").classList.toggle("empty", empty);
}

async function makeFirstFilm() {
  const first = byId("make-first");
  first.disabled = true;
  setText(byId("greeting-fault"), "");
  const files = await Promise.all(SAMPLES.map(fetchSample)).catch(() => null);
  first.disabled = false;
  if (!files) return setText(byId("greeting-fault"), "The sample photos cannot be fetched.");
  setDuration(SAMPLE_SECONDS);
  addFiles(files);
  byId("make").focus();
  await makeFilm();
}

async function fetchSample(name) {
  const response = await fetch(`/page/samples/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new File([await response.blob()], name, { type: "image/jpeg" });
}

startSignIn();
startPhotos({ onEdit: editPhoto });
startPreview();
startEditor();
startFilm({ onVideo: takeVideo });
startJobs();
startCurl();
startChoices();
acceptDrops();
acceptPastes();
for (const id of ["confirmation", "command"]) closeByClick(byId(id));
byId("make-first").addEventListener("click", makeFirstFilm);
order.addEventListener("photos", showGreeting);
showGreeting();
if (hasKey()) signIn();
else showSignIn("");
