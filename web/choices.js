// The choices that concern the whole film.

import { byId, el, announce, setText } from "./dom.js";
import { Problem, requestJson } from "./api.js";
import { order } from "./order.js";
import { uploadPatiently } from "./uploads.js";
import { sentence } from "./words.js";

const FIELD_LABELS = {
  address: "Address",
  price: "Price",
  details: "Details",
  name: "Name",
  phone: "Phone",
  website: "Website",
};

const form = byId("choices");
const templates = new Map();
/** Kept while another template is chosen. */
const fields = {};
let uploadedLogo = "";

export function startChoices() {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    // An address is used when it is complete.
    if (event.target.type !== "url") read();
  });
  form.addEventListener("change", read);
  byId("template").addEventListener("change", renderFields);
  byId("logo-file").addEventListener("change", uploadLogo);
  byId("logo-remove").addEventListener("click", removeLogo);
  read();
}

export async function loadTemplates() {
  const { items } = await requestJson("GET", "/api/templates");
  for (const template of items) {
    if (!templates.has(template.id)) form.elements.template.append(el("option", { value: template.id, text: template.name }));
    templates.set(template.id, template);
  }
}

/** Everything that is chosen, to be kept over a reload of the page. */
export function choiceValues() {
  const controls = Array.from(form.elements).filter(({ name, type }) => name && type !== "file");
  const values = controls.map((control) => [control.name, control.value, control.checked]);
  return { values, fields, logo: { url: uploadedLogo, name: byId("logo-name").textContent } };
}

export function setChoiceValues({ values, fields: texts, logo }) {
  Object.assign(fields, texts);
  for (const [name, value, checked] of values) {
    const controls = Array.from(form.querySelectorAll(`[name="${name}"]`));
    const control = controls.find((one) => name !== "ratio" || one.value === value);
    if (control?.type === "checkbox") control.checked = checked;
    else if (control) control.value = value;
  }
  renderFields();
  showLogo(logo.url, logo.name);
}

function read() {
  const { elements } = form;
  renderDependents();
  order.setChoices({
    ratios: Array.from(form.querySelectorAll("[name=ratio]:checked"), (box) => box.value),
    duration: number(elements.duration),
    template: readTemplate(),
    transition: readTransition(),
    music: readMusic(),
    on_bad_photo: elements["skip-bad"].checked ? "skip" : undefined,
    frame_rate: number(elements["frame-rate"]),
    webhook_url: elements.webhook.value.trim() || undefined,
    id: elements.reference.value.trim() || undefined,
    unbranded: Boolean(elements.template.value) && elements.unbranded.checked,
    maxBytes: megabytes(elements["max-size"]),
  });
}

function renderDependents() {
  const { transition, music, template, volume } = form.elements;
  byId("transition-duration-row").hidden = ["", "cut"].includes(transition.value);
  byId("music-options").hidden = !music.value.trim();
  byId("unbranded-row").hidden = !template.value;
  setText(byId("volume-text"), `${volume.value} %`);
}

function number(input) {
  return Number.isNaN(input.valueAsNumber) ? undefined : input.valueAsNumber;
}

function megabytes(input) {
  const value = number(input);
  return value === undefined ? undefined : Math.round(value * 1e6);
}

function readTemplate() {
  const template = templates.get(form.elements.template.value);
  if (!template) return undefined;
  for (const input of byId("template-fields").querySelectorAll("input")) fields[input.name] = input.value.trim();
  const filled = Object.entries(fields).filter(([name, value]) => value && template.uses.includes(name));
  const logo = template.uses.includes("logo") ? uploadedLogo || form.elements["logo-address"].value.trim() : "";
  return { id: template.id, fields: Object.fromEntries(filled), ...(logo && { logo_url: logo }) };
}

function readTransition() {
  const { transition, "transition-duration": duration } = form.elements;
  if (!transition.value) return undefined;
  const seconds = transition.value === "cut" ? undefined : number(duration);
  return { kind: transition.value, ...(seconds !== undefined && { duration: seconds }) };
}

function readMusic() {
  const { music, volume, "cut-on-beat": cut } = form.elements;
  const url = music.value.trim();
  return url ? { url, volume: volume.valueAsNumber / 100, cut_on_beat: cut.checked } : undefined;
}

function renderFields() {
  const template = templates.get(form.elements.template.value);
  setText(byId("template-description"), template?.description ?? "Photos without titles.");
  const names = Object.keys(FIELD_LABELS).filter((name) => template?.uses.includes(name));
  byId("template-fields").replaceChildren(...names.map(textField));
  byId("logo-row").hidden = !template?.uses.includes("logo");
  read();
}

function textField(name) {
  const id = `field-${name}`;
  const input = el("input", { id, name, maxlength: 500, autocomplete: "off", "aria-describedby": `${id}-fault` });
  input.value = fields[name] ?? "";
  const label = el("label", { for: id, text: FIELD_LABELS[name] });
  const fault = el("p", { class: "fault", id: `${id}-fault`, "data-fault": `/template/fields/${name}` });
  return el("div", { class: "field" }, label, input, fault);
}

async function uploadLogo(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  const fault = byId("logo-file-fault");
  setText(fault, "");
  setText(byId("logo-name"), `${file.name}: uploading…`);
  try {
    const { url } = await uploadPatiently(file, { signal: new AbortController().signal });
    showLogo(url, file.name);
    announce("The logo was uploaded.");
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    showLogo("", "");
    setText(fault, sentence(`${file.name}: ${problem.message.replace(/^the photo/, "the logo")}`));
  }
}

function removeLogo() {
  setText(byId("logo-file-fault"), "");
  showLogo("", "");
  byId("logo-file").focus();
}

function showLogo(url, name) {
  uploadedLogo = url;
  setText(byId("logo-name"), name);
  byId("logo-remove").hidden = !url;
  byId("logo-address-row").hidden = Boolean(url);
  read();
}
