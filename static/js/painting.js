// The painter in a thread of its own, so that the page stays as smooth as a blank one, however large the pictures are.

import { createPainter } from "./playground/painter.js";

const thread = /** @type {any} */ (globalThis);
const painter = createPainter((message) => thread.postMessage(message));
thread.onmessage = (/** @type {MessageEvent} */ event) => painter.receive(event.data);
