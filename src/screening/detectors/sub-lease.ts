// Detector `sub-lease`: several businesses call on the line of one lessee, each with numbers and equipment of its own.
import type { CallRef } from "../../domain/call.ts";
import type { DetectorForm, SeenCall } from "./detector.ts";

/** Numbers that are sold together: two businesses share no ten. */
const TEN = 10;
/** Trunks that are looked at, and what is kept of each: senders that look different, and tens of callers. */
const MOST_TRUNKS = 4096;
const MOST_PRINTS = 16;
const MOST_TENS = 256;
const EVIDENCE = 8;
/** A trunk without calls for so long is forgotten: equipment is changed now and then. Seconds. */
const LIFETIME = 24 * 3600;
/** Calls of a sender beyond which a call that speaks against it counts no more. */
const MOST_CALLS = 10_000;
/** Share of the calls of a business that may show another sender: a telephone that was lent. */
const MOST_CLASHES = 0.1;

/** What is kept of a trunk. */
interface Line {
  second: number;
  /** By sender: how it looks, its calls, and those whose ten of callers belongs to another sender. */
  readonly prints: Int32Array;
  readonly calls: Int32Array;
  readonly clashes: Int32Array;
  known: number;
  /** By ten of callers, in the order of their first calls: the sender of the first one. */
  readonly tens: Map<number, number>;
  readonly evidence: CallRef[];
}

function createLine(): Line {
  return {
    second: 0,
    prints: new Int32Array(MOST_PRINTS),
    calls: new Int32Array(MOST_PRINTS),
    clashes: new Int32Array(MOST_PRINTS),
    known: 0,
    tens: new Map(),
    evidence: [],
  };
}

function forget(line: Line): void {
  line.known = 0;
  line.calls.fill(0);
  line.clashes.fill(0);
  line.tens.clear();
  line.evidence.length = 0;
}

/** @returns -1 where the line has had too many */
function senderOf(line: Line, print: number): number {
  for (let sender = 0; sender < line.known; sender++) if (line.prints[sender] === print) return sender;
  if (line.known === MOST_PRINTS) return -1;
  line.prints[line.known] = print;
  return line.known++;
}

/** The first sender of a ten owns it. Calls of both owner and guest count against both: neither is a business of its own. */
function count(line: Line, sender: number, caller: number): void {
  const ten = Math.floor(caller / TEN);
  const owner = line.tens.get(ten);
  if (line.calls[sender]! < MOST_CALLS) line.calls[sender]!++;
  if (owner === undefined) {
    if (line.tens.size < MOST_TENS) line.tens.set(ten, sender);
  } else if (owner !== sender && line.clashes[sender]! < MOST_CALLS) {
    line.clashes[sender]!++;
    line.clashes[owner]!++;
  }
}

function businessesOn(line: Line, least: number): number {
  let businesses = 0;
  for (let sender = 0; sender < line.known; sender++) {
    const calls = line.calls[sender]!;
    if (calls >= least && line.clashes[sender]! <= calls * MOST_CLASHES) businesses++;
  }
  return businesses;
}

/** Contracts of hosts and of call centres permit it. Codes are shared by contract too; their keys are negative. */
function isLookedAt({ trunk, caller, isDiverted, print }: SeenCall): boolean {
  return trunk.side === "lessee" && trunk.licence === undefined && caller >= 0 && !isDiverted && print !== 0;
}

export const subLease: DetectorForm = {
  id: "sub-lease",
  summary: "Several businesses on one line: groups of callers, each with a user agent and codecs of its own.",
  profile: "1",
  binds: [],
  whyNobody: "the lessee calls on the trunk too: a line is stopped by order",
  needsPrints: true,
  thresholds: {
    businesses: {
      value: 2,
      least: 2,
      most: 16,
      why: "Groups of callers with equipment of their own. 2: the lessee and another one.",
    },
    calls: {
      value: 4,
      least: 1,
      most: 1000,
      why: "Calls of each. Below: a visitor, a test, a telephone that was replaced.",
    },
  },
  create(thresholds) {
    const lines = new Map<number, Line>();
    let full = 0;

    function lineAt(place: number, second: number): Line | undefined {
      const known = lines.get(place);
      if (known !== undefined) {
        if (second - known.second > LIFETIME) forget(known);
        known.second = second;
        return known;
      }
      if (lines.size >= MOST_TRUNKS) {
        full++;
        return undefined;
      }
      const line = createLine();
      line.second = second;
      lines.set(place, line);
      return line;
    }

    return {
      begun(call, now) {
        if (!isLookedAt(call)) return undefined;
        const line = lineAt(call.place, Math.floor(now / 1000));
        const sender = line === undefined ? -1 : senderOf(line, call.print);
        if (line === undefined || sender < 0) return undefined;
        count(line, sender, call.caller);
        if (line.known < thresholds["businesses"]!) return undefined;
        if (sender > 0 || line.evidence.length < EVIDENCE / 2) {
          if (line.evidence.length >= EVIDENCE) line.evidence.shift();
          line.evidence.push(call.ref);
        }
        const businesses = businessesOn(line, thresholds["calls"]!);
        if (businesses < thresholds["businesses"]!) return undefined;
        return {
          kind: "trunk",
          strength: businesses,
          facts: { businesses, senders: line.known, tens: line.tens.size },
          evidence: [...line.evidence],
        };
      },
      full: () => full,
    };
  },
};
