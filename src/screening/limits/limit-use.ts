// Which limits of trunks and lessees are nearly used up.
import type { Millis } from "../../domain/time.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { ScreeningState } from "../state.ts";
import { lesseeBucket } from "./call-rate.ts";
import { channelsOf } from "./channels.ts";

/** From this share on a limit is told. */
const NEARLY = 0.8;

/** A limit that is nearly used up. Limits of numbers are not told: no label holds a number. */
export interface LimitUse {
  /** Empty on a trunk without lessee. */
  readonly lessee: string;
  /** "trunk lease-01 per trunk 1d", "lessee bank channels". */
  readonly limit: string;
  /** Calls that count now, as a share of those that are allowed. */
  readonly ratio: number;
}

type LimitState = Pick<ScreeningState, "frequency" | "wall" | "channels" | "callRate">;

/**
 * Lists the limits of trunks and lessees of which at least 80 % are used, each once: frequencies of the whole trunk or
 * lessee, channels, and the calls of the last second.
 */
export function limitsInUse(
  trunks: Iterable<{ readonly trunk: Trunk }>,
  state: LimitState,
  at: Millis,
): readonly LimitUse[] {
  const found = new Map<string, LimitUse>();
  for (const { trunk } of trunks) {
    const note = (name: string, limit: string, ratio: number): void => {
      if (ratio >= NEARLY && !found.has(name)) found.set(name, { lessee: trunk.lessee ?? "", limit, ratio });
    };
    noteFrequencies(trunk, state, at - state.wall.ahead, note);
    noteChannels(trunk, state, note);
    noteRates(trunk, state, at - state.wall.ahead, note);
  }
  return [...found.values()];
}

type Note = (name: string, limit: string, ratio: number) => void;

function noteFrequencies(
  { id, lessee, limits }: Trunk,
  { frequency }: LimitState,
  now: Millis,
  note: Note,
): void {
  for (const { name, per, written, calls, within } of limits.frequency ?? []) {
    if (per !== "trunk" && per !== "lessee") continue;
    const owner = per === "trunk" ? `trunk ${id}` : `lessee ${lessee ?? ""}`;
    const ratio = frequency.count(frequency.limit(name, { calls, within }), 0, now) / calls;
    note(name, `${owner} per ${per} ${written}`, ratio);
  }
}

function noteChannels({ id, lessee, limits, mode }: Trunk, { channels }: LimitState, note: Note): void {
  if (mode === "redirect") return;
  const own = `trunk ${id} channels`;
  if (limits.channels !== undefined) note(own, own, channels.of(id) / limits.channels);
  if (limits.lessee?.channels === undefined) return;
  const shared = `lessee ${lessee ?? ""} channels`;
  note(shared, shared, channelsOf(channels, limits.lessee.trunks) / limits.lessee.channels);
}

function noteRates({ id, lessee, limits }: Trunk, { callRate }: LimitState, now: Millis, note: Note): void {
  const own = `trunk ${id} callsPerSecond`;
  if (limits.callsPerSecond !== undefined) note(own, own, callRate.used(id, limits.callsPerSecond, now));
  if (limits.lessee?.callsPerSecond === undefined) return;
  const shared = `lessee ${lessee ?? ""} callsPerSecond`;
  note(shared, shared, callRate.used(lesseeBucket(lessee ?? ""), limits.lessee.callsPerSecond, now));
}
