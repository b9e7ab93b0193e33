// The order as a curl command.

import { announce, byId, openDialog } from "./dom.js";
import { order } from "./order.js";

export function startCurl() {
  const copy = byId("copy-curl");
  copy.addEventListener("click", async () => {
    const text = command();
    if (!(await copied(text))) return showCommand(text);
    copy.textContent = "Copied";
    announce("The command was copied.");
    setTimeout(() => (copy.textContent = "Copy as curl"), 2000);
  });
}

function command() {
  const json = JSON.stringify(order.toJson(), null, 2).replaceAll("'", "'\\''");
  const url = `${location.origin}/api/videos`;
  return `curl -s ${url} -H "x-api-key: $API_KEY" -H 'content-type: application/json' -d '${json}'\n`;
}

/** Pages that come by plain http from another host have no clipboard. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function showCommand(text) {
  byId("command-text").value = text;
  openDialog(byId("command"));
  byId("command-text").select();
}
