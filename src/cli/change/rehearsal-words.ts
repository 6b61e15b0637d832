// Tells what a rehearsal found, as text or as one object, and gives the exit code.
import type { Rehearsed, VerdictChange } from "../../replay/rehearsing/change-tally.ts";

/** How it is told. */
export interface TellingOptions {
  /** More changes than these: exit code 1. */
  readonly maxChanges: number | undefined;
  /** So many ways in which verdicts change are told, the most frequent ones. Undefined: as many as there is room for. */
  readonly most?: number | undefined;
  readonly json: boolean;
}

/** Where it is told. */
export interface TellingOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** What was rehearsed. */
export interface Told {
  readonly result: Rehearsed;
  /** Of the new policy. */
  readonly revision: string;
  /** Of the policy that it was compared with. Undefined: recorded verdicts were. */
  readonly against?: string;
}

const DONE = 0;
const TOO_MANY = 1;
const NOTHING_JUDGED = 2;
const MOST_SHOWN = 50;

/** @returns the exit code: 0; 1 above `maxChanges`; 2 when there is such a bound and nothing was judged */
export function tellRehearsal(
  { result, ...revisions }: Told,
  { maxChanges, most, json }: TellingOptions,
  { stdout, stderr }: TellingOutput,
): number {
  const told = {
    ...revisions,
    ...result,
    changes: result.changes.slice(0, most),
    otherReasons: result.otherReasons.slice(0, most),
  };
  stdout.write(json ? `${JSON.stringify(told)}\n` : describe(result, most ?? MOST_SHOWN, revisions.against));
  const judged = result.same + result.otherReason + result.changed;
  if (maxChanges !== undefined && judged === 0) {
    stderr.write(
      `sigwall rehearse: ${result.attempts === 0 ? "no attempt was found" : `none of ${result.attempts} attempts could be judged anew`}, so that --max-changes says nothing\n`,
    );
    return NOTHING_JUDGED;
  }
  if (maxChanges === undefined || result.changed <= maxChanges) return DONE;
  stderr.write(`sigwall rehearse: ${result.changed} verdicts would change, more than ${maxChanges}\n`);
  return TOO_MANY;
}

function describeWays(ways: readonly VerdictChange[], most: number): readonly string[] {
  const lines = ways.slice(0, most).map(({ trunk, lessee, before, after, rule, count, ids }) => {
    const whom = lessee === "" ? trunk : `${trunk} (${lessee})`;
    return `  ${count} × ${whom}: ${before} → ${after}, by ${rule}: ${ids.join(", ")}${count > ids.length ? ", …" : ""}`;
  });
  return ways.length > most ? [...lines, `  and ${ways.length - most} more kinds; --json has all`] : lines;
}

function describe(
  { attempts, same, otherReason, changed, changes, otherReasons, ...rest }: Rehearsed,
  most: number,
  against: string | undefined,
): string {
  const { unjudged, unheld, held, findings } = rest;
  const compared = against === undefined ? "" : `, compared with policy ${against}`;
  const lines = [
    `${attempts} attempts${compared}: ${same} with the same verdict, ${changed} with another one`,
    ...describeWays(changes, most),
  ];
  if (otherReason > 0)
    lines.push(
      `${otherReason} with the same outcome for another reason, which is no change:`,
      ...describeWays(otherReasons, most),
    );
  const left = unjudged.reduce((sum, { count }) => sum + count, 0);
  if (left > 0) lines.push(`${left} could not be judged anew, which does not mean "no change":`);
  for (const { why, count } of unjudged) lines.push(`  ${count} × ${why}`);
  for (const { rule, what, count } of unheld)
    lines.push(`${count} were judged without what the rule ${rule} reads: ${what}`);
  if (held.length > 0)
    lines.push(
      `the ${against === undefined ? "records" : "captures"} held all that these rules read: ${held.join(", ")}`,
    );
  const found = new Map<string, number>();
  for (const { detector } of findings) found.set(detector, (found.get(detector) ?? 0) + 1);
  for (const [detector, count] of found) lines.push(`${count} findings of ${detector}; --json names them`);
  return `${lines.join("\n")}\n`;
}
