// Which limits by contract of trunks and lessees are nearly used up.
import type { Millis } from "../../domain/time.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { ScreeningState } from "../state.ts";

/** From this share on a limit is told. */
const NEARLY = 0.8;

/** A limit that is nearly used up. Limits of numbers are not told: no label holds a number. */
export interface LimitUse {
  /** Empty on a trunk without lessee. */
  readonly lessee: string;
  /** "trunk lease-01 per trunk 1d". */
  readonly limit: string;
  /** Calls that count now, as a share of those that are allowed. */
  readonly ratio: number;
}

/** Lists the limits per trunk and per lessee of which at least 80 % are used, each once. */
export function limitsInUse(
  trunks: Iterable<{ readonly trunk: Trunk }>,
  { frequency, wall }: Pick<ScreeningState, "frequency" | "wall">,
  at: Millis,
): readonly LimitUse[] {
  const found = new Map<string, LimitUse>();
  for (const { trunk } of trunks)
    for (const { name, per, written, calls, within } of trunk.limits.frequency ?? []) {
      if ((per !== "trunk" && per !== "lessee") || found.has(name)) continue;
      const ratio = frequency.count(frequency.limit(name, { calls, within }), 0, at - wall.ahead) / calls;
      const owner = per === "trunk" ? `trunk ${trunk.id}` : `lessee ${trunk.lessee ?? ""}`;
      if (ratio >= NEARLY)
        found.set(name, { lessee: trunk.lessee ?? "", limit: `${owner} per ${per} ${written}`, ratio });
    }
  return [...found.values()];
}
