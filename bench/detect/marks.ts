// Marks findings by the labels of the traffic: which campaigns were found, how early, what was found that is none, what enforcing costs.
import type { DetectorId, Finding, FindingSubject } from "../../src/domain/finding.ts";
import { difficulties, NONE, type Campaign, type Difficulty, type TrafficCall } from "../traffic/call.ts";
import type { Traffic } from "../traffic/traffic.ts";
import { keyOf } from "./events.ts";

const HUNDRED = 100;
/** Callers of so many calls are known: enough for the calls that a finding names. */
const RECENT = 2 ** 20;

/** What a day says of one detector. */
export interface DetectorMarks {
  right: number;
  /** Findings whose subject is in no campaign, by the population whose call completed them. */
  readonly wrong: Map<string, number>;
  readonly examples: string[];
  /** By form of the campaigns: the share of the calls of each that were made when it was found; Infinity: never. */
  readonly shares: Map<Difficulty, number[]>;
  /** Honest subjects that carry the main sign. */
  honest: number;
  /** Calls of honest subjects that would have been refused after a finding. */
  refused: number;
}

export interface DayMarks {
  readonly detectors: ReadonlyMap<DetectorId, DetectorMarks>;
  /** Calls of honest subjects. */
  readonly honestCalls: number;
}

export interface Marks {
  /** Takes each call when it begins. */
  begun(call: TrafficCall): void;
  /** @param call the call whose event completed the finding */
  found(finding: Finding, call: TrafficCall): void;
  end(): DayMarks;
}

export function createMarks(traffic: Traffic, detectors: readonly DetectorId[]): Marks {
  const byCaller = new Map<number, Campaign[]>();
  const byHundred = new Map<number, Campaign[]>();
  const byCalled = new Map<number, Campaign[]>();
  const byTrunk = new Map<string, Campaign[]>();
  for (const campaign of traffic.campaigns) {
    const hundreds = new Set(campaign.callers.map((caller) => Math.floor(caller / HUNDRED)));
    for (const caller of campaign.callers) put(byCaller, keyOf(caller), campaign);
    for (const hundred of hundreds) put(byHundred, hundred, campaign);
    for (const called of campaign.called) put(byCalled, keyOf(called), campaign);
    for (const trunk of campaign.trunks) put(byTrunk, `trunk-${trunk}`, campaign);
  }
  /** Trunks on which calls of a campaign have come in. */
  const seenOn = new Set<string>();
  const made = new Uint32Array(traffic.campaigns.length);
  /** Share of the calls that were made when a fitting finding came first. */
  const first = new Float64Array(traffic.campaigns.length).fill(Infinity);
  const recent = new Float64Array(RECENT);
  /** Who would be refused: callers and blocks with their trunk, and callers of a called party. */
  const bound = new Map<string, DetectorId>();
  const boundKeys = new Set<number>();
  let calls = 0;
  let honestCalls = 0;
  const marks = new Map(
    detectors.map((detector): [DetectorId, DetectorMarks] => [
      detector,
      {
        right: 0,
        wrong: new Map(),
        examples: [],
        shares: new Map(),
        honest: traffic.subjects.filter(({ signs }) => signs.includes(detector)).length,
        refused: 0,
      },
    ]),
  );

  function campaignsOf(subject: FindingSubject): readonly Campaign[] {
    if (subject.kind === "trunk") return byTrunk.get(subject.trunk) ?? [];
    const key = readKey(subject.number);
    if (subject.kind === "called") return byCalled.get(key) ?? [];
    if (subject.kind === "caller") return byCaller.get(key) ?? [];
    const hundred = byHundred.get(Math.floor(key / HUNDRED)) ?? [];
    return hundred.filter(({ id }) => seenOn.has(`${id} ${subject.trunk}`));
  }

  /**
   * A trunk is stopped by order and not by a finding, and a finding of two places says nowhere whose the number is. A
   * called party is shielded from the callers that the finding names.
   */
  function bind({ detector, subject, evidence }: Finding): void {
    if (subject.kind === "trunk" || detector === "two-places") return;
    const key = readKey(subject.number);
    if (subject.kind === "called")
      for (const { id } of evidence) {
        const caller = recent[Number(id.slice(id.lastIndexOf("-") + 1)) % RECENT]!;
        bound.set(`${key} from ${caller}`, detector);
        boundKeys.add(key);
      }
    else {
      const number = subject.kind === "caller" ? key : Math.floor(key / HUNDRED);
      bound.set(`${number} on ${subject.trunk}`, detector);
      boundKeys.add(number);
    }
  }

  function countRefused(call: TrafficCall): void {
    const caller = keyOf(call.caller);
    const called = keyOf(call.called);
    const hundred = Math.floor(caller / HUNDRED);
    if (!boundKeys.has(caller) && !boundKeys.has(called) && !boundKeys.has(hundred)) return;
    const detector =
      bound.get(`${caller} on trunk-${call.trunk}`) ??
      bound.get(`${hundred} on trunk-${call.trunk}`) ??
      bound.get(`${called} from ${caller}`);
    const mark = detector === undefined ? undefined : marks.get(detector);
    if (mark !== undefined) mark.refused += 1;
  }

  return {
    begun(call) {
      calls += 1;
      recent[calls % RECENT] = keyOf(call.caller);
      if (call.campaign === NONE) {
        honestCalls += 1;
        if (bound.size > 0) countRefused(call);
        return;
      }
      made[call.campaign]! += 1;
      seenOn.add(`${call.campaign} trunk-${call.trunk}`);
    },
    found(finding, call) {
      const { detector, subject, facts } = finding;
      const mark = marks.get(detector);
      if (mark === undefined) return;
      bind(finding);
      const campaigns = campaignsOf(subject);
      if (campaigns.length === 0) {
        const population = traffic.subjects[call.subject]?.population ?? "?";
        mark.wrong.set(population, (mark.wrong.get(population) ?? 0) + 1);
        if (mark.examples.filter((text) => text.includes(`(${population})`)).length < 3)
          mark.examples.push(`${subject.kind} (${population}) ${JSON.stringify(facts)}`);
        return;
      }
      mark.right += 1;
      for (const { id, detector: fitting, calls: whole } of campaigns)
        if (fitting === detector) first[id] = Math.min(first[id]!, made[id]! / whole);
    },
    end() {
      for (const [detector, mark] of marks)
        for (const difficulty of difficulties)
          mark.shares.set(
            difficulty,
            traffic.campaigns
              .filter((campaign) => campaign.detector === detector && campaign.difficulty === difficulty)
              .map(({ id }) => first[id]!),
          );
      return { detectors: marks, honestCalls };
    },
  };
}

/** The key of a number as findings write it. */
function readKey(number: string): number {
  return number.startsWith("+") ? Number(number.slice(1)) : -Number(number);
}

function put<Key>(map: Map<Key, Campaign[]>, key: Key, campaign: Campaign): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [campaign]);
  else known.push(campaign);
}
