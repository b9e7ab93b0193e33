// What this tab keeps over a reload of the page. It is gone when the tab is closed or the user signs out.

const PREFIX = "kinora.";

let isOver = false;

export function stored(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

export function store(name, value) {
  if (isOver) return;
  try {
    sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // The storage is full or not allowed; the page works without it.
  }
}

/** Ends the session; nothing is kept any more. */
export function clearSession() {
  isOver = true;
  for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
}
