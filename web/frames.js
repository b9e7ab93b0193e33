// Frames of films, drawn by the server: one at a time, since each keeps it busy.

import { createPool } from "./dom.js";
import { request } from "./api.js";

const lane = createPool(1);

/** A frame of an order as a JPEG picture. An urgent one is drawn before those that wait. */
export function fetchFrame(json, { time, output = null, signal, urgent = false }) {
  const query = new URLSearchParams({ time, ...(output && { output }) });
  const draw = async () => {
    signal?.throwIfAborted();
    return (await request("POST", `/api/videos/preview?${query}`, { json, signal })).blob();
  };
  return lane(draw, { urgent });
}
