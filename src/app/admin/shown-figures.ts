// Figures that are put together for the admin address: calls in progress by trunk, and the records with their evidence.
import type { TrunkCalls } from "../../calls/calls.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import type { RecordsFigures } from "../../observe/figures.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Records } from "../../records/lines/recording.ts";

/** @param late refusals that were answered before their evidence was on the disk */
export function recordsFigures(records: Records | undefined, late: number): RecordsFigures | undefined {
  if (records === undefined) return undefined;
  const figures = records.figures();
  return { ...figures, evidence: { ...figures.evidence, late } };
}

/** Calls in progress that a trunk has begun. */
export function callsOn(calls: ReadonlyMap<TrunkId, TrunkCalls> | undefined, trunk: TrunkId): number {
  const { setup, answered } = calls?.get(trunk) ?? { setup: 0, answered: 0 };
  return setup + answered;
}

/** Calls in progress by trunk: every trunk of the policy, and removed trunks as long as they have calls. */
export function standingOf(
  calls: ReadonlyMap<TrunkId, TrunkCalls> | undefined,
  { trunks }: Policy,
): ReadonlyMap<TrunkId, TrunkCalls> {
  const standing = new Map<TrunkId, TrunkCalls>();
  if (calls === undefined) return standing;
  for (const { trunk } of trunks) standing.set(trunk.id, { setup: 0, answered: 0 });
  for (const [trunk, count] of calls) if (count.setup + count.answered > 0) standing.set(trunk, count);
  return standing;
}
