import assert from "node:assert/strict";
import { test } from "node:test";

import { eventsIn } from "../../static/js/stream.js";

test("events are taken when they are whole, however the stream is cut", () => {
  const whole = 'event: progress\ndata: {"done":1,"of":2}\n\nevent: result\ndata: {"a":"b: c"}\n\n';
  for (let cut = 0; cut <= whole.length; cut += 1) {
    const first = eventsIn(whole.slice(0, cut));
    const second = eventsIn(first.rest + whole.slice(cut));
    const all = [...first.events, ...second.events];
    assert.deepEqual(all.map(({ event }) => event), ["progress", "result"]);
    assert.equal(JSON.parse(all[1].data).a, "b: c");
    assert.equal(second.rest, "");
  }
});
