// Tells what a rehearsal found, as text or as one object, and gives the exit code.
import type { Rehearsed } from "../../replay/rehearsing/change-tally.ts";

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
const MOST_SHOWN = 50;

/** @returns the exit code: 0; 1 above `maxChanges` */
export function tellRehearsal(
  { result, ...revisions }: Told,
  { maxChanges, most, json }: TellingOptions,
  { stdout, stderr }: TellingOutput,
): number {
  const told = { ...revisions, ...result, changes: result.changes.slice(0, most) };
  stdout.write(json ? `${JSON.stringify(told)}\n` : describe(result, most ?? MOST_SHOWN, revisions.against));
  if (maxChanges === undefined || result.changed <= maxChanges) return DONE;
  stderr.write(`sigwall rehearse: ${result.changed} verdicts would change, more than ${maxChanges}\n`);
  return TOO_MANY;
}

function describe(
  { attempts, same, changed, changes, unjudged, unheld, held, findings }: Rehearsed,
  most: number,
  against: string | undefined,
): string {
  const compared = against === undefined ? "" : `, compared with policy ${against}`;
  const lines = [
    `${attempts} attempts${compared}: ${same} with the same verdict, ${changed} with another one`,
  ];
  for (const { trunk, lessee, before, after, rule, count, ids } of changes.slice(0, most)) {
    const whom = lessee === "" ? trunk : `${trunk} (${lessee})`;
    lines.push(
      `  ${count} × ${whom}: ${before} → ${after}, by ${rule}: ${ids.join(", ")}${count > ids.length ? ", …" : ""}`,
    );
  }
  if (changes.length > most) lines.push(`  and ${changes.length - most} more kinds; --json has all`);
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
