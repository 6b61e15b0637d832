/** A day of calls through the limits by contract at virtual time, beside a naive count of chosen subjects. */
import type { CallAttempt } from "../../src/domain/attempt.ts";
import type { PartyNumber } from "../../src/domain/number.ts";
import type { FrequencyLimit } from "../../src/domain/trunk.ts";
import { readListNumber } from "../../src/numbering/e164.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { compileFrequency, countOf } from "../../src/screening/limits/contract-frequency.ts";
import type { Limit } from "../../src/screening/rule.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { createNaiveCounts } from "./naive.ts";

export const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** When the day begins on the clock of the limits. Milliseconds. */
const START = 1_000_000;
/** What a day of 20 million calls has. A smaller day has fewer lines, callers and rows, and as many calls of each. */
const TRUNKS = 50;
const LESSEES = 25;
const CALLERS = 100_000;
const ROWS = 1_048_576;
const WHOLE_DAY = 20_000_000;
/** The next day goes on for this share of its calls: then calls leave the windows of a day. */
const MORE = 0.25;
/** Called parties of each lessee. */
const CALLED = 15_000;
/** One subject in so many is counted by the naive count too. */
const SAMPLE = 997;

/** The limits of each trunk, as a policy writes them: some refuse now and then, the others only count. */
const ofTrunk =
  "{ frequency: [{ per: trunk, calls: 1000000, within: 10s }, { per: trunk, calls: 10000000, within: 1h }, { per: trunk, calls: 90000000, within: 1d }, { per: caller, calls: 40, within: 1m }, { per: caller, calls: 4000, within: 1h }, { per: caller, calls: 60000, within: 1d }, { per: callerBlock, calls: 1000000, within: 1h }] }";
const ofLessee =
  "{ frequency: [{ per: lessee, calls: 90000000, within: 30d }, { per: called, calls: 900, within: 1h }, { per: called, calls: 20000, within: 1d }] }";

/** What the counts say beside the naive count, and what memory they have, at some hours. */
export interface DayHour {
  readonly hour: number;
  readonly calls: number;
  readonly refused: number;
  /** Counts that were compared, up to an hour and beyond. */
  readonly compared: readonly [short: number, long: number];
  /** Counts up to an hour that differ; counts beyond that are low; the highest of those, as a share above. */
  readonly off: number;
  readonly low: number;
  readonly high: number;
  /** Verdicts that the naive count does not bear out: a call that passed above its limit, or was refused below it. */
  readonly wrong: number;
  readonly subjects: number;
  readonly octets: number;
  readonly rss: number;
  readonly full: number;
}

/** How large a day is: its share of a whole one, in steps of a lessee with its two trunks. */
interface Size {
  readonly trunks: number;
  readonly lessees: number;
  readonly callers: number;
  readonly rows: number;
}

function sizeOf(calls: number): Size {
  const lessees = Math.max(1, Math.round((calls / WHOLE_DAY) * LESSEES));
  const share = lessees / LESSEES;
  return { trunks: TRUNKS * share, lessees, callers: CALLERS * share, rows: Math.ceil(ROWS * share) };
}

/** The policy of a day of so many calls, as text. */
export function policyText(calls: number): string {
  const size = sizeOf(calls);
  const trunks = Array.from(
    { length: size.trunks },
    (_, i) =>
      `  - { id: t${i}, side: lessee, match: { addresses: [192.0.2.${i + 1}] }, lessee: l${i % size.lessees}, areaCode: "10", limits: ${ofTrunk} }`,
  );
  const lessees = Array.from(
    { length: size.lessees },
    (_, i) => `  - { id: l${i}, numbers: all.csv, limits: ${ofLessee} }`,
  );
  return `version: 1\ntrunks:\n${trunks.join("\n")}\nlessees:\n${lessees.join("\n")}\ntables: { subjects: ${size.rows} }\n`;
}

/** A generator of whole numbers below 2^31 (MINSTD). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** The share of calls up to an hour of the day: few at night, most before noon and in the afternoon. */
function timeOfDay(share: number): number {
  return share + (0.4 * (Math.sin(2 * Math.PI * (share - 0.25)) + 1)) / (2 * Math.PI);
}

/** The chosen subjects of a call for a limit: its key in the counts, and its name in the naive count. */
function subjectOf(limit: FrequencyLimit, caller: number, called: number): number | undefined {
  switch (limit.per) {
    case "trunk":
    case "lessee":
      return 0;
    case "caller":
      return caller % SAMPLE === 0 ? caller : undefined;
    case "callerBlock":
      return Math.floor(caller / 100) % 13 === 0 ? Math.floor(caller / 100) : undefined;
    case "called":
      return called % SAMPLE === 0 ? called : undefined;
  }
}

