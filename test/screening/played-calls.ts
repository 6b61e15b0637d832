// Calls as tables write them, played into the detectors at virtual time.
import { Buffer } from "node:buffer";
import type { CallEnded, CallEvent } from "../../src/domain/call.ts";
import type { Finding } from "../../src/domain/finding.ts";
import type { Trunk } from "../../src/domain/trunk.ts";
import type { DetectorSettings } from "../../src/screening/detectors/detector.ts";
import { createWatch, defaultSettings, type WatchSizes } from "../../src/screening/detectors/watch.ts";
import { makeAttempt, makeTrunk, NOW } from "../support/attempt.ts";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export const lease = makeTrunk({ id: "lease", lessee: "acme" });
export const centre = makeTrunk({ id: "centre", lessee: "centre", index: 5, licence: "call-centre" });
export const host = makeTrunk({ id: "host", lessee: "host", index: 6, licence: "hosting" });
export const spare = makeTrunk({ id: "spare", lessee: "acme", index: 1 });
export const other = makeTrunk({ id: "other", lessee: "bolt", index: 2 });
export const network = makeTrunk({ id: "network", side: "national", lessee: undefined, index: 3 });
export const overflow = makeTrunk({ id: "overflow", side: "national", lessee: undefined, index: 4 });

/** What becomes of a call. Lengths of time in milliseconds. */
export interface Course {
  readonly rings?: number;
  readonly talks?: number;
  readonly by?: "caller" | "called" | "filter";
  readonly status?: number;
}

export interface Played extends Course {
  readonly at: number;
  readonly caller?: string;
  readonly called?: string;
  readonly trunk?: Trunk;
  readonly diverted?: boolean;
  /** What the sender calls itself. */
  readonly agent?: string;
}

export const moment: Course = { rings: 2 * SECOND, by: "caller", status: 487 };
export const missed: Course = { rings: 30 * SECOND, by: "caller", status: 487 };
export const busy: Course = { by: "called", status: 486 };
export const dead: Course = { by: "filter", status: 404 };
export const dropped: Course = { rings: 7 * SECOND, talks: 2 * SECOND, by: "caller" };
export const cut: Course = { rings: 7 * SECOND, talks: 4 * SECOND, by: "called" };
export const hungUp: Course = { rings: 9 * SECOND, talks: 6 * SECOND, by: "called" };
export const finished: Course = { rings: 9 * SECOND, talks: 20 * SECOND, by: "caller" };
export const brief: Course = { rings: 7 * SECOND, talks: 14 * SECOND, by: "caller" };
export const talk: Course = { rings: 8 * SECOND, talks: 90 * SECOND, by: "called" };

/** Set-up until the first ringing, or until the refusal. */
export const SET_UP = 900;

export function eventsOf(call: Played, id: string): readonly CallEvent[] {
  const { at, caller = "+861087654321", called = "+8613800138000", trunk = lease, diverted } = call;
  const { rings, talks, by = "caller", status = 200 } = call;
  const attempt = makeAttempt(trunk, {
    callId: id,
    at: NOW + at,
    called,
    calling: [`from ${caller}`],
    ...(diverted === true ? { diversion: ["div +861087654399"] } : {}),
  });
  const ref = { id, trunk: trunk.id };
  const whole = SET_UP + (rings ?? 0) + (talks ?? 0);
  const ended: CallEnded = {
    kind: "ended",
    call: ref,
    at: NOW + at + whole,
    by,
    how: talks !== undefined ? "released" : status === 487 ? "cancelled" : "refused",
    status,
    ...(rings === undefined ? {} : { ringingMs: SET_UP }),
    ...(talks === undefined ? {} : { answeredMs: SET_UP + (rings ?? 0), talkedMs: talks }),
  };
  return [
    {
      kind: "decided",
      call: ref,
      at: NOW + at,
      decision: {
        attempt,
        verdict: { kind: "accept", reason: "listed" },
        rule: "default",
        marks: [],
        shadow: [],
        revision: "r1",
      },
      action: { kind: "forwarded", hop: "core" },
      ...(call.agent === undefined
        ? {}
        : { bytes: Buffer.from(`INVITE sip:a SIP/2.0\r\nUser-Agent: ${call.agent}\r\n\r\n`) }),
    },
    ended,
  ];
}

export const sizes: WatchSizes = { calls: 1000, subjects: 1000, findings: 100 };

export interface Test {
  same(found: unknown, wanted: unknown, message: string): unknown;
  end(): unknown;
}

export interface Found {
  readonly findings: readonly Finding[];
  readonly full: number;
}

export const timeOf = (event: CallEvent): number => ("at" in event ? event.at : 0);

/** Plays calls in the order of the times of their events. */
export function play(
  calls: readonly Played[],
  settings: DetectorSettings = defaultSettings,
  given: Partial<WatchSizes> = {},
): Found {
  const findings: Finding[] = [];
  const watch = createWatch({
    sizes: { ...sizes, ...given },
    settings: () => settings,
    ahead: () => NOW,
    tell: (finding) => void findings.push(finding),
  });
  const events = calls.flatMap((call, index) => eventsOf(call, `gw-1-${index + 1}`));
  for (const event of events.toSorted((a, b) => timeOf(a) - timeOf(b))) watch.happened(event);
  return { findings, full: watch.full() };
}

/** Calls one after the other. */
export function series(
  count: number,
  gap: number,
  make: (index: number) => Omit<Played, "at">,
): readonly Played[] {
  return Array.from({ length: count }, (_, index) => ({ at: index * gap, ...make(index) }));
}

export const say = ({ detector, subject }: Finding): string =>
  [
    detector,
    subject.kind,
    ...("number" in subject ? [subject.number] : []),
    ...("trunk" in subject ? [subject.trunk] : []),
  ].join(" ");

/** Subjects that are found, each once, and no other. */
export type Row = readonly [name: string, calls: readonly Played[], found: readonly string[]];

export function check(test: Test, rows: readonly Row[]): void {
  for (const [name, calls, expected] of rows)
    test.same([...new Set(play(calls).findings.map(say))].toSorted(), expected, name);
  test.end();
}

export const inBlock = (index: number): string => `+8613800${String(380_000 + index).padStart(6, "0")}`;
export const person = (index: number): string =>
  `+86139${String(12_345_678 + index * 98_765).padStart(8, "0")}`;
