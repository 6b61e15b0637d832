// The key `limits.frequency` of trunks and lessees: its schema, and what it is compiled to.
import { z } from "zod";
import type { FrequencyLimit } from "../../../domain/trunk.ts";
import type { Millis } from "../../../domain/time.ts";

const SECOND: Millis = 1000;
const HOUR = 3600 * SECOND;

/** The windows that contracts may name. */
const windows: Readonly<Record<string, Millis>> = {
  "10s": 10 * SECOND,
  "1m": 60 * SECOND,
  "1h": HOUR,
  "1d": 24 * HOUR,
  "30d": 30 * 24 * HOUR,
};

export const frequencySchema = z
  .array(
    z.strictObject({
      per: z
        .enum(["trunk", "lessee", "caller", "callerBlock", "called"])
        .describe(
          "Whose calls are counted. callerBlock: a hundred numbers that differ in the last two digits. lessee: all of its trunks together.",
        ),
      calls: z.int().min(1).max(100_000_000).describe("Calls that may pass within the window."),
      within: z
        .enum(["10s", "1m", "1h", "1d", "30d"])
        .describe("The window, which slides. Up to 1h counts are exact, beyond at most 2 % high."),
      onlyUnanswered: z
        .boolean()
        .exactOptional()
        .describe("true: only calls that nobody answered count, and those that stand unanswered."),
    }),
  )
  .min(1)
  .max(16)
  .describe(
    "Frequencies by contract. A repeat, more digits, a 407 and a failover count once; refusals cost nothing.",
  );

export type FrequencyEntry = z.output<typeof frequencySchema>;

/**
 * Compiles the limits of an owner.
 *
 * @param owner "trunk ID" or "lessee ID": a lessee's calls are counted over all of its trunks
 * @param trunk the trunk that is compiled: a limit per trunk counts each trunk for itself
 */
export function compileFrequencies(
  entries: FrequencyEntry,
  owner: string,
  trunk: string,
  lessee: string | undefined,
): readonly FrequencyLimit[] {
  return entries.map(({ per, calls, within, onlyUnanswered = false }) => {
    const whose = per === "trunk" ? `trunk ${trunk}` : per === "lessee" ? `lessee ${lessee ?? ""}` : owner;
    return Object.freeze({
      name: `${owner}: ${whose} per ${per} ${within}${onlyUnanswered ? " unanswered" : ""}`,
      per,
      calls,
      within: windows[within] ?? HOUR,
      written: within,
      onlyUnanswered,
    });
  });
}
