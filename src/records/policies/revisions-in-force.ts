// Says when kept policies were in force at each node: from one time of coming into force to the next one.
import type { Millis } from "../../domain/time.ts";
import type { AskedRevision } from "../evidence/block-revisions.ts";
import type { KeptPolicy } from "./kept-policy.ts";

/**
 * Gives the spans of some policies.
 *
 * @param kept every policy of the folder: the next one ends a span
 * @param now end of the spans that nothing ends. Unix milliseconds
 */
export function spansOf(
  policies: readonly KeptPolicy[],
  kept: readonly KeptPolicy[],
  now: Millis,
): readonly AskedRevision[] {
  const times = new Map<string, Millis[]>();
  for (const { inForce } of kept)
    for (const { from, node } of inForce) {
      const ofNode = times.get(node) ?? [];
      ofNode.push(Date.parse(from));
      times.set(node, ofNode);
    }
  for (const ofNode of times.values()) ofNode.sort((a, b) => a - b);
  return policies.map(({ revision, inForce }) => ({
    revision,
    spans: inForce.map(({ from, node }) => {
      const start = Date.parse(from);
      return { node, from: start, to: times.get(node)?.find((time) => time > start) ?? now };
    }),
  }));
}
