// Takes events through the frames of the ring to lines, as the two threads do, in one.
import { Buffer } from "node:buffer";
import type { CallDecided, CallEvent } from "../../src/domain/call.ts";
import type { Decision } from "../../src/domain/decision.ts";
import { writeEvent } from "../../src/records/lines/event-frames.ts";
import { createFrameReader, type FrameReading } from "../../src/records/lines/frame-lines.ts";
import { createFramePen } from "../../src/records/lines/frame-pen.ts";
import { makeAttempt, makeTrunk, NOW, type AttemptSpec } from "../support/attempt.ts";

export const NODE = "gw-a";

/** Makes the line of an event. Names go from event to event as in the ring. */
export function createLineMaker(): (event: CallEvent) => FrameReading {
  const memory = new Uint8Array(new SharedArrayBuffer(1 << 20));
  const pen = createFramePen(memory);
  const read = createFrameReader({
    node: NODE,
    names: [],
    lesseeOf: (trunk) => (trunk === "trunk-1" ? "acme" : undefined),
  });
  return (event) => {
    pen.moveTo(0);
    writeEvent(pen, event, 0);
    return read(Buffer.from(memory.slice(0, pen.place())));
  };
}

/** What a reader of the file sees. */
export function asRead({ line }: FrameReading): Record<string, unknown> {
  const read: Record<string, unknown> = JSON.parse(line ?? "null");
  return read;
}

export function decisionOn(spec: AttemptSpec = {}, given: Partial<Decision> = {}): Decision {
  return {
    attempt: makeAttempt(makeTrunk(), spec),
    verdict: { kind: "accept", reason: "listed" },
    rule: "default",
    marks: [],
    shadow: [],
    revision: "9f2c00000000",
    ...given,
  };
}

/** A forwarded call; `count` is in its id. */
export function forwardedCall(count: number, spec: AttemptSpec = {}, at = NOW): CallDecided {
  return {
    kind: "decided",
    call: { id: `${NODE}-t3k9x1-${count}`, trunk: "trunk-1" },
    at,
    decision: decisionOn(spec),
    action: { kind: "forwarded", hop: "udp:192.0.2.9:5060" },
    listener: "udp:192.0.2.2:5060",
    bytes: Buffer.from("INVITE sip:1@2 SIP/2.0\r\n\r\n"),
  };
}

export function endOf(count: number, at = NOW + 61_200): CallEvent {
  return {
    kind: "ended",
    call: { id: `${NODE}-t3k9x1-${count}`, trunk: "trunk-1" },
    at,
    by: "called",
    how: "released",
    status: 200,
    cause: 16,
    ringingMs: 1200,
    answeredMs: 3400,
    talkedMs: 57_800.4,
  };
}
