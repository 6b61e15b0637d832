// Marks findings by the labels of the traffic: which campaigns were found, how early, and what was found that is none.
import type { DetectorId, Finding } from "../../src/domain/finding.ts";
import { difficulties, NONE, type Campaign, type Difficulty, type TrafficCall } from "../traffic/call.ts";
import type { Traffic } from "../traffic/traffic.ts";
import { keyOf } from "./events.ts";

/** A campaign counts as found when this share of its calls was not made yet. */
const EARLY = 0.2;
const HUNDRED = 100;

export interface Marks {
  /** Takes each call when it begins. */
  begun(call: TrafficCall): void;
  /** @param call the call whose event completed the finding */
  found(finding: Finding, call: TrafficCall): void;
  print(detectors: readonly DetectorId[]): string;
}

interface Tally {
  right: number;
  readonly wrong: Map<string, number>;
  readonly examples: string[];
}

export function createMarks(traffic: Traffic): Marks {
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
  const tallies = new Map<DetectorId, Tally>();

  function campaignsOf({ subject }: Finding): readonly Campaign[] {
    if (subject.kind === "trunk") return byTrunk.get(subject.trunk) ?? [];
    const key = subject.number.startsWith("+") ? Number(subject.number.slice(1)) : -Number(subject.number);
    if (subject.kind === "called") return byCalled.get(key) ?? [];
    if (subject.kind === "caller") return byCaller.get(key) ?? [];
    const hundred = byHundred.get(Math.floor(key / HUNDRED)) ?? [];
    return hundred.filter(({ id }) => seenOn.has(`${id} ${subject.trunk}`));
  }

  return {
    begun({ campaign, trunk }) {
      if (campaign === NONE) return;
      made[campaign]! += 1;
      seenOn.add(`${campaign} trunk-${trunk}`);
    },
    found(finding, call) {
      const { detector, subject } = finding;
      const tally = tallies.get(detector) ?? { right: 0, wrong: new Map<string, number>(), examples: [] };
      tallies.set(detector, tally);
      const campaigns = campaignsOf(finding);
      if (campaigns.length === 0) {
        const population = traffic.subjects[call.subject]?.population ?? "?";
        tally.wrong.set(population, (tally.wrong.get(population) ?? 0) + 1);
        if (tally.examples.filter((text) => text.includes(`(${population})`)).length < 4)
          tally.examples.push(`${subject.kind} (${population}) ${JSON.stringify(finding.facts)}`);
        return;
      }
      tally.right += 1;
      for (const { id, detector: fitting, calls } of campaigns)
        if (fitting === detector) first[id] = Math.min(first[id]!, made[id]! / calls);
    },
    print(detectors) {
      const lines: string[] = [];
      for (const detector of detectors) {
        const { right, wrong, examples } = tallies.get(detector) ?? {
          right: 0,
          wrong: new Map<string, number>(),
          examples: [],
        };
        const bad = [...wrong.values()].reduce((sum, count) => sum + count, 0);
        lines.push(
          `${detector}: ${right + bad} findings, ${bad} false; precision ${describeShare(right, right + bad)}`,
        );
        for (const difficulty of difficulties) lines.push(`  ${recall(detector, difficulty)}`);
        if (bad > 0)
          lines.push(
            `  false: ${[...wrong].map(([population, count]) => `${population} ${count}`).join(", ")}`,
            ...examples.map((example) => `    ${example}`),
          );
      }
      return lines.join("\n");
    },
  };

  function recall(detector: DetectorId, difficulty: Difficulty): string {
    const mine = traffic.campaigns.filter(
      (campaign) => campaign.detector === detector && campaign.difficulty === difficulty,
    );
    const shares = mine.map(({ id }) => first[id]!).toSorted((a, b) => a - b);
    const early = shares.filter((share) => share <= EARLY).length;
    const ever = shares.filter((share) => share < Infinity);
    const at = (part: number): string => {
      const share = ever[Math.min(ever.length - 1, Math.floor(part * ever.length))];
      return share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;
    };
    return `${difficulty.padEnd(12)} recall ${describeShare(early, mine.length)}; found at all ${ever.length}; calls made then: median ${at(0.5)}, p90 ${at(0.9)}`;
  }
}

function put<Key>(map: Map<Key, Campaign[]>, key: Key, campaign: Campaign): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [campaign]);
  else known.push(campaign);
}

/** A share with its 95 % interval (Wilson 1927). */
function describeShare(part: number, whole: number): string {
  if (whole === 0) return "– (none)";
  const z = 1.96;
  const share = part / whole;
  const middle = (share + (z * z) / (2 * whole)) / (1 + (z * z) / whole);
  const half =
    (z * Math.sqrt((share * (1 - share)) / whole + (z * z) / (4 * whole * whole))) / (1 + (z * z) / whole);
  return `${share.toFixed(3)} (${part} of ${whole}; 95 %: ${Math.max(0, middle - half).toFixed(3)} to ${Math.min(1, middle + half).toFixed(3)})`;
}
