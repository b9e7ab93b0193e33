// Elements, announcements and dialogs.

/** Creates an element. `on…` properties are listeners, `text` is its text, the others are attributes. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) setProperty(element, name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function setProperty(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "text") element.textContent = value;
  else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else element.setAttribute(name, value === true ? "" : value);
}

export const byId = (id) => document.getElementById(id);

/** A button that submits no form. */
export function button(text, onclick, properties = {}) {
  return el("button", { type: "button", text, onclick, ...properties });
}

/** Sets a text only if it differs, since live regions read every change aloud. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let unsaid = [];

/** Has screen readers say a sentence. A region that is emptied first also says what it said before. */
export function announce(sentence) {
  byId("announcer").textContent = "";
  unsaid.push(sentence);
  if (unsaid.length === 1) setTimeout(speak, 100);
}

function speak() {
  byId("announcer").textContent = unsaid.join(" ");
  unsaid = [];
}

/** Opens a dialog, and gives the focus back to where it was when the dialog closes. */
export function openDialog(dialog) {
  const before = document.activeElement;
  dialog.addEventListener("close", () => before?.isConnected && before.focus(), { once: true });
  dialog.showModal();
}

/** Closes a dialog by its buttons marked data-close, and by a click beside it. */
export function closeByClick(dialog) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
}

/** Asks before something that cannot be undone; resolves to whether it was confirmed. */
export function confirmed(question, action) {
  const dialog = byId("confirmation");
  byId("confirmation-question").textContent = question;
  const accept = byId("confirmation-accept");
  accept.textContent = action;
  return new Promise((resolve) => {
    let answer = false;
    accept.onclick = () => {
      answer = true;
      dialog.close();
    };
    dialog.addEventListener("close", () => resolve(answer), { once: true });
    openDialog(dialog);
  });
}

/** Waits; rejects as soon as the signal is aborted. */
export function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Runs tasks, at most `size` of them at once; an urgent one before those that wait. */
export function createPool(size) {
  const waiting = [];
  let running = 0;
  const next = () => {
    if (running >= size || waiting.length === 0) return;
    running += 1;
    waiting.shift()().finally(() => {
      running -= 1;
      next();
    });
  };
  return (task, { urgent = false } = {}) =>
    new Promise((resolve, reject) => {
      const run = () => task().then(resolve, reject);
      if (urgent) waiting.unshift(run);
      else waiting.push(run);
      next();
    });
}