/**
 * Runs the day, and some of the next one.
 *
 * @param at the hours that are told
 */
export function runDay(policy: Policy, calls: number, at: readonly number[], seed = 15): readonly DayHour[] {
  const size = sizeOf(calls);
  const random = createRandom(seed);
  const state = createScreeningState(policy.tables);
  const naive = createNaiveCounts();
  const lines = policy.trunks.map(({ trunk }) => {
    const limits = trunk.limits.frequency ?? [];
    return { trunk, limits, limit: compileFrequency(limits) satisfies Limit };
  });
  const told: DayHour[] = [];
  let [refused, short, long, off, low, high, wrong, full] = [0, 0, 0, 0, 0, 0, 0, 0];

  function compare(limit: FrequencyLimit, subject: number, now: number, isRefused: boolean): boolean {
    const name = `${limit.name} ${subject}`;
    const number = state.frequency.limit(limit.name, limit);
    const counted = countOf(state.frequency, number, limit, subject, now);
    const real = Math.min(naive.count(name, limit.within, now), limit.calls);
    if (limit.within <= HOUR) {
      short++;
      if (counted !== real) off++;
    } else {
      long++;
      if (counted < real) low++;
      if (real > 0) high = Math.max(high, counted / real - 1);
    }
    return isRefused ? counted >= limit.calls && real >= limit.calls * 0.98 : real < limit.calls;
  }

  const next = [...at];
  const all = Math.ceil(calls * (1 + MORE));
  for (let i = 0; i < all; i++) {
    const now = START + Math.floor((Math.floor(i / calls) + timeOfDay((i % calls) / calls)) * DAY);
    const caller = 8_610_870_000_000 + Math.floor(random() ** 3 * size.callers);
    const own = random() < 0.05 ? Math.floor(random() * 50) : Math.floor(random() ** 2 * CALLED);
    const called = 8_627_800_000_000 + ((caller % size.trunks) % size.lessees) * CALLED + own;
    const { trunk, limits, limit } = lines[caller % size.trunks]!;
    const attempt = attemptOf(trunk, caller, called, now);
    const denied = limit.check(attempt, state);
    if (denied !== undefined) refused++;
    let isBorneOut = denied === undefined;
    let isWhole = true;
    for (const each of limits) {
      const subject = subjectOf(each, caller, called);
      // Every call of a trunk would be compared: each hundredth says enough.
      if (subject === undefined || (subject === 0 && i % 101 !== 0)) {
        isWhole = false;
        continue;
      }
      const fits = compare(each, subject, now, denied !== undefined);
      if (denied === undefined) isBorneOut &&= fits;
      else isBorneOut ||= fits;
    }
    // A refusal is borne out by one limit: all of them must have been looked at.
    if (!isBorneOut && (denied === undefined || isWhole)) wrong++;
    if (denied === undefined) {
      if (limit.spend(attempt, state) !== undefined) full++;
      else
        for (const each of limits) {
          const subject = subjectOf(each, caller, called);
          if (subject !== undefined) naive.add(`${each.name} ${subject}`, now);
        }
    }
    if (next[0] !== undefined && (now - START >= next[0] * HOUR || i === all - 1)) {
      told.push({
        hour: next.shift()!,
        calls: i + 1,
        refused,
        compared: [short, long],
        off,
        low,
        high,
        wrong,
        subjects: state.frequency.size,
        octets: state.frequency.octets,
        rss: process.memoryUsage().rss,
        full,
      });
    }
  }
  return told;
}

/** A call attempt as the limits read it. */
function attemptOf(trunk: CallAttempt["trunk"], caller: number, called: number, at: number): CallAttempt {
  return {
    at,
    trunk,
    origin: {
      signalling: "sip",
      transport: "udp",
      sourceAddress: "",
      sourcePort: 0,
      destinationAddress: "",
      destinationPort: 0,
    },
    calling: [{ source: "from", number: numberOf(caller), presentation: "allowed" }],
    called: numberOf(called),
    emergencyUrn: false,
    diversion: [],
    privacy: 0,
    callId: "",
    fromTag: "",
    requestUri: "",
  };
}

const plain = readListNumber("+861087000000");

/** Limits read nothing of a number but its key. */
function numberOf(key: number): PartyNumber {
  if (typeof plain === "string" || plain.kind !== "e164") throw new Error("the number can't be read");
  return { ...plain, raw: "", key };
}
