import type { CallEvent } from "../../src/domain/call.ts";
import { createCalls } from "../../src/calls/call-memory.ts";
import type { Calls, CallSlot, CallsParts } from "../../src/calls/calls.ts";

/** Any start of time. */
export const START = 1_790_000_000_000;
export const HOUR = 3_600_000;

/** A memory of calls, and what it has told since the last look. */
export interface ToldCalls {
  readonly calls: Calls<string>;
  /** Events as text, their time in milliseconds since START. Empties the list. */
  readonly told: () => readonly string[];
  /** Set-ups that were released, in order. Empties the list. */
  readonly released: () => readonly string[];
}

export function makeCalls(parts: Partial<CallsParts<string>> = {}): ToldCalls {
  const told: string[] = [];
  const released: string[] = [];
  const calls = createCalls<string>({
    capacity: 64,
    node: "gw-a",
    epoch: 36,
    longestCall: () => 12 * HOUR,
    tell: (event) => told.push(describe(event)),
    released: (setup) => released.push(setup),
    ...parts,
  });
  return {
    calls,
    told: () => told.splice(0),
    released: () => released.splice(0),
  };
}

/** `ended gw-a-10-1 by caller released 200 cause 16 ringing 1200 answered 3400 @ 9000` */
export function describe(event: CallEvent): string {
  if (event.kind === "shed" || event.kind === "request") return event.kind;
  const words = [event.kind, event.call.id];
  if (event.kind === "ended") {
    words.push("by", event.by, event.how);
    if (event.status !== undefined) words.push(`${event.status}`);
    if (event.cause !== undefined) words.push("cause", `${event.cause}`);
    if (event.ringingMs !== undefined) words.push("ringing", `${event.ringingMs}`);
    if (event.answeredMs !== undefined) words.push("answered", `${event.answeredMs}`);
  }
  return [...words, "@", `${event.at - START}`].join(" ");
}

/** One message of a call, or time: `180`, `183`, `200 TAG [SESSION]`, `seen`, `bye caller TAG [CAUSE]`, `left 200`, `486` … */
export function play(calls: Calls<string>, slot: CallSlot, step: string, now: number): void {
  const [word = "", first = "", second = "", third] = step.split(" ");
  if (word === "forwarded") calls.forwarded(slot, now);
  else if (word === "180" || word === "183") calls.provisional(slot, word === "180", now);
  else if (word === "cancel") calls.cancelled(slot, now);
  else if (word === "200") calls.answered(slot, first, Number(second), now);
  else if (word === "seen") calls.seen(slot, now);
  else if (word === "refreshed") calls.refreshed(slot, Number(first), now);
  else if (word === "left") calls.left(slot, "", "", Number(first), now);
  else if (word === "bye" && (first === "caller" || first === "called" || first === "filter"))
    calls.leaving(slot, second, first, third === undefined ? undefined : Number(third), now);
  else if (word === "487") calls.ended(slot, { by: "caller", how: "cancelled", status: 487 }, now);
  else if (word === "486") calls.ended(slot, { by: "called", how: "refused", status: 486, cause: 17 }, now);
  else if (word !== "tick") throw new Error(`no such step: ${step}`);
  else calls.tick(now);
}

/** Lets time pass second by second, as an engine does; `from` may lie behind `to`. */
export function passTime(calls: Calls<string>, from: number, to: number): void {
  for (let now = from; now < to; now += 1000) calls.tick(now);
  if (to >= from) calls.tick(to);
}
