// What scores of the calling and diverting parties lead to: a part of the rule deny-lists.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Deny, Facts, Mark } from "../../domain/decision.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import { formatNumber } from "../../domain/number.ts";
import { findHighest } from "../../numbering/lists/marked-rows.ts";
import { formatScore } from "../../numbering/lists/score.ts";
import { possibleKeys } from "../../numbering/possible-numbers.ts";
import { describeIdentity } from "../identities.ts";
import { numbersSeen } from "../number-seen.ts";
import type { Note, NumberList, PolicyTables, ScoreBand, ScoreList } from "../rule.ts";

type Lists = Pick<PolicyTables, "scoreLists" | "trustedLists">;

/** How strict each deed is. */
const strictness: Readonly<Record<ScoreBand["do"], number>> = {
  monitor: 1,
  label: 2,
  withhold: 3,
  reject: 4,
};

/** The strictest band that a number of a call reaches. One memory serves all calls. */
interface Worst {
  list: ScoreList | undefined;
  row: number;
  band: ScoreBand | undefined;
  party: AssertedIdentity | undefined;
}
const worst: Worst = { list: undefined, row: -1, band: undefined, party: undefined };

function forget(): void {
  worst.list = worst.band = worst.party = undefined;
  worst.row = -1;
}

/** Returns the highest band that a score reaches. */
function bandOf({ bands }: ScoreList, steps: number): ScoreBand | undefined {
  for (const band of bands) if (steps >= band.from) return band;
  return undefined;
}

/** @returns the list that trusts the number at `at` */
function trustedBy(lists: readonly NumberList[], key: number, at: number): NumberList | undefined {
  for (const list of lists) if (list.numbers.find(key, at) >= 0) return list;
  return undefined;
}

/** Puts the number into `worst` where it reaches a stricter band, or an equally strict one with a higher score. */
function weigh(key: number, party: AssertedIdentity, at: number, { scoreLists, trustedLists }: Lists): void {
  for (const list of scoreLists) {
    const { numbers } = list;
    const row = findHighest(numbers.columns, key, at);
    if (row < 0) continue;
    const steps = numbers.mark(row);
    const band = bandOf(list, steps);
    if (band === undefined) continue;
    if (worst.list !== undefined && worst.band !== undefined) {
      const more = strictness[band.do] - strictness[worst.band.do];
      if (more < 0 || (more === 0 && steps <= worst.list.numbers.mark(worst.row))) continue;
    }
    if (trustedBy(trustedLists, key, at) !== undefined) return;
    worst.list = list;
    worst.row = row;
    worst.band = band;
    worst.party = party;
  }
}

function weighParties(parties: readonly AssertedIdentity[], attempt: CallAttempt, lists: Lists): void {
  /** Nearly every call asserts one number in several fields: it is looked up once. */
  let last: number | undefined;
  for (const party of parties) {
    const { number } = party;
    if (number.kind !== "unusable") {
      if (number.key !== last) weigh(number.key, party, attempt.at, lists);
      last = number.key;
    } else if (number.why === "invalid")
      for (const text of numbersSeen(number.raw))
        for (const key of possibleKeys(text, attempt.trunk.dialPlan)) weigh(key, party, attempt.at, lists);
  }
}

function factsOf({ id, file, numbers }: ScoreList, row: number, band: ScoreBand, field: string): Facts {
  const line = `${file}:${numbers.line(row)}`;
  return { list: id, field, line, score: formatScore(numbers.mark(row)), band: sayBand(band) };
}

function sayBand(band: ScoreBand): string {
  return `${band.do} from ${formatScore(band.from)}`;
}

/**
 * Judges a call by the scores of its parties: each list by its own bands, and the strictest counts. A trusted number
 * counts as 0.
 */
export function judgeScores(attempt: CallAttempt, lists: Lists): Deny | Mark | Note | undefined {
  forget();
  weighParties(attempt.calling, attempt, lists);
  if (attempt.diversion.length > 0) weighParties(attempt.diversion, attempt, lists);
  const { list, row, band, party } = worst;
  if (list === undefined || band === undefined || party === undefined) return undefined;
  const kind = band.do === "monitor" ? "note" : band.do;
  return { kind, reason: "score-listed", facts: factsOf(list, row, band, party.source) };
}

/** What is told of scores, each number once. */
export interface ScoresTold {
  readonly saw: readonly string[];
  /** Lines of the lists whose bands were reached. */
  readonly lines: readonly string[];
  /** What would keep every number below the bands. */
  readonly changes: readonly string[];
}

/** Says the scores of a call and what each leads to. */
export function explainScores(attempt: CallAttempt, { scoreLists, trustedLists }: Lists): ScoresTold {
  const saw: string[] = [];
  const lines: string[] = [];
  const changes: string[] = [];
  const told = new Set<string>();
  for (const list of scoreLists)
    for (const party of [...attempt.calling, ...attempt.diversion])
      for (const key of keysOf(party, attempt)) {
        const row = findHighest(list.numbers.columns, key, attempt.at);
        if (row < 0 || told.has(`${list.id} ${key}`)) continue;
        told.add(`${list.id} ${key}`);
        const steps = list.numbers.mark(row);
        const band = bandOf(list, steps);
        const line = `${list.file}:${list.numbers.line(row)}`;
        const what = `${describeIdentity(party)} has score ${formatScore(steps)} on list ${list.id} (${line})`;
        const trusting = trustedBy(trustedLists, key, attempt.at);
        if (trusting !== undefined) {
          const place = `${trusting.file}:${trusting.numbers.line(trusting.numbers.find(key, attempt.at))}`;
          saw.push(`${what}, which counts as 0: it is trusted by ${trusting.id} (${place})`);
        } else if (band === undefined) saw.push(`${what}, below every band`);
        else {
          saw.push(`${what}: ${sayBand(band)}`);
          lines.push(line);
          const number = formatNumber(party.number) ?? "the number";
          changes.push(
            `give ${number} a score below ${formatScore(band.from)} at ${line}, or put it on a list of kind trusted`,
          );
        }
      }
  return { saw, lines, changes };
}

function keysOf({ number }: AssertedIdentity, { trunk }: CallAttempt): readonly number[] {
  if (number.kind !== "unusable") return [number.key];
  if (number.why !== "invalid") return [];
  return numbersSeen(number.raw).flatMap((text) => [...possibleKeys(text, trunk.dialPlan)]);
}
