// What the running filter tells of a finding: a line for the records, a masked log line, and a count.
import t from "tap";
import { createDetection } from "../../src/app/detection.ts";
import type { CallRef } from "../../src/domain/call.ts";
import type { NoteLine } from "../../src/records/lines/record-line.ts";
import { createLog, type LogEntry } from "../../src/observe/log.ts";
import { makeAttempt, makeState, makeTrunk, NOW } from "../support/attempt.ts";
import { basicPolicy, compileText } from "../support/proxy.ts";

void t.test("detection: the record has the whole number and the calls, the log a masked one", (t) => {
  const lines: NoteLine[] = [];
  const entries: LogEntry[] = [];
  const policy = compileText(
    `${basicPolicy}detectors: { call-bombing: {}, block-dialling: {}, one-ring: {}, short-calls: {}, two-places: {} }\n`,
  );
  const detection = createDetection({
    policy: () => policy,
    state: makeState(),
    log: createLog(
      "info",
      () => NOW,
      (entry) => void entries.push(entry),
    ),
    note: (line) => void lines.push(line),
    folder: { path: "", why: "a test keeps nothing", epoch: 1 },
    fault: (error) => t.fail(String(error)),
  });
  t.teardown(detection.close);
  const trunk = makeTrunk({ id: "lease" });
  for (let i = 0; i < 10; i++) {
    const call: CallRef = { id: `gw-1-${i}`, trunk: trunk.id };
    const at = NOW + i * 60_000;
    detection.happened({
      kind: "decided",
      call,
      at,
      decision: {
        attempt: makeAttempt(trunk, { callId: call.id, called: "+8613800138000", at }),
        verdict: { kind: "accept", reason: "listed" },
        rule: "default",
        marks: [],
        shadow: [],
        revision: "r1",
      },
      action: { kind: "forwarded", hop: "core" },
    });
    detection.happened({
      kind: "ended",
      call,
      at: at + 12_000,
      by: "called",
      how: "released",
      status: 200,
      ringingMs: 1000,
      answeredMs: 9000,
      talkedMs: 3000,
    });
  }
  t.equal(lines.length, 1);
  t.match(lines[0], {
    record: "finding",
    detector: "call-bombing",
    id: "f1-1",
    profile: "1",
    mode: "monitor",
    unbound: "monitor",
    participants: [{ trunk: "lease", number: "+861087654321" }],
    subject: { kind: "called", number: "+8613800138000" },
    calls: [/^gw-1-\d$/],
  });
  t.match(entries, [
    {
      level: "warn",
      message: "finding",
      fields: { detector: "call-bombing", subject: "called", number: "+8613xxxxxxxxx" },
    },
  ]);
  const { told, full } = detection.figures();
  t.same(
    told.filter(({ count }) => count > 0),
    [{ detector: "call-bombing", mode: "monitor", count: 1 }],
  );
  t.equal(full, 0);
  t.end();
});
